// The routes of support sessions: staff open and end their own, the tenant's admins and the vendor's security end others',
// the customer reads the reports. Guarantees: a session of somebody else is answered like one that does not exist; a report
// is read out only when its reading is in the journal. Handlers run after authentication, the schemas and the table's cell.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { Clock, EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';
import type { SessionAuthority } from '#sessions/session-authority.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { ListedSession, SessionStore } from '#sessions/session-store.ts';
import { askedBy } from './audit-json.ts';
import { mayReach, type Operation, requireTenant } from './authorise.ts';
import { callerOf } from './caller.ts';
import { ControlDenial } from './control-problem.ts';
import { tenantParams } from './schemas.ts';
import { type Asker, enderOf, type OpenBody, reportJson, sessionJson, wishOf } from './session-json.ts';
import * as schemas from './session-schemas.ts';

export interface SessionRoutesDeps {
  readonly sessions: {
    readonly authority: Pick<SessionAuthority, 'open' | 'end'>;
    readonly store: Pick<SessionStore, 'get' | 'list' | 'reportOf'>;
    readonly lastUsedOf: SessionLookup['lastUsedOf'];
    /** `https://<tenant's host>/-/postern/enter`; null where a browser has no way in, such as without TLS in front. */
    readonly entryUrlOf: (tenant: TenantId) => string | null;
    /** Resolves when the reading is in the journal; false when it cannot be now. */
    readonly record: (event: LifecycleEvent) => Promise<boolean>;
  };
  readonly clock: Clock;
}

interface SessionParams {
  readonly id: SessionId;
}

interface PageQuery {
  readonly status?: 'open' | 'all';
  readonly limit?: number;
  readonly cursor?: string;
}

const DEFAULT_PAGE = 50;
const PROBLEMS = { '4xx': { $ref: 'Problem#' }, '5xx': { $ref: 'Problem#' } };

export function registerSessionRoutes(app: FastifyInstance, deps: SessionRoutesDeps): void {
  app.addSchema(schemas.sessionSchema);
  app.addSchema(schemas.reportSchema);
  registerOpening(app, deps);
  registerLists(app, deps);
  registerOne(app, deps);
}

function registerOpening(app: FastifyInstance, deps: SessionRoutesDeps): void {
  const { authority, entryUrlOf } = deps.sessions;
  app.route<{ Body: OpenBody }>({
    method: 'POST',
    url: '/v1/sessions',
    // The launch link is a secret that is said once: no repetition of the call is answered with it.
    config: { operation: 'sessions.open', answerNotKept: true },
    schema: {
      summary:
        'Open a session under a grant that covers the caller; ends the caller’s earlier one for the tenant',
      operationId: 'sessions.open',
      body: schemas.openBody,
      response: { 201: schemas.openAnswer, ...PROBLEMS },
    },
    handler: async (request, reply) => {
      const { body } = request;
      const entryUrl = body.browser === false ? null : entryUrlOf(body.tenant);
      const opened = await authority.open(wishOf(body, askerOf(request), entryUrl !== null));
      const { session, replaced, launch } = opened;
      return reply
        .code(201)
        .header('location', `/v1/sessions/${session.id}`)
        .send({
          session: shown(deps, { session, writes: null }),
          ...(replaced === null ? {} : { replaced: replaced.id }),
          ...(launch === null || entryUrl === null ? {} : { launch: launchJson(entryUrl, launch) }),
        });
    },
  });
}

function launchJson(
  entryUrl: string,
  { token, endsAt }: { readonly token: string; readonly endsAt: EpochMs },
): object {
  return { url: `${entryUrl}?launch=${token}`, expiresAt: new Date(endsAt).toISOString() };
}

function registerLists(app: FastifyInstance, deps: SessionRoutesDeps): void {
  const answer = {
    querystring: schemas.sessionQuery,
    response: { 200: schemas.sessionPageAnswer, ...PROBLEMS },
  };
  app.route<{ Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/me/sessions',
    ...route('sessions.mine', 'List the caller’s sessions, newest first', answer),
    handler: (request) => page(deps, request.query, { tenant: null, principal: askerOf(request).principal }),
  });
  app.route<{ Params: { readonly tenant: TenantId }; Querystring: PageQuery }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/sessions',
    ...route('sessions.list', 'List the sessions in a tenant, newest first; those with writes are marked', {
      params: tenantParams,
      ...answer,
    }),
    handler: (request) => {
      const { identity, scope } = callerOf(request);
      const { tenant } = request.params;
      requireTenant(identity, scope, tenant);
      return page(deps, request.query, { tenant, principal: null });
    },
  });
}

