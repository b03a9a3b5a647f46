// The workforce's identity provider: oidc-provider on loopback, with discovery, a key set, a login page and the
// authorization code flow with PKCE. Access tokens are JWTs (RFC 9068) for the resource that was asked for.
// Assumes a single demo process: its signing key and its memory live as long as that process.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type ProviderContext, type StoredToken } from 'oidc-provider/lib/provider.js';
import { readForm } from '../saas/body.ts';
import { staffByEmail, staffById } from './staff.ts';
import { createStorage } from './storage.ts';

export const CLIENT_ID = 'support-cli';
export const REDIRECT_URI = 'http://127.0.0.1/callback';

/** Resource indicators (RFC 8707) and the audience that a token for each one carries. */
const RESOURCES = {
  'urn:postern:data': 'postern',
  'urn:postern:control': 'postern-control',
} as const;
export type Resource = keyof typeof RESOURCES;

/** A demo's tokens last for a sitting in front of it; the gateway's `maxTokenAge` is set to the same. */
const ACCESS_TOKEN_SECONDS = 8 * 3600;

const SCOPE = 'support';

export interface IdentityProvider extends AsyncDisposable {
  /** Also its origin: `http://127.0.0.1:PORT`. */
  readonly issuer: string;
}

/** Listens on loopback; port 0 takes any free one. */
export async function startIdentityProvider(options: { readonly port: number }): Promise<IdentityProvider> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const provider = new Provider(issuer, configuration());
  const protocol = provider.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return protocol(request, response);
    interact(provider, request, response).catch(() => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end('This login is over. Start again.\n');
    });
  });

  return {
    issuer,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function configuration(): Readonly<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    adapter: createStorage(),
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [REDIRECT_URI],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    pkce: { required: () => true },
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      Grant: ACCESS_TOKEN_SECONDS,
      Interaction: 600,
      Session: ACCESS_TOKEN_SECONDS,
    },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
    },
    findAccount: async (_context: ProviderContext, id: string) => account(id),
    extraTokenClaims: async (_context: ProviderContext, token: StoredToken) => profile(token.accountId),
    loadExistingGrant: grantFirstParty,
  };
}

async function resourceServer(_context: ProviderContext, resource: string): Promise<object> {
  const audience = Object.entries(RESOURCES).find(([name]) => name === resource)?.[1];
  if (audience === undefined) throw new Error('unknown resource');
  return {
    scope: SCOPE,
    audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: ACCESS_TOKEN_SECONDS,
    jwt: { sign: { alg: 'ES256' } },
  };
}

function account(id: string): object | undefined {
  const member = staffById(id);
  return member && { accountId: member.id, claims: () => ({ sub: member.id }) };
}

/** The claims the gateway maps to a principal. */
function profile(id: string | undefined): Record<string, unknown> | undefined {
  const member = staffById(id);
  return member && { name: member.name, email: member.email, email_verified: true, groups: member.groups };
}

/** The vendor's own client needs no consent page: its staff consent by employment. */
async function grantFirstParty(context: ProviderContext & { oidc: { provider: Provider } }): Promise<object> {
  const { provider, client, session } = context.oidc;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  for (const resource of Object.keys(RESOURCES)) grant.addResourceScope(resource, SCOPE);
  await grant.save();
  return grant;
}

async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt } = await provider.interactionDetails(request, response);
  if (prompt.name !== 'login') throw new Error('unexpected prompt');
  if (request.method !== 'POST') return loginPage(response, 200, '');
  const form = await readForm(request);
  const member = staffByEmail(form.get('email') ?? '');
  if (member === undefined || form.get('password') !== member.password) {
    return loginPage(response, 401, '<p role="alert">Email or password is wrong.</p>');
  }
  await provider.interactionFinished(request, response, { login: { accountId: member.id } });
}

function loginPage(response: ServerResponse, status: number, notice: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>Staff login</title><h1>Staff login</h1>${notice}
<form method="post"><p><label>Email <input name="email" type="email" required autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" required autocomplete="current-password"></label></p>
<p><button>Log in</button></p></form></html>`);
}
