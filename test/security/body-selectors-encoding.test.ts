// A body that the gate decodes otherwise than the application, or not at all: compressed twice, cut short, followed by a
// second gzip member, inflating to gigabytes, in another charset, with a byte order mark, of two types at once.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BodyKind } from '#policy/request-body.ts';
import { readBody } from '#policy/read-body.ts';
import { FORM_TYPE, JSON_TYPE } from '../support/body-facts.ts';
import { facts, policyFrom, rulesText, verdictOf } from '../support/policy-sets.ts';

const MAX_BYTES = 16 * 1024;
const DENIED = '{"format":"csv"}';
const HARMLESS = '{"format":"pdf"}';

const policy = policyFrom(
  rulesText([
    {
      id: 'r',
      match: '{ paths: [/a], json: { /format: [csv] } }, { paths: [/a], form: { format: [csv] } }',
    },
  ]),
);

async function kindOf(bytes: Buffer, contentEncoding: string, contentType = JSON_TYPE): Promise<BodyKind> {
  return (await readBody({ bytes, contentType, contentEncoding, maxBytes: MAX_BYTES })).kind;
}

async function decideOn(bytes: Buffer, contentEncoding: string, contentType = JSON_TYPE): Promise<unknown> {
  const body = await readBody({ bytes, contentType, contentEncoding, maxBytes: MAX_BYTES });
  return verdictOf(policy, facts('/a', { method: 'POST', body, contentType }));
}

describe('a compressed body', () => {
  test.each([
    ['gzip', gzipSync(DENIED)],
    ['br', brotliCompressSync(DENIED)],
  ])('of %s is read as the application reads it', async (coding, bytes) => {
    expect(await decideOn(bytes, coding)).toMatchObject({ reason: 'rule_denied', rule: { id: 'r' } });
  });

  test.each([
    ['a second gzip member', Buffer.concat([gzipSync(HARMLESS), gzipSync(DENIED)]), 'gzip'],
    ['an empty first gzip member', Buffer.concat([gzipSync(''), gzipSync(DENIED)]), 'gzip'],
    ['zeros after a gzip member', Buffer.concat([gzipSync(HARMLESS), Buffer.alloc(8)]), 'gzip'],
    ['bytes after a gzip member', Buffer.concat([gzipSync(HARMLESS), Buffer.from(DENIED)]), 'gzip'],
    ['bytes after brotli', Buffer.concat([brotliCompressSync(HARMLESS), Buffer.from('x')]), 'br'],
    [
      'a second brotli stream',
      Buffer.concat([brotliCompressSync(HARMLESS), brotliCompressSync(DENIED)]),
      'br',
    ],
    ['two codings', gzipSync(brotliCompressSync(DENIED)), 'br, gzip'],
    ['deflate with its frame', deflateSync(DENIED), 'deflate'],
    ['deflate without it', deflateRawSync(DENIED), 'deflate'],
    ['plain bytes under gzip', Buffer.from(DENIED.padEnd(40)), 'gzip'],
    ['plain bytes under brotli', Buffer.from(DENIED), 'br'],
    ['gzip twice under one name', gzipSync(gzipSync(DENIED)), 'gzip'],
  ])('with %s is denied', async (_what, bytes, coding) => {
    expect(await decideOn(bytes, coding)).toMatchObject({ reason: 'body_uninspectable', rule: { id: 'r' } });
  });

  it('that Node itself would join, or read past, is not read so', () => {
    // The positive control: what a gate by `gunzip` sees is not what a server that reads one member sees.
    expect(gunzipSync(Buffer.concat([gzipSync(HARMLESS), gzipSync(' ')])).toString()).toBe(`${HARMLESS} `);
    expect(gunzipSync(Buffer.concat([gzipSync(HARMLESS), Buffer.from('\0x')])).toString()).toBe(HARMLESS);
  });

  test.each([
    ['gzip', gzipSync(DENIED)],
    ['br', brotliCompressSync(DENIED)],
  ])('of %s is unreadable wherever it is cut', async (coding, bytes) => {
    for (let end = 1; end < bytes.length; end++) {
      expect(await kindOf(bytes.subarray(0, end), coding), `${end}`).toBe('unreadable');
    }
  });

  it('of gzip is unreadable with a wrong checksum, length or head', async () => {
    const good = gzipSync(HARMLESS);
    // Not the time, the extra flags and the system: they say nothing of the content.
    for (const at of [0, 1, 2, 3, good.length - 8, good.length - 5, good.length - 4, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] as number) ^ 0xff;
      expect(await kindOf(bad, 'gzip'), `${at}`).toBe('unreadable');
    }
  });

  test.each([
    ['gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20))],
    ['br', brotliCompressSync(Buffer.alloc(64 * 1024 * 1024, 0x20))],
  ])('of %s that inflates without end is too large, and never held', async (coding, bytes) => {
    expect(bytes.length).toBeLessThan(100_000);
    const before = process.memoryUsage().arrayBuffers;
    const body = await readBody({
      bytes,
      contentType: JSON_TYPE,
      contentEncoding: coding,
      maxBytes: bytes.length + MAX_BYTES,
    });
    expect(body.kind).toBe('too_large');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    const verdict = verdictOf(policy, facts('/a', { method: 'POST', body }));
    expect(verdict).toMatchObject({ reason: 'body_too_large', rule: { id: 'r' } });
  });
});

