// A random journal (seeded) of small groups over several segments, with everything that the index has to get right: late
// completions, streams, denials after the intent, process restarts, many people and grants; and what a naive reading of
// all its lines makes of it.
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { GENESIS, groupHash, sealText } from '#audit/chain/seal.ts';
import type { DoneLine, JournalLine, StartedLine } from '#audit/journal-lines.ts';
import { LineContext } from '#audit/line-context.ts';
import {
  checkpointRecordOf,
  eventRecordOf,
  gapRecordOf,
  openRecordOf,
  type PublishedRecord,
  recordOf,
  startedRecordOf,
  summedRecordOf,
  unknownRecordOf,
} from '#audit/published-record.ts';
import type { People } from '#audit/index/record-pages.ts';
import { FIRST_MS, seeded } from './index-journal.ts';
import {
  doneOf,
  eventOf,
  grantOf,
  idOf,
  intentOf,
  type LineNumbers,
  line,
  policyOf,
  refusedOf,
  segmentOf,
  startedOf,
  subjectKey,
  subjectOf,
} from './index-lines.ts';

export const TENANTS = ['acme', 'globex', 'ünïcode "x"'];
const SUBJECTS = ['sub-a', 'sub-b', 'sub-c', 'anonymous-2026-01-31'];
const ENDS: readonly object[] = [
  { code: 'ok', status: 200, decisionUs: 12, upstreamStatus: 200 },
  { code: 'ok', status: 200, decisionUs: 12, upstreamStatus: 200 },
  { code: 'upstream_unreachable', status: 502, decisionUs: 12 },
  { code: 'response_guarded', status: 403, decisionUs: 12, rule: { id: 'guard "1"', category: 'export' } },
  { code: 'grant_revoked', status: 403, decisionUs: 12, endedBy: 'revoked' },
];
const REFUSALS: readonly object[] = [
  { code: 'rule_denied', status: 403, decisionUs: 9, rule: { id: 'no-export', category: 'export' } },
  { code: 'no_grant', status: 403 },
  { code: 'client_closed', status: 499, decisionUs: 5 },
  { code: 'overloaded', status: 503 },
];

interface Open {
  readonly id: string;
  readonly tenant: string | null;
  isStarted: boolean;
}

/** Writes a group at a time; the same seed writes the same journal. */
export class RandomJournal {
  readonly directory: string;
  readonly #random: () => number;
  readonly #numbers: LineNumbers = new Map();
  readonly #open: Open[] = [];
  #segment = 0;
  #group = 0;
  #head = GENESIS;
  #t = FIRST_MS;
  #count = 0;
  #subjects = 0;
  #grants = 0;

  constructor(directory: string, seed: number) {
    this.directory = directory;
    this.#random = seeded(seed);
    mkdirSync(directory, { recursive: true });
  }

  /** Some lines and their seal, now and then in a segment of their own. */
  group(): void {
    let text = '';
    if (this.#segment === 0 || this.#below(12) === 0) {
      this.#segment += 1;
      this.#subjects = 0;
      this.#grants = 0;
      text += segmentOf(this.#segment, this.#group + 1, this.#head) + policyOf(1);
    }
    const lines = 1 + this.#below(8);
    for (let i = 0; i < lines; i++) text += this.#line();
    this.sealed(text);
  }

  /** These very lines and their seal, in the segment at hand. */
  sealed(text: string): void {
    this.#head = groupHash(Buffer.concat([Buffer.from(this.#head, 'hex'), Buffer.from(text, 'latin1')]));
    this.#group += 1;
    appendFileSync(this.#path(), text + sealText(this.#group, this.#head), 'latin1');
  }

  #path(): string {
    return path.join(this.directory, `journal-${String(this.#segment).padStart(12, '0')}.ndjson`);
  }

  #line(): string {
    // Mostly small steps; now and then a long pause, or a clock set back.
    this.#t += this.#below(20) === 0 ? 40 * 60_000 : this.#below(30) === 0 ? -5000 : this.#below(60_000);
    this.#count += 1;
    const dice = this.#below(20);
    if (dice < 8) return this.#intent();
    if (dice < 14) return this.#done();
    if (dice < 16) return this.#refused();
    if (dice === 16) return this.#event();
    if (dice === 17) return this.#below(3) === 0 ? this.#rare() : this.#done();
    if (dice === 18) return this.#start();
    return this.#below(4) === 0 ? this.#restart() : this.#intent();
  }

  #intent(): string {
    const { context, facts } = this.#request();
    this.#open.push({ id: facts.id, tenant: facts.tenant, isStarted: false });
    return context + intentOf(facts, this.#numbers);
  }

  #refused(): string {
    const { context, facts } = this.#request();
    return context + refusedOf(facts, this.#numbers, this.#pick(REFUSALS));
  }

