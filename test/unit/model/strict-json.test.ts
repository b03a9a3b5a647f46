// JSON that can be read in one way only.
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStrictJson, parseStrictObject } from '#model/strict-json.ts';

describe('refused', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"x":{"a":1,"a":2}}',
    '{"x":[{"a":1},{"a":1,"b":2,"a":3}]}',
    '{"a\\"b":1,"a\\"b":2}',
    '{"a\\\\":1,"a\\\\":2}',
    '[]',
    'null',
    '"a"',
    '1',
    '',
    '{',
    '{"a":1,}',
    '\ufeff{}',
    `{"a":${'['.repeat(32)}${']'.repeat(32)}}`,
  ])('%s', (text) => {
    expect(parseStrictObject(text)).toBeNull();
  });

  test('ten thousand levels, without exhausting the stack', () => {
    expect(parseStrictObject(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)).toBeNull();
  });
});

describe('accepted', () => {
  test.each([
    '{}',
    ' {"a" : {"a" : [{"a":1},{"a":2}]} , "b":"a" } ',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"a":["a","a"],"b":{},"c":[]}',
  ])('%s', (text) => {
    expect(parseStrictObject(text)).toEqual(JSON.parse(text));
  });
});

test('every object that JSON.stringify writes is read back the same', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (object) => {
      const text = JSON.stringify(object);
      expect(parseStrictObject(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 200 },
  );
});

test('every object is refused once one of its names is written twice', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { minKeys: 1 }), (object) => {
      const name = JSON.stringify(Object.keys(object)[0]);
      const text = JSON.stringify(object).replace(/}$/, () => `,${name}:0}`);
      expect(parseStrictObject(text)).toBeNull();
    }),
    { numRuns: 200 },
  );
});

describe('any value', () => {
  test.each([
    ['[1,{"a":null}]', null],
    ['null', null],
    ['"a"', null],
    ['[1,]', 'malformed'],
    ['', 'malformed'],
    ['[{"a":1},{"a":1,"a":2}]', 'ambiguous'],
    ['[[[]]]', null],
    ['[[[[]]]]', 'deep'],
    ['[[{"a":[]}]]', 'deep'],
  ])('%s, three deep at most: %s', (text, flaw) => {
    const value: unknown = flaw === null ? JSON.parse(text) : undefined;
    expect(parseStrictJson(text, 3)).toEqual({ value, flaw });
  });
});
