// Problem details (RFC 9457): the one shape of every refusal of ours, on the data and control listeners.
// Holds no upstream address, no cause, no version: only what the caller may know.
import { REASONS, type DenialCode } from './reason.ts';
import type { RuleRef } from './verdict.ts';

export const PROBLEM_TYPE_BASE = 'urn:postern:problem:';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly requestId: string;
  readonly reason: DenialCode;
  /** For people, about this very refusal: a lock's message, how to open a session. Absent where there is nothing to say. */
  readonly detail?: string;
  readonly rule?: { readonly id: string; readonly category: string; readonly message: string | null };
}

export function problemOf(
  reason: DenialCode,
  requestId: string,
  rule: RuleRef | null,
  detail: string | null = null,
): Problem {
  const { status, title } = REASONS[reason];
  return {
    type: PROBLEM_TYPE_BASE + reason,
    title,
    status,
    requestId,
    reason,
    ...(detail === null ? {} : { detail }),
    ...(rule === null ? {} : { rule: { id: rule.id, category: rule.category, message: rule.message } }),
  };
}
