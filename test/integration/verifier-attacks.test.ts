// Attacks on an application that checks the gate's assertion, sent to it around the gate: tokens that are expired, for
// somebody else, by somebody else, of another kind, altered, in the wrong algorithm (class 23), twice (class 12), oversize.
// Customers' own requests pass here, so that each refusal is the header's alone.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EncryptJWT, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { base64url, signToken } from '../support/authn-keys.ts';
import { ask } from '../support/gate-traffic.ts';
import { manualClock } from '../support/manual-clock.ts';
import { rawRequest } from '../support/raw-client.ts';
import {
  assertedClaims,
  type Framework,
  type GuardedGate,
  signAssertion,
  startGuardedGate,
} from '../support/support-upstream.ts';

const FRAMEWORKS: readonly Framework[] = ['express', 'fastify'];
const now = () => Math.floor(Date.now() / 1000);
const TYPE = 'postern-assertion+jwt';

function send(guarded: GuardedGate, ...values: readonly string[]) {
  const headers = values.map((value) => `X-Support-Assertion: ${value}\r\n`).join('');
  return rawRequest(guarded.upstream.port, `GET /who HTTP/1.1\r\nHost: app\r\n${headers}\r\n`);
}

function keyOf({ gate }: GuardedGate) {
  return createPrivateKey(readFileSync(join(gate.folder, 'keys', 'assertion.pem')));
}

/** Signed by a key of the attacker's own, which names itself as `kid`. */
async function byStranger(kid: string, header: object = {}): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  return signAssertion({ key: privateKey, kid }, {}, header);
}

function bySecret(guarded: GuardedGate, secret: string | Buffer): Promise<string> {
  return new SignJWT(assertedClaims())
    .setProtectedHeader({ alg: 'HS256', kid: guarded.kid, typ: TYPE })
    .sign(Buffer.from(secret as string));
}

/** By the gate's own key, where a library would refuse to sign. */
function byHand(guarded: GuardedGate, header: object): string {
  const privateKey = keyOf(guarded);
  const publicKey = createPublicKey(privateKey);
  const kid = guarded.kid;
  const key = { kid, algorithm: 'ES256', privateKey, publicKey, jwk: {} };
  return signToken(key, assertedClaims(), { alg: 'ES256', kid, typ: TYPE, ...header });
}

type Attack = readonly [what: string, make: (guarded: GuardedGate) => Promise<string>, reason?: string];

const CLAIMS: readonly Attack[] = [
  ['expired', ({ assert }) => assert({ iat: now() - 90, exp: now() - 30 }), 'assertion_expired'],
  ['without an end', ({ assert }) => assert({ exp: undefined })],
  ['with an end in words', ({ assert }) => assert({ exp: String(now() + 60) })],
  ['made in the future', ({ assert }) => assert({ iat: now() + 120, exp: now() + 180 })],
  ['not valid yet', ({ assert }) => assert({ nbf: now() + 120 })],
  ['that lives longer than the gate lets any live', ({ assert }) => assert({ exp: now() + 3600 })],
  ['for another audience', ({ assert }) => assert({ aud: 'billing' })],
  ['for other audiences besides', ({ assert }) => assert({ aud: ['app', 'billing'] })],
  ['of another issuer', ({ assert }) => assert({ iss: 'https://other.test' })],
  ['of an issuer that is nearly ours', ({ assert }) => assert({ iss: 'https://gate.test/' })],
  ['without a tenant', ({ assert }) => assert({ tenant: undefined })],
  ['for several tenants', ({ assert }) => assert({ tenant: ['acme', 'globex'] })],
  ['without a grant', ({ assert }) => assert({ grant: undefined })],
  ['with more access than there is', ({ assert }) => assert({ access: 'admin' })],
  ['with roles that are no list', ({ assert }) => assert({ roles: 'agent' })],
  ['without workspaces', ({ assert }) => assert({ workspaces: undefined })],
  ['that acts as several', ({ assert }) => assert({ actAs: ['u-ada'] })],
];

