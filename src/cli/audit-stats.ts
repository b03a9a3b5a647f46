// `postern audit stats`: what a journal holds, in numbers. Reads every line once, to know what was never completed.
// Reading is recorded. Not hot.
import { auditStats, type AuditStats, type Counts } from '#audit/index/audit-stats.ts';
import { Snapshot } from '#audit/index/snapshot.ts';
import { openReading, type Reading, refused } from './audit-reading.ts';
import { HELD } from './exit-codes.ts';
import { counted, type PolicyPrinter, printable } from './policy-print.ts';

export interface AuditStatsOptions {
  readonly directory: string;
  /** Epoch milliseconds; null: no bound. */
  readonly since: number | null;
  readonly until: number | null;
  readonly json: boolean;
}

const MOST_SHOWN = 10;

/** 0, or 2 when there is no journal that can be read. */
export function statsOfAudit(options: AuditStatsOptions, printer: PolicyPrinter): number {
  const { directory } = options;
  try {
    using reading = openReading(directory, printer);
    answer(options, reading, printer);
    return HELD;
  } catch (error) {
    return refused(error, directory, printer);
  }
}

function answer(options: AuditStatsOptions, reading: Reading, printer: PolicyPrinter): void {
  const { directory, since, until, json } = options;
  const snapshot = new Snapshot({ directory });
  try {
    const range = { since: since ?? 0, until: until ?? Number.MAX_SAFE_INTEGER };
    const stats = auditStats(snapshot, range, reading.people);
    reading.record(null, { by: 'stats', since, until });
    if (json) printer.out(JSON.stringify(jsonOf(stats), null, 2));
    else print(stats, reading, printer);
  } finally {
    snapshot.close();
  }
}

function jsonOf(stats: AuditStats): object {
  return { ...stats, firstAt: instantOf(stats.firstAt), lastAt: instantOf(stats.lastAt) };
}

function print(stats: AuditStats, { people }: Reading, printer: PolicyPrinter): void {
  const { allowed, denied, reads, writes, summed, unknown, open, events, gaps, refusedInGaps } = stats;
  printer.out(`${counted(stats.segments, 'segment')}, ${n(stats.bytes)} bytes`);
  if (stats.firstAt !== null) printer.out(`from ${instantOf(stats.firstAt)} to ${instantOf(stats.lastAt)}`);
  printer.out(`${counted(allowed, 'request')} allowed: ${n(reads)} read, ${n(writes)} wrote`);
  printer.out(
    `${n(denied)} denied${summed === 0 ? '' : `, and ${n(summed)} unidentified ones that were only counted`}`,
  );
  printer.out(`${n(open)} under way, ${n(unknown)} of unknown outcome, since their process ended first`);
  printer.out(counted(events, 'event'));
  const refusedThen = `${counted(gaps, 'gap')}, in which ${counted(refusedInGaps, 'request')} could not be recorded and got no further`;
  printer.out(gaps === 0 ? 'no gaps' : printer.red(refusedThen));
  list(
    'tenants',
    stats.tenants.map(({ tenant, count }) => [tenant, count]),
    printer,
  );
  list(
    'denied for',
    stats.denials.map(({ what, count }) => [what, count]),
    printer,
  );
  list('busiest', named(stats.principals, people), printer);
}

/** Those shown alone are looked up. */
function named(principals: Counts<'subject'>, people: Reading['people']): [string, number][] {
  return principals.map(({ subject, count }, index) => {
    const row = index < MOST_SHOWN ? people.find(subject).find(({ id }) => id === subject) : undefined;
    return [row?.email ?? row?.personId ?? subject, count];
  });
}

function list(title: string, rows: readonly (readonly [string, number])[], printer: PolicyPrinter): void {
  if (rows.length === 0) return;
  printer.out(`${title}:`);
  for (const [name, count] of rows.slice(0, MOST_SHOWN))
    printer.out(`  ${n(count).padStart(12)}  ${printable(name)}`);
  if (rows.length > MOST_SHOWN) printer.out(printer.dim(`  and ${n(rows.length - MOST_SHOWN)} more`));
}

function instantOf(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

function n(count: number): string {
  return count.toLocaleString('en-US');
}
