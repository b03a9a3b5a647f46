// `postern/upstream`: what an application behind the gate checks, so that the way around the gate leads nowhere.
// Guarantees: `support` is what the gate signed for this audience within the last minute, or the request is refused; a header
// that is there and does not hold is always refused. Runs once per request; a request without the header costs a loop.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { createGateKeys } from './gate-keys.ts';
import { answerOf, AssertionRefused } from './refusal.ts';
import { type SupportContext, supportContextOf } from './support-context.ts';
import {
  type AssertionVerifierOptions,
  type CheckedOptions,
  checkSupportOptions,
  checkVerifierOptions,
  type SupportOptions,
} from './verifier-options.ts';

export { AssertionRefused, type AssertionRefusal } from './refusal.ts';
export type { SupportContext } from './support-context.ts';
export type { AssertionVerifierOptions, SupportOptions } from './verifier-options.ts';

declare global {
  // What `expressSupport` sets, for whoever has the types of Express.
  namespace Express {
    interface Request {
      support: SupportContext | null;
    }
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    support: SupportContext | null;
  }
}

/** The gate's own limit; one that lives longer was not made by it. */
const MAX_LIFETIME_S = 60;
const MAX_ASSERTION_LENGTH = 16_384;
const TYPE = 'postern-assertion+jwt';

export interface AssertionVerifier {
  /** The value of the one header. Rejects with AssertionRefused, and with nothing else. */
  verify(headerValue: string | null | undefined): Promise<SupportContext>;
}

/** Throws a TypeError for options that are wrong. Fetches nothing yet. */
export function createAssertionVerifier(options: AssertionVerifierOptions): AssertionVerifier {
  return verifierOf(checkVerifierOptions(options));
}

function verifierOf(options: CheckedOptions): AssertionVerifier {
  const { issuer, audience, clockToleranceSeconds, algorithms, clock, ...more } = options;
  const keys = createGateKeys({ ...more, algorithms, clock });

  async function claimsOf(token: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(
      token,
      ({ alg, kid }) => {
        if (typeof kid !== 'string') throw new AssertionRefused('assertion_invalid');
        return keys.keyFor(alg, kid);
      },
      {
        algorithms: [...algorithms],
        issuer,
        audience,
        typ: TYPE,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(clock.now()),
        maxTokenAge: MAX_LIFETIME_S,
        requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      },
    );
    return payload;
  }

  return {
    async verify(headerValue) {
      if (headerValue === null || headerValue === undefined) throw new AssertionRefused('assertion_required');
      if (headerValue.length > MAX_ASSERTION_LENGTH) throw new AssertionRefused('assertion_invalid');
      try {
        const claims = await claimsOf(headerValue);
        const context = isGatesOwn(claims) ? supportContextOf(claims) : null;
        if (context !== null) return context;
      } catch (error) {
        if (error instanceof AssertionRefused) throw error;
        const isExpired = error instanceof errors.JWTExpired;
        throw new AssertionRefused(isExpired ? 'assertion_expired' : 'assertion_invalid', error);
      }
      throw new AssertionRefused('assertion_invalid');
    },
  };
}

/** One audience: another one could use it here. No longer a life than the gate gives. */
function isGatesOwn({ aud, exp, iat }: JWTPayload): boolean {
  return typeof aud === 'string' && (exp as number) - (iat as number) <= MAX_LIFETIME_S;
}

type Judge<Request> = (request: Request, raw: IncomingMessage) => Promise<SupportContext | null>;

/** Rejects with AssertionRefused, or with what `tenantOf` threw. */
function createJudge<Request>(options: SupportOptions<Request>): Judge<Request> {
  const { isRequired, headerName, tenantOf, gate } = checkSupportOptions(options);
  const verifier = verifierOf(gate);
  return async (request, raw) => {
    const value = onlyValue(raw.rawHeaders, headerName);
    if (value === null && !isRequired) return null;
    const context = await verifier.verify(value);
    if (tenantOf !== undefined && (await tenantOf(request)) !== context.tenant) {
      throw new AssertionRefused('assertion_tenant');
    }
    return context;
  };
}

/** Null where there is none. Two would be read differently by two readers, so they are refused. */
function onlyValue(rawHeaders: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== name) continue;
    if (value !== null) throw new AssertionRefused('assertion_invalid');
    value = rawHeaders[i + 1] ?? '';
  }
  return value;
}

/**
 * Middleware of Express, and of whatever else hands on a request of `node:http`: sets `request.support`. Routes before it are
 * not protected, and neither are upgrades, which no middleware sees.
 */
export function expressSupport<Request extends IncomingMessage = IncomingMessage>(
  options: SupportOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const judge = createJudge(options);
  return (request, response, next) => void pass(judge(request, request), { request, response, next });
}

interface ExpressTurn {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly next: (error?: unknown) => void;
}

async function pass(judged: Promise<SupportContext | null>, turn: ExpressTurn): Promise<void> {
  const { request, response, next } = turn;
  try {
    Object.assign(request, { support: await judged });
  } catch (error) {
    if (!(error instanceof AssertionRefused)) return next(error);
    // Somebody answered while the keys were fetched, such as a middleware with a timeout: the route does not run either way.
    if (response.headersSent) return undefined;
    const { status, headers, body } = answerOf(error);
    response.writeHead(status, headers).end(body);
    return undefined;
  }
  return next();
}

/** What `tenantOf` gets of a Fastify request. */
export interface FastifySupportRequest {
  readonly raw: IncomingMessage;
  readonly params: unknown;
  readonly query: unknown;
  readonly host: string;
  readonly url: string;
}

interface Reply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(payload: string): unknown;
}

interface App {
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: null): unknown;
  addHook(
    name: 'onRequest',
    hook: (request: FastifySupportRequest, reply: Reply) => Promise<unknown>,
  ): unknown;
}

function registerSupport(
  app: App,
  options: SupportOptions<FastifySupportRequest>,
  done: (error?: Error) => void,
): void {
  let judge: Judge<FastifySupportRequest>;
  try {
    judge = createJudge(options);
  } catch (error) {
    // Thrown here it would be nobody's to catch: Fastify calls plugins from its own queue.
    done(error as Error);
    return;
  }
  if (!app.hasRequestDecorator('support')) app.decorateRequest('support', null);
  app.addHook('onRequest', async (request, reply) => {
    try {
      Object.assign(request, { support: await judge(request, request.raw) });
      return undefined;
    } catch (error) {
      if (!(error instanceof AssertionRefused)) throw error;
      const { status, headers, body } = answerOf(error);
      reply.code(status);
      reply.headers(headers);
      // An asynchronous hook that answers returns the reply, else the route runs all the same.
      return reply.send(body);
    }
  });
  done();
}

/** Plugin of Fastify 5: sets `request.support` for every route of the scope that it is registered in, and of scopes within. */
export const fastifySupport = Object.assign(registerSupport, {
  // What fastify-plugin would set: the hook belongs to the scope around the plugin, not to the plugin alone.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'postern-support',
});
