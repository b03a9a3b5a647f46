// What the notifier asks of the store: notices that a transaction left behind, and their deliveries, one per notice,
// channel and recipient. The grants room satisfies it structurally (grants/sqlite/notice-outbox.ts, people-seen.ts).
// Guarantees asked for: planning is one transaction and happens once; a claimed delivery is nobody else's until its
// lease ends; what was claimed and never settled becomes due again by itself. Rejects with STORE_UNAVAILABLE. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import type { Notice } from '#model/notice.ts';

/** The operator's own webhooks are apart from the tenants', so that no tenant's slow receiver stands before them. */
export const CHANNELS = ['email', 'webhook', 'operator_webhook'] as const;
export type Channel = (typeof CHANNELS)[number];

/** For whom a message is worded. A decider is somebody of the vendor's who has to decide something now. */
export type Side = 'tenant' | 'staff' | 'decider' | 'operator';

export interface DeliveryDraft {
  readonly channel: Channel;
  /** What a delivery is deduplicated by: a case-folded address, or the id of a webhook. */
  readonly recipient: string;
  readonly side: Side;
  /** The e-mail address as it was written; null for webhooks, whose address is looked up at each attempt. */
  readonly address: string | null;
}

export interface DeliveryKey {
  readonly noticeId: string;
  readonly channel: Channel;
  readonly recipient: string;
}

export interface ClaimedDelivery extends DeliveryKey {
  readonly side: Side;
  readonly address: string | null;
  /** Of this one, before this attempt. */
  readonly attempts: number;
  /** The most attempts of any delivery that waits for the same recipient: how long it has not answered. */
  readonly recipientAttempts: number;
  readonly plannedAt: EpochMs;
  readonly notice: Notice;
}

/** `notice` null: its document cannot be read, so that nobody can be told of it. */
export interface UnplannedNotice {
  readonly id: string;
  readonly notice: Notice | null;
}

export interface Claim {
  readonly channel: Channel;
  readonly limit: number;
  /** How long the claimed ones are nobody else's. */
  readonly leaseMs: number;
}

export interface Backlog {
  readonly due: number;
  /** When the oldest of them was planned; null without any. */
  readonly oldestAt: EpochMs | null;
}

export interface NoticeOutbox {
  /** Oldest first, after the id `after` (empty: from the first). */
  unplanned(after: string, limit: number): Promise<readonly UnplannedNotice[]>;
  /** Idempotent: false, and nothing written, when the notice was planned before. */
  plan(noticeId: string, deliveries: readonly DeliveryDraft[]): Promise<boolean>;
  /** Due ones, longest due first, at most one per recipient and none whose recipient has one claimed already. */
  claim(claim: Claim): Promise<readonly ClaimedDelivery[]>;
  /** When something can be claimed next, past or future; null while nothing waits. */
  nextDue(): Promise<EpochMs | null>;
  /** Delivered: whatever waits for the same recipient and was never tried is due now. */
  done(key: DeliveryKey): Promise<void>;
  /** To be tried again: nothing goes to the same recipient before `nextAt`. `problem` is a short word. */
  failed(key: DeliveryKey, nextAt: EpochMs, problem: string): Promise<void>;
  /** Never tried again. */
  givenUp(key: DeliveryKey, problem: string): Promise<void>;
  /** Claimed and not tried: due again at once. */
  release(keys: readonly DeliveryKey[]): Promise<void>;
  backlog(): Promise<Backlog>;
  /** Empties up to `limit` notices older than `before` that wait for nothing, and says how many. What tells twins apart stays. */
  forget(before: EpochMs, limit: number): Promise<number>;
}

/** A person who has an address. */
export interface Addressee {
  readonly email: string;
}

export interface NoticeSettings {
  readonly notifyEmails: readonly string[];
  readonly webhooks: readonly { readonly id: string; readonly url: string; readonly secret: string }[];
  /** IANA name. */
  readonly timeZone: string;
}

/** Who is to be told. */
export interface NoticeAudience {
  settingsOf(tenant: TenantId): Promise<NoticeSettings>;
  /** Every admin of the tenant seen in a control token, with an address. */
  adminsOf(tenant: TenantId): Promise<readonly Addressee[]>;
  /** Members of any of the groups, of this organisation (null: of any), seen since then, with an address. */
  staffIn(groups: readonly string[], org: string | null, since: EpochMs): Promise<readonly Addressee[]>;
  /** Those of them who were ever seen, with an address. */
  staffNamed(
    principals: readonly { readonly issuer: string; readonly id: string }[],
  ): Promise<readonly Addressee[]>;
}

/** Tells that something was committed; what it was does not matter here. */
export interface ChangeWatch {
  watch(onChange: () => void, onGap: () => void): Disposable;
}
