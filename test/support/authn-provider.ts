// A real OpenID provider on loopback whose keys can be rotated, which can be taken down and brought back at the same
// address, and which counts what it is asked. Tokens come from its token endpoint.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider/lib/provider.js';
import type { TestKey } from './authn-keys.ts';

const CLIENT_ID = 'support-tool';
const CLIENT_SECRET = 'a-secret-of-this-test-alone';
const RESOURCE = 'urn:test:postern';

export interface TestProvider extends AsyncDisposable {
  readonly issuer: string;
  /** How often its key set was read. */
  readonly keySetReads: number;
  /** Signs with the first key, publishes all. */
  rotate(...keys: readonly TestKey[]): void;
  /** A fresh access token, signed by the provider. */
  token(): Promise<string>;
  /** Ends every connection and refuses new ones. */
  down(): Promise<void>;
  up(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export async function startTestProvider(...keys: readonly TestKey[]): Promise<TestProvider> {
  let keySetReads = 0;
  let handle: Handler | null = null;
  const server = createServer((request, response) => {
    if (request.url === '/jwks') keySetReads++;
    handle?.(request, response);
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const rotate = (...next: readonly TestKey[]): void => {
    handle = new Provider(issuer, configurationFor(next)).callback();
  };
  rotate(...keys);
  return {
    issuer,
    get keySetReads() {
      return keySetReads;
    },
    rotate,
    token: () => requestToken(issuer),
    down: () => close(server),
    up: () => listen(server, port),
    [Symbol.asyncDispose]: () => close(server),
  };
}

function configurationFor(keys: readonly TestKey[]): Readonly<Record<string, unknown>> {
  const alg = keys[0]?.algorithm;
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: alg,
      },
    ],
    jwks: {
      keys: keys.map(({ jwk, privateKey }) => Object.assign({}, jwk, privateKey.export({ format: 'jwk' }))),
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'support',
          audience: 'postern',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg } },
        }),
      },
    },
    extraTokenClaims: () => ({ email: 'anna@vendor.example', name: 'Anna Field', groups: ['support'] }),
  };
}

async function requestToken(issuer: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'support', resource: RESOURCE }),
  });
  const answer = (await response.json()) as { readonly access_token?: string };
  if (answer.access_token === undefined) throw new Error(`no token: status ${response.status}`);
  return answer.access_token;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
