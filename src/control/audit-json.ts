// What the audit's answers look like on the control API, and the filters of a query as the reader takes them. Pure.
// Guarantees: a record of another tenant does not pass, and nothing names the machine that answered. Cold.
import type { LastActive, Visit, VisitQuery } from '#audit/index/audit-reader.ts';
import type { TenantRecordQuery } from '#audit/index/retained-reader.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { EpochMs } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import { ControlProblem } from './control-problem.ts';
import { grantJson } from './grant-json.ts';
import { parseInstant } from './instants.ts';
import { DEFAULT_PAGE } from './route.ts';

export interface PageFilters {
  readonly principal?: string;
  readonly case?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RecordFilters extends PageFilters {
  readonly session?: string;
  readonly effect?: 'read' | 'write' | 'denied';
}

const MAX_LAST_ACTIVE = 100;

/** Throws ControlProblem `invalid_request` for an instant that is none. */
export function visitQuery(tenant: TenantId, filters: PageFilters): VisitQuery {
  const { principal, case: caseRef, limit = DEFAULT_PAGE, cursor = null } = filters;
  return {
    tenant,
    ...(principal === undefined ? {} : { principal }),
    ...(caseRef === undefined ? {} : { caseRef }),
    ...instants(filters),
    limit,
    cursor,
  };
}

/** Requests alone, newest first. Throws as `visitQuery` does. */
export function recordQuery(tenant: TenantId, filters: RecordFilters): TenantRecordQuery {
  const { session, effect } = filters;
  return {
    ...visitQuery(tenant, filters),
    ...(session === undefined ? {} : { session }),
    ...(effect === undefined ? {} : { effect }),
    requestsOnly: true,
    order: 'newest',
  };
}

function instants({ since, until }: PageFilters): { readonly since?: number; readonly until?: number } {
  return {
    ...(since === undefined ? {} : { since: instantOf(since, '/since') }),
    ...(until === undefined ? {} : { until: instantOf(until, '/until') }),
  };
}

function instantOf(given: string, pointer: string): EpochMs {
  const at = parseInstant(given);
  if (at === null)
    throw invalid(pointer, 'must be an RFC 3339 instant, such as 2030-01-31T12:00:00Z (in the query)');
  return at;
}

export function invalid(pointer: string, message: string): ControlProblem {
  return new ControlProblem('invalid_request', 'See `errors` for each place and what is allowed there.', [
    { pointer, message },
  ]);
}

/** Names alone: what was looked for may be a person. */
export function filterNames(filters: { readonly limit?: number; readonly cursor?: string }): string {
  const { limit: _limit, cursor: _cursor, ...used } = filters;
  return Object.keys(used).toSorted().join(',');
}

/** The reader was asked for one tenant; whatever it answered, nobody reads another's. */
export function recordsOf(tenant: TenantId, records: readonly PublishedRecord[]): readonly object[] {
  return records
    .filter((record) => record['tenant'] === tenant)
    .map(({ seq: _seq, instance: _instance, ...shown }) => shown);
}

export function visitJson(visit: Visit): object {
  const { grant, session, caseRef, reason, actAs, from, reads, writes, denied, deniedCount } = visit;
  return {
    principal: personJson(visit),
    grant,
    session,
    caseRef,
    reason,
    actAs,
    from,
    firstAt: instantText(visit.firstAt),
    lastAt: instantText(visit.lastAt),
    reads,
    writes,
    denied,
    deniedCount,
  };
}

function personJson({ subject, actor }: Pick<Visit, 'subject' | 'actor'>): object {
  const { id = null, email = null, name = null, issuer = null, org = null } = actor ?? {};
  return { subject, id, email, name, issuer, org };
}

/** `last` is newest first, and may speak of grants that hold no more. Each person once, at their latest. */
export function activeGrantJson(grant: Grant, last: readonly LastActive[], now: EpochMs): object {
  const seen = new Set<string>();
  const came = last.filter((one) => {
    if (seen.has(one.subject) || !(one.grantId === grant.id || isNamed(grant, one))) return false;
    seen.add(one.subject);
    return true;
  });
  const [latest] = came;
  return {
    grant: grantJson(grant, now),
    lastActiveAt: latest === undefined ? null : instantText(latest.lastAt),
    lastActive: came
      .slice(0, MAX_LAST_ACTIVE)
      .map((one) => ({ principal: personJson(one), lastAt: instantText(one.lastAt) })),
  };
}

function isNamed({ audience }: Grant, { actor }: LastActive): boolean {
  if (actor === null || audience.principals === null) return false;
  return audience.principals.some(({ id, issuer }) => id === actor.id && issuer === actor.issuer);
}

/** Who asked, as the journal knows them. */
export function askedBy(identity: ControlIdentity): NonNullable<LifecycleEvent['actor']> {
  switch (identity.kind) {
    case 'customer': {
      const { id, issuer, email, name } = identity;
      return { kind: 'customer', id, issuer, email, name };
    }
    case 'staff': {
      const { id, issuer, email, name } = identity.principal;
      return { kind: 'principal', id, issuer, email, name };
    }
    case 'service': {
      const { name } = identity;
      return { kind: 'service', id: name, issuer: 'urn:postern:service', email: null, name };
    }
  }
}

function instantText(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
