// What the customer is told of a session when it has ended: what was read and written where, what was denied, how long it
// took, and what the principal says was done. Pure: a tally takes the published records of the session one by one, in any
// order. Assumes that they are all of this session; keeps counts and names of routes, never a value. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Access, StatedReason } from '#model/grant.ts';
import type { GrantId, SessionId, TenantId } from '#model/ids.ts';
import type { SessionEnding, SupportSession } from '#model/session.ts';

/** JSON as it is kept and answered, but for instants, which the API writes as RFC 3339. */
export interface SessionReport {
  readonly session: SessionId;
  readonly tenant: TenantId;
  readonly principal: {
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
    readonly org: string;
  };
  readonly grantId: GrantId;
  readonly caseRef: string | null;
  readonly access: Access;
  readonly reason: StatedReason;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  readonly endedBy: SessionEnding;
  readonly durationMs: number;
  readonly madeAt: EpochMs;
  /** False where records were still missing, or too many, when it was made: then the counts are lower bounds. */
  readonly complete: boolean;
  readonly requests: number;
  /** Allowed ones; what failed in the application is among them. */
  readonly reads: number;
  readonly writes: number;
  readonly denied: number;
  /** The busiest first, at most 100. */
  readonly resources: readonly ResourceUse[];
  /** Requests to resources beyond those. */
  readonly otherRequests: number;
  /** The most frequent first, at most 50. */
  readonly denials: readonly Denials[];
}

/** `resource`: the first segments of the path, up to the first name: `/api/v2/tickets`. */
export interface ResourceUse {
  readonly resource: string;
  readonly reads: number;
  readonly writes: number;
  /** By method, allowed ones: `{GET: 12, POST: 1}`. */
  readonly methods: Readonly<Record<string, number>>;
}

/** By rule where there was one, otherwise by reason code. */
export interface Denials {
  readonly reasonCode: string;
  readonly rule: string | null;
  readonly category: string | null;
  readonly count: number;
}

