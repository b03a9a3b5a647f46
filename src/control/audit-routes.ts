// What a customer's admin reads of the audit: who has access, who came and why, what they asked for. Guarantees: every
// reading is in the journal before its answer leaves, and where it cannot be nothing is read out; nobody reads another
// tenant's. Handlers run after authentication, the schemas and the table's cell for the caller. Cold.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TenantReader } from '#audit/index/retained-reader.ts';
import { grantStatusAt } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import {
  activeGrantJson,
  filterNames,
  invalid,
  type PageFilters,
  type RecordFilters,
  recordQuery,
  recordsOf,
  visitJson,
  visitQuery,
} from './audit-json.ts';
import * as schemas from './audit-schemas.ts';
import { requireTenant } from './authorise.ts';
import { callerOf } from './caller.ts';
import type { GrantRoutesDeps } from './grant-routes.ts';
import { journalReading, type RecordReading, unrecorded } from './reading-journal.ts';
import { route } from './route.ts';
import { tenantParams } from './schemas.ts';
import type { SubjectErasure } from './subject-routes.ts';

/** The audit as the control API needs it. */
export interface AuditAccess {
  /** Shows nothing older than the tenant's retention. */
  readonly reader: TenantReader;
  /** Whether the journal takes records now. */
  readonly available: () => boolean;
  readonly record: RecordReading;
  readonly subjects: SubjectErasure;
}

export interface AuditRoutesDeps extends Pick<GrantRoutesDeps, 'views' | 'clock'> {
  readonly audit: AuditAccess;
  readonly log: Log;
}

interface TenantParams {
  readonly tenant: TenantId;
}

export function registerAuditRoutes(app: FastifyInstance, deps: AuditRoutesDeps): void {
  for (const schema of [schemas.visitSchema, schemas.activeGrantSchema, schemas.auditRecordSchema]) {
    app.addSchema(schema);
  }
  registerAccess(app, deps);
  registerHistory(app, deps);
  registerRecords(app, deps);
}

function registerAccess(app: FastifyInstance, { audit, views, clock }: AuditRoutesDeps): void {
  app.route<{ Params: TenantParams }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/access',
    ...route('audit.access', 'Who may enter now, who let them in, until when, and when they last came', {
      params: tenantParams,
      response: { 200: schemas.accessAnswer },
    }),
    handler: (request) =>
      recorded(audit, request, async (tenant) => {
        const [view, last] = await Promise.all([views.tenantView(tenant), audit.reader.lastActive(tenant)]);
        const now = clock.now();
        // Whoever may enter without a grant is among those who may.
        const active = [...view.grants, ...view.standing].filter(
          (grant) => grant.tenant === tenant && grantStatusAt(grant, now) === 'active',
        );
        return { items: active.map((grant) => activeGrantJson(grant, last, now)) };
      }),
  });
}

function registerHistory(app: FastifyInstance, { audit }: AuditRoutesDeps): void {
  app.route<{ Params: TenantParams; Querystring: PageFilters }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/access-history',
    ...route(
      'audit.history',
      'Who came, why, when and from where, and how much they read and wrote, newest first',
      {
        params: tenantParams,
        querystring: schemas.historyQuery,
        response: { 200: schemas.historyAnswer },
      },
    ),
    handler: (request) =>
      recorded(audit, request, async (tenant) => {
        const { visits, nextCursor } = await paged(() =>
          audit.reader.visits(visitQuery(tenant, request.query)),
        );
        return { items: visits.map(visitJson), nextCursor };
      }),
  });
}

function registerRecords(app: FastifyInstance, { audit, log }: AuditRoutesDeps): void {
  app.route<{ Params: TenantParams; Querystring: RecordFilters }>({
    method: 'GET',
    url: '/v1/tenants/:tenant/records',
    ...route('audit.records', 'The requests of support staff, newest first', {
      params: tenantParams,
      querystring: schemas.recordsQuery,
      response: { 200: schemas.recordsAnswer },
    }),
    handler: (request) =>
      recorded(audit, request, async (tenant) => {
        const query = recordQuery(tenant, request.query);
        const { records, nextCursor } = await paged(() => audit.reader.records(query));
        const items = recordsOf(tenant, records);
        if (items.length < records.length) {
          const withheld = records.length - items.length;
          log.error({ requestId: request.id, withheld }, 'the index answered with records of another tenant');
        }
        return { items, nextCursor };
      }),
  });
}

interface Answer {
  readonly items: readonly object[];
  readonly nextCursor?: string | null;
}

/** Reads, has the reading journalled, and only then answers. */
async function recorded(
  audit: AuditAccess,
  request: FastifyRequest<{ Params: TenantParams }>,
  read: (tenant: TenantId) => Promise<Answer>,
): Promise<Answer> {
  const { identity, scope } = callerOf(request);
  const { tenant } = request.params;
  requireTenant(identity, scope, tenant);
  if (!audit.available()) throw unrecorded();
  const answer = await read(tenant);
  const filters = filterNames(request.query as RecordFilters);
  await journalReading(audit.record, request, { tenant, count: answer.items.length, filters });
  return answer;
}

/** A cursor of another call or another version is the caller's mistake. */
async function paged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RangeError)
      throw invalid('/cursor', 'must be `nextCursor` of the page before (in the query)');
    throw error;
  }
}
