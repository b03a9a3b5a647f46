// Faults: thrown, never expected, each with one reason code for the client. A denial is not a fault.
// A room maps its libraries' errors to these once, at its edge, by code and never by message.
import type { DenialCode } from './reason.ts';

export const FAULTS = {
  STORE_UNAVAILABLE: { reason: 'store_unavailable', retryable: true },
  KEYS_UNAVAILABLE: { reason: 'keys_unavailable', retryable: true },
  AUDIT_UNAVAILABLE: { reason: 'audit_unavailable', retryable: true },
  POLICY_UNAVAILABLE: { reason: 'policy_unavailable', retryable: true },
  SECRET_MISSING: { reason: 'keys_unavailable', retryable: false },
  UPSTREAM_UNREACHABLE: { reason: 'upstream_unreachable', retryable: true },
  UPSTREAM_BAD_RESPONSE: { reason: 'upstream_bad_response', retryable: false },
  UPSTREAM_TIMEOUT: { reason: 'upstream_timeout', retryable: true },
  INTERNAL: { reason: 'internal', retryable: false },
} as const satisfies Record<string, { readonly reason: DenialCode; readonly retryable: boolean }>;

export type FaultCode = keyof typeof FAULTS;

export class PosternError extends Error {
  readonly code: FaultCode;
  readonly retryable: boolean;

  /** `message` is for the operational log: it must hold no secret and no personal value. */
  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PosternError';
    this.code = code;
    this.retryable = FAULTS[code].retryable;
  }
}

/** What a store threw, as a fault: itself where it is one, else STORE_UNAVAILABLE, for a store that cannot find out. */
export function storeFault(error: unknown, message: string): PosternError {
  return error instanceof PosternError ? error : new PosternError('STORE_UNAVAILABLE', message, error);
}

/** The reason a client is told for whatever was thrown; an unknown error is `internal`. */
export function reasonOfFault(error: unknown): DenialCode {
  return error instanceof PosternError ? FAULTS[error.code].reason : 'internal';
}
