// What the control server reads of the audit, answered by the test: what was asked, what was journalled, who was erased.
import type { AuditAccess } from '#control/audit-routes.ts';
import type { LastActive, RecordQuery, Visit, VisitQuery } from '#audit/index/audit-reader.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import type { SubjectRow } from '#audit/subjects/subject-store.ts';

function notAskedFor(): never {
  throw new TypeError('not asked for here');
}

/** For tests of other calls. */
export const unusedAudit: AuditAccess = {
  reader: { records: notAskedFor, visits: notAskedFor, lastActive: notAskedFor },
  available: notAskedFor,
  record: notAskedFor,
  subjects: { find: notAskedFor, erase: notAskedFor },
};

const SAM_SUBJECT = 'sub_00000000000000000000000000000001';
export const SAM_ACTOR = {
  id: 'sam',
  email: 'sam@vendor.example',
  name: 'Sam',
  issuer: 'https://idp.vendor.example',
  org: 'vendor',
} as const;

export function visit(over: Partial<Visit> = {}): Visit {
  return {
    subject: SAM_SUBJECT,
    actor: SAM_ACTOR,
    grant: { id: 'grt_01JHNM9N00000000000000000A', revision: 2 },
    session: null,
    caseRef: 'CASE-1',
    reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
    actAs: null,
    from: ['192.0.2.7'],
    firstAt: Date.UTC(2030, 0, 15, 12, 1),
    lastAt: Date.UTC(2030, 0, 15, 12, 9),
    reads: 4,
    writes: 1,
    denied: [{ what: 'export.all', count: 2 }],
    deniedCount: 2,
    ...over,
  };
}

export function record(over: Readonly<Record<string, unknown>> = {}): PublishedRecord {
  return {
    schema: 'postern.audit/v1',
    event: 'request.allowed',
    code: 'PSTN1001I',
    id: '019b0000-0000-7000-8000-000000000001',
    seq: null,
    instance: 'host-of-the-vendor-17',
    time: '2030-01-15T12:01:00.000Z',
    tenant: 'acme',
    effect: 'read',
    ...over,
  };
}

export function subjectRow(over: Partial<SubjectRow> = {}): SubjectRow {
  const { id: personId, issuer, email, name } = SAM_ACTOR;
  return {
    id: SAM_SUBJECT,
    kind: 'principal',
    issuer,
    personId,
    email,
    name,
    firstSeenAt: 0,
    erasedAt: null,
    ...over,
  };
}

export interface TestAudit extends AuditAccess {
  /** What the reader answers; an error is thrown instead. */
  records: readonly PublishedRecord[];
  visits: readonly Visit[];
  last: readonly LastActive[];
  nextCursor: string | null;
  failure: Error | null;
  isAvailable: boolean;
  rows: SubjectRow[];
  /** In order: what the reader was asked, what was journalled, who was erased. */
  readonly asked: (RecordQuery | VisitQuery | string)[];
  readonly events: LifecycleEvent[];
  readonly erased: (readonly [string, LifecycleEvent['actor']])[];
  /** Called when an event is handed over. */
  onJournal: () => void;
}

export function testAudit(): TestAudit {
  const audit: TestAudit = {
    records: [],
    visits: [],
    last: [],
    nextCursor: null,
    failure: null,
    isAvailable: true,
    rows: [],
    asked: [],
    events: [],
    erased: [],
    onJournal() {},
    reader: {
      async records(query) {
        return { records: answered(query, audit.records), nextCursor: audit.nextCursor, notBefore: null };
      },
      async visits(query) {
        return { visits: answered(query, audit.visits), nextCursor: audit.nextCursor };
      },
      async lastActive(tenant) {
        return answered(tenant, audit.last);
      },
    },
    available: () => audit.isAvailable,
    async record(event) {
      audit.events.push(event);
      audit.onJournal();
      return audit.isAvailable;
    },
    subjects: {
      find: (text) => audit.rows.filter((row) => row.id === text || row.personId === text),
      async erase(id, nowMs, by) {
        const index = audit.rows.findIndex((row) => row.id === id);
        const row = audit.rows[index];
        if (row === undefined) return null;
        audit.erased.push([id, by]);
        audit.rows[index] = {
          ...row,
          personId: null,
          email: null,
          name: null,
          erasedAt: row.erasedAt ?? nowMs,
        };
        return audit.rows[index];
      },
    },
  };

  function answered<T>(asked: RecordQuery | VisitQuery | string, answer: T): T {
    audit.asked.push(asked);
    if (audit.failure !== null) throw audit.failure;
    return answer;
  }

  return audit;
}