  #done(): string {
    if (this.#open.length === 0) return this.#intent();
    // Mostly what has waited longest.
    const at = this.#below(3) === 0 ? this.#below(this.#open.length) : 0;
    const [one] = this.#open.splice(at, 1) as [Open];
    return doneOf(one, this.#numbers, { bytesIn: 1, ...this.#pick(ENDS) });
  }

  #start(): string {
    const one = this.#open.find(({ isStarted }) => !isStarted);
    if (one === undefined) return this.#intent();
    one.isStarted = true;
    return startedOf(one, this.#numbers);
  }

  #event(): string {
    const s = this.#below(3) === 0 ? 0 : 1;
    const context = s === 0 ? '' : this.#subject();
    const at = { t: this.#t, id: idOf(this.#t, this.#count) };
    const tenant = this.#below(4) === 0 ? null : this.#pick(TENANTS);
    return context + eventOf(tenant, s === 0 ? 0 : this.#subjects, at, this.#numbers);
  }

  #rare(): string {
    const id = idOf(this.#t, this.#count);
    const t = this.#t;
    if (this.#below(2) === 0)
      return line({ k: 'summed', id, t, code: 'no_credential', network: '192.0.2.0/24', count: 7 });
    return line({ k: 'gap', id, since: t - 1000, until: t, count: 3, lost: 0 });
  }

  #restart(): string {
    this.#open.length = 0;
    return line({ k: 'opened', t: this.#t, instance: 'test-1', tornBytes: 0 });
  }

  #subject(): string {
    this.#subjects += 1;
    return subjectOf(this.#subjects, this.#pick(SUBJECTS), `192.0.2.${this.#below(4)}`);
  }

  #request() {
    let context = '';
    if (this.#subjects === 0 || this.#below(5) === 0) context += this.#subject();
    const tenant = this.#below(10) === 0 ? null : this.#pick(TENANTS);
    if (tenant !== null && (this.#grants === 0 || this.#below(6) === 0)) {
      this.#grants += 1;
      // A grant says the same in every segment.
      const caseRef = this.#grants % 2 === 0 ? { caseRef: `CASE-${this.#grants % 3}` } : {};
      context += grantOf(this.#grants, tenant, 1, { ...caseRef, ...this.#session() });
    }
    const facts = {
      id: idOf(this.#t, this.#count),
      tenant,
      s: 1 + this.#below(this.#subjects),
      g: tenant === null || this.#below(4) === 0 ? 0 : 1 + this.#below(Math.max(1, this.#grants)),
      t: this.#t,
      isWrite: this.#below(3) === 0,
    };
    return { context, facts: this.#grants === 0 ? { ...facts, g: 0 } : facts };
  }

  /** Every third grant line is one that a session uses. */
  #session(): object {
    if (this.#grants % 3 > 0) return {};
    // A session says the same wherever it is written.
    const id = `ses_${this.#grants % 2}`;
    const caseRef = this.#grants % 2 === 0 ? { caseRef: 'CASE-7' } : {};
    return { session: { id, access: 'read', reason: { type: 'debug_log', detail: `of ${id}` }, ...caseRef } };
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

/** Of whom the keys are there; `gone` were erased. */
export function peopleBut(...gone: readonly string[]): People {
  return {
    keyOf: (subject) => (gone.includes(subject) ? null : subjectKey(subject)),
    find: (text) =>
      SUBJECTS.filter((id) => [id, `person-of-${id}`, `${id}@vendor.example`].includes(text)).map((id) => ({
        id,
        kind: 'principal',
        issuer: null,
        personId: null,
        email: null,
        name: null,
        firstSeenAt: 0,
        erasedAt: null,
      })),
  };
}

/** Every record in the order of its first line, from all lines parsed one by one. */
export function naiveRecords(directory: string, people: People): PublishedRecord[] {
  const context = new LineContext(people);
  const records: (() => PublishedRecord)[] = [];
  const ends = new Map<string, { done?: DoneLine; started?: StartedLine }>();
  const abandoned = new Set<string>();
  for (const { segment, lines } of segmentsOf(directory)) {
    context.enter(segment);
    for (const one of lines) {
      if (one.k === 'subject' || one.k === 'grant' || one.k === 'policy') context.take(one, segment);
      else if (one.k === 'intent') {
        const request = context.resolvedRequest(one);
        const end: { done?: DoneLine; started?: StartedLine } = {};
        ends.set(one.id, end);
        records.push(() => {
          const isStarted = end.started !== undefined;
          if (end.done !== undefined) return recordOf(request, end.done, isStarted);
          if (abandoned.has(one.id)) return unknownRecordOf(request, isStarted);
          return end.started === undefined ? openRecordOf(request) : startedRecordOf(request, end.started);
        });
      } else if (one.k === 'done' || one.k === 'started') {
        Object.assign(ends.get(one.id) ?? {}, { [one.k]: one });
      } else if (one.k === 'opened') {
        for (const id of ends.keys()) abandoned.add(id);
      } else {
        const made = wholeRecord(one, context);
        if (made !== null) records.push(() => made);
      }
    }
  }
  return records.map((make) => Object.assign(make(), { instance: 'test-1' }));
}

function wholeRecord(one: JournalLine, context: LineContext): PublishedRecord | null {
  if (one.k === 'refused') return recordOf(context.resolvedRequest(one), one, false);
  if (one.k === 'event') return eventRecordOf(context.resolvedEvent(one));
  if (one.k === 'summed') return summedRecordOf(one);
  if (one.k === 'gap') return gapRecordOf(one);
  return one.k === 'checkpoint' ? checkpointRecordOf(one) : null;
}

function* segmentsOf(
  directory: string,
): Generator<{ readonly segment: number; readonly lines: JournalLine[] }> {
  const names = readdirSync(directory).filter((name) => name.endsWith('.ndjson'));
  for (const name of names.toSorted()) {
    const text = readFileSync(path.join(directory, name), 'latin1');
    const lines = text.split('\n').slice(0, -1);
    yield { segment: Number(name.slice(8, 20)), lines: lines.map((one) => JSON.parse(one) as JournalLine) };
  }
}
