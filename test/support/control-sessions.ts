// The real control server on a free port with a sessions room behind it; calls of other topics have nothing behind them.
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import { createControlServer } from '#control/control-server.ts';
import { createTenantViews } from '#grants/sqlite/tenant-view.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import type { Principal } from '#model/principal.ts';
import { deny } from '#model/verdict.ts';
import { unusedAudit } from './control-audit.ts';
import { acme, admin, globex, sam } from './grants-fixtures.ts';
import { openRoom, quietLog, type RoomUnderTest } from './sessions-fixtures.ts';

const customer = { issuer: admin.issuer, permissions: [], products: [], email: null, name: null } as const;
const staff = (id: string): Principal => ({ ...sam, id, email: `${id}@vendor.example`, name: id });

/** By the token that `call` sends. */
const CALLERS: Readonly<Record<string, ControlIdentity>> = {
  ada: { kind: 'customer', ...customer, id: 'u-1', tenant: acme, admin: true },
  uwe: { kind: 'customer', ...customer, id: 'u-2', tenant: acme, admin: false },
  gil: { kind: 'customer', ...customer, id: 'u-3', tenant: globex, admin: true },
  sam: { kind: 'staff', principal: sam, roles: [] },
  tom: { kind: 'staff', principal: staff('tom'), roles: ['lead'] },
  /** The same id under another issuer: somebody else. */
  fake: { kind: 'staff', principal: { ...staff('sam'), issuer: 'https://other', email: null }, roles: [] },
  sue: { kind: 'staff', principal: staff('sue'), roles: ['security'] },
  key: { kind: 'service', name: 'provisioning', may: ['grants'] },
};

const authenticator: ControlAuthenticator = {
  async authenticate(header) {
    if (header === undefined) return deny('no_credential');
    return CALLERS[header.replace(/^Bearer /, '')] ?? deny('credential_invalid');
  },
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface SessionsUnderTest extends AsyncDisposable {
  readonly room: RoomUnderTest;
  readonly recorded: LifecycleEvent[];
  readonly journal: { isThere: boolean };
  call(caller: string, method: string, path: string, body?: unknown): Promise<Answer>;
}

export async function startSessions(
  entryUrl: string | null = 'https://acme.app.example.com/-/postern/enter',
): Promise<SessionsUnderTest> {
  const room = openRoom();
  const recorded: LifecycleEvent[] = [];
  const journal = { isThere: true };
  const nothing = {} as never;
  let requests = 0;
  const server = await createControlServer({
    authority: nothing,
    store: nothing,
    views: createTenantViews(room.core, { settingsOf: () => room.settings, standingGrants }),
    policies: { current: null },
    clock: room.clock,
    impactOf: () => nothing,
    audit: unusedAudit,
    authenticator,
    nextRequestId: () => `request-${++requests}`,
    log: quietLog(),
    tls: null,
    sessions: {
      authority: room.authority,
      store: room.sessions,
      lastUsedOf: (session) => room.cache.lastUsedOf(session),
      entryUrlOf: () => entryUrl,
      async record(event) {
        if (journal.isThere) recorded.push(event);
        return journal.isThere;
      },
    },
  });
  await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const { address } = server;
  if (address?.kind !== 'tcp') throw new TypeError('the server is not listening on a port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    room,
    recorded,
    journal,
    async call(caller, method, path, body) {
      const headers = new Headers(caller === '' ? {} : { authorization: `Bearer ${caller}` });
      if (body !== undefined) headers.set('content-type', 'application/json');
      const response = await fetch(url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? {} : JSON.parse(text)) as Answer['body'],
      };
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await room[Symbol.asyncDispose]();
    },
  };
}
