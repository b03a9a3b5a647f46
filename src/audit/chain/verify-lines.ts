// The lines of a group that follows in the chain: known kinds, tenants' numbers, leaves, checkpoints. Nothing is parsed
// but the few lines of structure. Assumes that the group's seal holds: what is found here was written so.
// Hot for `audit verify`: once per line (bench/verify.ts).
import { asciiJson } from '../json-text.ts';
import { leafHashText, leafPrefix, type LineVisitor, type OpenLeaf, openLeaves } from './leaves.ts';
import type { CheckpointLedger } from './verify-checkpoints.ts';
import type { KeptLedger } from './verify-kept.ts';
import type { Findings } from './verify-report.ts';
import { numberAfter, type Place, type TenantLedger, type TenantNumbers } from './verify-tenants.ts';

export interface LineLedgers {
  readonly findings: Findings;
  readonly tenants: TenantLedger;
  readonly checkpoints: CheckpointLedger;
  readonly kept: KeptLedger | null;
}

const KINDS = new Set([
  'intent',
  'done',
  'refused',
  'started',
  'summed',
  'event',
  'gap',
  'opened',
  'segment',
  'tenants',
  'subject',
  'grant',
  'policy',
  'unused',
  'checkpoint',
]);

const KIND_AT = 6;
const LETTER_D = 0x64;
/** Of lines with a tenant, `unused` and `grant` alone begin with these. */
const LETTER_U = 0x75;
const LETTER_G = 0x67;

/** Whether the line at `start` begins as a line of a journal does. A seal within a group is none. */
export function isKnownLine(text: string, start: number): boolean {
  const isDone = text.charCodeAt(start + KIND_AT) === LETTER_D;
  if (text.startsWith(isDone ? '{"k":"done",' : '{"k":"intent",', start)) return true;
  if (!text.startsWith('{"k":"', start)) return false;
  return KINDS.has(kindAt(text, start));
}

function kindAt(text: string, start: number): string {
  return text.slice(start + KIND_AT, text.indexOf('"', start + KIND_AT));
}

const FOREIGN = /[^\n -~]/;
const LINE_BEGUN = /^(?:\{(?:"(?:k(?:"(?::(?:"[a-z]*(?:".*)?)?)?)?)?)?)?$/;

/**
 * Whether the bytes behind the last seal can be a group that is being written or was torn: whole lines and the beginning
 * of one. A power loss may have left zeros.
 */
export function isTornTail(bytes: Buffer): boolean {
  const zeros = bytes.indexOf(0);
  const text = bytes.toString('latin1', 0, zeros === -1 ? bytes.length : zeros);
  if (FOREIGN.test(text)) return false;
  let start = 0;
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
    if (!isKnownLine(text, start)) return false;
    start = end + 1;
  }
  return LINE_BEGUN.test(text.slice(start));
}

const UNKNOWN = 'a line that is none of a journal';
const UNREADABLE = 'a line that cannot be read';

/** The group whose lines are read, and what is told about it. One per verification; set anew for each group. */
export class LineReader implements LineVisitor {
  lines = 0;
  /** Whether the group is the first of its segment. */
  beginsSegment = false;
  readonly #findings: Findings;
  readonly #tenants: TenantLedger;
  readonly #checkpoints: CheckpointLedger;
  readonly #kept: KeptLedger | null;
  #checkpointAt: number[] = [];
  #text = '';
  #chain = '';
  #place: Place = { segment: 0, group: 0, offset: 0 };

  constructor({ findings, tenants, checkpoints, kept }: LineLedgers) {
    this.#findings = findings;
    this.#tenants = tenants;
    this.#checkpoints = checkpoints;
    this.#kept = kept;
  }

  /** `lines`: of the group at `place`, whose hash is `head`. */
  read(lines: Buffer, head: string, chain: string, place: Place): void {
    const text = lines.toString('latin1');
    this.#text = text;
    this.#chain = chain;
    this.#place = place;
    this.#checkpointAt = [];
    const leaves = openLeaves(text, this);
    const prefix = leafPrefix(place.group);
    for (let i = 0; i < leaves.length; i++) {
      this.#checkpoints.addLeaf(leafHashText(prefix, lines, (leaves[i] as OpenLeaf).spans));
    }
    if (text === '') this.#say('a group without a line');
    this.#checkpoints.endGroup(place.group, head);
    for (const start of this.#checkpointAt) this.#checkpointLine(start);
  }

  /** As a LineVisitor. */
  line(start: number, behindTenant: number, leaf: OpenLeaf): void {
    this.lines += 1;
    if (behindTenant === -1) {
      this.#loneLine(start);
      return;
    }
    leaf.known ??= this.#tenants.of(leaf.tenant as string);
    const text = this.#text;
    const numbers = leaf.known as TenantNumbers;
    if (!isKnownLine(text, start)) {
      this.#say(UNKNOWN);
    } else if (text.charCodeAt(start + KIND_AT) === LETTER_U) {
      const ranges: unknown = this.#parsed(start)?.ranges;
      if (!isRanges(ranges)) this.#say(UNREADABLE);
      else for (const range of ranges) this.#tenants.declareUnused(numbers, range, this.#place);
    } else if (text.charCodeAt(start + KIND_AT) !== LETTER_G) {
      const n = numberAfter(text, behindTenant);
      if (n === numbers.next) numbers.next += 1;
      else this.#tenants.take(numbers, n, this.#place);
    }
  }

  #loneLine(start: number): void {
    const text = this.#text;
    if (!isKnownLine(text, start)) this.#say(UNKNOWN);
    else if (text.startsWith('{"k":"segment"', start)) this.#segmentLine(start);
    else if (text.startsWith('{"k":"tenants"', start)) this.#tenantsLine(start);
    else if (text.startsWith('{"k":"checkpoint"', start)) this.#checkpointAt.push(start);
  }

  #segmentLine(start: number): void {
    this.#tenants.declaredAll();
    if (start > 0 || !this.beginsSegment) this.#say('a segment line in the midst of a segment');
  }

  /** Judged once its group's leaves are there, since the next checkpoint covers this group. */
  #checkpointLine(start: number): void {
    const line = this.#text.slice(start, this.#text.indexOf('\n', start) + 1);
    const sig = this.#checkpoints.take(line, this.#chain, this.#place);
    this.#kept?.sawLine(sig);
  }

  #tenantsLine(start: number): void {
    const next: unknown = this.#parsed(start)?.next;
    const entries = typeof next === 'object' && next !== null ? Object.entries(next) : null;
    if (entries === null || !entries.every(([, number]) => Number.isSafeInteger(number) && number >= 1)) {
      this.#say(UNREADABLE);
      return;
    }
    for (const [name, number] of entries as [string, number][]) {
      this.#tenants.declareNext(asciiJson(name), number, this.#place);
    }
  }

  /** Null for what is no JSON object. */
  #parsed(start: number): Readonly<Record<string, unknown>> | null {
    try {
      const value: unknown = JSON.parse(this.#text.slice(start, this.#text.indexOf('\n', start)));
      return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null;
    } catch {
      return null;
    }
  }

  #say(what: string): void {
    this.#findings.add({ ...this.#place, what });
  }
}

function isRanges(value: unknown): value is readonly (readonly [number, number])[] {
  return Array.isArray(value) && value.every(isRange);
}

function isRange(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [first, last] = value as [unknown, unknown];
  return (
    Number.isSafeInteger(first) &&
    Number.isSafeInteger(last) &&
    1 <= Number(first) &&
    Number(first) <= Number(last)
  );
}
