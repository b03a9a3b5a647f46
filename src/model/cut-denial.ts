// What a client is told whose exchange was cut before it had an answer: one reason code for each way of being cut.
// Exhaustive: a new ending does not compile without its answer.
import type { CutReason } from './ended-by.ts';
import type { DenialCode } from './reason.ts';

export const REASON_OF_CUT: Readonly<Record<CutReason, DenialCode>> = {
  revoked: 'grant_revoked',
  expired: 'grant_expired',
  narrowed: 'no_grant',
  session_ended: 'session_ended',
  locked: 'locked',
  suspended: 'tenant_support_disabled',
  credential_expired: 'credential_expired',
  policy: 'rule_denied',
  drain: 'draining',
};
