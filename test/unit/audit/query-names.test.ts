import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodedNames, queryNamesOf } from '#audit/query-names.ts';

const names = (query: string): readonly string[] => decodedNames(queryNamesOf(query));

describe('the recorded names of a query', () => {
  it.each([
    ['', []],
    ['a=1&b=2', ['a', 'b']],
    ['a=1&a=2', ['a']],
    ['a=b=c&d', ['a', 'd']],
    ['&&a=1&&', ['a']],
    ['=secret', []],
    ['filter%5Bname%5D=x&two+words=1', ['filter[name]', 'two words']],
    ['bad%zz=1', ['bad%zz']],
    ['a=1;b=2', ['a']],
  ])('of %j are %j', (query, expected) => {
    expect(names(query)).toEqual(expected);
  });

  it('never hold a value', () => {
    const name = fc.stringMatching(/^[a-m]{1,8}$/);
    const value = fc.stringMatching(/^[n-z0-9]{6,40}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { minLength: 1 }), (pairs) => {
        const query = pairs.map(([key, secret]) => `${key}=${secret}`).join('&');
        const recorded = queryNamesOf(query);
        for (const [, secret] of pairs) expect(recorded).not.toContain(secret);
      }),
    );
  });

  it('show of an overlong name only its length, since it may be a token', () => {
    expect(names(`eyJ${'x'.repeat(200)}=1`)).toEqual(['(203)']);
    expect(names('eyJhbGciOiJFUzI1NiJ9.e30.c2ln&debug')).toEqual(['(29)', 'debug']);
  });

  it('are at most 32', () => {
    const query = Array.from({ length: 100 }, (_, index) => `k${index}=1`).join('&');
    expect(names(query)).toHaveLength(32);
  });
});
