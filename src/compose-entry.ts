// Where a launch link leads: the reserved prefix on the tenant's own host, as the browser knows it. Guarantees: https,
// but for names of the machine itself before a listener without TLS, which browsers trust all the same. Null where no
// host is known for a tenant. Cold.
import type { Config, Tenancy } from '#config/config.ts';
import type { TenantId } from '#model/ids.ts';

const ENTER = '/-/postern/enter';

export function entryUrlSource({ tenancy, traffic, listen }: Config): (tenant: TenantId) => string | null {
  const { address } = listen.data;
  const localPort = address.kind === 'tcp' && address.port !== 0 ? `:${address.port}` : '';
  const localScheme = listen.data.tls === null ? 'http' : 'https';
  return (tenant) => {
    const host = hostOf(tenancy, traffic.hosts, tenant);
    if (host === null) return null;
    if (!isLocal(host)) return `https://${host}${ENTER}`;
    return `${localScheme}://${host.includes(':') ? host : `${host}${localPort}`}${ENTER}`;
  };
}

/** By path or by header every tenant is entered on the first host that is served. */
function hostOf(tenancy: Tenancy, hosts: readonly string[], tenant: TenantId): string | null {
  if (tenancy.from !== 'host') return hosts[0] ?? null;
  const { prefix, suffix, port } = tenancy;
  return `${prefix}${tenant}${suffix}${port === null ? '' : `:${port}`}`;
}

function isLocal(host: string): boolean {
  const name = host.split(':')[0] ?? '';
  return name === 'localhost' || name.endsWith('.localhost');
}
