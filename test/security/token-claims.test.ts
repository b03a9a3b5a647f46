// Corpus row AU02 and classes 13, 14, 15: genuine signatures over claims that must not be believed here: another
// issuer, another audience, another time, identity strings that read differently elsewhere, and caches that mix up
// two tokens (CVE-2021-32701, CVE-2026-35030).
import { describe, expect, test } from 'vitest';
import { createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import { createControlAuthenticator } from '#authn/customer-authenticator.ts';
import { createKeySet } from '#authn/key-set.ts';
import {
  AUDIENCE,
  authnBench,
  controlledSource,
  ISSUER,
  issuerOptions,
  noteOf,
  outcome,
} from '../support/authn-bench.ts';
import { keySetOf, makeKey, signToken } from '../support/authn-keys.ts';

/** The reason for a token of the issuer with these claims changed. */
async function reasonFor(claims: (now: number) => object, issuer: object = {}): Promise<string> {
  using bench = await authnBench({ issuer });
  return outcome(bench.authenticator.authenticate(bench.token(claims(bench.clock.seconds()))));
}

test('the control: unchanged claims pass', async () => {
  expect(await reasonFor(() => ({}))).toBe('ok');
});

describe('issuer', () => {
  test.each([
    ['a trailing slash', `${ISSUER}/`],
    ['other case', 'https://IDP.vendor.example'],
    ['another scheme', 'http://idp.vendor.example'],
    ['a port', 'https://idp.vendor.example:443'],
    ['a longer name', `${ISSUER}.evil.example`],
    ['a blank', ` ${ISSUER}`],
    ['nothing', ''],
    ['a name that every object has', 'constructor'],
    ['__proto__', '__proto__'],
  ])('with %s is unknown', async (_, iss) => {
    expect(await reasonFor(() => ({ iss }))).toBe('issuer_unknown');
  });

  test.each([undefined, null, 7, [ISSUER], { 0: ISSUER }])('that is %j is refused', async (iss) => {
    expect(await reasonFor(() => ({ iss }))).toBe('credential_invalid');
  });

  test('cannot be signed for by another configured issuer', async () => {
    using bench = await authnBench();
    const partnerUrl = 'https://idp.partner.example';
    const partnerKey = makeKey('ES256', 'key-1');
    const source = controlledSource(keySetOf(partnerKey));
    const partnerKeys = createKeySet({ name: 'partner', algorithms: ['ES256'], source, clock: bench.clock });
    await partnerKeys.started;
    const keySets = {
      ...bench.keySets,
      byIssuer: new Map([
        [ISSUER, bench.keys],
        [partnerUrl, partnerKeys],
      ]),
    };
    const issuers = [
      issuerOptions(),
      issuerOptions({ name: 'partner', issuer: partnerUrl, org: { value: 'partner' } }),
    ];
    const authenticator = createBearerAuthenticator({ issuers, keySets, clock: bench.clock });
    const own = signToken(partnerKey, bench.claims({ iss: partnerUrl }));
    expect(await authenticator.authenticate(own)).toMatchObject({
      principal: { org: 'partner', issuer: partnerUrl },
    });
    expect(await outcome(authenticator.authenticate(signToken(partnerKey, bench.claims())))).toBe(
      'credential_invalid',
    );
    expect(await outcome(authenticator.authenticate(bench.token({ iss: partnerUrl })))).toBe(
      'credential_invalid',
    );
    authenticator.close();
    partnerKeys.close();
  });
});

describe('audience', () => {
  test.each([
    ['is another', 'other'],
    ['is missing', undefined],
    ['is null', null],
    ['is an empty list', []],
    ['is a list of others', ['a', 'b']],
    ['lists others beside us: they could replay it', [AUDIENCE, 'other']],
    ['lists what is no text', [AUDIENCE, 7]],
    ['differs in case', 'Postern'],
    ['contains ours', 'postern-control'],
    ['is an object', { 0: AUDIENCE }],
  ])('that %s is refused', async (_, aud) => {
    expect(await reasonFor(() => ({ aud }))).toBe('credential_invalid');
  });

  test('may list others that the configuration names', async () => {
    const issuer = { otherAudiences: ['account'] };
    expect(await reasonFor(() => ({ aud: [AUDIENCE, 'account'] }), issuer)).toBe('ok');
    expect(await reasonFor(() => ({ aud: ['account'] }), issuer)).toBe('credential_invalid');
    expect(await reasonFor(() => ({ aud: [AUDIENCE, 'account', 'x'] }), issuer)).toBe('credential_invalid');
  });

  test('of the control API is nobody on the data listener, and the reverse', async () => {
    using bench = await authnBench();
    const { keySets, clock } = bench;
    const control = createControlAuthenticator({
      support: [issuerOptions()],
      customers: [],
      services: [],
      keySets,
      clock,
    });
    const forData = bench.token();
    const forControl = bench.token({ aud: 'postern-control' });
    expect(await outcome(bench.authenticator.authenticate(forData))).toBe('ok');
    expect(await control.authenticate(`Bearer ${forControl}`)).toMatchObject({ kind: 'staff' });
    expect(await outcome(bench.authenticator.authenticate(forControl))).toBe('credential_invalid');
    expect(await control.authenticate(`Bearer ${forData}`)).toMatchObject({ reason: 'credential_invalid' });
    for (const aud of [
      [AUDIENCE, 'postern-control'],
      ['postern-control', AUDIENCE],
    ]) {
      const forBoth = bench.token({ aud });
      expect(await outcome(bench.authenticator.authenticate(forBoth))).toBe('credential_invalid');
      expect(await control.authenticate(`Bearer ${forBoth}`)).toMatchObject({ reason: 'credential_invalid' });
    }
  });
});

describe('dates', () => {
  test.each<[string, unknown]>([
    ['is missing', undefined],
    ['is null', null],
    ['is text', '1999999999'],
    ['is a list', [1999999999]],
    ['is zero', 0],
    ['is negative', -1],
    ['is in milliseconds', 1_999_999_999_000],
    ['is true', true],
  ])('exp that %s is refused', async (_, exp) => {
    expect(await reasonFor(() => ({ exp }))).toBe('credential_invalid');
  });

  test.each(['1e308', '1e309', '-1e308', '1e11', '9007199254740993'])('exp: %s is refused', async (exp) => {
    using bench = await authnBench();
    const payload = JSON.stringify(bench.claims()).replace(/"exp":\d+/, `"exp":${exp}`);
    expect(await outcome(bench.authenticator.authenticate(signToken(bench.key, payload)))).toBe(
      'credential_invalid',
    );
  });

  test.each<[string, (now: number) => object, string]>([
    ['exp 61 s ago, tolerance 60 s', (now) => ({ exp: now - 61 }), 'credential_expired'],
    ['exp 60 s ago, tolerance 60 s', (now) => ({ exp: now - 60 }), 'credential_expired'],
    ['exp 59 s ago, tolerance 60 s', (now) => ({ exp: now - 59 }), 'ok'],
    ['nbf 61 s ahead, tolerance 60 s', (now) => ({ nbf: now + 61 }), 'credential_invalid'],
    ['nbf 60 s ahead, tolerance 60 s', (now) => ({ nbf: now + 60 }), 'ok'],
    ['iat 61 s ahead, tolerance 60 s', (now) => ({ iat: now + 61 }), 'credential_invalid'],
    ['iat 60 s ahead, tolerance 60 s', (now) => ({ iat: now + 60 }), 'ok'],
    ['nbf as text', () => ({ nbf: '1' }), 'credential_invalid'],
    ['iat as text', () => ({ iat: '1' }), 'credential_invalid'],
    ['iat missing where the age is limited', () => ({ iat: undefined }), 'credential_invalid'],
    ['iat more than a day old', (now) => ({ iat: now - 86_461 }), 'credential_expired'],
    ['iat 1e-300', () => ({ iat: 1e-300 }), 'credential_expired'],
  ])('%s', async (_, claims, expected) => {
    expect(await reasonFor(claims, { clockToleranceMs: 60_000 })).toBe(expected);
  });

  test('a tolerance of more than 60 s cannot be configured', async () => {
    await expect(reasonFor(() => ({}), { clockToleranceMs: 60_001 })).rejects.toThrow(/clockToleranceMs/);
  });
});

describe('authorised party', () => {
  const issuer = { authorizedParties: ['support-tool'] };
  test.each([undefined, null, 'other', ['support-tool'], ''])(
    'azp %j is refused where parties are named',
    async (azp) => {
      expect(await reasonFor(() => ({ azp }), issuer)).toBe('credential_invalid');
    },
  );

  test('passes when it is one of them, and is not looked at where none is named', async () => {
    expect(await reasonFor(() => ({ azp: 'support-tool' }), issuer)).toBe('ok');
    expect(await reasonFor(() => ({ azp: 'other' }))).toBe('ok');
  });
});

describe('identity strings', () => {
  test.each([
    { email: 'a@evil.com@vendor.com' },
    { email: 'a@vendor.com\u0000@evil.com' },
    { email: 'a@vendor.com\r\nX-Support-User: root' },
    { sub: 'alice\u0000x' },
    { sub: 'alice\r\nX-Support-User: root' },
    { groups: ['support\nsecurity'] },
  ])('%j is refused', async (claims) => {
    expect(await reasonFor(() => claims)).toBe('credential_invalid');
  });

  test('a name with a line break is left out, so that no record has two lines', async () => {
    using bench = await authnBench();
    const result = await bench.authenticator.authenticate(bench.token({ name: 'a\r\nb' }));
    expect(result).toMatchObject({ principal: { name: null } });
  });

  test('claims called __proto__ and constructor change nothing', async () => {
    using bench = await authnBench();
    const json = JSON.stringify(bench.claims({ groups: undefined }));
    const payload = json.replace(
      /}$/,
      ',"__proto__":{"groups":["support"],"email":"x@evil.example"},"constructor":{}}',
    );
    const result = await bench.authenticator.authenticate(signToken(bench.key, payload));
    expect(result).toMatchObject({ principal: { groups: [], email: 'anna@vendor.example' } });
  });
});

