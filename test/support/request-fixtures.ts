// What the tests of access requests share: people, wishes, and the store they are kept in.
import { join } from 'node:path';
import type { Actor } from '#model/grant.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import type { RequestApprovalStep, RequestWish } from '#grants/requests/request-store.ts';
import { grantStoreOn, type SqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createIdempotentCore, type IdempotentCore } from '#grants/sqlite/idempotency-store.ts';
import { createRequestStore, type SqliteRequestStore } from '#grants/sqlite/request-store.ts';
import { createStoreCore, type StoreCore } from '#grants/sqlite/store-core.ts';
import { acme, admin, clockAtStart, sam, temporaryFolder } from './grants-fixtures.ts';
import type { ManualClock } from './manual-clock.ts';

export const abe: Actor = { ...admin, id: 'u-9', email: 'abe@acme.example', name: 'Abe' };

export const lea: Principal = { ...sam, id: 'lea', email: 'lea@vendor.example', name: 'Lea' };

export const asStaff = ({ id, issuer, email, name }: Principal): Actor => ({
  kind: 'staff',
  id,
  issuer,
  email,
  name,
  onBehalfOf: null,
});

export const WANTED: RequestWish['wanted'] = {
  access: 'write',
  duration: '3d',
  roles: ['agent', 'viewer'],
  workspaces: [{ id: 'w1', roles: ['agent'] }],
  actAs: null,
  lifts: ['export'],
};

export function wish(over: Partial<RequestWish> = {}): RequestWish {
  return {
    tenant: acme,
    caseRef: 'CASE-1',
    reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
    escalates: null,
    wanted: WANTED,
    ...over,
  };
}

export const yes = (by: Actor, narrowing: RequestApprovalStep['narrowing'] = null): RequestApprovalStep => ({
  stage: by.kind === 'staff' ? 'lead' : 'tenant',
  by,
  narrowing,
});

export interface RequestsUnderTest extends AsyncDisposable {
  readonly path: string;
  readonly clock: ManualClock;
  readonly core: StoreCore;
  readonly idempotency: IdempotentCore['idempotency'];
  readonly requests: SqliteRequestStore;
  readonly grants: SqliteGrantStore;
  /** Replaces what is settled from now on. */
  settle(over: Partial<TenantSettings>): void;
  /** The same file, as another process would have it. */
  again(): Promise<RequestsUnderTest>;
}

export const OPEN: Partial<TenantSettings> = { liftable: ['export'] };

export async function requestsUnderTest(
  over: Partial<TenantSettings> = {},
  place: { readonly path: string; readonly clock: ManualClock } | null = null,
): Promise<RequestsUnderTest> {
  const folder = place === null ? temporaryFolder() : null;
  const path = place?.path ?? join(folder?.path ?? '', 'r.db');
  const clock = place?.clock ?? clockAtStart();
  let settings: TenantSettings = { ...DEFAULT_TENANT_SETTINGS, ...OPEN, ...over };
  const settingsOf = () => settings;
  const { core, idempotency } = createIdempotentCore(createStoreCore({ path, clock, pollMs: 5 }));
  const leadGroups = ['leads'];
  const writes = createGrantWrites(settingsOf, [], leadGroups);
  const others: RequestsUnderTest[] = [];
  return {
    path,
    clock,
    core,
    idempotency,
    requests: createRequestStore(core, { settingsOf, writes, leadGroups }),
    grants: grantStoreOn(core, writes, settingsOf),
    settle(next) {
      settings = { ...settings, ...next };
    },
    async again() {
      const other = await requestsUnderTest(settings, { path, clock });
      others.push(other);
      return other;
    },
    async [Symbol.asyncDispose]() {
      for (const other of others) await other[Symbol.asyncDispose]();
      await core.close();
      folder?.[Symbol.dispose]();
    },
  };
}
