// The assertion: the short-lived signed token that tells the upstream who is acting (RFC 7519).
// Guarantees: nobody carries another's; none outlives its grant, session or the credential behind it; reused only while at
// least half its life remains. Hot: synchronous when cached; a signature is made once per subject and half-life.
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock, EpochMs } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';
import type { AssertionKey } from './assertion-key.ts';

const MAX_ASSERTION_LIFETIME_MS = 60_000;
const MAX_CACHED = 10_000;

export interface AssertionOptions {
  /** The name of the header, as sent. */
  readonly header: string;
  readonly issuer: string;
  readonly audience: string;
  /** 1,000 to 60,000. */
  readonly lifetimeMs: number;
  readonly key: AssertionKey;
}

type AssertedSession = Pick<SupportSession, 'id' | 'endsAt' | 'caseRef'>;

/** Whom an assertion speaks of. The outbound exchange satisfies it. */
export interface AssertionSubject {
  readonly credential: Credential;
  readonly tenant: TenantId;
  readonly grant: Grant;
  readonly session?: AssertedSession | null;
}

export interface AssertionSource {
  /** The compact JWS; a promise only where one has to be signed. Rejects with a fault, never with a library's error. */
  tokenFor(subject: AssertionSubject): string | Promise<string>;
}

interface Entry {
  readonly token: string;
  readonly expiresAtMs: number;
  /** From here on less than half its life remains. */
  readonly halfLifeAtMs: number;
  readonly email: string | null;
  readonly name: string | null;
  readonly org: string;
}

/** The subject, less its credential, that an entry was last used for. */
interface Recent {
  readonly tenant: TenantId;
  readonly grant: Grant;
  readonly session: AssertedSession | null;
  readonly entry: Entry;
}

/** Throws a TypeError when an option is out of range. */
export function createAssertionSource(options: AssertionOptions, clock: Clock): AssertionSource {
  const { lifetimeMs } = options;
  if (!(lifetimeMs >= 1000 && lifetimeMs <= MAX_ASSERTION_LIFETIME_MS)) {
    throw new TypeError('the lifetime of assertions must be between 1 s and 60 s');
  }
  // Entries live a minute at most and are inserted in the order of their making: the first one is the oldest.
  const cache = new Map<string, Entry>();
  const pending = new Map<string, Promise<string>>();
  // Credential and grant are frozen and shared by the requests that carry them: the same objects are the same subject,
  // for which an entry was found usable. Without it the key is written out for each request (npm run bench).
  const recent = new WeakMap<Credential, Recent>();

  async function sign(subject: AssertionSubject, key: string): Promise<string> {
    const { principal } = subject.credential;
    const now = clock.now();
    const endsAt = Math.min(now + lifetimeMs, authorityEndOf(subject));
    const iat = Math.floor(now / 1000);
    const exp = Math.floor(endsAt / 1000);
    const token = await signJwt(options, subject, { iat, exp });
    const life = exp * 1000 - now;
    cache.delete(key);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string);
    const { email, name, org } = principal;
    cache.set(key, { token, expiresAtMs: exp * 1000, halfLifeAtMs: now + life / 2, email, name, org });
    return token;
  }

  function signOnce(subject: AssertionSubject, key: string): Promise<string> {
    // The email and the expiry are no part of the cache key, so they are of this one.
    const flight = `${authorityEndOf(subject)}:${personOf(subject)}:${key}`;
    const running = pending.get(flight);
    if (running !== undefined) return running;
    const started = sign(subject, key).finally(() => pending.delete(flight));
    pending.set(flight, started);
    return started;
  }

  return {
    tokenFor(subject) {
      const now = clock.now();
      const last = recent.get(subject.credential);
      if (last !== undefined && isSubjectOf(last, subject) && now <= last.entry.halfLifeAtMs) {
        return last.entry.token;
      }
      const key = keyOf(subject, options.key.kid);
      const entry = cache.get(key);
      if (entry === undefined || !isUsable(entry, subject, now)) return signOnce(subject, key);
      const { credential, tenant, grant, session = null } = subject;
      recent.set(credential, { tenant, grant, session, entry });
      return entry.token;
    },
  };
}

function isSubjectOf({ tenant, grant, session }: Recent, subject: AssertionSubject): boolean {
  return grant === subject.grant && tenant === subject.tenant && session === (subject.session ?? null);
}

function isUsable(entry: Entry, subject: AssertionSubject, now: EpochMs): boolean {
  const { principal } = subject.credential;
  return (
    now <= entry.halfLifeAtMs &&
    entry.expiresAtMs <= authorityEndOf(subject) &&
    entry.email === principal.email &&
    entry.name === principal.name &&
    entry.org === principal.org
  );
}

function authorityEndOf({ credential, grant, session = null }: AssertionSubject): number {
  let end: number = credential.expiresAt;
  if (grant.expiresAt !== null && grant.expiresAt < end) end = grant.expiresAt;
  return session !== null && session.endsAt < end ? session.endsAt : end;
}

/** Length-prefixed, so that ("a", "bc") and ("ab", "c") are two keys. */
function keyOf(subject: AssertionSubject, kid: string): string {
  const { principal } = subject.credential;
  const { grant } = subject;
  const session = subject.session?.id ?? '';
  return (
    `${principal.issuer.length}:${principal.issuer}${principal.id.length}:${principal.id}` +
    `${subject.tenant.length}:${subject.tenant}${session.length}:${session}` +
    `${grant.id.length}:${grant.id}${grant.revision}:${grant.access}:${kid}`
  );
}

function personOf({ credential }: AssertionSubject): string {
  const { email, name, org } = credential.principal;
  return JSON.stringify([email, name, org]);
}

async function signJwt(
  options: AssertionOptions,
  subject: AssertionSubject,
  times: { readonly iat: number; readonly exp: number },
): Promise<string> {
  const { key } = options;
  try {
    return await new SignJWT({ ...claimsOf(subject), ...times, jti: randomUUID() })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'postern-assertion+jwt' })
      .setIssuer(options.issuer)
      .setAudience(options.audience)
      .sign(key.privateKey);
  } catch (cause) {
    throw new PosternError('INTERNAL', 'the assertion cannot be signed', cause);
  }
}

/** A claim without a value is left out, `null` being read as a value by some. */
function claimsOf(subject: AssertionSubject): Record<string, unknown> {
  const { principal } = subject.credential;
  const { grant } = subject;
  const claims: Record<string, unknown> = {
    sub: principal.id,
    // The same `sub` of two providers is two people.
    idp: principal.issuer,
    org: principal.org,
    tenant: subject.tenant,
    grant: { id: grant.id, revision: grant.revision },
    access: grant.access,
    roles: grant.roles,
    workspaces: grant.workspaces,
  };
  if (principal.email !== null) claims.email = principal.email;
  if (principal.name !== null) claims.name = principal.name;
  if (grant.actAs !== null) claims.actAs = grant.actAs;
  // Where the grant is for any case, the session says for which one.
  const caseRef = grant.caseRef ?? subject.session?.caseRef ?? null;
  if (caseRef !== null) claims.caseRef = caseRef;
  if (subject.session) claims.session = subject.session.id;
  return claims;
}

/** A JSON Web Key Set (RFC 7517 section 5) of the public halves. */
export function keySetOf(keys: readonly AssertionKey[]): string {
  return JSON.stringify({ keys: keys.map((key) => key.publicJwk) });
}
