// Who calls, and what the table lets them reach: found before a body is read, settled before a handler runs.
// A route without an operation is public; only the OpenAPI document is.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import { authorise, callerKindsOf, dutyOf, type Scope } from './authorise.ts';
import { callerKeyOf } from './caller-key.ts';
import { ControlDenial } from './control-problem.ts';
import type { RateLimit } from './rate-limit.ts';

export interface Caller {
  readonly identity: ControlIdentity;
  readonly scope: Scope;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** The caller of a route with an operation; a route that has none never asks. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new TypeError('a handler ran without an authorised caller');
  return request.caller;
}

export interface GuardDeps {
  readonly authenticator: ControlAuthenticator;
  /** Absent: callers are not counted. */
  readonly rateLimit?: RateLimit | undefined;
}

export function guardRoutes(app: FastifyInstance, { authenticator, rateLimit }: GuardDeps): void {
  app.decorateRequest('caller', null);

  // Before the body: an unknown caller's bytes are not worth parsing. A service is taken at its best here.
  app.addHook('onRequest', async (request, reply) => {
    const { operation } = request.routeOptions.config;
    if (operation === undefined) return;
    const identity = await identify(request, authenticator);
    // Before the table: calls that it refuses count too.
    const waitS = rateLimit?.take(callerKeyOf(identity)) ?? null;
    if (waitS !== null) {
      reply.header('retry-after', String(waitS));
      throw new ControlDenial(
        'rate_limited',
        'Call less often; `Retry-After` says when the next call may come.',
      );
    }
    request.caller = {
      identity,
      scope: authorise(callerKindsOf(identity, true, dutyOf(operation)), operation),
    };
  });

  // After the schemas: only now is it known whether a service names a person.
  app.addHook('preHandler', async (request) => {
    const { operation } = request.routeOptions.config;
    if (operation === undefined) return;
    const { identity } = callerOf(request);
    const kinds = callerKindsOf(identity, namesPerson(request.body), dutyOf(operation));
    request.caller = { identity, scope: authorise(kinds, operation) };
  });
}

async function identify(
  request: FastifyRequest,
  authenticator: ControlAuthenticator,
): Promise<ControlIdentity> {
  if (countAuthorizations(request.raw.rawHeaders) > 1) {
    throw new ControlDenial('bad_header', 'Send one Authorization header.');
  }
  const result = await authenticator.authenticate(request.headers.authorization);
  if ('reason' in result)
    throw new ControlDenial(result.reason, 'Send `Authorization: Bearer` and a valid token.');
  return result;
}

/** Node keeps the first of two, a proxy in front may have judged the second. */
function countAuthorizations(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === 'authorization') count += 1;
  }
  return count;
}

function namesPerson(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'onBehalfOf' in body && body.onBehalfOf !== null;
}
