// The parser of the upstream's responses: strict, and blind to how the bytes were split.
import { array, assert, infiniteStream, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BAD, bytesOf, GOOD, mutated, parsed } from '../../support/upstream-responses.ts';

/** What a split may not change; which fault it is may depend on what had come. */
function outcome(pieces: readonly Buffer[]): object {
  const { fault, ...rest } = parsed(pieces);
  return fault === null ? rest : { refused: true };
}

describe('a response', () => {
  it.each(GOOD)('with %s is read', (_name, response, body) => {
    const result = parsed([bytesOf(response)]);
    expect(result).toMatchObject({ fault: null, body });
    expect(result.status).toBeGreaterThanOrEqual(200);
  });

  it.each(BAD)('%s: %j', (code, response) => {
    expect(parsed([bytesOf(response)]).fault).toBe(code);
  });

  it.each([
    ...GOOD.map(([, text]) => text),
    ...BAD.map(([, text]) => text).filter((text) => text.length < 2000),
  ])('is the same however it is split in two, and byte by byte: %j', (text) => {
    const bytes = bytesOf(text);
    const whole = outcome([bytes]);
    for (let at = 1; at < bytes.length; at++) {
      expect(outcome([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    }
    expect(outcome([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('is the same however a mutation of it is split', () => {
    const sizes = array(integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
    const picks = infiniteStream(nat());
    assert(
      property(picks, sizes, (stream, lengths) => {
        const bytes = bytesOf(mutated((below) => (stream.next().value as number) % below));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const length of lengths) {
          pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        pieces.push(bytes.subarray(at));
        const nonEmpty = pieces.filter((piece) => piece.length > 0);
        expect(outcome(nonEmpty)).toEqual(outcome([bytes]));
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps names as spelled and values without the white space around them', () => {
    const { fields } = parsed([
      bytesOf('HTTP/1.1 200 OK\r\nX-A: \t b c \t\r\nx-b:\r\nContent-Length: 0\r\n\r\n'),
    ]);
    expect(fields).toEqual(['X-A', 'b c', 'x-b', '', 'Content-Length', '0']);
  });

  it('to HEAD has no body, whatever its length says', () => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    expect(parsed([bytesOf(text)], 'HEAD')).toMatchObject({ fault: null, body: '', reusable: true });
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', true],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: X, Close\r\n\r\n', false],
    ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nH', false],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nH', false],
    ['HTTP/1.1 200 OK\r\n\r\n', false],
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', false],
    ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', false],
  ])('%j lets the connection be used again: %s', (text, reusable) => {
    expect(parsed([bytesOf(text)])).toMatchObject({ fault: null, reusable });
  });

  it('says how long its connection stays open', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n';
    expect(parsed([bytesOf(`${head}Keep-Alive: max=3, timeout=7\r\n\r\n`)]).keepAliveMs).toBe(7000);
    expect(parsed([bytesOf(`${head}Keep-Alive: timeout=x\r\n\r\n`)]).keepAliveMs).toBe(-1);
    expect(parsed([bytesOf(`${head}\r\n`)]).keepAliveMs).toBe(-1);
  });
});
