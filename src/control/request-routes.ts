// The routes of access requests: support asks, a lead and then the customer decide. Who may is asked of the table, what is
// allowed of the store. Handlers run after authentication, the schemas and the table's cell for the caller; a request
// that the caller may not see is answered like one that does not exist. Cold.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestAuthority } from '#grants/requests/request-authority.ts';
import type { RequestQuery, RequestStore } from '#grants/requests/request-store.ts';
import type { AccessRequest, RequestStatus } from '#model/access-request.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { TenantId } from '#model/ids.ts';
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import { mayReach, requireTenant, type Scope } from './authorise.ts';
import { callerOf } from './caller.ts';
import { ControlProblem } from './control-problem.ts';
import { underIfMatch, withEtag } from './etag.ts';
import {
  type ApproveBody,
  type AskBody,
  deciderOf,
  type DenyBody,
  narrowingOf,
  principalOf,
  requestJson,
  wishOf,
} from './request-json.ts';
import * as schemas from './request-schemas.ts';
import { DEFAULT_PAGE, route } from './route.ts';
import { tenantParams } from './schemas.ts';

export interface RequestRoutesDeps {
  readonly requests: {
    readonly authority: RequestAuthority;
    readonly store: Pick<RequestStore, 'get' | 'list'>;
  };
}

interface RequestParams {
  readonly id: string;
}

interface PageQuery {
  readonly status?: RequestStatus;
  readonly limit?: number;
  readonly cursor?: string;
}

interface ViewQuery extends PageQuery {
  readonly view?: 'mine' | 'awaiting_lead';
}

export function registerRequestRoutes(app: FastifyInstance, deps: RequestRoutesDeps): void {
  app.addSchema(schemas.accessRequestSchema);
  registerLists(app, deps);
  registerAsking(app, deps);
  registerDeciding(app, deps);
}

function registerLists(app: FastifyInstance, { requests: { store } }: RequestRoutesDeps): void {
  const response = { 200: schemas.requestPageAnswer };
  app.route<{ Querystring: ViewQuery }>({
    method: 'GET',
    url: '/v1/access-requests',
    ...route('requests.list', 'List what the caller has asked for, or what waits for a lead, newest first', {
      querystring: schemas.requestQuery,
      response,
    }),
    handler: async (request) => {
      const { identity, scope } = callerOf(request);
      return page(store, request.query, viewOf(identity, scope, request.query.view));
    },
  });
  app.route<{ Params: { readonly tenant: TenantId }; Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/access-requests',
    ...route('requests.list_of_tenant', 'List what support has asked of a tenant, newest first', {
      params: tenantParams,
      querystring: schemas.tenantRequestQuery,
      response,
    }),
    handler: async (request) => {
      const { identity, scope } = callerOf(request);
      const { tenant } = request.params;
      requireTenant(identity, scope, tenant);
      return page(store, request.query, { kind: 'tenant', tenant });
    },
  });
}

function registerAsking(app: FastifyInstance, { requests: { authority, store } }: RequestRoutesDeps): void {
  const params = schemas.requestParams;
  const response = { 200: schemas.requestAnswer };
  app.route<{ Body: AskBody }>({
    method: 'POST',
    url: '/v1/access-requests',
    ...route(
      'requests.make',
      'Ask a customer for access',
      {
        body: schemas.askBody,
        response: { 201: schemas.requestAnswer },
      },
      { etag: 'answered', location: true },
    ),
    handler: async (request, reply) => {
      const asker = principalOf(callerOf(request).identity);
      const made = await authority.ask(wishOf(request.body), asker);
      reply.code(201).header('location', `/v1/access-requests/${made.id}`);
      return withEtag(reply, made.revision, requestJson(made));
    },
  });
  app.route<{ Params: RequestParams }>({
    method: 'GET',
    url: '/v1/access-requests/:id',
    ...route('requests.read', 'Read an access request', { params, response }, { etag: 'answered' }),
    handler: async (request, reply) => {
      const found = await reachRequest(request, store);
      return withEtag(reply, found.revision, requestJson(found));
    },
  });
  app.route<{ Params: RequestParams }>({
    method: 'POST',
    url: '/v1/access-requests/:id/withdraw',
    ...route(
      'requests.withdraw',
      'Take back what the caller has asked for',
      {
        params,
        body: schemas.withdrawBody,
        response,
      },
      { etag: 'optional' },
    ),
    handler: async (request, reply) => {
      const { id, revision } = await reachRequest(request, store);
      const by = principalOf(callerOf(request).identity);
      const after = await underIfMatch(request, revision, (expected) =>
        authority.withdraw(id, { by, ...expecting(expected) }),
      );
      return withEtag(reply, after.revision, requestJson(after));
    },
  });
}

