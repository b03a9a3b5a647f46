// Reads a journal as an auditor without our code would: every line, the hash chain, the tenants' numbers, and which
// requests are in it. Shares no code with the product, so that a fault there cannot hide itself here.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Line = Readonly<Record<string, unknown>> & { readonly k: string };

export interface JournalFacts {
  readonly segments: number;
  readonly bytes: number;
  readonly lines: number;
  /** Groups with a seal; 0 for a journal of before there were seals. */
  readonly groups: number;
  /** Request id to path. */
  readonly intents: ReadonlyMap<string, string>;
  readonly refused: ReadonlyMap<string, string>;
  /** Ids of completions. */
  readonly done: ReadonlySet<string>;
  /** How often each id has a completion or is a refusal; only those above once. */
  readonly doubled: readonly string[];
  /** Reason code to how many requests were summed under it. */
  readonly summed: ReadonlyMap<string, number>;
  readonly gaps: readonly Line[];
  readonly checkpoints: number;
  /** Every `opened` line: one per process that wrote. */
  readonly openings: readonly Line[];
  /** Ids of published records other than those of requests: events, sums, gaps. */
  readonly others: readonly string[];
  /** Lines of each kind. */
  readonly kinds: ReadonlyMap<string, number>;
  /** What does not hold, in words, with its place; at most a hundred. */
  readonly problems: readonly string[];
}

export const GENESIS = '0'.repeat(64);
const SEGMENT_NAME = /^journal-\d{12}\.ndjson$/;

export function segmentFiles(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => SEGMENT_NAME.test(name))
    .toSorted();
}

/** `open`: a writer still runs, so that the last segment may end in a group without its seal. */
export function readJournalFacts(directory: string, options: { readonly open?: boolean } = {}): JournalFacts {
  const reader = new JournalReader();
  const names = segmentFiles(directory);
  for (const [index, name] of names.entries()) {
    reader.segment(
      name,
      readFileSync(join(directory, name)),
      options.open === true && index === names.length - 1,
    );
  }
  return reader.facts(names.length);
}

class JournalReader {
  readonly #intents = new Map<string, string>();
  readonly #refused = new Map<string, string>();
  readonly #done = new Set<string>();
  readonly #doubled: string[] = [];
  readonly #summed = new Map<string, number>();
  readonly #gaps: Line[] = [];
  readonly #openings: Line[] = [];
  readonly #others: string[] = [];
  readonly #kinds = new Map<string, number>();
  readonly #problems: string[] = [];
  readonly #numbers = new TenantNumbers((problem) => this.#problem(problem));
  #bytes = 0;
  #lines = 0;
  #groups = 0;
  #sealed = false;
  /** The number and hash of the last group; null before the first segment line. */
  #head: { group: number; hash: string } | null = null;

  segment(name: string, bytes: Buffer, open: boolean): void {
    this.#bytes += bytes.length;
    let groupStart = 0;
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      const line = this.#parsed(bytes.toString('latin1', start, end), `${name} at ${start}`);
      if (line !== null) {
        const at = `${name} at ${start}`;
        if (start === 0) this.#begin(line, name);
        if (line.k === 'seal') {
          this.#seal(line, bytes.subarray(groupStart, start), at);
          groupStart = end + 1;
        } else {
          this.#take(line, at);
        }
      }
      start = end + 1;
    }
    if (start < bytes.length && !open)
      this.#problem(`${name} ends in a torn line of ${bytes.length - start} bytes`);
    if (this.#sealed && groupStart < start && !open)
      this.#problem(`${name} ends in a group without its seal`);
  }

  facts(segments: number): JournalFacts {
    this.#numbers.end();
    return {
      segments,
      bytes: this.#bytes,
      lines: this.#lines,
      groups: this.#groups,
      intents: this.#intents,
      refused: this.#refused,
      done: this.#done,
      doubled: this.#doubled,
      summed: this.#summed,
      gaps: this.#gaps,
      checkpoints: this.#kinds.get('checkpoint') ?? 0,
      openings: this.#openings,
      others: this.#others,
      kinds: this.#kinds,
      problems: this.#problems,
    };
  }

  #problem(text: string): void {
    if (this.#problems.length < 100) this.#problems.push(text);
  }

