// What a wish to create, change or end a grant may be refused for: a closed list, each code with status and title.
// The store throws a refusal from inside its transaction, so nothing is half-done; the control API answers it.
// Refusals are expected and are no fault: they never reach the fault log.

export const GRANT_REFUSALS = {
  cursor_invalid: { status: 400, title: 'The cursor is not one of this list' },
  self_grant: { status: 403, title: 'Nobody grants access to themselves' },
  consent_required: { status: 403, title: 'Only a person of the customer may widen access' },
  grant_unknown: { status: 404, title: 'There is no such grant' },
  ended: { status: 409, title: 'The grant has ended' },
  stale_revision: { status: 409, title: 'The grant was changed in the meantime' },
  already_started: { status: 409, title: 'The grant has already started' },
  end_in_past: { status: 422, title: 'The end is in the past' },
  end_before_start: { status: 422, title: 'The end is not after the start' },
  start_in_past: { status: 422, title: 'The start is in the past' },
  start_too_late: { status: 422, title: 'The start is too far ahead' },
  too_long: { status: 422, title: 'The period is too long' },
  too_short: { status: 422, title: 'The period is too short' },
  indefinite_not_allowed: { status: 422, title: 'A grant without an end is not allowed' },
  instant_invalid: { status: 422, title: 'An instant is out of range' },
  empty_audience: { status: 422, title: 'The audience names nobody' },
  lift_not_allowed: { status: 422, title: 'A deny rule of this category cannot be lifted' },
  reason_required: { status: 422, title: 'A reason is required' },
  case_ref_required: { status: 422, title: 'A case reference is required' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type GrantRefusalCode = keyof typeof GRANT_REFUSALS;

export class GrantRefusal extends Error {
  readonly code: GrantRefusalCode;

  /** `allowed` is one sentence for the caller that says what is allowed; it repeats nothing the caller sent. */
  constructor(code: GrantRefusalCode, allowed: string) {
    super(allowed);
    this.name = 'GrantRefusal';
    this.code = code;
  }
}
