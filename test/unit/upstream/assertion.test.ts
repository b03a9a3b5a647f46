import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import type { GrantId, SessionId, TenantId } from '#model/ids.ts';
import { type AssertionKey, importAssertionKey, loadOrCreateAssertionKey } from '#upstream/assertion-key.ts';
import {
  type AssertionSource,
  type AssertionSubject,
  createAssertionSource,
  keySetOf,
} from '#upstream/assertion.ts';
import { credentialOf, grantOf } from '../../support/upstream-exchange.ts';

const START = 1_800_000_000_000;
let now = START;
const clock: Clock = { now: () => now as EpochMs, monotonic: () => 0 as MonotonicMs };
let key: AssertionKey;

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  key = await importAssertionKey(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
});

function source(lifetimeMs = 60_000, signer = key): AssertionSource {
  now = START;
  return createAssertionSource(
    {
      header: 'X-Support-Assertion',
      issuer: 'https://gate.test',
      audience: 'helpdesk',
      lifetimeMs,
      key: signer,
    },
    clock,
  );
}

function subject(changes: Partial<AssertionSubject> = {}): AssertionSubject {
  return {
    credential: credentialOf({}, START + 3_600_000),
    tenant: 'acme' as TenantId,
    grant: grantOf(),
    ...changes,
  };
}

function sessionOf(id: string, endsAt = START + 3_600_000, caseRef: string | null = null) {
  return { id: id as SessionId, endsAt: endsAt as EpochMs, caseRef };
}

