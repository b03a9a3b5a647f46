// Visits as they follow from the records themselves, one by one: what the sums of the index must come to.
import type { Visit } from '#audit/index/audit-reader.ts';
import { VISIT_GAP_MS } from '#audit/index/block.ts';
import type { PublishedRecord } from '#audit/published-record.ts';

interface Seen {
  readonly at: number;
  readonly record: PublishedRecord;
}

export function naiveVisits(records: readonly PublishedRecord[], tenant: string): Visit[] {
  const groups = new Map<string, Seen[]>();
  for (const record of records) {
    const actor = record['actor'] as { readonly subject: string } | null | undefined;
    if (record['tenant'] !== tenant || record['requestId'] === undefined || actor === null) continue;
    const grant = record['grant'] as { readonly id: string } | null;
    const key = JSON.stringify([actor?.subject, grant?.id ?? '', sessionOf(record)?.id ?? '']);
    groups.set(key, [...(groups.get(key) ?? []), { at: Date.parse(record.time), record }]);
  }
  const visits: Visit[] = [];
  for (const group of groups.values()) {
    let visit: Seen[] = [];
    // In order of time; of equal times, of the journal.
    for (const seen of group.toSorted((a, b) => a.at - b.at)) {
      const last = visit.at(-1);
      if (last !== undefined && seen.at - last.at > VISIT_GAP_MS) {
        visits.push(visitOf(visit));
        visit = [];
      }
      visit.push(seen);
    }
    if (visit.length > 0) visits.push(visitOf(visit));
  }
  return visits.toSorted(compare);
}

function sessionOf(
  record: PublishedRecord,
): { readonly id: string; readonly reason: Visit['reason'] } | null {
  return record['session'] as { readonly id: string; readonly reason: Visit['reason'] } | null;
}

function compare(a: Visit, b: Visit): number {
  if (a.firstAt !== b.firstAt) return b.firstAt - a.firstAt;
  if (a.subject !== b.subject) return a.subject < b.subject ? -1 : 1;
  if (a.grant?.id !== b.grant?.id) return (a.grant?.id ?? '') < (b.grant?.id ?? '') ? -1 : 1;
  return (a.session ?? '') < (b.session ?? '') ? -1 : 1;
}

function visitOf(seen: readonly Seen[]): Visit {
  const records = seen.map(({ record }) => record);
  const last = records.at(-1) as PublishedRecord;
  const actor = last['actor'] as {
    subject: string;
    id: string | null;
    email: null;
    name: null;
    issuer: string;
    org: string;
  };
  const { subject, id, email, name, issuer, org } = actor;
  const grant = last['grant'] as { readonly id: string; readonly revision: number } | null;
  const denied = new Map<string, number>();
  for (const record of records) {
    if (record['decision'] !== 'deny') continue;
    const rule = record['rule'] as { readonly id: string } | null;
    const what = rule?.id ?? String(record['reasonCode']);
    denied.set(what, (denied.get(what) ?? 0) + 1);
  }
  const count = (effect: string): number =>
    records.filter((record) => record['decision'] === 'allow' && record['effect'] === effect).length;
  const addresses = records.map((record) => (record['client'] as { readonly ip: string | null }).ip);
  return {
    subject,
    actor: id === null ? null : { id, email, name, issuer, org },
    grant: grant === null ? null : { id: grant.id, revision: grant.revision },
    session: sessionOf(last)?.id ?? null,
    caseRef: (last['caseRef'] ?? null) as string | null,
    reason: sessionOf(last)?.reason ?? null,
    actAs: null,
    from: [...new Set(addresses)].filter((ip) => ip !== null).toSorted(),
    firstAt: seen[0]?.at ?? 0,
    lastAt: seen.at(-1)?.at ?? 0,
    reads: count('read'),
    writes: count('write'),
    denied: [...denied]
      .map(([what, n]) => ({ what, count: n }))
      .toSorted((a, b) => b.count - a.count || (a.what < b.what ? -1 : 1)),
    deniedCount: [...denied.values()].reduce((sum, n) => sum + n, 0),
  };
}
