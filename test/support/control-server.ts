// The real control server on a free port over a real store, with an authenticator that knows five callers by name.
import { join } from 'node:path';
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import { type ControlAddress, createControlServer } from '#control/control-server.ts';
import { createGrantAuthority, type GrantEvent } from '#grants/grant-authority.ts';
import { createGrantCache } from '#grants/grant-cache.ts';
import type { GrantLimits } from '#grants/grant-limits.ts';
import type { GrantStore } from '#grants/grant-store.ts';
import { createSqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import type { Grant } from '#model/grant.ts';
import type { LogFields } from '#model/log.ts';
import { deny } from '#model/verdict.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { type TestAudit, testAudit } from './control-audit.ts';
import { acme, admin, clockAtStart, globex, limits, sam, temporaryFolder } from './grants-fixtures.ts';
import { policyFrom, rulesText } from './policy-sets.ts';

const customer = { issuer: admin.issuer, permissions: [], products: [] };

/** By the token that `call` sends. */
const CALLERS: Readonly<Record<string, ControlIdentity>> = {
  ada: {
    kind: 'customer',
    ...customer,
    id: 'u-1',
    email: 'ada@acme.example',
    name: 'Ada',
    tenant: acme,
    admin: true,
  },
  uwe: { kind: 'customer', ...customer, id: 'u-2', email: null, name: null, tenant: acme, admin: false },
  gil: { kind: 'customer', ...customer, id: 'u-3', email: null, name: 'Gil', tenant: globex, admin: true },
  sam: { kind: 'staff', principal: sam, roles: ['lead'] },
  sue: { kind: 'staff', principal: { ...sam, id: 'sue', email: null }, roles: ['security'] },
  key: { kind: 'service', name: 'provisioning', may: ['grants'] },
  idle: { kind: 'service', name: 'idle', may: ['tenants'] },
};

const authenticator: ControlAuthenticator = {
  async authenticate(header) {
    if (header === undefined) return deny('no_credential');
    return CALLERS[header.replace(/^Bearer /, '')] ?? deny('credential_invalid');
  },
};

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ControlUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly store: GrantStore;
  readonly clock: ReturnType<typeof clockAtStart>;
  readonly events: GrantEvent[];
  /** What the enforcer was told, in order. */
  readonly enforced: readonly (readonly ['revoked' | 'changed', Grant])[];
  readonly logged: LogFields[];
  readonly audit: TestAudit;
  /** `caller` is a key of CALLERS, or empty for no credential. A string body is sent as it is. */
  call(caller: string, method: string, path: string, body?: unknown): Promise<Answer>;
  breakStore(): void;
}

const RULE = { id: 'export.all', match: '{ paths: ["/exports/**"] }', more: ', liftable: true' };

export async function startControl(
  over: { readonly limits?: Partial<GrantLimits>; readonly policy?: CompiledPolicy | null } = {},
): Promise<ControlUnderTest> {
  const { policy = policyFrom(rulesText([RULE])) } = over;
  const folder = temporaryFolder();
  const clock = clockAtStart();
  const store = createSqliteGrantStore({
    path: join(folder.path, 'g.db'),
    clock,
    limits: { ...limits, ...over.limits },
  });
  const cache = createGrantCache({ store, clock, maxEntries: 10, ttlMs: 1000, negativeTtlMs: 1000 });
  const events: GrantEvent[] = [];
  const enforced: (readonly ['revoked' | 'changed', Grant])[] = [];
  const logged: LogFields[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (fields: LogFields) => void logged.push(fields) };
  const authority = createGrantAuthority({
    store,
    cache,
    enforcer: {
      grantRevoked: (grant) => void enforced.push(['revoked', grant]),
      grantChanged: (grant) => void enforced.push(['changed', grant]),
    },
    clock,
    onEvent: (event) => void events.push(event),
    grantsInUse: () => [],
    log,
  });
  let requests = 0;
  const audit = testAudit();
  const server = await createControlServer({
    authority,
    store,
    authenticator,
    policies: { current: policy },
    clock,
    defaultDurationMs: limits.defaultDurationMs,
    impactOf: () => ({ requests: 3, streams: 2, principals: 1 }),
    audit,
    nextRequestId: () => `request-${++requests}`,
    log,
    tls: null,
  });
  await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const url = urlOf(server.address);
  return {
    url,
    store,
    clock,
    events,
    enforced,
    logged,
    audit,
    call: (caller, method, path, body) => call(url, caller, { method, path, body }),
    breakStore: () => void store.close(),
    async [Symbol.asyncDispose]() {
      await server.close();
      authority[Symbol.dispose]();
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

function urlOf(address: ControlAddress | null): string {
  if (address?.kind !== 'tcp') throw new TypeError('the server is not listening on a port');
  return `http://127.0.0.1:${address.port}`;
}

async function call(
  url: string,
  caller: string,
  request: { readonly method: string; readonly path: string; readonly body: unknown },
): Promise<Answer> {
  const { method, path, body } = request;
  const headers = new Headers(caller === '' ? {} : { authorization: `Bearer ${caller}` });
  if (body !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  return { status: response.status, headers: response.headers, body: parsed as Answer['body'] };
}

/** A body that is allowed as it stands. */
export const WISH = {
  audience: { org: 'vendor' },
  caseRef: 'CASE-1',
  reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
};
