// Which tenant a request names: by host, by path prefix or by header; one source, configured, never two.
// Guarantees: a name it returns is one plain label. Assumes a canonical target and a lower-case host. Hot.
import type { TenantId } from '#model/ids.ts';

export type TenancyOptions =
  | { readonly from: 'host'; readonly prefix: string; readonly suffix: string; readonly port: number | null }
  | { readonly from: 'path'; readonly prefix: string; readonly strip: boolean }
  | { readonly from: 'header'; readonly name: string };

/** Filled in place: one result object per exchange would be one too many. */
export interface TenancyResult {
  tenant: TenantId | null;
  /** The path the rules see. */
  routePath: string;
  /** The path sent upstream. */
  forwardPath: string;
}

export interface Tenancy {
  /** Whether this host is served at all: 421 otherwise. `authority` is `hostName` with the port, if one was sent. */
  hostIsKnown(hostName: string, authority: string): boolean;
  resolve(hostName: string, path: string, tenantHeader: string, into: TenancyResult): void;
}

const MAX_TENANT_LENGTH = 63;

/** `hosts` are lower case, `host` (any port) or `host:port`; needed only where the tenant is not in the host. */
export function createTenancy(options: TenancyOptions, hosts: readonly string[]): Tenancy {
  const listed = new Set(hosts);
  const isListed = (hostName: string, authority: string) => listed.has(hostName) || listed.has(authority);
  switch (options.from) {
    case 'host':
      return {
        hostIsKnown: (host, authority) =>
          labelBetween(host, options.prefix, options.suffix) !== null &&
          portIs(options.port, host, authority),
        resolve(host, path, _header, into) {
          into.tenant = labelBetween(host, options.prefix, options.suffix);
          into.routePath = path;
          into.forwardPath = path;
        },
      };
    case 'path':
      return {
        hostIsKnown: isListed,
        resolve(_host, path, _header, into) {
          resolveByPath(options, path, into);
        },
      };
    case 'header':
      return {
        hostIsKnown: isListed,
        resolve(_host, path, header, into) {
          into.tenant = asTenant(header);
          into.routePath = path;
          into.forwardPath = path;
        },
      };
  }
}

function resolveByPath(
  options: { readonly prefix: string; readonly strip: boolean },
  path: string,
  into: TenancyResult,
): void {
  into.tenant = null;
  into.routePath = path;
  into.forwardPath = path;
  if (!path.startsWith(options.prefix)) return;
  const start = options.prefix.length;
  const slash = path.indexOf('/', start);
  const end = slash < 0 ? path.length : slash;
  into.tenant = asTenant(path.slice(start, end));
  into.routePath = slash < 0 ? '/' : path.slice(slash);
  if (options.strip) into.forwardPath = into.routePath;
}

function portIs(port: number | null, hostName: string, authority: string): boolean {
  return port === null || authority === `${hostName}:${port}`;
}

function labelBetween(host: string, prefix: string, suffix: string): TenantId | null {
  if (!host.endsWith(suffix) || !host.startsWith(prefix)) return null;
  return asTenant(host.slice(prefix.length, host.length - suffix.length));
}

/** One label: letters, digits, `-` and `_`. Anything else could be read as two names by somebody. */
function asTenant(name: string): TenantId | null {
  if (name === '' || name.length > MAX_TENANT_LENGTH) return null;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const plain =
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x30 && code <= 0x39) ||
      code === 0x2d ||
      code === 0x5f;
    if (!plain) return null;
  }
  return name as TenantId;
}
