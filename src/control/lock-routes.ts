// The routes of locks: the vendor's security team sets, lifts and lists them, for every tenant. Setting one returns when
// nothing more of what it concerns is forwarded. Handlers run after authentication, the schemas and the table's cell.
import type { FastifyInstance } from 'fastify';
import type { LockAuthority } from '#grants/locks/lock-authority.ts';
import type { LockQuery, LockStore } from '#grants/locks/lock-store.ts';
import type { Clock } from '#model/clock.ts';
import { callerOf } from './caller.ts';
import { type LockBody, lockDraftOf, lockJson, securityActorOf } from './lock-json.ts';
import * as schemas from './lock-schemas.ts';
import { DEFAULT_PAGE, route } from './route.ts';

export interface LockRoutesDeps {
  readonly locks: {
    readonly authority: LockAuthority;
    readonly store: Pick<LockStore, 'list'>;
  };
  readonly clock: Clock;
}

interface LockListQuery {
  readonly status?: LockQuery['status'];
  readonly limit?: number;
  readonly cursor?: string;
}

export function registerLockRoutes(app: FastifyInstance, { locks, clock }: LockRoutesDeps): void {
  const { authority, store } = locks;
  app.route<{ Body: LockBody }>({
    method: 'POST',
    url: '/v1/locks',
    ...route(
      'locks.set',
      'Stop a principal, a tenant, a case or everything: returns when it is true',
      {
        body: schemas.lockBody,
        response: { 201: schemas.lockAnswer },
      },
      { location: true },
    ),
    handler: async (request, reply) => {
      const by = securityActorOf(callerOf(request).identity);
      const lock = await authority.set(lockDraftOf(request.body, clock.now()), by);
      return reply.code(201).header('location', `/v1/locks/${lock.id}`).send(lockJson(lock, clock.now()));
    },
  });
  app.route<{ Querystring: LockListQuery }>({
    method: 'GET',
    url: '/v1/locks',
    ...route('locks.list', 'List the locks that hold, or all of them, newest first', {
      querystring: schemas.lockQuery,
      response: { 200: schemas.lockPageAnswer },
    }),
    handler: async ({ query: { status = 'held', limit = DEFAULT_PAGE, cursor = null } }) => {
      const { items, nextCursor } = await store.list({ status, limit, cursor });
      const now = clock.now();
      return { items: items.map((lock) => lockJson(lock, now)), nextCursor };
    },
  });
  app.route<{ Params: { readonly id: string } }>({
    method: 'DELETE',
    url: '/v1/locks/:id',
    ...route('locks.lift', 'Lift a lock; one that was lifted or has ended is answered as it is', {
      params: schemas.lockParams,
      response: { 200: schemas.lockAnswer },
    }),
    handler: async (request) => {
      const by = securityActorOf(callerOf(request).identity);
      return lockJson(await authority.lift(request.params.id, by), clock.now());
    },
  });
}
