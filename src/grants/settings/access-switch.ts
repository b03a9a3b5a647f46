// The switch of a tenant: support access on for a period, or off. One grant of source `switch` at a time, created, changed
// or revoked in one transaction under the tenant's settings; the lifecycle rules say who may and for how long, these
// which grant it becomes. Pure but for what the store hands in; throws GrantRefusal. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, Audience, Grant, StatedReason } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantSettings, TenantView } from '#model/tenant-settings.ts';
import type { GrantDraft, GrantPatch } from '../grant-store.ts';

/** How long, as it was written: a length, a day or an instant; null without an end; absent the tenant's default. */
export interface SwitchPeriod {
  readonly written?: string | null;
}

/** What the customer chose beside the period; absent keys are as the settings say, or as the grant in use has them. */
export interface SwitchChoice {
  readonly access?: Access;
  readonly audience?: Audience;
  readonly roles?: readonly string[];
  readonly workspaces?: Grant['workspaces'];
  readonly caseRef?: string | null;
  readonly reason?: StatedReason | null;
  readonly notice?: { readonly version: string };
}

export type SwitchWish = { readonly open: false } | ({ readonly open: true } & SwitchPeriod & SwitchChoice);

export interface SwitchOutcome {
  /** What the switch has opened, changed or ended; null where it was off already. */
  readonly grant: Grant | null;
  readonly operation: 'created' | 'changed' | 'revoked' | 'unchanged';
  /** Of the tenant, after it. */
  readonly view: TenantView;
}

export interface AccessSwitchStore {
  /** Repeated, it changes nothing more. Rejects with GrantRefusal or STORE_UNAVAILABLE; nothing was done then. */
  set(tenant: TenantId, wish: SwitchWish, by: Actor): Promise<SwitchOutcome>;
}

/**
 * Throws `access_set_by_class` for a tenant whose class gives access by itself: then there is nothing to switch; and
 * `tenant_suspended` for one that would open what its own suspension holds shut.
 */
export function requireSwitch({ systemAccess, suspended }: TenantSettings, wish: SwitchWish): void {
  if (systemAccess !== null) {
    throw new GrantRefusal(
      'access_set_by_class',
      'Support access is part of this class of account; it is switched on and off once the account is converted.',
    );
  }
  if (!wish.open || !suspended) return;
  throw new GrantRefusal(
    'tenant_suspended',
    'Lift the suspension in the settings of the tenant before access is opened.',
  );
}

/** The grant that the switch opened and that has not ended; the latest, should there ever be several. */
export function switchGrantOf(grants: readonly Grant[]): Grant | null {
  let found: Grant | null = null;
  for (const grant of grants) {
    if (grant.source === 'switch' && (found === null || grant.createdAt >= found.createdAt)) found = grant;
  }
  return found;
}

type OpenWish = Extract<SwitchWish, { readonly open: true }>;

export interface SwitchContext {
  readonly tenant: TenantId;
  readonly now: EpochMs;
  readonly settings: TenantSettings;
}

/** The draft of a switch that is off. */
export function switchDraft(wish: OpenWish, { tenant, now, settings }: SwitchContext): GrantDraft {
  const { access, audience, roles, workspaces } = settings.switchGrant;
  checkOffered(wish, settings);
  return {
    tenant,
    startsAt: now,
    expiresAt: endOf(wish),
    access: wish.access ?? access,
    audience: wish.audience ?? audience,
    roles: wish.roles ?? roles,
    workspaces: wish.workspaces ?? workspaces,
    actAs: null,
    lifts: [],
    caseRef: wish.caseRef ?? null,
    reason: wish.reason ?? null,
    source: 'switch',
    ...(wish.notice === undefined ? {} : { notice: wish.notice }),
  };
}

/** The change of a switch that is on: the period is chosen anew, longer or shorter, and counts from now. */
export function switchPatch(wish: OpenWish, { now, settings }: SwitchContext): GrantPatch {
  const { access, audience, roles, workspaces, caseRef, reason, notice } = wish;
  checkOffered(wish, settings);
  return {
    periodFrom: now,
    expiresAt: endOf(wish),
    ...(access === undefined ? {} : { access }),
    ...(audience === undefined ? {} : { audience }),
    ...(roles === undefined ? {} : { roles }),
    ...(workspaces === undefined ? {} : { workspaces }),
    ...(caseRef === undefined ? {} : { caseRef }),
    ...(reason === undefined ? {} : { reason }),
    ...(notice === undefined ? {} : { notice }),
  };
}

function endOf({ written }: SwitchPeriod): GrantDraft['expiresAt'] {
  return written === null ? null : { written: written ?? null };
}

/** Where periods are offered, the switch takes one of these: the limits alone would let any other pass. */
function checkOffered({ written }: SwitchPeriod, { durations }: TenantSettings): void {
  const { presets, indefinite } = durations;
  if (presets.length === 0 || written === null || presets.includes(written ?? durations.default)) return;
  throw new GrantRefusal(
    'not_a_preset',
    `Choose one of these periods: ${presets.join(', ')}${indefinite ? ', or none for access without an end' : ''}.`,
  );
}
