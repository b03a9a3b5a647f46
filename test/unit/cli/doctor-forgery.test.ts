// What `postern doctor` forges has the form of what the gate signs: an application that looks at the form alone must believe
// it, or doctor would call it sound. The gate's own assertions are made here, so that the two cannot drift apart.
import { generateKeyPairSync, verify } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { forgeriesOf, type ForgeryOptions } from '#cli/doctor-forgery.ts';
import type { EpochMs, MonotonicMs } from '#model/clock.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import { importAssertionKey } from '#upstream/assertion-key.ts';
import { createAssertionSource } from '#upstream/assertion.ts';
import { credentialOf, grantOf } from '../../support/upstream-exchange.ts';

const ASSERTION = {
  header: 'X-Support-Assertion',
  issuer: 'https://gate.test',
  audience: 'app',
  lifetimeMs: 20_000,
};
const WHO = { issuer: 'https://idp.test', org: 'vendor' };

async function keyOf(alg: 'ES256' | 'EdDSA') {
  const pair =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { key: await importAssertionKey(pem), publicKey: pair.publicKey };
}

function forged(more: Partial<ForgeryOptions>) {
  const options: ForgeryOptions = {
    assertion: ASSERTION,
    key: { kid: 'k', alg: 'ES256' },
    who: WHO,
    tenant: 'acme',
    ...more,
  };
  return forgeriesOf(options).map(({ token }) => ({
    token,
    header: decodeProtectedHeader(token),
    claims: decodeJwt(token),
  }));
}

/** With everything that an assertion can say. */
async function asserted(key: Awaited<ReturnType<typeof keyOf>>['key']) {
  const now = Date.now();
  const endsAt = (now + 3_600_000) as EpochMs;
  const clock = { now: () => now as EpochMs, monotonic: () => 0 as MonotonicMs };
  const token = await createAssertionSource({ ...ASSERTION, key }, clock).tokenFor({
    credential: credentialOf({ name: 'Sam', email: 'sam@vendor.test' }, endsAt),
    tenant: 'acme' as TenantId,
    grant: grantOf({ actAs: 'u-ada', caseRef: 'CASE-1' }),
    session: { id: 'ses_1' as SessionId, endsAt, caseRef: null },
  });
  return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
}

const typesOf = (values: object) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? 'array' : typeof value]),
  );

describe.each(['ES256', 'EdDSA'] as const)('a forgery for a gate that signs with %s', (alg) => {
  it('has every claim of the gate’s, each of its type, but for a user of the customer’s', async () => {
    const { key } = await keyOf(alg);
    const { claims } = await asserted(key);
    const { actAs, ...expected } = typesOf(claims);
    expect(actAs).toBe('string');
    for (const forgery of forged({ key })) {
      expect(typesOf(forgery.claims)).toEqual(expected);
      expect(typesOf(forgery.claims['grant'] as object)).toEqual(typesOf(claims['grant'] as object));
      expect(forgery.claims).toMatchObject({
        iss: claims.iss,
        aud: claims.aud,
        idp: WHO.issuer,
        org: 'vendor',
      });
      expect(Number(forgery.claims.exp) - Number(forgery.claims.iat)).toBe(20);
    }
  });

  it('has every member of the header of the gate’s; the unsigned one says so and nothing else', async () => {
    const { key } = await keyOf(alg);
    const { header } = await asserted(key);
    const [signed, unsigned] = forged({ key });
    expect(signed?.header).toEqual(header);
    expect(unsigned?.header).toEqual({ ...header, alg: 'none' });
    expect(unsigned?.token.endsWith('.')).toBe(true);
  });

  it('is signed in the right form, by another key than the gate’s', async () => {
    const { key, publicKey } = await keyOf(alg);
    const [head, claims, signature = ''] = forged({ key })[0]?.token.split('.') ?? [];
    const bytes = Buffer.from(signature, 'base64url');
    expect(bytes).toHaveLength(64);
    const by = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    const digest = alg === 'ES256' ? 'sha256' : null;
    expect(verify(digest, Buffer.from(`${head}.${claims}`), by, bytes)).toBe(false);
  });
});

it('says a tenant that nobody has where none is known', () => {
  expect(forged({ tenant: null }).map(({ claims }) => claims['tenant'])).toEqual([
    'postern-doctor',
    'postern-doctor',
  ]);
});