/** What of a published record (`postern.audit/v1`) a report reads. */
export interface ReportedRecord {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ReportTally {
  take(record: ReportedRecord): void;
  /** Requests whose end is not recorded yet. */
  readonly open: number;
  report(session: SupportSession, made: { readonly at: EpochMs; readonly complete: boolean }): SessionReport;
}

const MAX_RESOURCES = 100;
const MAX_DENIALS = 50;
/** Distinct ones that are counted apart; what comes after them is counted together. */
const MAX_APART = 5000;
const OTHER = '';

interface Use {
  readonly resource: string;
  reads: number;
  writes: number;
  readonly methods: Map<string, number>;
}

interface Denied {
  readonly reasonCode: string;
  readonly rule: string | null;
  readonly category: string | null;
  count: number;
}

export function createReportTally(): ReportTally {
  const uses = new Map<string, Use>();
  const denials = new Map<string, Denied>();
  let requests = 0;
  let denied = 0;
  let open = 0;

  function allow(record: ReportedRecord): void {
    const { method, path } = httpOf(record);
    const resource = uses.size < MAX_APART ? resourceOf(path) : OTHER;
    const use = uses.get(resource) ?? { resource, reads: 0, writes: 0, methods: new Map() };
    uses.set(resource, use);
    if (record['effect'] === 'write') use.writes += 1;
    else use.reads += 1;
    use.methods.set(method, (use.methods.get(method) ?? 0) + 1);
  }

  function deny(record: ReportedRecord): void {
    denied += 1;
    const rule = ruleOf(record);
    const reasonCode = textOf(record['reasonCode']);
    const key = JSON.stringify([reasonCode, rule?.id ?? null]);
    const known = denials.get(key) ?? {
      reasonCode,
      rule: rule?.id ?? null,
      category: rule?.category ?? null,
      count: 0,
    };
    known.count += 1;
    denials.set(key, known);
  }

  return {
    take(record) {
      if (!record.event.startsWith('request.') && record.event !== 'stream.ended') return;
      requests += 1;
      if (record['outcome'] === 'open') open += 1;
      if (record['decision'] === 'deny') deny(record);
      else allow(record);
    },
    get open() {
      return open;
    },
    report: (session, { at, complete }) => ({
      ...headOf(session, at),
      complete,
      requests,
      ...usesOf([...uses.values()]),
      denied,
      denials: [...denials.values()].toSorted(byCount).slice(0, MAX_DENIALS),
    }),
  };
}

type Head = Omit<
  SessionReport,
  'complete' | 'requests' | 'reads' | 'writes' | 'denied' | 'resources' | 'otherRequests' | 'denials'
>;

/** A report is made of ended sessions alone; of one that has not ended it would be none. */
function headOf(session: SupportSession, madeAt: EpochMs): Head {
  const { endedAt, endedBy, startedAt } = session;
  if (endedAt === null || endedBy === null) throw new TypeError('a report is made when a session has ended');
  const { id, issuer, email, name, org } = session.principal;
  return {
    session: session.id,
    tenant: session.tenant,
    principal: { id, issuer, email, name, org },
    grantId: session.grantId,
    caseRef: session.caseRef,
    access: session.access,
    reason: session.reason,
    startedAt,
    endedAt,
    endedBy,
    durationMs: Math.max(0, endedAt - startedAt),
    madeAt,
  };
}

function usesOf(
  uses: readonly Use[],
): Pick<SessionReport, 'reads' | 'writes' | 'resources' | 'otherRequests'> {
  const named = uses.filter(({ resource }) => resource !== OTHER).toSorted(byRequests);
  const shown = named.slice(0, MAX_RESOURCES);
  const total = (of: readonly Use[]): number =>
    of.reduce((sum, { reads, writes }) => sum + reads + writes, 0);
  return {
    reads: uses.reduce((sum, { reads }) => sum + reads, 0),
    writes: uses.reduce((sum, { writes }) => sum + writes, 0),
    resources: shown.map(({ resource, reads, writes, methods }) => ({
      resource,
      reads,
      writes,
      methods: Object.fromEntries([...methods].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    })),
    otherRequests: total(uses) - total(shown),
  };
}

function byRequests(a: Use, b: Use): number {
  return b.reads + b.writes - (a.reads + a.writes) || (a.resource < b.resource ? -1 : 1);
}

function byCount(a: Denied, b: Denied): number {
  return b.count - a.count || (`${a.rule}${a.reasonCode}` < `${b.rule}${b.reasonCode}` ? -1 : 1);
}

/** What every route of an application begins with, and what says nothing of what was used. */
const GENERIC = /^(?:api|rest|v\d{1,3}(?:\.\d{1,3})?|services?|app|web|data|public|internal|ajax|rpc)$/i;
/** A number, a long token or an address is somebody's: the report names routes. */
const IDENTIFIER = /\d{3}|^\d+$|[@%=]|^.{40,}$/;
const MAX_SEGMENTS = 4;
const MAX_RESOURCE_CHARS = 120;

/** `/api/v2/tickets/7.json?x` → `/api/v2/tickets`; identifiers become `*`. */
export function resourceOf(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  let resource = '';
  for (const segment of segments.slice(0, MAX_SEGMENTS)) {
    resource += `/${IDENTIFIER.test(segment) ? '*' : segment}`;
    if (!GENERIC.test(segment)) break;
  }
  return resource === '' ? '/' : resource.slice(0, MAX_RESOURCE_CHARS);
}

function httpOf(record: ReportedRecord): { readonly method: string; readonly path: string } {
  const http = record['http'] as { readonly method?: unknown; readonly route?: unknown } | null | undefined;
  return { method: textOf(http?.method), path: textOf(http?.route) };
}

function ruleOf(record: ReportedRecord): { readonly id: string; readonly category: string } | null {
  const rule = record['rule'] as { readonly id?: unknown; readonly category?: unknown } | null | undefined;
  return rule === null || rule === undefined
    ? null
    : { id: textOf(rule.id), category: textOf(rule.category) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
