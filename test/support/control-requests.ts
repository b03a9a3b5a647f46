// The real control server on a free port over the real store with everything that access requests need: keys of
// repeated calls, the rate limit where one is given, and callers known by name.
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import { createControlServer } from '#control/control-server.ts';
import type { RateLimit } from '#control/rate-limit.ts';
import { createGrantAuthority, type GrantEvent } from '#grants/grant-authority.ts';
import type { IdempotencyStore } from '#grants/idempotency-store.ts';
import { createRequestAuthority, type RequestEvent } from '#grants/requests/request-authority.ts';
import type { TenantId } from '#model/ids.ts';
import type { LogFields } from '#model/log.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { deny } from '#model/verdict.ts';
import { testAudit } from './control-audit.ts';
import { acme, admin, globex, sam } from './grants-fixtures.ts';
import { lea, type RequestsUnderTest, requestsUnderTest } from './request-fixtures.ts';
import { nothingToEnforce } from './sessions-fixtures.ts';

const customer = { kind: 'customer', issuer: admin.issuer, permissions: [], products: [] } as const;
const ada = { ...customer, id: 'u-1', email: 'ada@acme.example', name: 'Ada', tenant: acme, admin: true };

/** By the token that `call` sends. */
const CALLERS: Readonly<Record<string, ControlIdentity>> = {
  ada,
  abe: { ...ada, id: 'u-9', email: 'abe@acme.example', name: 'Abe' },
  /** Sam as the customer knows him: an admin with the address that the vendor verified. */
  samAtAcme: { ...ada, id: 'u-7', email: 'Sam@vendor.example', name: 'Sam' },
  uwe: { ...ada, id: 'u-2', email: null, name: null, admin: false },
  gil: { ...ada, id: 'u-3', email: null, name: 'Gil', tenant: globex },
  sam: { kind: 'staff', principal: sam, roles: [] },
  samAsLead: { kind: 'staff', principal: sam, roles: ['lead'] },
  tom: { kind: 'staff', principal: { ...sam, id: 'tom', email: null, name: 'Tom' }, roles: [] },
  lea: { kind: 'staff', principal: lea, roles: ['lead'] },
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

export interface ControlAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RequestsControl extends AsyncDisposable {
  readonly url: string;
  readonly store: RequestsUnderTest;
  readonly events: (GrantEvent | RequestEvent)[];
  readonly logged: LogFields[];
  /** `caller` is a key of CALLERS. */
  call(
    caller: string,
    target: `${string} /${string}`,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ControlAnswer>;
}

export interface RequestsControlOptions {
  readonly settings?: Partial<TenantSettings>;
  readonly rateLimit?: RateLimit;
  readonly idempotency?: (store: IdempotencyStore) => IdempotencyStore;
}

export async function startRequestsControl(options: RequestsControlOptions = {}): Promise<RequestsControl> {
  const store = await requestsUnderTest(options.settings);
  const { clock, grants, requests } = store;
  const events: (GrantEvent | RequestEvent)[] = [];
  const logged: LogFields[] = [];
  const note = (fields: LogFields) => void logged.push(fields);
  const log = { debug() {}, info() {}, warn: note, error: note };
  const onEvent = (event: GrantEvent | RequestEvent) => void events.push(event);
  const cache = { invalidate(_tenant: TenantId) {}, dropAll() {} };
  const deps = {
    store: grants,
    cache,
    enforcer: nothingToEnforce,
    clock,
    onEvent,
    grantsInUse: () => [],
    log,
  };
  const authority = createGrantAuthority(deps);
  let calls = 0;
  const server = await createControlServer({
    authority,
    store: grants,
    views: { tenantView: () => Promise.reject(new TypeError('not asked for here')) },
    authenticator,
    policies: { current: null },
    clock,
    impactOf: () => ({ requests: 3, streams: 2, principals: 1 }),
    audit: testAudit(),
    nextRequestId: () => `request-${++calls}`,
    log,
    tls: null,
    requests: { authority: createRequestAuthority({ store: requests, cache, onEvent }), store: requests },
    idempotency: options.idempotency?.(store.idempotency) ?? store.idempotency,
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  });
  await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const { address } = server;
  const url = address?.kind === 'tcp' ? `http://127.0.0.1:${address.port}` : '';
  return {
    url,
    store,
    events,
    logged,
    async call(caller, target, body, headers = {}) {
      const [method = '', path = ''] = target.split(' ');
      const all = new Headers({ authorization: `Bearer ${caller}`, ...headers });
      if (body !== undefined) all.set('content-type', 'application/json');
      const response = await fetch(url + path, {
        method,
        headers: all,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const parsed: unknown = text === '' ? {} : JSON.parse(text);
      return { status: response.status, headers: response.headers, body: parsed as ControlAnswer['body'] };
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      authority[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** A body that is allowed as it stands. */
export const ASK = {
  tenant: 'acme',
  caseRef: 'CASE-1',
  reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
  access: 'write',
  duration: '3d',
  roles: ['agent'],
};
