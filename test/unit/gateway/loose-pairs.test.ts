// What the gate itself looks for in a query or a form, in every spelling an application may honour.
import { describe, expect, it } from 'vitest';
import { looseValues } from '../../../src/gateway/loose-pairs.ts';

describe('loose values', () => {
  it.each([
    '_method=delete',
    'a=b&_METHOD=delete',
    'a=b;_method=delete',
    '%5Fmethod=delete',
    '_%6dethod=%64elete',
    '+_method=delete',
    '_method[]=delete',
    '_method%5B0%5D=delete',
    '_method=+delete+',
  ])('finds the value in %s', (query) => {
    expect(looseValues(query, '_method').map((value) => value.trim())).toEqual(['delete']);
  });

  it.each(['', 'method=delete', 'x_method=delete', 'a=_method', 'a%', '%zz=1'])(
    'finds none in %j',
    (query) => {
      expect(looseValues(query, '_method')).toEqual([]);
    },
  );

  it('finds every value, and one without a value', () => {
    expect(looseValues('access_token=a&b=c&Access_Token=d;access_token', 'access_token')).toEqual([
      'a',
      'd',
      '',
    ]);
  });

  it('survives what does not decode', () => {
    expect(looseValues('access_token=%ff', 'access_token')).toEqual(['%ff']);
  });
});
