// The contract for the gateway: whose session a request belongs to, from memory when it is there. Hot.
// Guarantees: what was loaded before a change is not answered after it. What it answers was not ended by anybody when it
// was read; whether it still holds is asked of the clock at each use: `sessionStatusAt(session, lastUsedOf(session), now)`.
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';

export interface SessionLookup {
  /**
   * The principal's one session for the tenant that nobody has ended; null when there is none. By the clock it may have
   * idled out or reached its limit. Synchronous when the tenant is cached; rejects with STORE_UNAVAILABLE.
   */
  activeOf(
    tenant: TenantId,
    principal: Pick<Principal, 'issuer' | 'id'>,
  ): SupportSession | null | Promise<SupportSession | null>;
  /**
   * Whether a browser's cookie was made here or by another process of the store, `hash` being its `secretHash`. To be asked
   * first: what somebody made up costs the store nothing. Synchronous once the key was read; rejects as above until then.
   */
  isOwnCookie(cookie: string, hash: string): boolean | Promise<boolean>;
  /**
   * By `secretHash` (model/secret-hash.ts) of a browser's cookie. Here an ended one is answered too (`endedAt`), so that
   * its holder can be told. Check its tenant against the request's. Synchronous when cached; rejects as above.
   */
  ofCookie(cookieHash: string): SupportSession | null | Promise<SupportSession | null>;
  /** The latest use known here; at least the stored one. */
  lastUsedOf(session: SupportSession): EpochMs;
  /**
   * Call it for each request that passed, and for open streams while they carry bytes; not for a session that the clock
   * has ended. Allocates nothing; reaches the store within seconds.
   */
  used(session: SupportSession, now: EpochMs): void;
  /** Every session that was used here and is not known to have ended. */
  sessionsInUse(): Iterable<SupportSession>;
  /** Drops what is cached, not what is known of uses: after a gap in the change feed, or a jump of the clock. */
  dropAll(): void;
}
