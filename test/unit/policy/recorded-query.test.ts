// Which part of a query stands in the record: what a rule reads, and nothing else.
import { describe, expect, it } from 'vitest';
import { createRecordedQuery } from '#policy/recorded-query.ts';

const recorded = createRecordedQuery(new Set(['format', 'view']));

describe('the recorded part of a query', () => {
  it.each([
    ['', ''],
    ['a=1&b=2', ''],
    ['format=csv', 'format=csv'],
    ['a=1&format=csv&token=secret&view', 'format=csv&view'],
    ['a=1;FORMAT=csv', 'FORMAT=csv'],
    ['f%6Frmat=%63sv', 'f%6Frmat=%63sv'],
    ['format[]=csv&x[format]=pdf&x[y]=1', 'format[]=csv&x[format]=pdf'],
    ['_method=DELETE&x=1', '_method=DELETE'],
    ['%zz=secret&a=1', '%zz'],
    ['format=%zz', 'format=%zz'],
    ['==&=x', ''],
  ])('of %j is %j', (query, expected) => {
    expect(recorded(query)).toBe(expected);
  });

  it.each([
    ['access_token=secret&format=csv', 'access_token&format=csv'],
    ['Access%5FToken=secret', 'Access%5FToken'],
    ['x[access_token]=secret', 'x[access_token]'],
    ['access_token[]=secret;ACCESS_TOKEN=secret', 'access_token[]&ACCESS_TOKEN'],
  ])('never holds a credential, though a rule reads its name: of %j it is %j', (query, expected) => {
    expect(createRecordedQuery(new Set(['format', 'access_token']))(query)).toBe(expected);
  });

  it('leaves out a value that is longer than any of a rule, and says so', () => {
    expect(recorded(`format=${'x'.repeat(400)}`)).toBe('format=%E2%80%A6');
  });

  it('leaves out a long name that cannot be read: it may be a token', () => {
    expect(recorded(`%zz${'x'.repeat(400)}=1`)).toBe('');
  });

  it('holds `_method` where no rule reads anything', () => {
    expect(createRecordedQuery(new Set())('a=1&_method=PUT')).toBe('_method=PUT');
  });
});
