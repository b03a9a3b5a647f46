// Who is acting? Staff of the vendor, proven by Postern's signed assertion, or a customer's user by the help desk's
// own session cookie. A header that merely names somebody is never believed: X-Support-User counts only beside an
// assertion that says the same.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { createRemoteJWKSet, customFetch, type JWTPayload, jwtVerify } from 'jose';
import { call } from '../http.ts';
import { HttpError } from './http-error.ts';

export interface CustomerActor {
  readonly kind: 'customer';
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly email: string;
  readonly role: 'admin' | 'agent' | 'requester';
}

interface SupportActor {
  readonly kind: 'support';
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly email: string;
  readonly org: string;
  readonly access: string;
  readonly roles: readonly string[];
  readonly grant: unknown;
  readonly caseRef: string | null;
  /** The customer's user whose data they see; null for their own. */
  readonly actAs: string | null;
}

export type Actor = CustomerActor | SupportActor;

export interface Identity {
  /** Null: nobody. Throws 401 when an assertion is present and not valid for this tenant. */
  identify(request: IncomingMessage, tenant: string): Promise<Actor | null>;
  /** The value of a new session's cookie. */
  openSession(userId: string): string;
  closeSession(request: IncomingMessage): void;
}

export const SESSION_COOKIE = 'helpdesk_session';

export interface IdentityOptions {
  readonly database: DatabaseSync;
  readonly assertion: {
    /** Postern's data listener on loopback, where the key set is. */
    readonly port: number;
    /** A Host that the data listener knows. */
    readonly host: string;
    readonly issuer: string;
    readonly audience: string;
  };
}

export function createIdentity({ database, assertion }: IdentityOptions): Identity {
  const sessions = new Map<string, string>();
  const userById = database.prepare('SELECT id, tenant, name, email, role FROM users WHERE id = ?');
  const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${assertion.port}/-/postern/jwks.json`), {
    cooldownDuration: 0,
    // The listener serves hosts of the tenancy pattern only, and a plain resolver does not know those of the demo.
    [customFetch]: async (url) => {
      const answer = await call({
        port: assertion.port,
        path: new URL(url).pathname,
        headers: { host: assertion.host },
      });
      return new Response(answer.text, { status: answer.status });
    },
  });

  async function verifyAssertion(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: assertion.issuer,
        audience: assertion.audience,
        typ: 'postern-assertion+jwt',
        algorithms: ['ES256', 'EdDSA'],
        requiredClaims: ['sub', 'exp', 'jti', 'tenant', 'grant'],
      });
      return payload;
    } catch {
      throw new HttpError(401, 'The support assertion is not valid.');
    }
  }

  async function supportActor(
    request: IncomingMessage,
    token: string,
    tenant: string,
  ): Promise<SupportActor> {
    const claims = await verifyAssertion(token);
    const text = (name: string) => String(claims[name] ?? '');
    if (claims['tenant'] !== tenant) throw new HttpError(401, 'The support assertion is for another tenant.');
    const named = request.headers['x-support-user'];
    if (named !== undefined && named !== claims['email']) {
      throw new HttpError(401, 'X-Support-User and the support assertion disagree.');
    }
    return {
      kind: 'support',
      id: text('sub'),
      tenant,
      name: text('name'),
      email: text('email'),
      org: text('org'),
      access: text('access'),
      roles: Array.isArray(claims['roles']) ? claims['roles'].map(String) : [],
      grant: claims['grant'],
      caseRef: typeof claims['caseRef'] === 'string' ? claims['caseRef'] : null,
      actAs: typeof claims['actAs'] === 'string' ? claims['actAs'] : null,
    };
  }

  return {
    async identify(request, tenant) {
      const token = request.headers['x-support-assertion'];
      if (typeof token === 'string') return supportActor(request, token, tenant);
      const user = userById.get(sessions.get(sessionOf(request)) ?? '');
      if (user === undefined || user['tenant'] !== tenant) return null;
      return { kind: 'customer', ...user } as unknown as CustomerActor;
    },
    openSession(userId) {
      const value = randomBytes(32).toString('base64url');
      sessions.set(value, userId);
      return value;
    },
    closeSession(request) {
      sessions.delete(sessionOf(request));
    },
  };
}

function sessionOf(request: IncomingMessage): string {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === SESSION_COOKIE) return value ?? '';
  }
  return '';
}
