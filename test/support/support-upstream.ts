// Applications behind the gate that check its assertion: a real Express, a real Fastify, each on a port of its own before the
// gate is there. `/who` answers with what they know of the request.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import fastify from 'fastify';
import { type CryptoKey, importPKCS8, SignJWT } from 'jose';
import { importAssertionKey } from '#upstream/assertion-key.ts';
import {
  type AssertionVerifierOptions,
  expressSupport,
  fastifySupport,
  type SupportContext,
} from '../../src/verifier/upstream.ts';
import { type Gate, type GateOptions, startGate } from './gate.ts';
import { listen } from './listen.ts';

export type Framework = 'express' | 'fastify';

export interface Protection extends AssertionVerifierOptions {
  readonly mode: 'required' | 'optional';
  readonly header?: string;
  /** Binds the request to the tenant that its `X-Tenant` names. */
  readonly isBound?: boolean;
}

export interface SupportUpstream extends AsyncDisposable {
  readonly port: number;
  /** Every request that reached the route itself. */
  readonly served: (SupportContext | null)[];
  /** The assertions that arrived, believed or not. */
  readonly assertions: string[];
  protect(framework: Framework, protection: Protection): Promise<void>;
}

export async function startSupportUpstream(): Promise<SupportUpstream> {
  const served: (SupportContext | null)[] = [];
  const assertions: string[] = [];
  const state = { handler: notThere };
  // More than Node's own limit, so that what is too large is seen by the application.
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const assertion = request.headers['x-support-assertion'];
    if (typeof assertion === 'string') assertions.push(assertion);
    state.handler(request, response);
  });
  const { port, close } = await listen(server);
  return {
    port,
    served,
    assertions,
    async protect(framework, protection) {
      const build = framework === 'express' ? onExpress : onFastify;
      state.handler = await build(protection, (support) => {
        served.push(support);
        return { support };
      });
    },
    [Symbol.asyncDispose]: close,
  };
}

const notThere: RequestListener = (_request, response) => void response.writeHead(404).end();

type Answer = (support: SupportContext | null) => object;

async function onExpress({ isBound, ...options }: Protection, answer: Answer): Promise<RequestListener> {
  const app = express();
  app.use(
    expressSupport<express.Request>({
      ...options,
      ...(isBound === true ? { tenantOf: (request) => request.get('x-tenant') ?? null } : {}),
    }),
  );
  app.get('/who', (request, response) => {
    response.json(answer(request.support));
  });
  return (request: IncomingMessage, response: ServerResponse) => void app(request, response);
}

async function onFastify({ isBound, ...options }: Protection, answer: Answer): Promise<RequestListener> {
  const app = fastify();
  await app.register(fastifySupport, {
    ...options,
    ...(isBound === true
      ? { tenantOf: ({ raw }: { raw: IncomingMessage }) => (raw.headers['x-tenant'] as string) ?? null }
      : {}),
  });
  app.get('/who', (request) => answer(request.support));
  await app.ready();
  return (request, response) => app.routing(request, response);
}

/** Signs as the gate does, with the gate's own key; `claims` and `header` override. */
export type Assert = (claims?: object, header?: object) => Promise<string>;

export interface GuardedGate extends AsyncDisposable {
  readonly gate: Gate;
  readonly upstream: SupportUpstream;
  readonly assert: Assert;
  /** Of the gate's key. */
  readonly kid: string;
  /** What the upstream has to be told of this gate. */
  readonly trust: AssertionVerifierOptions;
}

/** A gate with a grant for acme, and an upstream that is not protected yet. */
export async function startGuardedGate(config: GateOptions['config'] = {}): Promise<GuardedGate> {
  const upstream = await startSupportUpstream();
  const gate = await startGate({ upstreamPort: upstream.port, config });
  await gate.grant({ roles: ['agent'], actAs: 'u-ada' });
  const pem = readFileSync(join(gate.folder, 'keys', 'assertion.pem'), 'utf8');
  const { kid } = await importAssertionKey(pem);
  const key = await importPKCS8(pem, 'ES256');
  return {
    gate,
    upstream,
    kid,
    assert: (claims, header) => signAssertion({ key, kid }, claims, header),
    trust: {
      issuer: 'https://gate.test',
      audience: 'app',
      keys: `http://127.0.0.1:${gate.dataPort}/-/postern/jwks.json`,
      keysHost: gate.host,
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

export function signAssertion(
  by: { readonly key: CryptoKey; readonly kid: string },
  claims: object = {},
  header: object = {},
): Promise<string> {
  const payload = { ...assertedClaims(), ...claims };
  return new SignJWT(payload as Record<string, unknown>)
    .setProtectedHeader({ alg: 'ES256', kid: by.kid, typ: 'postern-assertion+jwt', ...header })
    .sign(by.key);
}

/** As the gate would say them of Sam, now. */
export function assertedClaims(nowMs = Date.now()): Record<string, unknown> {
  const iat = Math.floor(nowMs / 1000);
  return {
    iss: 'https://gate.test',
    aud: 'app',
    iat,
    exp: iat + 60,
    jti: 'a-1',
    sub: 'sam',
    idp: 'https://idp.test',
    org: 'vendor',
    email: 'sam@vendor.test',
    tenant: 'acme',
    grant: { id: 'grt_1', revision: 1 },
    access: 'write',
    roles: ['agent'],
    workspaces: [{ id: 'w-1', roles: ['reader'] }],
  };
}
