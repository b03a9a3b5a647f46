// The first reading of a journal for a bundle: which groups hold what was asked for, and which subject, grant and policy
// lines the tenant's lines there refer to. Memory grows with the references, not with the journal.
// Assumes that references stay within their segment, as those of the journal do. Not hot.
import type { EventLine, GrantLine, IntentLine, JournalLine, RefusedLine } from '../journal-lines.ts';
import type { Position } from '../segment-tail.ts';
import { groupsOf, lineOf, segmentLineOf, tenantLines } from './journal-groups.ts';

/** What is to be in a bundle. Instants are epoch milliseconds, null for no bound, `until` exclusive. */
export interface BundleRange {
  /** JSON text, quotes included. */
  readonly tenant: string;
  readonly since: number | null;
  readonly until: number | null;
}

/** Numbers of context lines of one segment that something refers to. */
export class SegmentNeeds {
  readonly subjects = new Set<number>();
  readonly grants = new Set<number>();
  readonly policies = new Set<number>();

  add(other: SegmentNeeds): void {
    for (const s of other.subjects) this.subjects.add(s);
    for (const g of other.grants) this.grants.add(g);
    for (const p of other.policies) this.policies.add(p);
  }
}

export interface TenantScan {
  readonly chain: string;
  /** Public keys that the segments name, ascending. */
  readonly keys: readonly string[];
  /** The segment in which the records begin; null when there are none. */
  readonly segment: number | null;
  /** The groups of the records, inclusive. */
  readonly first: number;
  readonly last: number;
  /** By segment. */
  readonly needs: ReadonlyMap<number, SegmentNeeds>;
}

/** Throws JournalDamage, and the errors of node:fs. */
export function scanTenant(
  directory: string,
  extent: { readonly first: number; readonly end: Position },
  range: BundleRange,
): TenantScan {
  const scan = new Scan(range);
  for (const group of groupsOf(directory, extent.first, extent.end)) {
    const begins = segmentLineOf(group);
    if (begins !== null) scan.begin(begins);
    const texts = tenantLines(group.lines, range.tenant);
    if (texts.length > 0) scan.take(group.number, texts.map(lineOf));
  }
  return scan.result();
}

class Scan {
  readonly #range: BundleRange;
  readonly #keys = new Set<string>();
  #chain = '';
  #segment = 0;
  #firstSegment: number | null = null;
  #first = 0;
  #last = 0;
  readonly #needs = new Map<number, SegmentNeeds>();
  /** Of the groups after `#last`: they count once a later group is in the range. */
  readonly #beyond = new Map<number, SegmentNeeds>();
  /** The tenant's grant lines of this segment: the subject lines each refers to. */
  readonly #grants = new Map<number, readonly number[]>();

  constructor(range: BundleRange) {
    this.#range = range;
  }

  begin({
    chain,
    segment,
    key,
  }: {
    readonly chain: string;
    readonly segment: number;
    readonly key: string;
  }): void {
    this.#chain = chain;
    this.#segment = segment;
    this.#grants.clear();
    if (key !== '') this.#keys.add(key);
  }

  take(group: number, lines: readonly JournalLine[]): void {
    for (const line of lines) {
      if (line.k === 'grant') this.#grants.set(line.g, subjectsOf(line));
    }
    const isWanted = this.#isWanted(lines);
    if (this.#firstSegment === null) {
      if (!isWanted) return;
      this.#firstSegment = this.#segment;
      this.#first = group;
    }
    const into = isWanted ? this.#needs : this.#beyond;
    if (isWanted) this.#reach(group);
    const needs = needsOf(into, this.#segment);
    for (const line of lines) this.#need(line, needs);
  }

  result(): TenantScan {
    const { until } = this.#range;
    return {
      chain: this.#chain,
      keys: [...this.#keys].toSorted(),
      segment: this.#firstSegment,
      first: this.#first,
      // Without a bound what ends the last requests belongs to it, even where no line of the tenant says so.
      last: until === null ? Number.MAX_SAFE_INTEGER : this.#last,
      needs: this.#needs,
    };
  }

  /** Without bounds everything is, and without an upper one everything from the first record on. */
  #isWanted(lines: readonly JournalLine[]): boolean {
    const { since, until } = this.#range;
    if (until === null && (since === null || this.#firstSegment !== null)) return true;
    const [from, to] = [since ?? 0, until ?? Number.POSITIVE_INFINITY];
    return lines.some((line) => timeOf(line) >= from && timeOf(line) < to);
  }

  #reach(group: number): void {
    this.#last = group;
    for (const [segment, needs] of this.#beyond) needsOf(this.#needs, segment).add(needs);
    this.#beyond.clear();
  }

  #need(line: JournalLine, needs: SegmentNeeds): void {
    if (line.k !== 'intent' && line.k !== 'refused' && line.k !== 'event') return;
    const { s, g, p } = referencesOf(line);
    if (s > 0) needs.subjects.add(s);
    if (p > 0) needs.policies.add(p);
    if (g === 0) return;
    needs.grants.add(g);
    for (const subject of this.#grants.get(g) ?? []) needs.subjects.add(subject);
  }
}

/** Of a line that refers to others; 0 for nothing. */
export function referencesOf(line: IntentLine | RefusedLine | EventLine): {
  readonly s: number;
  readonly g: number;
  readonly p: number;
} {
  return line.k === 'event' ? { s: line.s, g: 0, p: 0 } : line;
}

/** The subject lines that a grant line refers to. */
export function subjectsOf({ grant, actAs }: GrantLine): readonly number[] {
  const { s, onBehalfOf } = grant.grantedBy;
  return [s, onBehalfOf ?? 0, actAs ?? 0].filter((subject) => subject > 0);
}

/** NaN for a line that has no time of its own. */
function timeOf(line: JournalLine): number {
  return 't' in line ? line.t : Number.NaN;
}

function needsOf(all: Map<number, SegmentNeeds>, segment: number): SegmentNeeds {
  const known = all.get(segment);
  if (known !== undefined) return known;
  const needs = new SegmentNeeds();
  all.set(segment, needs);
  return needs;
}