  #parsed(text: string, at: string): Line | null {
    this.#lines += 1;
    try {
      return JSON.parse(text) as Line;
    } catch {
      this.#problem(`${at}: not JSON: ${text.slice(0, 80)}`);
      return null;
    }
  }

  #begin(line: Line, name: string): void {
    if (line.k !== 'segment') {
      if (this.#sealed) this.#problem(`${name} begins with ${line.k}`);
      return;
    }
    this.#sealed = true;
    const { group, prev } = line as unknown as { group: number; prev: string };
    const head = this.#head ?? { group: group - 1, hash: group === 1 ? GENESIS : prev };
    if (group !== head.group + 1) this.#problem(`${name} begins with group ${group} after ${head.group}`);
    if (prev !== head.hash) this.#problem(`${name} does not follow on group ${head.group}`);
    this.#head = head;
  }

  #seal(line: Line, lines: Buffer, at: string): void {
    const { n, h } = line as unknown as { n: number; h: string };
    this.#kinds.set('seal', (this.#kinds.get('seal') ?? 0) + 1);
    const head = this.#head;
    if (head === null) {
      this.#problem(`${at}: a seal before any segment line`);
      return;
    }
    const expected = createHash('sha256').update(Buffer.from(head.hash, 'hex')).update(lines).digest('hex');
    if (n !== head.group + 1) this.#problem(`${at}: group ${n} after ${head.group}`);
    if (h !== expected) this.#problem(`${at}: the seal of group ${n} does not hold`);
    if (lines.length === 0) this.#problem(`${at}: group ${n} is empty`);
    this.#groups += 1;
    this.#head = { group: n, hash: h };
  }

  #take(line: Line, at: string): void {
    const { k } = line;
    this.#kinds.set(k, (this.#kinds.get(k) ?? 0) + 1);
    this.#numbers.take(line, at);
    const id = String(line['id']);
    switch (k) {
      case 'intent':
        if (this.#intents.has(id)) this.#doubled.push(id);
        this.#intents.set(id, String(line['path']));
        return;
      case 'refused':
        if (this.#refused.has(id)) this.#doubled.push(id);
        this.#refused.set(id, String(line['path']));
        return;
      case 'done':
        if (this.#done.has(id)) this.#doubled.push(id);
        this.#done.add(id);
        if (!this.#intents.has(id)) this.#problem(`${at}: a completion without its intent`);
        return;
      case 'summed':
        this.#sum(String(line['code']), Number(line['count']));
        this.#others.push(id);
        return;
      case 'gap':
        this.#gaps.push(line);
        this.#others.push(id);
        return;
      case 'event':
        this.#others.push(id);
        return;
      case 'opened':
        this.#openings.push(line);
        return;
      default:
    }
  }

  #sum(code: string, count: number): void {
    this.#summed.set(code, (this.#summed.get(code) ?? 0) + count);
  }
}

interface Numbers {
  /** The lowest number that was not seen yet; all below were. */
  next: number;
  /** Seen above `next`. */
  readonly ahead: Set<number>;
}

/** Each tenant's own numbers: without gaps, none twice, and as the start of each segment says. */
class TenantNumbers {
  readonly #problem: (text: string) => void;
  readonly #tenants = new Map<string, Numbers>();
  #whole = true;
  #first = true;

  constructor(problem: (text: string) => void) {
    this.#problem = problem;
  }

  take(line: Line, at: string): void {
    const { tenant } = line;
    if (line.k === 'segment' && this.#first) this.#whole = line['group'] === 1;
    this.#first = false;
    if (line.k === 'tenants') this.#stated(line['next'] as Record<string, number>, at);
    if (typeof tenant !== 'string' || line.k === 'grant') return;
    if (line.k === 'unused') {
      for (const [from, to] of line['ranges'] as [number, number][])
        for (let n = from; n <= to; n++) this.#see(tenant, n, at);
    } else if (typeof line['n'] === 'number') {
      this.#see(tenant, line['n'], at);
    }
  }

  end(): void {
    for (const [tenant, { next, ahead }] of this.#tenants) {
      if (ahead.size > 0)
        this.#problem(`tenant ${tenant}: number ${next} is missing, ${ahead.size} came after it`);
    }
  }

  #see(tenant: string, n: number, at: string): void {
    let numbers = this.#tenants.get(tenant);
    if (numbers === undefined) {
      // Of a journal whose beginning was removed, the first number is whatever it is.
      numbers = { next: this.#whole ? 1 : n, ahead: new Set() };
      this.#tenants.set(tenant, numbers);
    }
    if (n < numbers.next || numbers.ahead.has(n)) {
      this.#problem(`${at}: tenant ${tenant} has number ${n} twice`);
      return;
    }
    numbers.ahead.add(n);
    while (numbers.ahead.delete(numbers.next)) numbers.next += 1;
  }

  /** What stands at the start of a segment: numbers still to come, so that none below may come later. */
  #stated(next: Readonly<Record<string, number>>, at: string): void {
    for (const [tenant, n] of Object.entries(next)) {
      const numbers = this.#tenants.get(tenant);
      if (numbers === undefined) {
        this.#tenants.set(tenant, { next: n, ahead: new Set() });
        if (this.#whole && n !== 1) this.#problem(`${at}: tenant ${tenant} was never seen and is at ${n}`);
      } else if (n < numbers.next || [...numbers.ahead].some((seen) => seen >= n)) {
        this.#problem(`${at}: tenant ${tenant} is at ${n}, but ${numbers.next} comes next`);
      }
    }
  }
}
