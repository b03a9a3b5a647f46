// The routes of the grants API: who may is asked of the table, what is allowed of the store, and what is live of the
// enforcer. Handlers run after authentication, the schemas and the table's cell for the caller.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GrantAuthority } from '#grants/grant-authority.ts';
import type { GrantQuery, GrantStore } from '#grants/grant-store.ts';
import type { Clock } from '#model/clock.ts';
import type { Grant, GrantStatus } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { mayReach, type Operation, requireTenant } from './authorise.ts';
import { type Caller, callerOf } from './caller.ts';
import {
  actorOf,
  type ChangeBody,
  type CreateBody,
  draftOf,
  grantJson,
  patchOf,
  type PersonBody,
} from './grant-json.ts';
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
  readonly authority: Pick<GrantAuthority, 'create' | 'change' | 'revoke'>;
  readonly store: Pick<GrantStore, 'activeFor' | 'get' | 'list'>;
  readonly clock: Clock;
  /** For a grant created with neither an end nor a duration. */
  readonly defaultDurationMs: number;
  readonly impactOf: (grantId: GrantId) => GrantImpact;
}

interface TenantParams {
  readonly tenant: TenantId;
}

interface GrantParams {
  readonly id: GrantId;
}

interface PageQuery {
  readonly status?: GrantStatus;
  readonly limit?: number;
  readonly cursor?: string;
}

const DEFAULT_PAGE = 50;
const PROBLEMS = { '4xx': { $ref: 'Problem#' }, '5xx': { $ref: 'Problem#' } };

export function registerGrantRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  registerTenantRoutes(app, deps);
  registerSingleGrantRoutes(app, deps);
  registerStaffRoutes(app, deps);
}

function registerTenantRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  const { authority, store, clock } = deps;
  app.route<{ Params: TenantParams; Body: CreateBody }>({
    method: 'POST',
    url: '/v1/tenants/:tenant/grants',
    ...route('grants.create', 'Create a grant', {
      params: schemas.tenantParams,
      body: schemas.createBody,
      response: { 201: schemas.grantAnswer, ...PROBLEMS },
    }),
    handler: async (request, reply) => {
      const { identity } = reachTenant(request);
      const now = clock.now();
      const { tenant } = request.params;
      const draft = draftOf(request.body, { tenant, now, defaultDurationMs: deps.defaultDurationMs });
      const grant = await authority.create(draft, actorOf(identity, request.body));
      return reply.code(201).header('location', `/v1/grants/${grant.id}`).send(grantJson(grant, clock.now()));
    },
  });
  app.route<{ Params: TenantParams; Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/grants',
    ...route('grants.list', 'List the grants of a tenant, newest first', {
      params: schemas.tenantParams,
      querystring: schemas.pageQuery,
      response: { 200: schemas.pageAnswer, ...PROBLEMS },
    }),
    handler: async (request) => {
      const caller = reachTenant(request);
      return page(deps, request.query, { tenant: request.params.tenant, covering: coveredOnly(caller) });
    },
  });
  app.route<{ Params: TenantParams }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/status',
    ...route('tenant.status', 'Whether support access is open', {
      params: schemas.tenantParams,
      response: { 200: schemas.statusAnswer, ...PROBLEMS },
    }),
    handler: async (request) => {
      const caller = reachTenant(request);
      const grants = await store.activeFor(request.params.tenant);
      return tenantStatus(grants, clock.now(), coveredOnly(caller));
    },
  });
}

function registerSingleGrantRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  const { authority, store, clock } = deps;
  const params = schemas.grantParams;
  const response = { 200: schemas.grantAnswer, ...PROBLEMS };
  app.route<{ Params: GrantParams }>({
    method: 'GET',
    url: '/v1/grants/:id',
    ...route('grants.read', 'Read a grant', { params, response }),
    handler: async (request) => grantJson(await reachGrant(request, store), clock.now()),
  });
  app.route<{ Params: GrantParams; Body: ChangeBody }>({
    method: 'PATCH',
    url: '/v1/grants/:id',
    ...route('grants.change', 'Extend, shorten, narrow or widen a grant', {
      params,
      body: schemas.changeBody,
      response,
    }),
    handler: async (request) => {
      const { id } = await reachGrant(request, store);
      const by = actorOf(callerOf(request).identity, request.body);
      return grantJson(await authority.change(id, patchOf(request.body), by), clock.now());
    },
  });
  app.route<{ Params: GrantParams; Body: PersonBody | null }>({
    method: 'POST',
    url: '/v1/grants/:id/revoke',
    ...route('grants.revoke', 'Revoke a grant: returns when nothing more of it is forwarded', {
      params,
      body: schemas.revokeBody,
      response,
    }),
    handler: async (request) => {
      const { id } = await reachGrant(request, store);
      const by = actorOf(callerOf(request).identity, request.body);
      return grantJson(await authority.revoke(id, by), clock.now());
    },
  });
  app.route<{ Params: GrantParams }>({
    method: 'GET',
    url: '/v1/grants/:id/impact',
    ...route('grants.impact', 'What a revoke would cut now', {
      params,
      response: { 200: schemas.impactAnswer, ...PROBLEMS },
    }),
    handler: async (request) => deps.impactOf((await reachGrant(request, store)).id),
  });
}

function registerStaffRoutes(app: FastifyInstance, deps: GrantRoutesDeps): void {
  app.route<{ Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/me/grants',
    ...route('grants.mine', 'List the grants that cover the caller, newest first', {
      querystring: schemas.pageQuery,
      response: { 200: schemas.pageAnswer, ...PROBLEMS },
    }),
    handler: async (request) =>
      page(deps, request.query, { tenant: null, covering: coveredOnly(callerOf(request)) }),
  });
}

function route(operation: Operation, summary: string, schema: Record<string, unknown>) {
  return { config: { operation }, schema: { summary, operationId: operation, ...schema } };
}

function reachTenant(request: FastifyRequest<{ Params: TenantParams }>): Caller {
  const caller = callerOf(request);
  requireTenant(caller.identity, caller.scope, request.params.tenant);
  return caller;
}

/** A grant of another tenant is answered like one that does not exist. */
async function reachGrant(
  request: FastifyRequest<{ Params: GrantParams }>,
  store: Pick<GrantStore, 'get'>,
): Promise<Grant> {
  const { identity, scope } = callerOf(request);
  const grant = await store.get(request.params.id);
  if (grant !== null && mayReach(identity, scope, grant.tenant)) return grant;
  throw new GrantRefusal('grant_unknown', 'Name a grant of your tenant by the id it was created with.');
}

/** The principal whose audience limits the answer; null where the whole tenant may be seen. */
function coveredOnly({ identity, scope }: Caller): Principal | null {
  if (scope !== 'covering') return null;
  if (identity.kind === 'staff') return identity.principal;
  throw new TypeError('only staff are limited to what covers them');
}

async function page(
  { store, clock }: GrantRoutesDeps,
  { status, limit, cursor }: PageQuery,
  { tenant, covering }: { readonly tenant: TenantId | null; readonly covering: Principal | null },
): Promise<object> {
  const query: GrantQuery = {
    tenant,
    limit: limit ?? DEFAULT_PAGE,
    cursor: cursor ?? null,
    ...(status === undefined ? {} : { status }),
    ...(covering === null ? {} : { covering }),
  };
  const { items, nextCursor } = await store.list(query);
  const now = clock.now();
  return { items: items.map((grant) => grantJson(grant, now)), nextCursor };
}
