// The help desk: a small multi-tenant SaaS that knows nothing of Postern but how to check its assertion and how to
// call its control API. The tenant is the first label of the host: acme.helpdesk.localhost.
// Started by the demo; listens on loopback.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DatabaseSync } from 'node:sqlite';
import type { Duplex } from 'node:stream';
import { createAdminTokens } from './admin-tokens.ts';
import { openDatabase } from './database.ts';
import { HttpError } from './http-error.ts';
import { createIdentity, type CustomerActor, type Identity } from './identity.ts';
import { createLiveFeed, type LiveFeed } from './live.ts';
import { type ActorContext, type AnyRoute, matchRoute, sendJson } from './router.ts';
import { accountRoutes } from './routes/accounts.ts';
import { type NetworkCheck, networkCheck, networkRoutes } from './routes/network.ts';
import { pageRoutes } from './routes/pages.ts';
import { sensitiveRoutes } from './routes/sensitive.ts';
import { supportAccessRoutes } from './routes/support-access.ts';
import { ticketRoutes } from './routes/tickets.ts';

const HOST_SUFFIX = '.helpdesk.localhost';

export interface HelpdeskOptions {
  readonly port: number;
  /** A file that does not exist yet, or `:memory:`. */
  readonly databasePath: string;
  readonly postern: {
    readonly dataPort: number;
    readonly controlPort: number;
    readonly assertionIssuer: string;
    readonly assertionAudience: string;
    readonly controlAudience: string;
    readonly vendorOrg: string;
  };
}

export interface Helpdesk extends AsyncDisposable {
  readonly port: number;
  /** The issuer of the admins' tokens; their key set is at `/.well-known/jwks.json` below it. */
  readonly issuer: string;
  /** A token with which this customer's user may call Postern's control API; five minutes, unless told otherwise. */
  adminToken(userId: string, lifetimeSeconds?: number): Promise<string>;
  /** Session cookie of a customer's user, as the login page would set it. */
  sessionCookie(userId: string): string;
}

export async function startHelpdesk(options: HelpdeskOptions): Promise<Helpdesk> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { postern } = options;

  const database = openDatabase(options.databasePath);
  const live = createLiveFeed();
  const tokens = await createAdminTokens({ issuer, audience: postern.controlAudience });
  const identity = createIdentity({
    database,
    assertion: {
      port: postern.dataPort,
      host: `acme${HOST_SUFFIX}:${postern.dataPort}`,
      issuer: postern.assertionIssuer,
      audience: postern.assertionAudience,
    },
  });
  const routes: readonly AnyRoute[] = [
    ...accountRoutes(database),
    ...networkRoutes(database),
    ...ticketRoutes({ database, live }),
    ...sensitiveRoutes(database),
    ...supportAccessRoutes({ tokens, controlPort: postern.controlPort, vendorOrg: postern.vendorOrg }),
    ...pageRoutes({ database, identity }),
    {
      method: 'GET',
      path: '/api/v1/events',
      handle: ({ response, tenant, actor }: ActorContext) => live.streamTo(response, tenant, actor),
    },
  ];
  serve({
    server,
    routes,
    identity,
    live,
    checkNetwork: networkCheck(database),
    jwks: tokens.jwks,
    tenants: tenantIds(database),
  });

  const userById = database.prepare('SELECT * FROM users WHERE id = ?');
  return {
    port,
    issuer,
    adminToken: (userId, lifetimeSeconds) => {
      const user = { kind: 'customer', ...userById.get(userId) } as unknown as CustomerActor;
      return tokens.sign(user, lifetimeSeconds);
    },
    sessionCookie: (userId) => `helpdesk_session=${identity.openSession(userId)}`,
    [Symbol.asyncDispose]: async () => {
      live.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      database.close();
    },
  };
}

interface ServeOptions {
  readonly server: ReturnType<typeof createServer>;
  readonly routes: readonly AnyRoute[];
  readonly identity: Identity;
  readonly live: LiveFeed;
  readonly checkNetwork: NetworkCheck;
  readonly jwks: object;
  readonly tenants: ReadonlySet<string>;
}

function serve({ server, routes, identity, live, checkNetwork, jwks, tenants }: ServeOptions): void {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://helpdesk.invalid');
    if (url.pathname === '/.well-known/jwks.json') return sendJson(response, 200, jwks);
    const requestId = request.headers['x-request-id'];
    if (requestId !== undefined) response.setHeader('x-request-id', requestId);
    const tenant = tenantOf(request, tenants);
    const { route, params } = matchRoute(routes, request.method ?? 'GET', url.pathname);
    const actor = await identity.identify(request, tenant);
    if (actor === null && !('open' in route)) throw new HttpError(401, 'Log in first.');
    if (actor !== null) checkNetwork(request, actor);
    const result = await route.handle({ request, response, url, params, tenant, actor } as ActorContext);
    if (result !== undefined && !response.headersSent) sendJson(response, 200, result);
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const actor = await identity.identify(request, tenantOf(request, tenants));
    if (request.url !== '/ws' || actor === null) throw new HttpError(401, 'Log in first.');
    checkNetwork(request, actor);
    live.upgrade(request, socket, head, actor);
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => fail(response, error));
  });

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    upgrade(request, socket, head).catch(() => {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
  });
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const known = error instanceof HttpError;
  sendJson(response, known ? error.status : 500, { error: known ? error.message : 'Internal error.' });
}

function tenantOf(request: IncomingMessage, tenants: ReadonlySet<string>): string {
  const hostname = (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
  const tenant = hostname.endsWith(HOST_SUFFIX) ? hostname.slice(0, -HOST_SUFFIX.length) : '';
  if (!tenants.has(tenant)) throw new HttpError(404, 'No such account.');
  return tenant;
}

function tenantIds(database: DatabaseSync): ReadonlySet<string> {
  return new Set(
    database
      .prepare('SELECT id FROM tenants')
      .all()
      .map((row) => String(row['id'])),
  );
}
