// What our connection, Node and TLS call a failed upstream, mapped once to a reason and a short code for the record.
// Guarantees: the code is upper case and holds no address, path or text of the upstream. Cold.
import { PosternError, reasonOfFault } from '#model/fault.ts';
import type { EndedBy } from '#model/ended-by.ts';
import type { DenialCode } from '#model/reason.ts';

export interface UpstreamFailure {
  readonly reason: DenialCode;
  readonly endedBy: EndedBy;
  readonly code: string;
}

const TIMEOUTS = new Set(['ETIMEDOUT']);
/** What the parser of responses calls its refusals. */
const MALFORMED = /^(BAD_|HEAD_TOO_LARGE$|BODY_TRUNCATED$)/;
const SAFE_CODE = /^[A-Z][A-Z0-9_]{0,47}$/;

/** `answered`: bytes of a response had arrived, so that the upstream was reached and misbehaved. */
export function failureOf(error: unknown, answered: boolean): UpstreamFailure {
  if (error instanceof PosternError) {
    const timeout = error.code === 'UPSTREAM_TIMEOUT';
    return { reason: reasonOfFault(error), endedBy: timeout ? 'timeout' : 'fault', code: error.code };
  }
  const code = codeOf(error);
  if (TIMEOUTS.has(code)) return { reason: 'upstream_timeout', endedBy: 'timeout', code };
  const malformed = answered || MALFORMED.test(code);
  return {
    reason: malformed ? 'upstream_bad_response' : 'upstream_unreachable',
    endedBy: 'fault',
    code,
  };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && SAFE_CODE.test(code) ? code : 'UNKNOWN';
}

/** A refusal or an end of ours, by its short code. */
export function upstreamError(code: string): Error {
  return Object.assign(new Error('the upstream broke off or sent a malformed response'), { code });
}