describe('a body in disguise is denied', () => {
  test.each([
    ['in UTF-16', Buffer.from(DENIED, 'utf16le'), JSON_TYPE],
    ['in UTF-16 that says so', Buffer.from(DENIED, 'utf16le'), 'application/json; charset=utf-16le'],
    ['in UTF-7', Buffer.from('+AHs-"format":"csv"}'), 'application/json; charset=utf-7'],
    ['with a byte order mark', Buffer.from(`\u{FEFF}${DENIED}`), JSON_TYPE],
    ['with an overlong byte', Buffer.from('{"format":"\xc1\xa3sv"}', 'latin1'), JSON_TYPE],
    ['of JSON sent as a form', Buffer.from(DENIED), FORM_TYPE],
    ['of JSON sent as text', Buffer.from(DENIED), 'text/plain'],
    ['of JSON without a type', Buffer.from(DENIED), ''],
    ['of a form sent as JSON', Buffer.from('format=csv'), JSON_TYPE],
    ['of a form in another charset', Buffer.from('format=csv'), `${FORM_TYPE}; charset=utf-16`],
    ['of several parts', Buffer.from('--x\r\n'), 'multipart/form-data; boundary=x'],
    ['of a type and another', Buffer.from(DENIED), 'application/json, text/html'],
    [
      'of a patch',
      Buffer.from('[{"op":"add","path":"/format","value":"csv"}]'),
      'application/json-patch+json',
    ],
  ])('%s', async (_what, bytes, type) => {
    expect(await decideOn(bytes, '', type)).toMatchObject({
      reason: 'body_uninspectable',
      rule: { id: 'r' },
    });
  });
});

describe('laws', () => {
  const types = fc.constantFrom(
    JSON_TYPE,
    FORM_TYPE,
    'application/graphql',
    'text/plain',
    `${JSON_TYPE};charset=utf-16`,
  );
  const codings = fc.constantFrom('', 'identity', 'gzip', 'br', 'deflate', 'gzip, br');
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)),
    fc.json().map((text) => Buffer.from(text)),
    fc.json().map((text) => gzipSync(text)),
    fc.json().map((text) => brotliCompressSync(text)),
  );

  it('no bytes under any head make reading or judging throw', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        types,
        codings,
        fc.string(),
        async (bytes, contentType, contentEncoding, query) => {
          const body = await readBody({ bytes, contentType, contentEncoding, maxBytes: 150 });
          expect(body.graphql(query).operations).toBeInstanceOf(Array);
          expect(body.kind === 'unreadable' || body.kind === 'too_large').toBe(body.flaw !== null);
          verdictOf(policy, facts('/a', { method: 'POST', body }));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('no Content-Type or Content-Encoding makes reading throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (contentType, contentEncoding) => {
        const body = await readBody({ bytes: Buffer.from('{}'), contentType, contentEncoding, maxBytes: 9 });
        expect(body.kind).toBe('unreadable');
      }),
      { numRuns: 300 },
    );
  });
});
