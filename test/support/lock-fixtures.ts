// What the tests of locks and of break glass share: people of the security team, locks, and a store of one process.
import { join } from 'node:path';
import type { EpochMs } from '#model/clock.ts';
import type { Actor } from '#model/grant.ts';
import type { Lock, Locked, LockTarget } from '#model/lock.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import type { EmergencyDraft } from '#grants/emergencies/emergency-store.ts';
import { createEmergencyStore } from '#grants/sqlite/emergency-store.ts';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import { acme, clockAtStart, HOUR, sam, START, temporaryFolder } from './grants-fixtures.ts';
import type { ManualClock } from './manual-clock.ts';

export const IDP = 'https://idp.vendor.example';

export function securityPerson(id: string, over: Partial<Actor> = {}): Actor {
  const email = `${id}@vendor.example`;
  return { kind: 'security', id, issuer: IDP, email, name: id, onBehalfOf: null, ...over };
}

export const quinn = securityPerson('quinn');
export const rita = securityPerson('rita');

let count = 0;

export function lock(target: LockTarget, over: Partial<Lock> = {}): Lock {
  count += 1;
  return {
    id: `lck_0${String(count).padStart(25, '0')}`,
    target,
    message: null,
    createdAt: START,
    createdBy: quinn,
    endsAt: null,
    liftedAt: null,
    liftedBy: null,
    ...over,
  };
}

export const everything: LockTarget = { kind: 'everything' };
export const onAcme: LockTarget = { kind: 'tenant', tenant: acme };
export const onSam: LockTarget = { kind: 'principal', issuer: sam.issuer, id: sam.id, email: sam.email };

/** Sam at work on a case of acme. */
export const samAtAcme: Locked = { principal: sam, tenant: acme, caseRef: 'CASE-1' };

export const withBreakGlass: TenantSettings = { ...DEFAULT_TENANT_SETTINGS, breakGlass: true };

export function emergencyDraft(over: Partial<EmergencyDraft> = {}): EmergencyDraft {
  return {
    tenant: acme,
    org: 'vendor',
    caseRef: 'CASE-1',
    reason: { type: 'production_alert', detail: 'Invoices are sent twice.' },
    access: 'write',
    durationMs: HOUR,
    responder: null,
    ...over,
  };
}

export interface NoticeRow {
  readonly event: string;
  readonly tenant: string | null;
  readonly by: object | null;
  readonly staff: object;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Locks and emergencies on one file; each `open` is another process, as far as the store can tell. */
export function lockPlace(clock: ManualClock = clockAtStart()) {
  const folder = temporaryFolder();
  const path = join(folder.path, 'postern.db');
  const cores: ReturnType<typeof createStoreCore>[] = [];
  let settings: TenantSettings = withBreakGlass;
  return {
    clock,
    path,
    get settings() {
      return settings;
    },
    set settings(next: TenantSettings) {
      settings = next;
    },
    open() {
      const core = createStoreCore({ path, clock, pollMs: 5, busyDeadlineMs: 150 });
      cores.push(core);
      return {
        core,
        locks: createLockStore(core),
        emergencies: createEmergencyStore(core, () => settings, ['security']),
        notices: () =>
          core.read((statements) =>
            (statements.sql('SELECT document FROM notices ORDER BY id').all() as { document: string }[]).map(
              ({ document }) => JSON.parse(document) as NoticeRow,
            ),
          ),
        history: (id: string) =>
          core.read((statements) =>
            statements
              .sql('SELECT kind, operation, tenant, by FROM changes WHERE id = ? ORDER BY seq')
              .all(id)
              .map(({ kind, operation, tenant, by }) => ({
                kind,
                operation,
                tenant,
                by: JSON.parse(String(by)) as Actor,
              })),
          ),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const core of cores) await core.close();
      folder[Symbol.dispose]();
    },
  };
}

export const later = (ms: number): EpochMs => (START + ms) as EpochMs;
