// What a customer and the vendor have settled for a tenant: who may grant, for how long, what a session needs, what holds
// without a grant. The effective settings, every layer merged (grants/settings/effective-settings.ts); frozen, shared by every
// request of the tenant. Hot as a value: gateway stages read fields of it. Types, and one rule of the records' past.
import type { EpochMs } from './clock.ts';
import type { Access, Audience, Grant } from './grant.ts';

/** How long grants may last, calendar units kept as they were written: a month is not a number of days. */
export interface GrantDurations {
  /** Offered by the switch, such as `1d 1w 1mo 1y`; an empty list offers whatever is within the limits. */
  readonly presets: readonly string[];
  readonly default: string;
  readonly min: string;
  readonly max: string;
  readonly indefinite: boolean;
  /** Over all grants of one case, counted from the first start on it; null: no such limit. */
  readonly maxPerCase: string | null;
  /** How far ahead a start may lie. */
  readonly maxStartDelay: string;
  /** An end is a date, and at least this many days after the start's; 0: instants are welcome. */
  readonly wholeDays: number;
}

/** Who of the customer may grant. `users`: each for themselves (`actAs`), admins for anyone. */
export type GrantorRule =
  /** `product`: only those who hold a licence of it. */
  | { readonly kind: 'admins'; readonly product?: string }
  /** Admins who hold the permission, and a licence of the product where one is named. */
  | { readonly kind: 'permission'; readonly permission: string; readonly product?: string }
  | { readonly kind: 'users' }
  /** Users, each for themselves, who hold a licence of the product. */
  | { readonly kind: 'licensed_users'; readonly product: string }
  | { readonly kind: 'nobody' };

/** What the switch opens. */
export interface SwitchGrant {
  readonly access: Access;
  readonly audience: Audience;
  readonly roles: readonly string[];
  readonly workspaces: Grant['workspaces'];
}

export interface WebhookSettings {
  readonly id: string;
  readonly url: string;
  /** `whsec_…` (Standard Webhooks); never leaves the store but to sign. */
  readonly secret: string;
}

export interface TenantSettings {
  /** `standard`, `trial`, `gov`, or another of the vendor's. */
  readonly class: string;
  /** What holds without a grant. */
  readonly standing: 'none' | 'read';
  /** The class's own grant, whose grantor is `system` (trial accounts); null: none. The tenant cannot end it. */
  readonly systemAccess: Access | null;
  /** Organisations that no grant of this tenant lets in, by its class (gov); existing ones are dead for them. */
  readonly excludedOrgs: readonly string[];
  /** The customer's kill switch: beats grants and standing. Never true where `systemAccess` is set. */
  readonly suspended: boolean;
  readonly sessionsRequired: boolean;
  /** Of a session without a request; null: the gateway's floor. */
  readonly sessionIdleMs: number | null;
  readonly sessionMaxMs: number | null;
  /** Categories of deny rules that one grant may lift. */
  readonly liftable: readonly string[];
  readonly vendorVerification: 'none' | 'required';
  /** Shown to whoever grants; its version is kept with the grant. */
  readonly notice: { readonly version: string; readonly text: string } | null;
  /** IANA name; bare dates end there. */
  readonly timeZone: string;
  readonly durations: GrantDurations;
  readonly mayGrant: GrantorRule;
  readonly reasonRequired: boolean;
  readonly caseRefRequired: boolean;
  /** A full match (`[0-9]{5,8}`); null: anything. Compiled at boot or when set, run on a bounded text. */
  readonly caseRefPattern: string | null;
  /** Admins who must approve a request before it becomes a grant; 1 or more. */
  readonly approvals: number;
  /** Whether a lead of the vendor approves a request before the customer is asked. */
  readonly leadFirst: boolean;
  /** How long a request waits. */
  readonly requestLifetimeMs: number;
  readonly defaultAccess: Access;
  readonly switchGrant: SwitchGrant;
  readonly breakGlass: boolean;
  readonly notifyEmails: readonly string[];
  readonly webhooks: readonly WebhookSettings[];
  /**
   * How far back the tenant's records are shown to anybody by way of the gate; null: as long as the journal is kept
   * (`audit.retention`), which it never exceeds. The journal's segments hold many tenants' records and go by that alone.
   */
  readonly auditRetentionMs: number | null;
}

/** The first instant whose records are shown, by the clock's `now`; null: whatever is kept. */
export function recordsShownSince(auditRetentionMs: number | null, now: EpochMs): EpochMs | null {
  return auditRetentionMs === null ? null : (Math.max(0, now - auditRetentionMs) as EpochMs);
}

/** What the gate needs of a tenant for a request: one entry of the cache. Frozen. */
export interface TenantView {
  /** Not revoked and not expired when it was read, in no order. */
  readonly grants: readonly Grant[];
  readonly settings: TenantSettings;
  /** What holds without a grant by standing or class, as grants of source `standing`; the wider first; may be empty. */
  readonly standing: readonly Grant[];
}
