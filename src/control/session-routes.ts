// The routes of support sessions: staff open and end their own, the tenant's admins and the vendor's security end others',
// the customer reads the reports. Guarantees: a session of somebody else is answered like one that does not exist; a report,
// and a session of somebody else's, is read out only when that is in the journal; what was counted from records older than
// the tenant's retention is told no more. Handlers run after authentication, the schemas and the table's cell.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';
import { recordsShownSince } from '#model/tenant-settings.ts';
import type { SessionAuthority } from '#sessions/session-authority.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { ListedSession, SessionStore } from '#sessions/session-store.ts';
import { filterNames } from './audit-json.ts';
import { mayReach, requireTenant } from './authorise.ts';
import { callerOf } from './caller.ts';
import { ControlDenial } from './control-problem.ts';
import type { GrantRoutesDeps } from './grant-routes.ts';
import { journalReading, type Reading, type RecordReading } from './reading-journal.ts';
import { DEFAULT_PAGE, route } from './route.ts';
import { tenantParams } from './schemas.ts';
import { type Asker, enderOf, type OpenBody, reportJson, sessionJson, wishOf } from './session-json.ts';
import * as schemas from './session-schemas.ts';

export interface SessionRoutesDeps extends Pick<GrantRoutesDeps, 'views' | 'clock'> {
  readonly sessions: {
    readonly authority: Pick<SessionAuthority, 'open' | 'end'>;
    readonly store: Pick<SessionStore, 'get' | 'list' | 'reportOf'>;
    readonly lastUsedOf: SessionLookup['lastUsedOf'];
    /** `https://<tenant's host>/-/postern/enter`; null where a browser has no way in, such as without TLS in front. */
    readonly entryUrlOf: (tenant: TenantId) => string | null;
    readonly record: RecordReading;
  };
}

interface SessionParams {
  readonly id: SessionId;
}

interface PageQuery {
  readonly status?: 'open' | 'all';
  readonly limit?: number;
  readonly cursor?: string;
}

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
    ...route(
      'sessions.open',
      'Open a session under a grant that covers the caller; ends the caller’s earlier one for the tenant',
      { body: schemas.openBody, response: { 201: schemas.openAnswer } },
      { location: true, answerNotKept: true },
    ),
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
    response: { 200: schemas.sessionPageAnswer },
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
    handler: async (request) => {
      const { identity, scope } = callerOf(request);
      const { tenant } = request.params;
      requireTenant(identity, scope, tenant);
      const read = await page(deps, request.query, { tenant, principal: null });
      const reading = { tenant, count: read.items.length, filters: filterNames(request.query) };
      await journalReading(deps.sessions.record, request, reading);
      return read;
    },
  });
}

function registerOne(app: FastifyInstance, deps: SessionRoutesDeps): void {
  const { authority, store } = deps.sessions;
  const params = schemas.sessionParams;
  const response = { 200: schemas.sessionAnswer };
  app.route<{ Params: SessionParams }>({
    method: 'GET',
    url: '/v1/sessions/:id',
    ...route('sessions.read', 'Read a session', { params, response }),
    handler: async (request) => {
      const session = await reach(request, deps);
      const { identity } = callerOf(request);
      if (!isOwnSession(identity.kind === 'staff' ? identity.principal : null, session))
        await journalReading(deps.sessions.record, request, oneOf(session));
      const report = session.endedAt === null ? null : await store.reportOf(session.id);
      const [listed] = await retained(deps, [{ session, writes: report?.writes ?? null }]);
      return shown(deps, listed ?? { session, writes: null });
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
      response: { 200: schemas.reportAnswer },
    }),
    handler: async (request) => report(request, deps),
  });
}

async function report(
  request: FastifyRequest<{ Params: SessionParams }>,
  deps: SessionRoutesDeps,
): Promise<object> {
  const session = await reach(request, deps);
  if (session.startedAt < (await shownSince(deps, session.tenant))) {
    throw new GrantRefusal(
      'session_report_gone',
      'A report is shown while the session’s beginning is within the time for which the tenant’s records are shown.',
    );
  }
  const found = await deps.sessions.store.reportOf(session.id);
  if (found === null) {
    throw new GrantRefusal(
      'session_report_pending',
      'A report is made within moments of the session’s end, and a little later while the journal cannot be read.',
    );
  }
  await journalReading(deps.sessions.record, request, oneOf(session));
  return reportJson(found, session.note);
}

function oneOf({ tenant }: SupportSession): Reading {
  return { tenant, count: 1, filters: 'session' };
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
): Promise<{ readonly items: readonly object[]; readonly nextCursor: string | null }> {
  const query = { ...whose, openOnly: status === 'open', limit, cursor: cursor ?? null };
  const { items, nextCursor } = await deps.sessions.store.list(query);
  const listed = await retained(deps, items);
  return { items: listed.map((one) => shown(deps, one)), nextCursor };
}

/** The sessions stay as they are; what was counted from records goes with these. */
async function retained(
  deps: SessionRoutesDeps,
  items: readonly ListedSession[],
): Promise<readonly ListedSession[]> {
  const counted = items.filter(({ writes }) => writes !== null).map(({ session }) => session.tenant);
  const since = new Map<TenantId, number>();
  for (const tenant of new Set(counted)) since.set(tenant, await shownSince(deps, tenant));
  return items.map((one) =>
    one.session.startedAt < (since.get(one.session.tenant) ?? 0) ? { ...one, writes: null } : one,
  );
}

async function shownSince({ views, clock }: SessionRoutesDeps, tenant: TenantId): Promise<number> {
  const { settings } = await views.tenantView(tenant);
  return recordsShownSince(settings.auditRetentionMs, clock.now()) ?? 0;
}

function shown({ sessions, clock }: SessionRoutesDeps, { session, writes }: ListedSession): object {
  return sessionJson(session, { now: clock.now(), lastUsedAt: sessions.lastUsedOf(session), writes });
}
