// Who am I, and who works here.
import type { DatabaseSync } from 'node:sqlite';
import type { Route } from '../router.ts';

/** Headers that a proxy may have set; `/api/v1/me` shows them, so that one can see what arrived. */
const SHOWN_HEADERS = ['x-support-user', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'x-request-id'];

export function accountRoutes(database: DatabaseSync): readonly Route[] {
  const users = database.prepare('SELECT id, name, email, role FROM users WHERE tenant = ? ORDER BY name');
  const tenantName = database.prepare('SELECT name FROM tenants WHERE id = ?');
  return [
    {
      method: 'GET',
      path: '/api/v1/me',
      handle: ({ request, tenant, actor }) => ({
        tenant: { id: tenant, name: tenantName.get(tenant)?.['name'] },
        actingAs: actor,
        headersReceived: Object.fromEntries(
          SHOWN_HEADERS.map((name) => [name, request.headers[name] ?? null]),
        ),
        assertionVerified: actor.kind === 'support',
      }),
    },
    {
      method: 'GET',
      path: '/api/v1/users',
      handle: ({ tenant }) => ({ users: users.all(tenant) }),
    },
  ];
}
