// The one closed list of header names that belong to the gate, and the classes every client header falls into.
// Guarantees: a name that an application could read as a managed one never passes under any spelling (P8).
// Assumes the HTTP parser accepted only tokens as names. Hot through a cache of names.
import { NameCache } from '#model/name-cache.ts';

/** Sent on as it came. */
export const PASS_ON = 0;
/** Hop-by-hop, managed or re-made by the gate: never sent on. */
const DROP = 1;
/** Folds to a managed name and is spelled otherwise: the request is refused. */
export const REFUSE = 2;
/** Holds `_` or `.`, which servers fold differently: dropped unless the route lists the name. */
export const ODD = 3;
export const CONNECTION = 4;
export const COOKIE = 5;
type HeaderClass =
  | typeof PASS_ON
  | typeof DROP
  | typeof REFUSE
  | typeof ODD
  | typeof CONNECTION
  | typeof COOKIE;

/** Postern's own cookie, lower case; browsers match its `__Host-` prefix without regard to case. */
export const OWN_COOKIE = '__host-postern';

const MANAGED_PREFIXES = ['x-support-', 'x-postern-', 'x-forwarded-'] as const;

const MANAGED_NAMES = [
  // Set by the gate.
  'forwarded',
  'x-real-ip',
  'via',
  'x-request-id',
  // Rewrites: a server behind a trusted proxy routes by these instead of the request line.
  'x-original-url',
  'x-rewrite-url',
  'x-original-uri',
  'x-original-path',
  'x-override-url',
  'x-script-name',
  'script-name',
  'x-http-destinationurl',
  'request-uri',
  'url',
  'base-url',
  'x-proxy-url',
  'x-envoy-original-path',
  'x-unencoded-url',
  'x-waws-unencoded-url',
  'x-matched-path',
  'x-invoke-path',
  'x-middleware-subrequest',
  'x-accel-redirect',
  'x-sendfile',
  'destination',
  // Hosts.
  'x-host',
  'x-http-host-override',
  'x-original-host',
  // Methods: the method was judged as it stands in the request line.
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-method',
  // Client addresses, and whether one is trusted.
  'forwarded-for',
  'x-forwarded',
  'client-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-cluster-client-ip',
  'fastly-client-ip',
  'x-azure-clientip',
  'x-envoy-external-address',
  'x-envoy-internal',
] as const;

/** Known under this very spelling (CGI), so that it is removed and not refused. */
const MANAGED_AS_SPELLED = new Set(['script_name']);

/** RFC 9110 section 7.6.1 and its historical companions; `http2-settings` belongs to an upgrade never made. */
const HOP_BY_HOP = [
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'upgrade',
  'transfer-encoding',
  'expect',
  'http2-settings',
] as const;

/** Made anew from what was checked; `authorization` held the support credential, which never travels. */
const REMADE = ['host', 'content-length', 'authorization'] as const;

/** Not to be nominated by `Connection`: an intermediary that obeyed would remove them after the check. */
const NEVER_NOMINATED = new Set([
  'host',
  'authorization',
  'proxy-authorization',
  'cookie',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'content-type',
]);

export interface HeaderRules {
  /** `name` as spelled by the client. */
  classOf(name: string): HeaderClass;
  /** `token` of a `Connection` header, lower case: whether naming it there is an attack (HB01). */
  mayBeNominated(token: string): boolean;
}

/** Lower case, every character that is not alphanumeric to `-`: how CGI, WSGI and PHP make names collide. */
function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/** `added` are the names the configuration injects and the assertion's header, in any case. */
export function createHeaderRules(added: readonly string[]): HeaderRules {
  const managed = new Set<string>(MANAGED_NAMES);
  const asSpelled = new Set(MANAGED_AS_SPELLED);
  for (const name of added) {
    managed.add(foldHeaderName(name));
    asSpelled.add(name.toLowerCase());
  }
  const dropped = new Set<string>([...HOP_BY_HOP, ...REMADE]);

  function isManaged(folded: string): boolean {
    return managed.has(folded) || MANAGED_PREFIXES.some((prefix) => folded.startsWith(prefix));
  }

  function classify(name: string): HeaderClass {
    const lower = name.toLowerCase();
    if (lower === 'connection') return CONNECTION;
    if (lower === 'cookie') return COOKIE;
    if (dropped.has(lower) || asSpelled.has(lower)) return DROP;
    const folded = foldHeaderName(name);
    if (isManaged(folded)) return lower === folded ? DROP : REFUSE;
    return lower.includes('_') || lower.includes('.') ? ODD : PASS_ON;
  }

  const classes = new NameCache(classify);
  return {
    classOf: (name) => classes.of(name),
    mayBeNominated: (token) => !NEVER_NOMINATED.has(token) && !isManaged(foldHeaderName(token)),
  };
}
