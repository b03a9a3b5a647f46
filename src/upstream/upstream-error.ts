// What undici, Node and TLS call a failed upstream, mapped once to a reason and a short code for the record.
// Guarantees: the code is upper case and holds no address, path or text of the upstream. Cold.
import { PosternError, reasonOfFault } from '#model/fault.ts';
import type { EndedBy } from '#model/ended-by.ts';
import type { DenialCode } from '#model/reason.ts';

export interface UpstreamFailure {
  readonly reason: DenialCode;
  readonly endedBy: EndedBy;
  readonly code: string;
}

/** Libraries' codes under our own short names; others stand as they are. */
const SHORT_CODES: ReadonlyMap<string, string> = new Map([
  ['UND_ERR_SOCKET', 'SOCKET_CLOSED'],
  ['UND_ERR_HEADERS_OVERFLOW', 'HEADERS_TOO_LARGE'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'BODY_TRUNCATED'],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'REQUEST_LENGTH'],
]);
const TIMEOUTS = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const MALFORMED = /^(HPE_|UND_ERR_HEADERS|UND_ERR_RES|BAD_)/;
const SAFE_CODE = /^[A-Z][A-Z0-9_]{0,47}$/;

/** `answered`: bytes of a response had arrived, so that the upstream was reached and misbehaved. */
export function failureOf(error: unknown, answered: boolean): UpstreamFailure {
  if (error instanceof PosternError) {
    const timeout = error.code === 'UPSTREAM_TIMEOUT';
    return { reason: reasonOfFault(error), endedBy: timeout ? 'timeout' : 'fault', code: error.code };
  }
  const code = codeOf(error);
  const shown = SHORT_CODES.get(code) ?? code;
  if (TIMEOUTS.has(code)) return { reason: 'upstream_timeout', endedBy: 'timeout', code: shown };
  const malformed = answered || MALFORMED.test(code);
  return {
    reason: malformed ? 'upstream_bad_response' : 'upstream_unreachable',
    endedBy: 'fault',
    code: shown,
  };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && SAFE_CODE.test(code) ? code : 'UNKNOWN';
}