function registerOne(app: FastifyInstance, deps: SessionRoutesDeps): void {
  const { authority, store } = deps.sessions;
  const params = schemas.sessionParams;
  const response = { 200: schemas.sessionAnswer, ...PROBLEMS };
  app.route<{ Params: SessionParams }>({
    method: 'GET',
    url: '/v1/sessions/:id',
    ...route('sessions.read', 'Read a session', { params, response }),
    handler: async (request) => {
      const session = await reach(request, deps);
      const report = session.endedAt === null ? null : await store.reportOf(session.id);
      return shown(deps, { session, writes: report?.writes ?? null });
    },
  });
  app.route<{ Params: SessionParams; Body: { readonly note?: string | null } | null }>({
    method: 'POST',
    url: '/v1/sessions/:id/end',
    ...route('sessions.end', 'End a session: returns when nothing more of it is forwarded', {
      params,
      body: schemas.endBody,
      response,
    }),
    handler: async (request) => {
      const session = await reach(request, deps);
      const { identity } = callerOf(request);
      const isOwn = isOwnSession(identity.kind === 'staff' ? identity.principal : null, session);
      const note = request.body?.note ?? null;
      if (note !== null && !isOwn)
        throw new ControlDenial('not_support_principal', 'Only its own principal adds a note to a session.');
      const ended = await authority.end(session.id, { ...enderOf(identity, isOwn), note });
      return shown(deps, { session: ended, writes: null });
    },
  });
  app.route<{ Params: SessionParams }>({
    method: 'GET',
    url: '/v1/sessions/:id/report',
    ...route('sessions.report', 'What was done in a session that has ended', {
      params,
      response: { 200: schemas.reportAnswer, ...PROBLEMS },
    }),
    handler: async (request) => report(request, deps),
  });
}

async function report(
  request: FastifyRequest<{ Params: SessionParams }>,
  deps: SessionRoutesDeps,
): Promise<object> {
  const session = await reach(request, deps);
  const found = await deps.sessions.store.reportOf(session.id);
  if (found === null) {
    throw new GrantRefusal(
      'session_report_pending',
      'A report is made within moments of the session’s end, and a little later while the journal cannot be read.',
    );
  }
  const isRecorded = await deps.sessions.record({
    event: 'audit.read',
    tenant: session.tenant,
    grant: null,
    actor: askedBy(callerOf(request).identity),
    details: { call: 'sessions.report', count: 1, filters: 'session' },
  });
  if (isRecorded) return reportJson(found, session.note);
  throw new ControlDenial(
    'audit_unavailable',
    'Reading is recorded, and the journal takes no record now: ask again.',
  );
}

/** A session of another tenant, or of somebody else, is answered like one that does not exist. */
async function reach(
  request: FastifyRequest<{ Params: SessionParams }>,
  { sessions }: SessionRoutesDeps,
): Promise<SupportSession> {
  const { identity, scope } = callerOf(request);
  const session = await sessions.store.get(request.params.id);
  if (session !== null) {
    const own = identity.kind === 'staff' ? identity.principal : null;
    const isReached =
      scope === 'own_session' ? isOwnSession(own, session) : mayReach(identity, scope, session.tenant);
    if (isReached) return session;
  }
  throw new GrantRefusal('session_unknown', 'Name a session by the id it was opened with.');
}

function isOwnSession(principal: Principal | null, session: SupportSession): boolean {
  return (
    principal !== null &&
    principal.id === session.principal.id &&
    principal.issuer === session.principal.issuer
  );
}

function askerOf(request: FastifyRequest): Asker {
  const { identity } = callerOf(request);
  if (identity.kind === 'staff') return identity;
  throw new TypeError('only staff have sessions');
}

async function page(
  deps: SessionRoutesDeps,
  { status = 'all', limit = DEFAULT_PAGE, cursor }: PageQuery,
  whose: { readonly tenant: TenantId | null; readonly principal: Principal | null },
): Promise<object> {
  const query = { ...whose, openOnly: status === 'open', limit, cursor: cursor ?? null };
  const { items, nextCursor } = await deps.sessions.store.list(query);
  return { items: items.map((listed) => shown(deps, listed)), nextCursor };
}

function shown({ sessions, clock }: SessionRoutesDeps, { session, writes }: ListedSession): object {
  return sessionJson(session, { now: clock.now(), lastUsedAt: sessions.lastUsedOf(session), writes });
}

function route(operation: Operation, summary: string, schema: Record<string, unknown>) {
  return { config: { operation }, schema: { summary, operationId: operation, ...schema } };
}
