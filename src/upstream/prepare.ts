// Everything that will stand in the head of the upstream request, built before the request is recorded.
// Guarantees: what the client sent comes first through the hygiene, ours is set after it, each managed header once.
// Hot: synchronous when the assertion is cached; one array per request and no object per header.
import { FAULTS } from '#model/fault.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { AssertionSource } from './assertion.ts';
import type { OutboundExchange } from './forwarder.ts';
import { checkAndStripHeaders } from './headers.ts';
import { ABSENT, type Injection, SECRET_MISSING, UNSAFE } from './inject.ts';
import type { HeaderRules } from './managed-headers.ts';

export interface PrepareDeps {
  readonly rules: HeaderRules;
  readonly injections: readonly Injection[];
  /** Null: no assertion is sent. */
  readonly assertion: { readonly header: string; readonly source: AssertionSource } | null;
  /** The upstream's authority, sent as `Host` where the client's is not preserved. */
  readonly upstreamHost: string;
  readonly preserveHost: boolean;
  /** Told the name of each header dropped for its `_` or `.` (P8). */
  readonly onHeaderDropped: (name: string) => void;
}

export function createPrepare(deps: PrepareDeps): (x: OutboundExchange) => Verdict | Promise<Verdict> {
  const { rules, assertion, upstreamHost, preserveHost, onHeaderDropped } = deps;

  return (x) => {
    const headers: string[] = ['host', preserveHost ? x.host : upstreamHost];
    const source = { raw: x.req.rawHeaders, allowed: x.allowedHeaders };
    const denial = checkAndStripHeaders(source, rules, headers, onHeaderDropped);
    if (denial !== null) return denial;
    pushOwnHeaders(headers, x);
    const refused = pushInjected(headers, x, deps.injections);
    if (refused !== null) return refused;
    x.upstreamHeaders = headers;
    if (assertion === null) return PASS;
    const token = assertion.source.tokenFor(x);
    if (typeof token !== 'string') return whenSigned(x, assertion.header, token);
    headers.push(assertion.header, token);
    return PASS;
  };
}

async function whenSigned(x: OutboundExchange, header: string, token: Promise<string>): Promise<Verdict> {
  x.upstreamHeaders.push(header, await token);
  return PASS;
}

function pushOwnHeaders(headers: string[], x: OutboundExchange): void {
  headers.push('X-Request-Id', x.requestId, 'X-Forwarded-For', x.clientIp);
  headers.push('X-Forwarded-Proto', x.secure ? 'https' : 'http', 'X-Forwarded-Host', x.host);
  headers.push('Via', `${x.httpVersion} postern`);
}

function pushInjected(
  headers: string[],
  x: OutboundExchange,
  injections: readonly Injection[],
): Exclude<Verdict, typeof PASS> | null {
  for (const injection of injections) {
    const value = injection.render(x);
    if (value === ABSENT) continue;
    if (value === SECRET_MISSING) {
      return deny(FAULTS.SECRET_MISSING.reason, `no secret for the injected header ${injection.name}`);
    }
    if (value === UNSAFE)
      return deny('bad_header', `a control character in the injected header ${injection.name}`);
    headers.push(injection.name, value);
  }
  return null;
}
