// What Node's HTTP parser reports without ever making a request of it, as one of our reason codes: one line each.
// Guarantees: every such failure has a reason. By code, never by message. Not hot.
import type { DenialCode } from '#model/reason.ts';

const REASON_OF: Readonly<Record<string, DenialCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_INVALID_METHOD: 'bad_request_target',
  HPE_INVALID_URL: 'bad_request_target',
  HPE_INVALID_CONSTANT: 'bad_request_target',
  HPE_INVALID_VERSION: 'version_unsupported',
  HPE_PAUSED_H2_UPGRADE: 'version_unsupported',
  HPE_INVALID_HEADER_TOKEN: 'bad_header',
  ECONNRESET: 'client_closed',
  EPIPE: 'client_closed',
  HPE_INVALID_EOF_STATE: 'client_closed',
};

/** What Node emits as `clientError`: `rawPacket` is what was being read, up to `bytesParsed` without a complaint. */
export type ParserError = NodeJS.ErrnoException & {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
};

/** Everything else the parser refuses is a matter of framing: lengths, codings, line ends. */
export function reasonOfParserError(error: ParserError): DenialCode {
  const reason = (error.code === undefined ? undefined : REASON_OF[error.code]) ?? 'bad_framing';
  return reason === 'version_unsupported' && versionIsOurs(error) ? 'bad_framing' : reason;
}

/** The version was read and supported; something stands where the line should end (RL09, FR14). */
function versionIsOurs({ rawPacket, bytesParsed = 0 }: ParserError): boolean {
  if (rawPacket === undefined) return false;
  const around = rawPacket.toString('latin1', Math.max(0, bytesParsed - 9), bytesParsed + 1);
  return /HTTP\/1\.[01][^0-9]/.test(around);
}
