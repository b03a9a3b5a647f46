// A held body by its declared type and content coding.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { syntaxOf } from '#policy/body-type.ts';
import type { HeldBody } from '#policy/compiled-policy.ts';
import { bodyOf, NO_BODY, readBody } from '#policy/read-body.ts';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

function held(bytes: Buffer | string | null, changes: Partial<HeldBody> = {}): HeldBody {
  return {
    bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
    contentType: JSON_TYPE,
    contentEncoding: '',
    maxBytes: 64 * 1024,
    ...changes,
  };
}

describe('a declared type', () => {
  test.each([
    ['application/json', 'json'],
    ['Application/JSON', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['application/json;charset="UTF-8"', 'json'],
    ['application/json;charset=utf8;', 'json'],
    ['application/json ; profile="a;b=\\"c" ; charset=utf-8', 'json'],
    ['application/vnd.api+json', 'json'],
    ['application/graphql+json', 'json'],
    ['application/graphql', 'graphql'],
    [FORM_TYPE, 'form'],
    [`${FORM_TYPE}; charset=UTF-8`, 'form'],
  ])('%s is read as %s', (type, syntax) => {
    expect(syntaxOf(type)).toBe(syntax);
  });

  test.each([
    '',
    'text/plain',
    'text/json',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/json, text/html',
    'text/html, application/json',
    'application/json; charset=utf-16',
    'application/json; charset=utf-7',
    'application/json; charset=iso-8859-1',
    'application/json; charset=',
    'application/json; charset="utf-8',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-8; CharSet=utf-8',
    'application/json charset=utf-8',
    'application/json; boundary',
    'application/json/x',
    'application /json',
    'application/json\u0000',
    'application/json+',
    'application/json-seq',
    'application/x-ndjson',
    'application/json-patch+json',
    'json',
  ])('%j is not looked into', (type) => {
    expect(syntaxOf(type)).toBeNull();
    expect(bodyOf('{}', type)).toMatchObject({ kind: 'unreadable', flaw: expect.any(String) });
  });
});

describe('a body', () => {
  it('of no byte is none, whatever it declares', () => {
    expect(readBody(held(''))).toBe(NO_BODY);
    expect(readBody(held('', { contentType: 'text/plain', contentEncoding: 'gzip' }))).toBe(NO_BODY);
  });

  it('that was not held, or is longer than what is looked at, is too large', () => {
    expect(readBody(held(null))).toMatchObject({ kind: 'too_large' });
    expect(readBody(held('{"a":1}', { maxBytes: 6 }))).toMatchObject({ kind: 'too_large' });
    expect(readBody(held('{"a":1}', { maxBytes: 7 }))).toMatchObject({ kind: 'json', json: { a: 1 } });
  });

  it('that was not held is unreadable where its type could not be read either', () => {
    expect(readBody(held(null, { contentType: 'multipart/form-data; boundary=x' })).valueOf()).toMatchObject({
      kind: 'unreadable',
    });
  });

  test.each([
    ['malformed', '{"a":'],
    ['with a comment', '{"a":1} // x'],
    ['with a second value', '{"a":1}{"a":2}'],
    ['with a name twice', '{"a":1,"a":2}'],
    ['with a name twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['nested more than 64 deep', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['with a byte order mark', '\u{FEFF}{"a":1}'],
    ['with a NUL in a name', '{"format\\u0000":"csv"}'],
    ['with half a surrogate pair', '{"a":"\\ud800"}'],
    ['with half a surrogate pair in a name', '{"a":[{"\\uDC00":1}]}'],
    ['of white space', ' \n'],
  ])('of JSON %s is unreadable', (_what, text) => {
    expect(bodyOf(text, JSON_TYPE)).toMatchObject({ kind: 'unreadable', flaw: expect.any(String) });
  });

  it('of JSON keeps names of the prototype as data, whole surrogate pairs and 64 levels', () => {
    const { json } = bodyOf('{"__proto__":{"admin":true},"constructor":1}', JSON_TYPE);
    expect(Object.keys(json as object)).toEqual(['__proto__', 'constructor']);
    expect(bodyOf('{"a":"\\ud83d\\ude00"}', JSON_TYPE)).toMatchObject({ kind: 'json', json: { a: '😀' } });
    expect(bodyOf(`${'['.repeat(64)}${']'.repeat(64)}`, JSON_TYPE).kind).toBe('json');
  });

  it('that is not UTF-8 is unreadable, whatever its type', () => {
    const bytes = Buffer.from('{"a":"\xe9"}', 'latin1');
    expect(readBody(held(bytes))).toMatchObject({ kind: 'unreadable' });
    expect(readBody(held(bytes, { contentType: 'application/graphql' }))).toMatchObject({
      kind: 'unreadable',
    });
    expect(readBody(held(Buffer.from('{"a":1}', 'utf16le')))).toMatchObject({ kind: 'unreadable' });
    expect(readBody(held(Buffer.from('a=\xc0\xaf', 'latin1'), { contentType: FORM_TYPE }))).toMatchObject({
      kind: 'unreadable',
    });
  });

  it('of a form is its pairs and the methods it claims', () => {
    expect(bodyOf('a=1&_METHOD=delete&_method%5B%5D=+put', FORM_TYPE)).toMatchObject({
      kind: 'form',
      form: 'a=1&_METHOD=delete&_method%5B%5D=+put',
      claimedMethods: ['DELETE', 'PUT'],
    });
    expect(bodyOf('_method=%ff', FORM_TYPE).kind).toBe('unreadable');
    expect(bodyOf('%ff_method=PUT', FORM_TYPE).kind).toBe('unreadable');
    expect(bodyOf('x=%ff', FORM_TYPE)).toMatchObject({ kind: 'form', claimedMethods: [] });
  });

  it('that starts with a byte order mark is unreadable, whatever its type', () => {
    for (const type of [JSON_TYPE, FORM_TYPE, 'application/graphql']) {
      expect(bodyOf('\u{FEFF}{a}', type)).toMatchObject({
        kind: 'unreadable',
        flaw: 'the body starts with a byte order mark',
      });
    }
  });

  it('that a form declares and JSON fills is unreadable', () => {
    expect(bodyOf('{"format":"csv"}', FORM_TYPE).kind).toBe('unreadable');
    expect(bodyOf(' [{"format":"csv"}]=', FORM_TYPE).kind).toBe('unreadable');
  });
});

describe('a content coding', () => {
  const text = JSON.stringify({ a: 'x'.repeat(500) });

  test.each([
    ['identity', Buffer.from(text)],
    ['gzip', gzipSync(text)],
    [' GZip ', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
  ])('%s is read', async (contentEncoding, bytes) => {
    expect(await readBody(held(bytes, { contentEncoding }))).toMatchObject({ json: JSON.parse(text) });
  });

  it('gzip is read with a file name in its head, as files have', async () => {
    const plain = gzipSync(text);
    const named = Buffer.concat([plain.subarray(0, 10), Buffer.from('body.json\0'), plain.subarray(10)]);
    named[3] = 0x08;
    expect(await readBody(held(named, { contentEncoding: 'gzip' }))).toMatchObject({ kind: 'json' });
  });

  test.each([
    'deflate',
    'compress',
    'zstd',
    'gzip, br',
    'gzip,gzip',
    'identity, gzip',
    'gzip;q=1',
    '*',
    'chunked',
  ])('%s is not inspected', async (contentEncoding) => {
    const read = await readBody(held(deflateSync(text), { contentEncoding }));
    expect(read).toMatchObject({
      kind: 'unreadable',
      flaw: 'the content coding is not one that rules look into',
    });
  });

  it('of nothing is no body', async () => {
    expect(await readBody(held(gzipSync(''), { contentEncoding: 'gzip' }))).toBe(NO_BODY);
    expect(await readBody(held(brotliCompressSync(''), { contentEncoding: 'br' }))).toBe(NO_BODY);
  });

  it('may come to exactly the bytes that are looked at', async () => {
    const maxBytes = Buffer.byteLength(text);
    for (const [contentEncoding, bytes] of [
      ['gzip', gzipSync(text)],
      ['br', brotliCompressSync(text)],
    ] as const) {
      expect((await readBody(held(bytes, { contentEncoding, maxBytes }))).kind).toBe('json');
      expect((await readBody(held(bytes, { contentEncoding, maxBytes: maxBytes - 1 }))).kind).toBe(
        'too_large',
      );
    }
  });
});
