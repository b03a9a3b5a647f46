// Which tenant a request is about that `postern doctor` sends to the upstream, read as the gate would. Guarantees: a name it
// returns is one plain label; null where it cannot be known, as where tenancy is by header. Cold.
import type { Tenancy } from '#config/config.ts';

const TENANT = /^[A-Za-z0-9_-]{1,63}$/;

/** `host` with a port or without; `path` may have a query. */
export function tenantAskedFor(tenancy: Tenancy, host: string, path: string): string | null {
  switch (tenancy.from) {
    case 'host': {
      const name = host.toLowerCase().replace(/:[0-9]+$/, '');
      return between(name, tenancy.prefix, tenancy.suffix);
    }
    case 'path': {
      const [only = ''] = path.split(/[?#]/, 1);
      if (!only.startsWith(tenancy.prefix)) return null;
      return asTenant(only.slice(tenancy.prefix.length).split('/', 1)[0] ?? '');
    }
    case 'header':
      return null;
  }
}

function between(name: string, prefix: string, suffix: string): string | null {
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return null;
  return asTenant(name.slice(prefix.length, name.length - suffix.length));
}

function asTenant(name: string): string | null {
  return TENANT.test(name) ? name : null;
}
