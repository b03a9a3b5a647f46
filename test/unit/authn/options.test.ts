// Options of issuers: what is refused at construction, and how the refusal names it.
import { describe, expect, test } from 'vitest';
import {
  checkCustomerIssuer,
  checkKeyUrl,
  checkSupportIssuer,
  type SupportIssuerOptions,
} from '#authn/options.ts';
import { createKeySets } from '#authn/key-sets.ts';
import { issuerOptions } from '../../support/authn-bench.ts';
import { manualClock } from '../../support/authn-clock.ts';

describe('defaults', () => {
  test('are the safe ones', () => {
    expect(checkSupportIssuer(issuerOptions({ controlAudience: undefined }))).toMatchObject({
      algorithms: ['ES256', 'RS256'],
      maxTokenAgeMs: 86_400_000,
      clockToleranceMs: 30_000,
      claims: { id: 'sub', email: 'email', name: 'name', groups: 'groups' },
      controlAudience: null,
      requireGroups: [],
      otherAudiences: [],
      authorizedParties: [],
      dangerouslyAllowHttp: false,
    });
  });

  test('fill in what a partial mapping of claims leaves out', () => {
    expect(checkSupportIssuer(issuerOptions({ claims: { id: 'oid' } })).claims).toEqual({
      id: 'oid',
      email: 'email',
      name: 'name',
      groups: 'groups',
    });
  });
});

describe('refused', () => {
  const cases: [string, object, RegExp][] = [
    ['no name', { name: '' }, /name/],
    ['no issuer', { issuer: '' }, /issuer must not be empty/],
    ['no audience', { audience: '' }, /audience/],
    ['one audience for both listeners', { controlAudience: 'postern' }, /controlAudience must differ/],
    ['an empty controlAudience', { controlAudience: '' }, /controlAudience/],
    ['another audience that is ours', { otherAudiences: ['postern-control'] }, /otherAudiences/],
    ['no algorithm', { algorithms: [] }, /algorithms/],
    ['a symmetric algorithm', { algorithms: ['HS256'] }, /algorithms/],
    ['none', { algorithms: ['none'] }, /algorithms/],
    ['a tolerance above 60 s', { clockToleranceMs: 60_001 }, /clockToleranceMs/],
    ['a negative tolerance', { clockToleranceMs: -1 }, /clockToleranceMs/],
    ['a tolerance that is no number', { clockToleranceMs: Number.NaN }, /clockToleranceMs/],
    ['an age of nothing', { maxTokenAgeMs: 0 }, /maxTokenAgeMs/],
    ['an age that is no number', { maxTokenAgeMs: Number.NaN }, /maxTokenAgeMs/],
    ['an empty claim', { claims: { id: '' } }, /claims.id/],
    ['an empty org', { org: { value: '' } }, /org/],
    ['an org claim without values', { org: { claim: 'org', oneOf: [] } }, /org/],
    [
      'discovery of an issuer with a query',
      { issuer: 'https://a.example/?x', keys: { kind: 'discovery' } },
      /query/,
    ],
    [
      'discovery of an issuer that is no URL',
      { issuer: 'workforce', keys: { kind: 'discovery' } },
      /not a URL/,
    ],
    ['discovery over http', { issuer: 'http://a.example', keys: { kind: 'discovery' } }, /https/],
    ['keys over http', { keys: { kind: 'uri', uri: 'http://a.example/jwks' } }, /https/],
    ['keys from a file URL', { keys: { kind: 'uri', uri: 'file:///etc/passwd' } }, /https/],
  ];
  test.each(cases)('%s', (_, more, message) => {
    expect(() => checkSupportIssuer(issuerOptions(more as Partial<SupportIssuerOptions>))).toThrow(message);
  });

  test('by a message that names the issuer', () => {
    expect(() => checkSupportIssuer(issuerOptions({ audience: '' }))).toThrow(/^issuer "workforce": /);
  });

  test('a customer issuer without a claim for the tenant', () => {
    const options = { ...issuerOptions(), claims: { tenant: '' } };
    expect(() => checkCustomerIssuer(options)).toThrow(/claims.tenant/);
  });

  test('inline keys that are no JSON, and two issuers with one URL', () => {
    const clock = manualClock();
    const inline = issuerOptions({ keys: { kind: 'inline', json: '{' } });
    expect(() => createKeySets({ issuers: [inline], clock })).toThrow(/not JSON/);
    expect(() => createKeySets({ issuers: [issuerOptions(), issuerOptions()], clock })).toThrow(
      /same issuer/,
    );
  });
});

describe('addresses of keys', () => {
  test.each([
    'https://a.example/jwks',
    'http://127.0.0.1:3000/',
    'http://127.9.9.9/',
    'http://localhost/',
    'http://[::1]/',
  ])('%s is allowed', (url) => {
    expect(checkKeyUrl(url, false).href).toBe(url);
  });

  test.each([
    'http://a.example/',
    'http://127.0.0.1.evil.example/',
    'http://localhost.evil.example/',
    'http://10.0.0.1/',
    'http://0.0.0.0/',
    'http://[::ffff:127.0.0.1]/',
    'ftp://127.0.0.1/',
    'data:application/json,{}',
    '//a.example',
    '',
  ])('%s is refused', (url) => {
    expect(() => checkKeyUrl(url, false)).toThrow(TypeError);
  });

  test('may be http where that is dangerously allowed, but nothing else', () => {
    expect(checkKeyUrl('http://a.example/', true).hostname).toBe('a.example');
    expect(() => checkKeyUrl('ftp://a.example/', true)).toThrow(TypeError);
  });

  test('hold no password, which would end up in logs', () => {
    expect(() => checkKeyUrl('https://u:p@a.example/', false)).toThrow(/user name/);
  });
});
