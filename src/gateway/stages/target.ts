// One reading of Host and request target (P1 to P5, P7): what is ambiguous stops here.
// Assumes that Host stands alone. Every later stage may trust `x.target`, `x.host` and `x.hostName`. Hot.
import { deny, PASS } from '#model/verdict.ts';
import { hostNameOf } from '../authority.ts';
import { parseRequestTarget } from '../request-target.ts';
import type { Stage } from '../stage.ts';

export const targetStage: Stage = {
  name: 'target',
  run(x) {
    // Before anything is refused: the record of a refusal belongs to its trace too.
    x.traceId = traceIdOf(x.head.traceparent);
    // Host first: an absolute-form target is compared with it.
    const hostName = hostNameOf(x.head.hostHeader);
    if (hostName === null) return deny('bad_header', 'Host is missing or malformed');
    x.hostName = hostName;
    x.host = x.head.hostHeader.toLowerCase();
    const target = parseRequestTarget(x.rawTarget, x.host);
    if ('reason' in target) return target;
    x.target = target;
    x.routePath = target.path;
    return PASS;
  },
};

/** `00-<32 hex>-<16 hex>-<2 hex>` (W3C Trace Context section 3.2); anything else is no trace. */
function traceIdOf(traceparent: string): string {
  if (traceparent.length !== 55 || !traceparent.startsWith('00-') || traceparent[35] !== '-') return '';
  for (let i = 3; i < 35; i++) {
    const code = traceparent.charCodeAt(i);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return '';
  }
  return traceparent.slice(3, 35);
}
