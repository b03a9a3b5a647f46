// What a person can do about a refusal, in one sentence; null where there is nothing but to read the reason.
// Guarantees: holds nothing from outside, and promises nothing that the gate does. Cold.
import type { DenialCode } from '#model/reason.ts';

const ASK_THE_CUSTOMER =
  'Ask the customer to open support access, or ask for it with an access request that names the case.';
const OPEN_AGAIN = 'Open a support session and follow its new link.';
const COME_BACK = 'Try again in a moment.';

const HINTS: Partial<Record<DenialCode, string>> = {
  no_credential: OPEN_AGAIN,
  credential_invalid: OPEN_AGAIN,
  credential_expired: OPEN_AGAIN,
  session_required: OPEN_AGAIN,
  session_ended: OPEN_AGAIN,
  tenant_support_disabled:
    'The customer has suspended all support access. Only the customer can take that back.',
  no_grant: ASK_THE_CUSTOMER,
  grant_expired: ASK_THE_CUSTOMER,
  grant_revoked: ASK_THE_CUSTOMER,
  grant_pending: 'Wait until it starts, or until a lead has verified its case.',
  grant_ambiguous: 'Open a support session under the one that you mean.',
  locked: 'Ask your security team; nobody of the customer can change this.',
  workspace_out_of_scope: 'Ask the customer to add this workspace to the grant.',
  read_only: 'If the work needs a change, ask for write access and open a new session.',
  rule_denied: 'Some things stay shut whatever the role. Ask the customer to do this step.',
  response_guarded:
    'The answer held what support may not take away. Ask the customer for what you need of it.',
  origin_refused: 'Go back to the application and try again from there.',
  tenant_mismatch: 'Your session is for another customer. Open one for this customer.',
  rate_limited: COME_BACK,
  overloaded: COME_BACK,
  store_unavailable: COME_BACK,
  keys_unavailable: COME_BACK,
  audit_unavailable: COME_BACK,
  policy_unavailable: COME_BACK,
  clock_unreliable: COME_BACK,
  draining: COME_BACK,
  upstream_unreachable: COME_BACK,
  upstream_timeout: COME_BACK,
};

export function hintFor(reason: DenialCode): string | null {
  return HINTS[reason] ?? null;
}
