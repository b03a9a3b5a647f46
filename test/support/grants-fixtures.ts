// What the tests of the grants room share: a clock, people, drafts, and a file that goes away.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import type { GrantDraft } from '#grants/grant-store.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

export const START = Date.UTC(2030, 0, 15, 12) as EpochMs;
export const SECOND = 1000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** Moves only when told to, from START. */
export const clockAtStart = (): ManualClock => manualClock(START);

export const acme = 'acme' as TenantId;
export const globex = 'globex' as TenantId;

export const admin: Actor = {
  kind: 'tenant_admin',
  id: 'u-1',
  issuer: 'https://app.example.com',
  email: 'ada@acme.example',
  name: 'Ada',
  onBehalfOf: null,
};

export const bareService: Actor = {
  kind: 'service',
  id: 'provisioning',
  issuer: 'urn:postern:service',
  email: null,
  name: 'provisioning',
  onBehalfOf: null,
};

export const serviceForAda: Actor = {
  ...bareService,
  onBehalfOf: { id: 'u-1', email: 'ada@acme.example', name: 'Ada' },
};

export const sam: Principal = {
  id: 'sam',
  issuer: 'https://idp.vendor.example',
  email: 'sam@vendor.example',
  name: 'Sam',
  groups: ['support', 'tier-2'],
  org: 'vendor',
};

/** The defaults but for what a test is about; durations one by one. */
export function settingsWith(
  over: Partial<Omit<TenantSettings, 'durations'>> & {
    readonly durations?: Partial<TenantSettings['durations']>;
  } = {},
): TenantSettings {
  const { durations } = DEFAULT_TENANT_SETTINGS;
  return { ...DEFAULT_TENANT_SETTINGS, ...over, durations: { ...durations, ...over.durations } };
}

/** Every tenant under the defaults. */
export const settings = (): TenantSettings => DEFAULT_TENANT_SETTINGS;

export function draft(over: Partial<GrantDraft> = {}): GrantDraft {
  return { ...WISH, ...over };
}

const WISH = {
  tenant: acme,
  startsAt: START,
  expiresAt: (START + DAY) as EpochMs,
  access: 'read',
  audience: { org: 'vendor', groups: null, principals: null },
  roles: [],
  workspaces: [],
  actAs: null,
  lifts: [],
  caseRef: 'CASE-1',
  reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
} as const satisfies GrantDraft;

export function grant(over: Partial<Grant> = {}): Grant {
  return {
    ...WISH,
    id: 'grt_01JHNM9N00000000000000000A' as GrantId,
    revision: 1,
    grantedBy: admin,
    createdAt: START,
    revokedAt: null,
    revokedBy: null,
    ...over,
  };
}

export function at(ms: number): EpochMs {
  return (START + ms) as EpochMs;
}

/** A folder of its own for each test, gone at the end. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'postern-grants-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
