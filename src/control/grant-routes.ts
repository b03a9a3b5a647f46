// The routes of the grants API: who may is asked of the table, what is allowed of the store, and what is live of the
// enforcer. Handlers run after authentication, the schemas and the table's cell for the caller.
import type { FastifyInstance } from 'fastify';
import type { GrantAuthority } from '#grants/grant-authority.ts';
import type { GrantStore } from '#grants/grant-store.ts';
import type { TenantViews } from '#grants/tenant-view.ts';
import type { Clock } from '#model/clock.ts';
import type { GrantId } from '#model/ids.ts';
import { callerOf } from './caller.ts';
import { underIfMatch, withEtag } from './etag.ts';
import {
  actorOf,
  type ChangeBody,
  type CreateBody,
  draftOf,
  grantJson,
  patchOf,
  type PersonBody,
  revisionJson,
} from './grant-json.ts';
import {
  coveredOnly,
  type GrantParams,
  page,
  type PageQuery,
  reachGrant,
  reachTenant,
  type TenantParams,
} from './grant-reach.ts';
import { registerGrantStaffRoutes } from './grant-staff-routes.ts';
import { DEFAULT_PAGE, route } from './route.ts';
import * as schemas from './schemas.ts';
import { tenantStatus } from './tenant-status.ts';

/** What a revoke would cut at this moment. */
interface GrantImpact {
  readonly requests: number;
  readonly streams: number;
  /** Distinct principals behind them. */
  readonly principals: number;
}

export interface GrantRoutesDeps {
  readonly authority: Pick<GrantAuthority, 'create' | 'change' | 'revoke' | 'verify'>;
  readonly store: Pick<GrantStore, 'get' | 'list' | 'revisions'>;
  readonly views: Pick<TenantViews, 'tenantView'>;
  readonly clock: Clock;
  readonly impactOf: (grantId: GrantId) => GrantImpact;
}

export function registerGrantRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  registerTenantRoutes(app, deps);
  registerSingleGrantRoutes(app, deps);
  registerEndRoutes(app, deps);
  registerHistoryRoute(app, deps);
  registerGrantStaffRoutes(app, deps);
}

function registerTenantRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  const { authority, views, clock } = deps;
  app.route<{ Params: TenantParams; Body: CreateBody }>({
    method: 'POST',
    url: '/v1/tenants/:tenant/grants',
    ...route(
      'grants.create',
      'Create a grant',
      {
        params: schemas.tenantParams,
        body: schemas.createBody,
        response: { 201: schemas.grantAnswer },
      },
      { etag: 'answered', location: true },
    ),
    handler: async (request, reply) => {
      const { identity } = reachTenant(request);
      const draft = draftOf(request.body, { tenant: request.params.tenant, now: clock.now() });
      const grant = await authority.create(draft, actorOf(identity, request.body));
      reply.code(201).header('location', `/v1/grants/${grant.id}`);
      return withEtag(reply, grant.revision, grantJson(grant, clock.now()));
    },
  });
  app.route<{ Params: TenantParams; Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/grants',
    ...route('grants.list', 'List the grants of a tenant, newest first', {
      params: schemas.tenantParams,
      querystring: schemas.pageQuery,
      response: { 200: schemas.pageAnswer },
    }),
    handler: async (request) => {
      const caller = reachTenant(request);
      return page(deps, request.query, { tenant: request.params.tenant, caller });
    },
  });
  app.route<{ Params: TenantParams }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/status',
    ...route('tenant.status', 'Whether support access is open', {
      params: schemas.tenantParams,
      response: { 200: schemas.statusAnswer },
    }),
    handler: async (request) => {
      const caller = reachTenant(request);
      const view = await views.tenantView(request.params.tenant);
      return tenantStatus(view, clock.now(), coveredOnly(caller));
    },
  });
}

function registerSingleGrantRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  const { authority, store, clock } = deps;
  const params = schemas.grantParams;
  const response = { 200: schemas.grantAnswer };
  app.route<{ Params: GrantParams }>({
    method: 'GET',
    url: '/v1/grants/:id',
    ...route('grants.read', 'Read a grant', { params, response }, { etag: 'answered' }),
    handler: async (request, reply) => {
      const grant = await reachGrant(request, store);
      return withEtag(reply, grant.revision, grantJson(grant, clock.now()));
    },
  });
  app.route<{ Params: GrantParams; Body: ChangeBody }>({
    method: 'PATCH',
    url: '/v1/grants/:id',
    ...route(
      'grants.change',
      'Extend, shorten, narrow or widen a grant',
      {
        params,
        body: schemas.changeBody,
        response,
      },
      { etag: 'optional' },
    ),
    handler: async (request, reply) => {
      const { id, revision } = await reachGrant(request, store);
      const by = actorOf(callerOf(request).identity, request.body);
      const patch = patchOf(request.body);
      const grant = await underIfMatch(request, revision, (expectedRevision) =>
        authority.change(id, expectedRevision === undefined ? patch : { expectedRevision, ...patch }, by),
      );
      return withEtag(reply, grant.revision, grantJson(grant, clock.now()));
    },
  });
}

function registerEndRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  const { authority, store, clock } = deps;
  const params = schemas.grantParams;
  app.route<{ Params: GrantParams; Body: PersonBody | null }>({
    method: 'POST',
    url: '/v1/grants/:id/revoke',
    ...route(
      'grants.revoke',
      'Revoke a grant: returns when nothing more of it is forwarded',
      {
        params,
        body: schemas.revokeBody,
        response: { 200: schemas.grantAnswer },
      },
      { etag: 'optional' },
    ),
    handler: async (request, reply) => {
      const { id, revision } = await reachGrant(request, store);
      const by = actorOf(callerOf(request).identity, request.body);
      const grant = await underIfMatch(request, revision, () => authority.revoke(id, by));
      return withEtag(reply, grant.revision, grantJson(grant, clock.now()));
    },
  });
  app.route<{ Params: GrantParams }>({
    method: 'GET',
    url: '/v1/grants/:id/impact',
    ...route('grants.impact', 'What a revoke would cut now', {
      params,
      response: { 200: schemas.impactAnswer },
    }),
    handler: async (request) => deps.impactOf((await reachGrant(request, store)).id),
  });
}

function registerHistoryRoute(app: FastifyInstance, { store, clock }: GrantRoutesDeps): void {
  app.route<{ Params: GrantParams; Querystring: Omit<PageQuery, 'status'> }>({
    method: 'GET',
    url: '/v1/grants/:id/revisions',
    ...route('grants.revisions', 'What a grant was, who changed it and when, newest first', {
      params: schemas.grantParams,
      querystring: schemas.revisionQuery,
      response: { 200: schemas.revisionsAnswer },
    }),
    handler: async (request) => {
      const { id } = await reachGrant(request, store);
      const { limit = DEFAULT_PAGE, cursor = null } = request.query;
      const { items, nextCursor } = await store.revisions(id, limit, cursor);
      const now = clock.now();
      return { items: items.map((one) => revisionJson(one, now)), nextCursor };
    },
  });
}