describe('an assertion', () => {
  it('says who is acting, for a minute, signed with the published key', async () => {
    const workspaces = [{ id: 'w1', roles: ['editor'] }];
    const grant = grantOf({ actAs: 'user-7', caseRef: 'C-1', workspaces });
    const token = await source().tokenFor(subject({ grant, session: sessionOf('ses_1') }));
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createLocalJWKSet(JSON.parse(keySetOf([key]))),
      {
        issuer: 'https://gate.test',
        audience: 'helpdesk',
        typ: 'postern-assertion+jwt',
        currentDate: new Date(START),
      },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: key.kid, typ: 'postern-assertion+jwt' });
    expect(payload).toEqual({
      iss: 'https://gate.test',
      aud: 'helpdesk',
      iat: START / 1000,
      exp: START / 1000 + 60,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      sub: 'alice',
      idp: 'https://idp.test',
      email: 'alice@vendor.test',
      name: 'Alice',
      org: 'vendor',
      tenant: 'acme',
      grant: { id: 'grt_01', revision: 3 },
      access: 'write',
      roles: ['agent'],
      workspaces,
      actAs: 'user-7',
      caseRef: 'C-1',
      session: 'ses_1',
    });
  });

  it('names the case of the session where the grant is for any', async () => {
    const session = sessionOf('ses_1', START + 3_600_000, 'C-7');
    expect(decodeJwt(await source().tokenFor(subject({ session }))).caseRef).toBe('C-7');
    const grant = grantOf({ caseRef: 'C-1' });
    expect(decodeJwt(await source().tokenFor(subject({ grant, session }))).caseRef).toBe('C-1');
  });

  it('never outlives the grant, the session or the credential', async () => {
    const byGrant = await source().tokenFor(
      subject({ grant: grantOf({ expiresAt: (START + 10_500) as EpochMs }) }),
    );
    expect(decodeJwt(byGrant).exp).toBe(START / 1000 + 10);
    const byCredential = await source().tokenFor(subject({ credential: credentialOf({}, START + 5000) }));
    expect(decodeJwt(byCredential).exp).toBe(START / 1000 + 5);
    const bySession = await source().tokenFor(subject({ session: sessionOf('ses_1', START + 7000) }));
    expect(decodeJwt(bySession).exp).toBe(START / 1000 + 7);
  });

  it('is handed out again at once while half its life remains, and then made anew', async () => {
    const assertions = source();
    const first = await assertions.tokenFor(subject());
    now = START + 30_000;
    expect(assertions.tokenFor(subject())).toBe(first);
    now = START + 30_001;
    const second = assertions.tokenFor(subject());
    expect(second).toBeInstanceOf(Promise);
    expect(await second).not.toBe(first);
  });

  it('is signed once for requests that come together', async () => {
    const assertions = source();
    const [a, b] = await Promise.all([assertions.tokenFor(subject()), assertions.tokenFor(subject())]);
    expect(a).toBe(b);
  });

  it.each<[string, Partial<AssertionSubject>]>([
    ['another principal', { credential: credentialOf({ id: 'bob' }, START + 3_600_000) }],
    [
      'the same id of another issuer',
      { credential: credentialOf({ issuer: 'https://idp2.test' }, START + 3_600_000) },
    ],
    ['another tenant', { tenant: 'globex' as TenantId }],
    ['another session', { session: sessionOf('ses_2') }],
    ['an earlier end of the session', { session: sessionOf('ses_1', START + 20_000) }],
    ['another grant', { grant: grantOf({ id: 'grt_02' as GrantId }) }],
    ['another revision', { grant: grantOf({ revision: 4 }) }],
    ['another access', { grant: grantOf({ access: 'read' }) }],
    ['another email', { credential: credentialOf({ email: 'a@vendor.test' }, START + 3_600_000) }],
    ['another organisation', { credential: credentialOf({ org: 'partner' }, START + 3_600_000) }],
    ['an earlier end of the credential', { credential: credentialOf({}, START + 20_000) }],
    ['an earlier end of the grant', { grant: grantOf({ expiresAt: (START + 20_000) as EpochMs }) }],
    // ("a", "lice") and ("al", "ice") joined would be one key.
    [
      'a shifted boundary',
      { credential: credentialOf({ issuer: 'https://idp.testa', id: 'lice' }, START + 3_600_000) },
    ],
  ])('is not shared with %s', async (_name, changes) => {
    const assertions = source();
    const first = await assertions.tokenFor(subject());
    const other = await assertions.tokenFor(subject(changes));
    expect(other).not.toBe(first);
    const [mine, theirs] = await Promise.all([
      source().tokenFor(subject()),
      source().tokenFor(subject(changes)),
    ]);
    expect(mine).not.toBe(theirs);
  });

  it('lives between a second and a minute', () => {
    for (const wrong of [0, 999, 60_001, Number.NaN]) expect(() => source(wrong)).toThrow(TypeError);
  });
});

describe('the key', () => {
  it('is made on first start for its owner alone, and read from then on', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-key-'));
    const path = join(directory, 'keys', 'assertion.pem');
    const [first, second] = await Promise.all([
      loadOrCreateAssertionKey(path),
      loadOrCreateAssertionKey(path),
    ]);
    expect(first.kid).toBe(second.kid);
    expect((await loadOrCreateAssertionKey(path)).kid).toBe(first.kid);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toContain('BEGIN PRIVATE KEY');
    await rm(directory, { recursive: true });
  });

  it('is named by its thumbprint and published without its private half', async () => {
    expect(key.kid).toBe(await calculateJwkThumbprint(key.publicJwk));
    expect(Object.keys(JSON.parse(keySetOf([key])).keys[0]).toSorted()).toEqual(
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'].toSorted(),
    );
  });

  it('may be Ed25519, and nothing weaker or other', async () => {
    const ed = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const edKey = await importAssertionKey(ed);
    expect(decodeProtectedHeader(await source(60_000, edKey).tokenFor(subject())).alg).toBe('EdDSA');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    for (const wrong of [rsa, p384]) {
      const pem = wrong.export({ type: 'pkcs8', format: 'pem' }) as string;
      await expect(importAssertionKey(pem)).rejects.toThrow('neither P-256 nor Ed25519');
    }
    await expect(importAssertionKey('secret nonsense')).rejects.not.toThrow('nonsense');
  });
});
