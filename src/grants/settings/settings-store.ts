// The settings of tenants as they are kept: two parts, the vendor's and the customer's own, one revision for both. A
// store that cannot find out throws STORE_UNAVAILABLE; what a rule forbids is a GrantRefusal, and nothing was written.
// What it answers is frozen and holds the webhooks' secrets: whoever shows it leaves them out. Cold.
import type { Actor, Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { OwnPart, VendorPart } from '#model/settings-layer.ts';
import type { TenantSettings, TenantView, WebhookSettings } from '#model/tenant-settings.ts';

export interface StoredSettings {
  readonly tenant: TenantId;
  /** 0 for a tenant about whom nobody has said anything. */
  readonly revision: number;
  readonly vendor: VendorPart;
  readonly own: OwnPart;
  readonly effective: TenantSettings;
}

/** A webhook as it is asked for: with the `id` of one there is, that one, its secret kept unless another is given. */
export interface WebhookWish {
  readonly id?: string;
  readonly url: string;
  /** `whsec_…`; made when left out. */
  readonly secret?: string;
}

/** Absent keys stay as they are, null takes one back to what it inherits; the same within `durations` and `switchGrant`. */
type PatchOf<Part> = {
  readonly [Key in keyof Omit<Part, 'webhooks'>]?:
    | (Key extends 'durations' | 'switchGrant' ? OrNull<NonNullable<Part[Key]>> : Part[Key])
    | null;
} & { readonly webhooks?: readonly WebhookWish[] | null };
type OrNull<Group> = { readonly [Key in keyof Group]?: Group[Key] | null };

export type SettingsPatch =
  | { readonly part: 'vendor'; readonly values: PatchOf<VendorPart> }
  | { readonly part: 'own'; readonly values: PatchOf<OwnPart> };

export interface SettingsChange {
  readonly tenant: TenantId;
  readonly patch: SettingsPatch;
  /** The revision the change was made against; another one is refused. */
  readonly expectedRevision: number;
}

export interface SettingsOutcome {
  readonly settings: StoredSettings;
  /** Of the tenant, after the change. */
  readonly view: TenantView;
  /** False where the patch said what holds already: no revision was made. */
  readonly changed: boolean;
  /** Those made by this call: the only time that their secrets are told. */
  readonly newWebhooks: readonly WebhookSettings[];
  /** Grants that a change of class has ended. */
  readonly revoked: readonly Grant[];
}

export interface SettingsStore {
  read(tenant: TenantId): Promise<StoredSettings>;
  change(change: SettingsChange, by: Actor): Promise<SettingsOutcome>;
}
