// The store contract of the sessions room. A store that cannot find out throws STORE_UNAVAILABLE; it never answers "none"
// instead. What the rules forbid is thrown as GrantRefusal (model/grant-refusal.ts), and nothing was written. One suite
// (test/contract/session-store.ts) runs against every store. What comes out is deeply frozen. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Actor } from '#model/grant.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { SessionEnding, SupportSession } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import type { SessionReport } from './session-report.ts';

export interface SessionOpening {
  readonly tenant: TenantId;
  readonly principal: Principal;
  /** SHA-256 of the launch token (`secretHash`) and when it dies; null where no browser will enter. */
  readonly launch: { readonly hash: string; readonly lifetimeMs: number } | null;
}

/**
 * The rules, run inside the store's transaction: the session that the tenant's grants and settings allow, or a
 * GrantRefusal. Pure: it may run more than once.
 */
export type SessionMaker = (view: TenantView, stamp: SessionStamp) => SupportSession;

export interface SessionStamp {
  readonly id: SessionId;
  readonly now: EpochMs;
}

/** What ended, and what it ended for: `by` null where the clock did. */
export interface SessionEnd {
  readonly ending: SessionEnding;
  readonly by: Actor | null;
  /** The principal's own words; null leaves what is there. */
  readonly note: string | null;
}

export interface SessionQuery {
  /** Null is every tenant: only together with `principal`. */
  readonly tenant: TenantId | null;
  /** By issuer and id. */
  readonly principal: Pick<Principal, 'issuer' | 'id'> | null;
  /** Only those that have not ended. */
  readonly openOnly: boolean;
  /** 1 to 500. */
  readonly limit: number;
  /** Opaque, from the page before; null for the first. */
  readonly cursor: string | null;
}

/** Newest first, by (startedAt, id). */
export interface SessionPage {
  readonly items: readonly ListedSession[];
  readonly nextCursor: string | null;
}

/** With what its report counted; null while there is no report. */
export interface ListedSession {
  readonly session: SupportSession;
  readonly writes: number | null;
}

export interface SessionUse {
  readonly id: SessionId;
  readonly at: EpochMs;
}

export interface SessionClaim {
  readonly limit: number;
  /** Uses reach the store this late: one that only seems idle is left alone so long. */
  readonly idleGraceMs: number;
  /** Looks at the sessions of that grant, or (`settings`) of that tenant; null: at what time may have ended. */
  readonly changed: { readonly kind: 'grant' | 'settings'; readonly id: string } | null;
}

/** `kind` says what was changed; a session is known by its id, grants and settings by their tenant. */
export interface SessionChange {
  readonly kind: 'session' | 'grant' | 'settings';
  readonly id: string;
  readonly tenant: TenantId | null;
  /** True when another process or connection committed it, so that nobody here has enforced it yet. */
  readonly elsewhere: boolean;
}

export interface SessionStore {
  /** Atomic: ends the principal's earlier session for the tenant (`replaced`), keeps the new one, and the notice. */
  open(
    opening: SessionOpening,
    make: SessionMaker,
  ): Promise<{ readonly session: SupportSession; readonly replaced: SupportSession | null }>;
  /**
   * Idempotent: one that has ended stays ended as it was; only a note that is still missing is added to it.
   * Throws GrantRefusal `session_unknown`.
   */
  end(
    id: SessionId,
    end: SessionEnd,
  ): Promise<{ readonly session: SupportSession; readonly isNews: boolean }>;
  /**
   * One use, whoever comes first: the link is spent, the cookie's hash becomes the session's. Null when it was used
   * before, is too old, is another tenant's, was never made, or when its session has ended: never which of these.
   */
  takeLaunch(hash: string, tenant: TenantId, cookieHash: string): Promise<SupportSession | null>;
  /** Whose link it is, without spending it; null exactly where `takeLaunch` is. */
  launchOf(hash: string, tenant: TenantId): Promise<SupportSession | null>;
  /**
   * What a token says of its owner now: open sessions of that principal, for whatever tenant, lose the groups that it does
   * not name, for good. Those that lost any.
   */
  narrow(shown: Pick<Principal, 'issuer' | 'id' | 'groups'>): Promise<readonly SupportSession[]>;
  /**
   * What launch tokens and cookies are sealed with (`createSecretSeal`): made when it is asked for the first time, and the
   * same ever after for every process of the store.
   */
  sealKey(): Promise<string>;
  get(id: SessionId): Promise<SupportSession | null>;
  /** Ended or not: who holds the cookie of an ended one is told so. */
  byCookie(cookieHash: string): Promise<SupportSession | null>;
  /** The tenant's sessions that no one has ended yet; by the clock they may have. In no order. */
  openOf(tenant: TenantId): Promise<readonly SupportSession[]>;
  list(query: SessionQuery): Promise<SessionPage>;
  /** Later instants win; nobody is told. Sessions that have ended are left alone. */
  touch(uses: readonly SessionUse[]): Promise<void>;
  /**
   * Ends sessions that are over by the clock, or whose grant or tenant does not carry them any more (`idle`, `limit`,
   * `grant_ended`, `tenant`), each handed out once, whatever the number of processes or restarts.
   */
  claimEnded(claim: SessionClaim): Promise<readonly SupportSession[]>;
  /** When the next one may be over; null when none is open. */
  nextEnd(): Promise<EpochMs | null>;
  /** Up to `limit` ended sessions without a report, the longest ended first. */
  toReport(limit: number): Promise<readonly SupportSession[]>;
  /** Keeps the report and, with it, the notice that the session has ended; the first one stays. */
  saveReport(report: SessionReport): Promise<void>;
  /** The notice without counts: the journal could not be read for so long that people are told first. */
  noticeWithoutReport(id: SessionId): Promise<void>;
  reportOf(id: SessionId): Promise<SessionReport | null>;
  /** How many are open, over all tenants; for the metric. */
  countOpen(): Promise<number>;
  /** `onChange` after each commit; `onGap`: changes may have been missed. */
  watch(onChange: (change: SessionChange) => void, onGap: () => void): Disposable;
}