function registerDeciding(app: FastifyInstance, { requests: { authority, store } }: RequestRoutesDeps): void {
  const params = schemas.requestParams;
  const response = { 200: schemas.requestAnswer };
  app.route<{ Params: RequestParams; Body: ApproveBody | null }>({
    method: 'POST',
    url: '/v1/access-requests/:id/approve',
    ...route(
      'requests.approve',
      'Approve a request as it is or narrower; the last approval makes the grant',
      {
        params,
        body: schemas.approveBody,
        response,
      },
      { etag: 'optional' },
    ),
    handler: async (request, reply) => {
      const { id, revision } = await reachRequest(request, store);
      const body = request.body ?? null;
      const step = {
        ...deciderOf(callerOf(request).identity, body),
        narrowing: narrowingOf(body),
        ...(body?.notice === undefined ? {} : { notice: body.notice }),
      };
      const { request: after } = await underIfMatch(request, revision, (expected) =>
        authority.approve(id, { ...step, ...expecting(expected) }),
      );
      return withEtag(reply, after.revision, requestJson(after));
    },
  });
  app.route<{ Params: RequestParams; Body: DenyBody | null }>({
    method: 'POST',
    url: '/v1/access-requests/:id/deny',
    ...route(
      'requests.deny',
      'Say no to a request, and why',
      { params, body: schemas.denyBody, response },
      { etag: 'optional' },
    ),
    handler: async (request, reply) => {
      const { id, revision } = await reachRequest(request, store);
      const body = request.body ?? null;
      const step = { ...deciderOf(callerOf(request).identity, body), why: body?.why ?? null };
      const after = await underIfMatch(request, revision, (expected) =>
        authority.deny(id, { ...step, ...expecting(expected) }),
      );
      return withEtag(reply, after.revision, requestJson(after));
    },
  });
}

function expecting(expectedRevision: number | undefined): { readonly expectedRevision?: number } {
  return expectedRevision === undefined ? {} : { expectedRevision };
}

function viewOf(
  identity: ControlIdentity,
  scope: Scope,
  view: 'mine' | 'awaiting_lead' = scope === 'as_lead' ? 'awaiting_lead' : 'mine',
): RequestQuery['of'] {
  if (view === 'awaiting_lead') {
    if (scope === 'as_lead') return { kind: 'awaiting_lead' };
    throw new ControlProblem('leads_only', 'List what you have asked for yourself, with `view=mine`.');
  }
  const { issuer, id } = principalOf(identity);
  return { kind: 'asker', issuer, id };
}

/** What somebody else has asked, of another tenant or at another's turn, looks as if it did not exist. */
async function reachRequest(
  request: FastifyRequest<{ Params: RequestParams }>,
  store: Pick<RequestStore, 'get'>,
): Promise<AccessRequest> {
  const { identity, scope } = callerOf(request);
  const found = await store.get(request.params.id);
  if (found !== null && maySee(identity, scope, found)) return found;
  throw new GrantRefusal('request_unknown', 'Name a request that you may see by the id it was made with.');
}

function maySee(identity: ControlIdentity, scope: Scope, request: AccessRequest): boolean {
  if (scope !== 'asked' && scope !== 'as_lead') return mayReach(identity, scope, request.tenant);
  const { issuer, id } = principalOf(identity);
  if (request.asker.id === id && request.asker.issuer === issuer) return true;
  return scope === 'as_lead' && isForLeads(request);
}

function isForLeads({ status, leadApproval, denied }: AccessRequest): boolean {
  return status === 'awaiting_lead' || leadApproval !== null || denied?.by.kind === 'staff';
}

async function page(
  store: Pick<RequestStore, 'list'>,
  { status, limit, cursor }: PageQuery,
  of: RequestQuery['of'],
): Promise<object> {
  const { items, nextCursor } = await store.list({
    of,
    limit: limit ?? DEFAULT_PAGE,
    cursor: cursor ?? null,
    ...(status === undefined ? {} : { status }),
  });
  return { items: items.map(requestJson), nextCursor };
}
