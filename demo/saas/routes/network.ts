// The addresses from which a customer's own people may come; none named: from anywhere. Staff of the vendor come through
// Postern, whose assertion says who they are: a list that locks its own admin out does not lock them out too.
import type { IncomingMessage } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { readJson } from '../body.ts';
import { HttpError } from '../http-error.ts';
import type { Actor } from '../identity.ts';
import type { Route } from '../router.ts';

const MAX_ADDRESSES = 50;

/** Throws 403 for a customer's user who comes from another network. */
export type NetworkCheck = (request: IncomingMessage, actor: Actor) => void;

export function networkCheck(database: DatabaseSync): NetworkCheck {
  const addresses = database.prepare('SELECT address FROM networks WHERE tenant = ?');
  return (request, { kind, tenant }) => {
    if (kind === 'support') return;
    const allowed = addresses.all(tenant).map(({ address }) => address);
    if (allowed.length === 0 || allowed.includes(request.socket.remoteAddress ?? '')) return;
    throw new HttpError(403, 'This account is open to listed networks only.');
  };
}

export function networkRoutes(database: DatabaseSync): readonly Route[] {
  const list = database.prepare('SELECT address FROM networks WHERE tenant = ? ORDER BY address');
  const clear = database.prepare('DELETE FROM networks WHERE tenant = ?');
  const add = database.prepare('INSERT OR IGNORE INTO networks VALUES (?, ?)');
  const shown = (tenant: string) => ({ addresses: list.all(tenant).map(({ address }) => address) });
  const path = '/api/v1/settings/networks';
  return [
    { method: 'GET', path, handle: ({ tenant }) => shown(tenant) },
    {
      method: 'PUT',
      path,
      async handle({ request, tenant, actor }) {
        if (actor.kind === 'customer' && actor.role !== 'admin') throw new HttpError(403, 'Ask an admin.');
        const { addresses } = await readJson(request);
        if (!Array.isArray(addresses) || addresses.length > MAX_ADDRESSES)
          throw new HttpError(422, `"addresses" must be a list of at most ${MAX_ADDRESSES} addresses.`);
        clear.run(tenant);
        for (const address of addresses) add.run(tenant, String(address));
        return shown(tenant);
      },
    },
  ];
}
