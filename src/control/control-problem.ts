// What the control API answers instead of a result: problem details (RFC 9457) with one sentence that says what is
// allowed. The closed list of its own problems; denials and lifecycle refusals keep their own. Never a cause, a
// stack or a version.
import { PosternError, reasonOfFault } from '#model/fault.ts';
import { GRANT_REFUSALS, GrantRefusal } from '#model/grant-refusal.ts';
import { PROBLEM_TYPE_BASE } from '#model/problem.ts';
import { type DenialCode, REASONS } from '#model/reason.ts';

export const CONTROL_PROBLEMS = {
  invalid_request: { status: 400, title: 'The request does not have the documented form' },
  malformed_json: { status: 400, title: 'The body is not JSON' },
  media_type_unsupported: { status: 415, title: 'The media type is not supported' },
  staff_never_grant: { status: 403, title: 'Support staff neither give nor take away access' },
  staff_only: { status: 403, title: 'Only support staff have grants that cover them' },
  security_only: { status: 403, title: 'Only the vendor’s security staff and services may do this' },
  security_staff_only: { status: 403, title: 'Only the vendor’s security staff may do this' },
  not_tenant_admin: { status: 403, title: 'Only an admin of the tenant may do this' },
  service_not_allowed: { status: 403, title: 'This service may not do this' },
  on_behalf_of_required: { status: 403, title: 'The service must name the person it acts for' },
  own_subject: { status: 403, title: 'Nobody erases themselves from the records' },
  asker_only: { status: 403, title: 'Only support staff ask for access and take it back' },
  leads_only: { status: 403, title: 'Only a lead of the vendor or the customer may do this' },
  call_under_way: { status: 409, title: 'The first call with this key is under way' },
  answer_not_kept: { status: 409, title: 'The call was carried out before; its answer is not kept' },
  if_match_required: { status: 428, title: 'If-Match is required' },
  precondition_failed: { status: 412, title: 'If-Match names another revision' },
  key_reused: { status: 422, title: 'The idempotency key was used for another call' },
  on_behalf_of_not_allowed: { status: 403, title: 'Only a service acts on behalf of somebody' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ControlProblemCode = keyof typeof CONTROL_PROBLEMS;

/** One place of the request that does not have the documented form; `pointer` is an RFC 6901 pointer. */
export interface FieldError {
  readonly pointer: string;
  readonly message: string;
}

/** Thrown by handlers; expected, so never logged as a fault. */
export class ControlProblem extends Error {
  readonly code: ControlProblemCode;
  readonly errors: readonly FieldError[];

  /** `detail` is one sentence that says what is allowed. */
  constructor(code: ControlProblemCode, detail: string, errors: readonly FieldError[] = []) {
    super(detail);
    this.name = 'ControlProblem';
    this.code = code;
    this.errors = errors;
  }
}

/** Thrown for one of the closed reason codes, with a sentence of its own. */
export class ControlDenial extends Error {
  readonly reason: DenialCode;

  constructor(reason: DenialCode, detail: string) {
    super(detail);
    this.name = 'ControlDenial';
    this.reason = reason;
  }
}

export interface ControlProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly requestId: string;
  /** Present when the problem is one of the closed reason codes. */
  readonly reason?: DenialCode;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
}

/** Exhaustive: whatever was thrown has an answer, and what nobody expected is `internal` without a word more. */
export function problemFor(error: unknown, requestId: string): ControlProblemBody {
  if (error instanceof GrantRefusal) {
    const { status, title } = GRANT_REFUSALS[error.code];
    return { type: PROBLEM_TYPE_BASE + error.code, title, status, requestId, detail: error.message };
  }
  if (error instanceof ControlProblem) {
    const { status, title } = CONTROL_PROBLEMS[error.code];
    const body = { type: PROBLEM_TYPE_BASE + error.code, title, status, requestId, detail: error.message };
    return error.errors.length === 0 ? body : { ...body, errors: error.errors };
  }
  if (error instanceof ControlDenial) return reasonProblem(error.reason, requestId, error.message);
  return reasonProblem(reasonOfFault(error), requestId, faultSentence(error));
}

export function reasonProblem(reason: DenialCode, requestId: string, detail?: string): ControlProblemBody {
  const { status, title } = REASONS[reason];
  const body = { type: PROBLEM_TYPE_BASE + reason, title, status, requestId, reason };
  return detail === undefined ? body : { ...body, detail };
}

function faultSentence(error: unknown): string | undefined {
  if (!(error instanceof PosternError) || !error.retryable) return undefined;
  return 'Nothing is known to have changed; ask again, a repeated revoke does no harm.';
}
