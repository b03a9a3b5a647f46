// What the sums of the index refer to: subjects, grants, and what was denied. Each is looked up once per query; what is
// not there, of a segment that was removed, is null. Not hot.
import type { Snapshot } from './snapshot.ts';

/** Client addresses of a visit. */
export const MOST_ADDRESSES = 8;

/** A row of the index: requests of one subject line under one grant line in one block. */
export interface SeenCell {
  readonly segment: number;
  readonly block: number;
  readonly s: number;
  readonly g: number;
  readonly part: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly reads: number;
  readonly writes: number;
  readonly denied: number;
  /** What was denied and how often, where it was counted anew (visit-edge.ts); null: as the index has it. */
  readonly reasons: ReadonlyMap<string, number> | null;
}

/** A grant as one session uses it; `session` null without one. */
export interface SumGrant {
  readonly id: string;
  readonly caseRef: string | null;
  readonly session: string | null;
}

export interface SumLines {
  /** Null when the line is not there. */
  subject(segment: number, s: number): { readonly subject: string; readonly kind: string } | null;
  /** Null where there was no grant. */
  grant(segment: number, g: number): SumGrant | null;
  /** Most frequent first. */
  denied(
    snapshot: Snapshot,
    tenant: string,
    cells: readonly SeenCell[],
  ): { readonly what: string; readonly count: number }[];
}

export function sumLinesOf(snapshot: Snapshot): SumLines {
  const subjects = remembered((segment, s) => {
    const row = snapshot.get('SELECT subject, kind FROM subject WHERE segment = ? AND s = ?', segment, s);
    return row === null ? null : { subject: String(row['subject']), kind: String(row['kind']) };
  });
  const grants = remembered((segment, g) => {
    if (g === 0) return null;
    const sql = 'SELECT grant_id, case_ref, session_id FROM grant_line WHERE segment = ? AND g = ?';
    const row = snapshot.get(sql, segment, g);
    if (row === null) return null;
    return {
      id: String(row['grant_id']),
      caseRef: textOrNull(row['case_ref']),
      session: textOrNull(row['session_id']),
    };
  });
  return { subject: subjects, grant: grants, denied };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function remembered<T>(look: (segment: number, number: number) => T): (segment: number, number: number) => T {
  const segments = new Map<number, Map<number, T>>();
  return (segment, number) => {
    const known = segments.get(segment) ?? new Map<number, T>();
    segments.set(segment, known);
    const found = known.get(number);
    if (found !== undefined) return found;
    const looked = look(segment, number);
    known.set(number, looked);
    return looked;
  };
}

function denied(
  snapshot: Snapshot,
  tenant: string,
  cells: readonly SeenCell[],
): { readonly what: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { block, s, g, part, denied: count, reasons } of cells) {
    if (count === 0) continue;
    if (reasons !== null) {
      for (const [what, times] of reasons) add(counts, what, times);
      continue;
    }
    const rows = snapshot.all(
      `SELECT what, count FROM denied WHERE tenant IN (SELECT id FROM tenant WHERE name = ?)
       AND block = ? AND s = ? AND g = ? AND part = ?`,
      tenant,
      block,
      s,
      g,
      part,
    );
    for (const row of rows) add(counts, String(row['what']), Number(row['count']));
  }
  const all = [...counts].map(([what, count]) => ({ what, count }));
  return all.toSorted((a, b) => b.count - a.count || (a.what < b.what ? -1 : 1));
}

function add(counts: Map<string, number>, what: string, times: number): void {
  counts.set(what, (counts.get(what) ?? 0) + times);
}
