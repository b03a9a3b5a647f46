// The request line and the header lines: version, methods, limits, framing (P1, P9, P10, Expect).
// First of all, so that every later stage may trust `x.head`.
import { deny, PASS } from '#model/verdict.ts';
import type { HeadReader } from '../raw-headers.ts';
import type { Stage } from '../stage.ts';

export interface HeadStageDeps {
  readonly reader: HeadReader;
  readonly methods: readonly string[];
  readonly targetBytes: number;
}

export function headStage({ reader, methods, targetBytes }: HeadStageDeps): Stage {
  const allowed = new Set(methods);
  return {
    name: 'head',
    run(x) {
      if (x.rawTarget.length > targetBytes) return deny('target_too_long');
      const refusal = reader.read(x.req === null ? [] : x.req.rawHeaders, x.httpVersion, x.head);
      if (refusal !== null) return refusal;
      // HTTP/0.9 and 2.0 request lines reach us too.
      if (x.httpVersion !== '1.1' && x.httpVersion !== '1.0') return deny('version_unsupported');
      // `OPTIONS *` asks about the server, not about a resource; TRACE and CONNECT are never listed.
      if (!allowed.has(x.method) || (x.rawTarget === '*' && x.method === 'OPTIONS')) {
        return deny('method_not_allowed');
      }
      if (x.head.expect !== '') {
        // Node also takes `y 100-continue`; two servers then disagree about who waits for whom (class 19).
        if (x.head.expect.toLowerCase() !== '100-continue') return deny('expectation_failed');
        x.expectsContinue = x.httpVersion === '1.1' && x.head.contentLength !== 0;
      }
      return PASS;
    },
  };
}