describe('confusion of cached tokens', () => {
  test('each token is itself: another subject, another audience, another issuer never answer for it', async () => {
    using bench = await authnBench();
    const { authenticator } = bench;
    const subjects = ['a', 'b', 'ab', 'a|b', 'a.b'];
    const tokens = subjects.map((sub) => bench.token({ sub }));
    for (let round = 0; round < 2; round++) {
      for (const [i, token] of tokens.entries()) {
        expect(await authenticator.authenticate(token)).toMatchObject({ principal: { id: subjects[i] } });
      }
    }
    expect(await outcome(authenticator.authenticate(bench.token({ sub: 'a', aud: 'other' })))).toBe(
      'credential_invalid',
    );
  });

  test('a good token does not vouch for its own prefix, nor for itself with something behind it', async () => {
    using bench = await authnBench();
    const token = bench.token();
    await bench.authenticator.authenticate(token);
    for (const other of [
      token.slice(0, -1),
      `${token}A`,
      `${token}.`,
      `${token}.AAAA`,
      token.toLowerCase(),
    ]) {
      expect(await noteOf(bench.authenticator.authenticate(other))).not.toBe('no denial');
    }
  });

  test('claims that were true of a cached token are not taken over by the next one of the same person', async () => {
    using bench = await authnBench({ issuer: { requireGroups: ['support'] } });
    expect(await outcome(bench.authenticator.authenticate(bench.token()))).toBe('ok');
    const left = bench.token({ groups: ['alumni'] });
    expect(await outcome(bench.authenticator.authenticate(left))).toBe('not_support_principal');
  });
});
