// Responses for the parser's tests: what a parser made of bytes, tables of good and bad ones, and mutations of them.
import { ResponseParser } from '#upstream/response-parser.ts';

/** What came of one response; `fault`: it was refused or is not complete. */
export interface Parsed {
  readonly fault: string | null;
  readonly interims: readonly number[];
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly reusable: boolean;
  readonly keepAliveMs: number;
  /** It ended by itself, not with the connection. */
  readonly framed: boolean;
}

/** Feeds the pieces, then the end of the connection. Each piece is overwritten after the call, as a socket does. */
export function parsed(pieces: readonly Buffer[], method = 'GET'): Parsed {
  const interims: number[] = [];
  const seen = { status: 0, fields: [] as readonly string[], body: '', ended: 0 };
  const parser = new ResponseParser({
    interim: (status) => void interims.push(status),
    head: (status, fields) => void Object.assign(seen, { status, fields }),
    whole: (text) => void (seen.body += text),
    data: (bytes, from, to) => void (seen.body += bytes.toString('latin1', from, to)),
    end: () => void seen.ended++,
  });
  parser.begin(method === 'HEAD');
  let fault: string | null = null;
  let behind = false;
  for (const piece of pieces) {
    // The connection sees those as bytes nobody asked for.
    behind = seen.ended > 0;
    if (behind) break;
    const reused = Buffer.from(piece);
    fault = parser.feed(reused, reused.length);
    reused.fill(0);
    if (fault !== null) break;
  }
  const framed = seen.ended > 0;
  fault ??= parser.finish();
  if (fault === null && seen.ended !== 1) fault = `ENDED_${seen.ended}_TIMES`;
  const { status, fields, body } = seen;
  const { keepAliveMs } = parser;
  return { fault, interims, status, fields, body, reusable: parser.reusable && !behind, keepAliveMs, framed };
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

export const GOOD: readonly (readonly [name: string, response: string, body: string])[] = [
  ['a length', `${HEAD}Content-Length: 5\r\n\r\nhello`, 'hello'],
  ['a length of nothing', `${HEAD}Content-Length: 0\r\n\r\n`, ''],
  ['no reason phrase', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['no space either', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['HTTP/1.0 until the end', 'HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall of it', 'all of it'],
  ['no header at all', 'HTTP/1.1 200 OK\r\n\r\nrest', 'rest'],
  ['chunks', `${CHUNKED}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n`, 'abc0123456789'],
  ['chunks with extensions', `${CHUNKED}3;a=b;c="d"\r\nabc\r\n00;x\r\n\r\n`, 'abc'],
  ['trailers', `${CHUNKED}1\r\na\r\n0\r\nX-Trailer: 1\r\nY: 2\r\n\r\n`, 'a'],
  ['chunked in capitals', `${HEAD}transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n`, ''],
  ['white space around values', `${HEAD}X-A: \t b c \t\r\nX-B:\r\nContent-Length:1\r\n\r\nx`, 'x'],
  ['obs-text', `${HEAD}X-A: caf\xe9\r\nContent-Length: 1\r\n\r\n\xff`, '\xff'],
  [
    'interim responses',
    `HTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n${HEAD}Content-Length: 1\r\n\r\nx`,
    'x',
  ],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', ''],
];

export const BAD: readonly (readonly [code: string, response: string])[] = [
  ['BAD_STATUS_LINE', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'http/1.1 200 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1  200 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 200\tOK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 200 OK\n\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 200 O\rK\r\n\r\n'],
  ['BAD_STATUS_LINE', 'HTTP/1.1 \r\n\r\n'],
  ['BAD_HEADER', `${HEAD}X-A : 1\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}: 1\r\n\r\n`],
  ['BAD_HEADER', `${HEAD} X-A: 1\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: 1\r\n folded\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: 1\r\n\tfolded\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: 1\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: a\rb\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: a\0b\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: a\x1bb\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: a\x7fb\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-\xe9: a\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}Transfer-Encoding\0: chunked\r\n\r\n`],
  ['BAD_HEADER', `${HEAD}X-A: 1\r\n\r\r\n`],
  ['HEAD_TOO_LARGE', `${HEAD}X-A: ${'a'.repeat(65_536)}\r\n\r\n`],
  ['HEAD_TOO_LARGE', `${HEAD}${'X-A: 1\r\n'.repeat(257)}\r\n`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: 5, 5\r\n\r\nhello`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: -1\r\n\r\n`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: 0x5\r\n\r\nhello`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: 5 5\r\n\r\nhello`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length:\r\n\r\n`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: 9999999999999999\r\n\r\n`],
  ['BAD_CONTENT_LENGTH', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['BAD_TRANSFER_ENCODING', `${HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
  ['BAD_TRANSFER_ENCODING', `${HEAD}Transfer-Encoding: identity\r\n\r\n`],
  ['BAD_TRANSFER_ENCODING', `${HEAD}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`],
  ['BAD_TRANSFER_ENCODING', `${HEAD}Transfer-Encoding: \x0bchunked\r\n\r\n`.replace('\x0b', 'x')],
  ['BAD_TRANSFER_ENCODING', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['BAD_TRANSFER_ENCODING', 'HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['BAD_CONTENT_LENGTH', 'HTTP/1.1 103 E\r\nContent-Length: 1\r\n\r\nx'],
  ['BAD_INTERIM', 'HTTP/1.1 103 E\r\nConnection: close\r\n\r\n'],
  ['BAD_INTERIM', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['BAD_INTERIM', 'HTTP/1.1 103 E\r\n\r\n'.repeat(17)],
  ['BAD_UPGRADE', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['BAD_CHUNK', `${CHUNKED}g\r\n`],
  ['BAD_CHUNK', `${CHUNKED}\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}-1\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}0x1\r\na\r\n`],
  ['BAD_CHUNK', `${CHUNKED} 1\r\na\r\n`],
  ['BAD_CHUNK', `${CHUNKED}1 \r\na\r\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}1\na\r\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}1\r\nab\r\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}1\r\na\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}00000000000001\r\na\r\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}1;a\nb\r\na\r\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}1;${'x'.repeat(17_000)}\r\na\r\n0\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}0\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
  ['BAD_CHUNK', `${CHUNKED}0\r\nX: a\rb\r\n\r\n`],
  ['BODY_TRUNCATED', `${HEAD}Content-Length: 5\r\n\r\nhell`],
  ['BODY_TRUNCATED', `${CHUNKED}5\r\nhello\r\n`],
  ['SOCKET_CLOSED', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n'],
];

const PIECES = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '0',
  '1',
  'f',
  '\0',
  '\x7f',
  '\xe9',
  'chunked',
  '5',
];
const LINES = [
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Transfer-Encoding : chunked\r\n',
  ' X: 1\r\n',
];

/** One to three changes of one of the good responses; `pick(n)` gives 0 to n - 1. */
export function mutated(pick: (below: number) => number): string {
  const [, original] = GOOD[pick(GOOD.length)] as readonly [string, string, string];
  let text = original;
  for (let count = 1 + pick(3); count > 0; count--) {
    const at = pick(text.length + 1);
    const piece = PIECES[pick(PIECES.length)] as string;
    switch (pick(5)) {
      case 0:
        text = text.slice(0, at) + piece + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + 1);
        break;
      case 2:
        text = text.slice(0, at) + piece + text.slice(at + piece.length);
        break;
      case 3:
        text = text.slice(0, at) + text.slice(at, at + 12) + text.slice(at);
        break;
      default: {
        const lineEnd = text.indexOf('\r\n') + 2;
        text = text.slice(0, lineEnd) + LINES[pick(LINES.length)] + text.slice(lineEnd);
      }
    }
  }
  return text;
}
