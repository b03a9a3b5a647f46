// The addresses of a host that a tenant named, all of them checked, for a connection that is then pinned to them: a name
// that answers otherwise a moment later (DNS rebinding) changes nothing. Asks the name servers, never the machine's own
// list of hosts, and not in Node's thread pool, where a tenant's slow name server would keep files waiting. Cold.
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.ts';

export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Resolves to every address, or to none when there is none. Rejects when it cannot be found out. */
export type ResolveHost = (host: string, signal: AbortSignal) => Promise<readonly HostAddress[]>;

const MAX_ADDRESSES = 16;
const NO_SUCH_NAME = new Set(['ENOTFOUND', 'ENODATA']);

/** `host` as the URL parser writes it, without brackets. An address stands for itself. */
export const resolveHost: ResolveHost = async (host, signal) => {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family: family as 4 | 6 }];
  signal.throwIfAborted();
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [four, six] = await Promise.all([
      noneWithout(resolver.resolve4(host)),
      noneWithout(resolver.resolve6(host)),
    ]);
    return [
      ...four.map((address): HostAddress => ({ address, family: 4 })),
      ...six.map((address): HostAddress => ({ address, family: 6 })),
    ];
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

async function noneWithout(asking: Promise<string[]>): Promise<string[]> {
  try {
    return await asking;
  } catch (error) {
    if (NO_SUCH_NAME.has(String((error as { readonly code?: unknown }).code))) return [];
    throw error;
  }
}

/** Null unless there is an address and every one of them is public: a name with one private address is not trusted at all. */
export function pinnableAddresses(found: readonly HostAddress[]): readonly HostAddress[] | null {
  if (found.length === 0 || found.length > MAX_ADDRESSES) return null;
  return found.every(({ address }) => isPublicAddress(address)) ? found : null;
}
