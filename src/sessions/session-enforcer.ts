// How the end and the narrowing of a session become true for traffic in flight. The gateway implements it;
// `session-authority.ts` calls it after the commit and after the caches have forgotten the session, and returns to its
// caller only when it has returned.
import type { SupportSession } from '#model/session.ts';

export interface SessionEnforcer {
  /**
   * Every exchange bound to this session (by its id) ends now, as `session_ended`. `session` is as stored: `endedAt` and
   * `endedBy` say when and why. May be called again for the same one.
   */
  sessionEnded(session: SupportSession): void;
  /**
   * What a browser runs in this open session by groups that its principal is not in any more ends now, as `narrowed`.
   * May be called for a session that has lost nothing.
   */
  sessionNarrowed(session: SupportSession): void;
}
