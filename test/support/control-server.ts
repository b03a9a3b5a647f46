// The real control server on a free port over a real store, with an authenticator that knows a few callers by name.
import { join } from 'node:path';
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import { type ControlAddress, createControlServer } from '#control/control-server.ts';
import { NO_SETTINGS_DEFAULTS } from '#grants/settings/effective-settings.ts';
import { createGrantAuthority, type GrantEvent } from '#grants/grant-authority.ts';
import { createGrantCache } from '#grants/grant-cache.ts';
import type { GrantStore } from '#grants/grant-store.ts';
import { createSettingsAuthority, type SettingsEvent } from '#grants/settings/settings-authority.ts';
import { grantStoreOn } from '#grants/sqlite/grant-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createSettingsSource } from '#grants/sqlite/settings-source.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { LogFields } from '#model/log.ts';
import type { SettingsDefaults } from '#model/settings-layer.ts';
import type { TenantSettings, TenantView } from '#model/tenant-settings.ts';
import { deny } from '#model/verdict.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { policyExplainer } from '../../src/compose-explain.ts';
import { type TestAudit, testAudit } from './control-audit.ts';
import { acme, admin, clockAtStart, globex, sam, settingsWith, temporaryFolder } from './grants-fixtures.ts';
import { policyFrom, rulesText } from './policy-sets.ts';
import { settingsOnStore } from './settings-on-store.ts';

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
  ulla: {
    kind: 'customer',
    ...customer,
    id: 'u-4',
    email: null,
    name: 'Ulla',
    tenant: acme,
    admin: false,
    products: ['helpdesk'],
  },
  gil: { kind: 'customer', ...customer, id: 'u-3', email: null, name: 'Gil', tenant: globex, admin: true },
  sam: { kind: 'staff', principal: sam, roles: ['lead'] },
  lea: {
    kind: 'staff',
    principal: {
      ...sam,
      id: 'lea',
      email: 'lea@vendor.example',
      name: 'Lea',
      groups: ['leads'],
      org: 'desk',
    },
    roles: ['lead'],
  },
  sue: { kind: 'staff', principal: { ...sam, id: 'sue', email: null }, roles: ['security'] },
  key: { kind: 'service', name: 'provisioning', may: ['grants'] },
  idle: { kind: 'service', name: 'idle', may: ['tenants'] },
  pam: {
    kind: 'customer',
    ...customer,
    id: 'u-5',
    email: 'pam@acme.example',
    name: 'Pam',
    tenant: acme,
    admin: true,
    permissions: ['manage_support_access'],
  },
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
  readonly events: (GrantEvent | SettingsEvent)[];
  /** Of whom the enforcer was told that their settings are other ones now, and what holds. */
  readonly settled: readonly (readonly [TenantId, TenantView])[];
  /** What the enforcer was told, in order. */
  readonly enforced: readonly (readonly ['revoked' | 'changed', Grant])[];
  readonly logged: LogFields[];
  readonly audit: TestAudit;
  /** `caller` is a key of CALLERS, or empty for no credential. A string body is sent as it is. */
  call(caller: string, method: string, path: string, body?: unknown): Promise<Answer>;
  /** The same with headers of its own. */
  callWith(caller: string, request: TestRequest): Promise<Answer>;
  breakStore(): void;
}

export interface TestRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const RULE = { id: 'export.all', match: '{ paths: ["/exports/**"] }', more: ', liftable: true' };

export async function startControl(
  over: {
    /** Of every tenant, whatever is stored. */
    readonly settings?: TenantSettings;
    /** Instead: what the stored settings stand on. */
    readonly defaults?: SettingsDefaults;
    readonly policy?: CompiledPolicy | null;
  } = {},
): Promise<ControlUnderTest> {
  const { policy = policyFrom(rulesText([RULE])), settings = settingsWith() } = over;
  const { defaults = NO_SETTINGS_DEFAULTS } = over;
  const folder = temporaryFolder();
  const clock = clockAtStart();
  const core = createStoreCore({ path: join(folder.path, 'g.db'), clock });
  const settingsOf = over.defaults === undefined ? () => settings : createSettingsSource(defaults);
  const writes = createGrantWrites(settingsOf);
  const store = grantStoreOn(core, writes, settingsOf);
  const onStore = settingsOnStore(core, { writes, settingsOf, defaults });
  const cache = createGrantCache({
    views: onStore.views,
    clock,
    maxEntries: 10,
    ttlMs: 1000,
    negativeTtlMs: 1000,
  });
  const events: (GrantEvent | SettingsEvent)[] = [];
  const settled: (readonly [TenantId, TenantView])[] = [];
  const enforced: (readonly ['revoked' | 'changed', Grant])[] = [];
  const logged: LogFields[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (fields: LogFields) => void logged.push(fields) };
  const enforcer = {
    grantRevoked: (grant: Grant) => void enforced.push(['revoked', grant]),
    grantChanged: (grant: Grant) => void enforced.push(['changed', grant]),
    tenantChanged: (tenant: TenantId, view: TenantView) => void settled.push([tenant, view]),
  };
  const settingsAuthority = createSettingsAuthority({
    ...onStore,
    cache,
    enforcer,
    changes: core,
    tenantsInUse: () => [],
    onEvent: (event) => void events.push(event),
    log,
  });
  const authority = createGrantAuthority({
    store,
    cache,
    enforcer,
    clock,
    onEvent: (event) => void events.push(event),
    grantsInUse: () => [],
    log,
  });
  let requests = 0;
  const audit = testAudit();
  const server = await createControlServer({
    authority,
    settings: settingsAuthority,
    store,
    views: onStore.views,
    authenticator,
    policies: { current: policy },
    explain: policyExplainer(clock),
    clock,
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
    settled,
    enforced,
    logged,
    audit,
    call: (caller, method, path, body) => call(url, caller, { method, path, body }),
    callWith: (caller, request) => call(url, caller, request),
    breakStore: () => void store.close(),
    async [Symbol.asyncDispose]() {
      await server.close();
      authority[Symbol.dispose]();
      settingsAuthority[Symbol.dispose]();
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}

function urlOf(address: ControlAddress | null): string {
  if (address?.kind !== 'tcp') throw new TypeError('the server is not listening on a port');
  return `http://127.0.0.1:${address.port}`;
}

async function call(url: string, caller: string, request: TestRequest): Promise<Answer> {
  const { method, path, body } = request;
  const headers = new Headers(request.headers);
  if (caller !== '') headers.set('authorization', `Bearer ${caller}`);
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
