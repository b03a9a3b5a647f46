// Who was last let through in a tenant, by subject and grant, from the sums of the index alone: no request is read.
// Requests that were denied make nobody active. Not hot.
import type { LastActive } from './audit-reader.ts';
import type { People } from './record-pages.ts';
import { SegmentContexts } from './segment-contexts.ts';
import type { Snapshot } from './snapshot.ts';
import { shownActor } from './visit-pages.ts';
import { sumLinesOf } from './visit-sums.ts';

const MOST = 1000;

interface Latest {
  readonly subject: string;
  readonly grantId: string | null;
  readonly segment: number;
  readonly s: number;
  readonly lastAt: number;
}

/** Newest first, at most 1,000. Throws what the store throws. */
export function lastActive(snapshot: Snapshot, tenant: string, people: People): LastActive[] {
  const rows = snapshot.all(
    `SELECT segment, s, g, max(used_at) AS at FROM cell JOIN block ON block.id = cell.block
     WHERE tenant IN (SELECT id FROM tenant WHERE name = ?) AND used_at > 0 GROUP BY segment, s, g`,
    tenant,
  );
  const lines = sumLinesOf(snapshot);
  const latest = new Map<string, Latest>();
  for (const row of rows) {
    const [segment, s] = [Number(row['segment']), Number(row['s'])];
    const who = lines.subject(segment, s);
    if (who === null || who.kind === 'anonymous') continue;
    const grantId = lines.grant(segment, Number(row['g']))?.id ?? null;
    const key = JSON.stringify([who.subject, grantId]);
    const lastAt = Number(row['at']);
    if ((latest.get(key)?.lastAt ?? 0) >= lastAt) continue;
    latest.set(key, { subject: who.subject, grantId, segment, s, lastAt });
  }
  const contexts = new SegmentContexts(snapshot, people);
  return [...latest.values()]
    .toSorted((a, b) => b.lastAt - a.lastAt)
    .slice(0, MOST)
    .map(({ subject, grantId, segment, s, lastAt }) => ({
      subject,
      actor: shownActor(contexts.visit(segment, s, 0)),
      grantId,
      lastAt,
    }));
}
