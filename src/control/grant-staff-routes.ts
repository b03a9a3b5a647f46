// What the vendor's staff do with grants: see which cover them, and, as leads, verify the case of a grant before anybody
// uses it. Handlers run after authentication, the schemas and the table's cell for the caller.
import type { FastifyInstance } from 'fastify';
import type { GrantAuthority } from '#grants/grant-authority.ts';
import type { GrantStore } from '#grants/grant-store.ts';
import type { Clock } from '#model/clock.ts';
import { callerOf } from './caller.ts';
import { underIfMatch, withEtag } from './etag.ts';
import { grantJson, leadOf, type VerifyBody } from './grant-json.ts';
import { type GrantParams, page, type PageQuery, reachGrant } from './grant-reach.ts';
import { route } from './route.ts';
import * as schemas from './schemas.ts';

export interface GrantStaffRoutesDeps {
  readonly authority: Pick<GrantAuthority, 'verify'>;
  readonly store: Pick<GrantStore, 'get' | 'list'>;
  readonly clock: Clock;
}

export function registerGrantStaffRoutes(app: FastifyInstance, deps: GrantStaffRoutesDeps): void {
  const { authority, store, clock } = deps;
  app.route<{ Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/me/grants',
    ...route('grants.mine', 'List the grants that cover the caller, newest first', {
      querystring: schemas.pageQuery,
      response: { 200: schemas.pageAnswer },
    }),
    handler: async (request) => page(deps, request.query, { tenant: null, caller: callerOf(request) }),
  });
  app.route<{ Querystring: Omit<PageQuery, 'status'> }>({
    method: 'GET',
    url: '/v1/me/verifications',
    ...route('grants.unverified', 'List the grants that wait for a lead to verify them, newest first', {
      querystring: schemas.revisionQuery,
      response: { 200: schemas.pageAnswer },
    }),
    handler: async (request) =>
      page(deps, { ...request.query, status: 'pending' }, { tenant: null, caller: callerOf(request) }),
  });
  app.route<{ Params: GrantParams; Body: VerifyBody | null }>({
    method: 'POST',
    url: '/v1/grants/:id/verify',
    ...route(
      'grants.verify',
      'Verify the case of a grant, so that its users may enter',
      {
        params: schemas.grantParams,
        body: schemas.verifyBody,
        response: { 200: schemas.grantAnswer },
      },
      { etag: 'optional' },
    ),
    handler: async (request, reply) => {
      const { id, revision } = await reachGrant(request, store);
      const lead = leadOf(callerOf(request).identity);
      const grant = await underIfMatch(request, revision, (expected) =>
        authority.verify(id, lead, request.body?.expectedRevision ?? expected),
      );
      return withEtag(reply, grant.revision, grantJson(grant, clock.now()));
    },
  });
}
