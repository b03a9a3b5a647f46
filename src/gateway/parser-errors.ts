// What Node's HTTP parser reports without ever making a request of it, as one of our reason codes: one line each.
// Guarantees: every such failure has a reason. By code, never by message. Not hot.
import type { DenialCode } from '#model/reason.ts';

const REASON_OF: Readonly<Record<string, DenialCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
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

/** Everything else the parser refuses is a matter of framing: lengths, codings, line ends. */
export function reasonOfParserError(code: string | undefined): DenialCode {
  return (code === undefined ? undefined : REASON_OF[code]) ?? 'bad_framing';
}
