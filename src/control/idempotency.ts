// `Idempotency-Key` on every POST: the same caller, key, target and body within 24 hours is answered as the first time, and
// done once. Order: authenticate, table, schema, claim (committed), handler (its effect marked in the same transaction),
// answer kept, answer sent; a crash anywhere leaves a repetition that either does what was not done or says that it was
// done (grants/sqlite/idempotency-store.ts). A refusal did nothing and frees the key. Whoever may no longer call gets no replay.
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Claim, ClaimAnswer, IdempotencyStore, KeptAnswer } from '#grants/idempotency-store.ts';
import type { Log } from '#model/log.ts';
import { callerKeyOf } from './caller-key.ts';
import { callerOf } from './caller.ts';
import { ControlProblem } from './control-problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    claim: Claim | null;
  }
}

export interface KeyedCallsDeps {
  readonly idempotency: IdempotencyStore;
  readonly log: Log;
}

const KEY = /^[\x21-\x7e]{1,255}$/;
const KEPT_HEADERS = ['content-type', 'location', 'etag'];

/** Registered after `guardRoutes`: its hooks must have run before a claim is made. */
export function keyCalls(app: FastifyInstance, { idempotency, log }: KeyedCallsDeps): void {
  app.decorateRequest('claim', null);

  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key'];
    if (key === undefined || request.method !== 'POST' || request.caller === null) return;
    const found = await claim(request, key, idempotency);
    if (found.kind === 'claimed') request.claim = found.claim;
    else if (found.kind !== 'answered') throw refusalOf(found.kind, reply);
    else return replay(reply, found.answer);
  });

  // With `done`: only what it calls runs in the claim's context.
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.claim === null) done();
    else idempotency.under(request.claim, done);
  });

  // Before the answer leaves: whoever has seen it can rely on its repetition.
  app.addHook('onSend', async (request, reply, payload) => {
    const { claim: open } = request;
    if (open === null) return payload;
    request.claim = null;
    try {
      await idempotency.settle(open, resultOf(request, reply, payload));
    } catch (error) {
      // What was done is done and marked so; only its answer is not kept.
      log.warn({ requestId: request.id, err: error }, 'the answer of a call with a key could not be kept');
    }
    return payload;
  });
}

async function claim(
  request: FastifyRequest,
  key: string | string[],
  idempotency: IdempotencyStore,
): Promise<ClaimAnswer> {
  if (typeof key !== 'string' || !KEY.test(key) || isRepeated(request.raw.rawHeaders)) {
    const message = 'must be one header of 1 to 255 visible ASCII characters (in the header Idempotency-Key)';
    throw new ControlProblem('invalid_request', 'See `errors` for each place and what is allowed there.', [
      { pointer: '', message },
    ]);
  }
  const { method, url, body } = request;
  const call = JSON.stringify([method, url, canonical(body)]);
  return idempotency.claim({
    caller: callerKeyOf(callerOf(request).identity),
    key,
    requestHash: createHash('sha256').update(call).digest('base64url'),
  });
}

/** Node joins two of them with a comma, which is a key of its own. */
function isRepeated(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === 'idempotency-key') count += 1;
  }
  return count > 1;
}

/** The same for the same JSON, in whatever order its keys were written. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return ['array', ...value.map(canonical)];
  if (typeof value !== 'object' || value === null) return value ?? null;
  const entries = Object.entries(value).map(([name, inner]) => [name, canonical(inner)] as const);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  return reply.code(status).headers(headers).header('idempotency-replayed', 'true').send(body);
}

function refusalOf(kind: 'under_way' | 'not_kept' | 'other_call', reply: FastifyReply): ControlProblem {
  switch (kind) {
    case 'under_way':
      reply.header('retry-after', '1');
      return new ControlProblem('call_under_way', 'Repeat it when the first call with this key has ended.');
    case 'not_kept':
      return new ControlProblem(
        'answer_not_kept',
        'The first call with this key was carried out and its answer is not kept; read what it made, or use a new key to do it again.',
      );
    case 'other_call':
      return new ControlProblem(
        'key_reused',
        'Use a new key for another call; a key repeats its first call.',
      );
  }
}

function resultOf(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): KeptAnswer | 'done' | 'refused' {
  const { statusCode } = reply;
  if (statusCode < 200 || statusCode > 299) return 'refused';
  if (request.routeOptions.config.answerNotKept === true) return 'done';
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = reply.getHeader(name);
    if (value !== undefined) headers[name] = String(value);
  }
  return { status: statusCode, headers, body: typeof payload === 'string' ? payload : '' };
}