const FORMS: readonly Attack[] = [
  ['of another type', ({ assert }) => assert({}, { typ: 'JWT' })],
  ['of no type', ({ assert }) => assert({}, { typ: undefined })],
  ['that names no key', ({ assert }) => assert({}, { kid: undefined })],
  ['that names an extension', async (guarded) => byHand(guarded, { crit: ['x'], x: 1 })],
  ['whose payload is not encoded', async (guarded) => byHand(guarded, { crit: ['b64'], b64: false })],
  [
    'in algorithm none',
    async () =>
      `${base64url(JSON.stringify({ alg: 'none', typ: TYPE }))}.${base64url(JSON.stringify(assertedClaims()))}.`,
  ],
  [
    'in HS256 with the public key in PEM',
    async (guarded) =>
      bySecret(guarded, createPublicKey(keyOf(guarded)).export({ type: 'spki', format: 'pem' })),
  ],
  [
    'in HS256 with the public key as JWK',
    async (guarded) =>
      bySecret(guarded, JSON.stringify(createPublicKey(keyOf(guarded)).export({ format: 'jwk' }))),
  ],
  ['by a stranger under the gate’s key id', ({ kid }) => byStranger(kid)],
  ['by a key that nobody knows', () => byStranger('none-of-ours')],
  [
    'by the key that it brings along',
    async ({ kid }) => {
      const { publicKey } = await generateKeyPair('ES256', { extractable: true });
      return byStranger(kid, { jwk: await exportJWK(publicKey) });
    },
  ],
  ['without its signature', async ({ assert }) => (await assert()).replace(/[^.]+$/, '')],
  [
    'with a payload of the attacker’s',
    async ({ assert }) => {
      const [header, , signature] = (await assert()).split('.');
      return `${header}.${base64url(JSON.stringify({ ...assertedClaims(), tenant: 'globex' }))}.${signature}`;
    },
  ],
  [
    'that is encrypted instead of signed',
    () =>
      new EncryptJWT(assertedClaims())
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: TYPE })
        .encrypt(new Uint8Array(32)),
  ],
  ['in quotes', async ({ assert }) => `"${await assert()}"`],
  ['as a bearer', async ({ assert }) => `Bearer ${await assert()}`],
  ['with another behind a comma', async ({ assert }) => `${await assert()},${await assert()}`],
  ['that is larger than any of the gate’s', ({ assert }) => assert({ name: 'x'.repeat(20_000) })],
];

const ATTACKS = [...CLAIMS, ...FORMS].map(([what, make, reason = 'assertion_invalid']) => {
  return { what, make, reason };
});

describe.each(FRAMEWORKS)('an application on %s refuses an assertion', (framework) => {
  let guarded: GuardedGate;
  beforeAll(async () => {
    guarded = await startGuardedGate();
    await guarded.upstream.protect(framework, { ...guarded.trust, mode: 'optional' });
  });
  afterAll(() => guarded[Symbol.asyncDispose]());
  beforeEach(() => {
    guarded.upstream.served.length = 0;
  });

  it('of nobody else: the controls pass', async () => {
    expect((await send(guarded, await guarded.assert())).status).toBe(200);
    const justOver = { iat: now() - 40, exp: now() - 2 };
    expect((await send(guarded, await guarded.assert(justOver))).status).toBe(200);
    expect(guarded.upstream.served.map((support) => support?.tenant)).toEqual(['acme', 'acme']);
  });

  it.each(ATTACKS)('$what', async ({ make, reason }) => {
    const { status, body } = await send(guarded, await make(guarded));
    expect([status, (JSON.parse(body) as { reason: string }).reason]).toEqual([401, reason]);
    expect(guarded.upstream.served).toEqual([]);
  });

  it('that stands there twice, the very same one too', async () => {
    const token = await guarded.assert();
    expect((await send(guarded, token, token)).status).toBe(401);
    expect((await send(guarded, token, 'x')).status).toBe(401);
    expect((await send(guarded, '', token)).status).toBe(401);
    expect(guarded.upstream.served).toEqual([]);
  });

  it('of the gate’s own making, once its time is over', async () => {
    const { gate, upstream, trust } = guarded;
    expect((await ask(gate, 'GET /who')).status).toBe(200);
    // As somebody read it on its way, or in a log.
    const kept = upstream.assertions.at(-1) ?? '';
    const clock = manualClock(Date.now());
    await upstream.protect(framework, { ...trust, mode: 'optional', clock });
    expect((await send(guarded, kept)).status).toBe(200);
    clock.advance(66_000);
    const { status, body } = await send(guarded, kept);
    expect([status, body]).toEqual([401, expect.stringContaining('assertion_expired')]);
    expect(upstream.served).toHaveLength(2);
  });
});
