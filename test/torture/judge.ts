// Holds the journal and what was published against the two ends' own lists, once everything has stopped. Whatever does
// not hold is said in words, with the kill before which it happened, so that a seed can be run again.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type JournalFacts, readJournalFacts } from '../support/torture-journal.ts';
import { type PublishedFacts, readPublished } from '../support/torture-published.ts';
import type { Ledger } from './ledger.ts';

/** So long before a kill an answer was whole, its completion must be there: ten times what a group may linger. */
const SETTLED_MS = 500;
const SHOWN = 10;

export interface Judgement {
  /** Requests that the upstream received. */
  readonly forwarded: number;
  /** Of them, those without an intent. */
  readonly missing: number;
  /** Answers that a client received, completely or in part, without a record. */
  readonly responsesWithoutRecord: number;
  readonly answers: number;
  /** Answers long before a kill whose completion is not there. */
  readonly completionsMissing: number;
  /** Null while there are no seals to check. */
  readonly chainOk: boolean | null;
  readonly groups: number;
  readonly checkpoints: number;
  readonly journalBytes: number;
  readonly segments: number;
  readonly recordsPublished: number;
  readonly duplicates: number;
  /** Records published of requests whose end nobody saw. */
  readonly unknown: number;
  /** Journal lines that were never published. */
  readonly unpublished: number;
  readonly problems: readonly string[];
}

export interface JudgedFiles {
  readonly journal: string;
  readonly published: string;
}

export async function judge(files: JudgedFiles, ledger: Ledger): Promise<Judgement> {
  const journal = readJournalFacts(files.journal);
  const published = await readPublished(files.published);
  const problems = new Problems(ledger);
  const idOfPath = pathsOf(journal);
  const missing = problems.each('forwarded without an intent', missingIntents(ledger, journal));
  const unanswered = problems.each('answered without a record', answersWithout(ledger, journal, idOfPath));
  const completions = problems.each(
    'answered, and no completion',
    lateCompletions(ledger, journal, idOfPath),
  );
  const unpublished = problems.each('never published', notPublished(journal, published));
  problems.each('twice in the journal', journal.doubled);
  problems.each('the journal', journal.problems);
  problems.each('the published file', published.problems);
  problems.each(
    'a gap',
    journal.gaps.map((gap) => JSON.stringify(gap)),
  );
  const chainOk = verified(files.journal, journal, problems);
  return {
    forwarded: ledger.forwarded,
    missing,
    responsesWithoutRecord: unanswered,
    answers: ledger.answered.size + ledger.loose.length,
    completionsMissing: completions,
    chainOk,
    groups: journal.groups,
    checkpoints: journal.checkpoints,
    journalBytes: journal.bytes,
    segments: journal.segments,
    recordsPublished: published.records,
    duplicates: published.duplicates,
    unknown: published.unknown,
    unpublished,
    problems: problems.said,
  };
}

class Problems {
  readonly said: string[] = [];
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Says the first few, and returns how many there are. */
  each(what: string, cases: Iterable<string>): number {
    let count = 0;
    for (const text of cases) {
      count += 1;
      if (count <= SHOWN) this.said.push(`${what}: ${text}${this.#manner(text)}`);
    }
    if (count > SHOWN) this.said.push(`${what}: and ${count - SHOWN} more`);
    return count;
  }

  #manner(text: string): string {
    const kill = /\/k(\d+)-/.exec(text)?.[1];
    return kill === undefined ? '' : ` (kill ${kill}: ${this.#ledger.manners[Number(kill)] ?? 'none'})`;
  }
}

function pathsOf({ intents, refused }: JournalFacts): Map<string, string> {
  const paths = new Map<string, string>();
  for (const [id, path] of intents) paths.set(path, id);
  for (const [id, path] of refused) paths.set(path, id);
  return paths;
}

function* missingIntents(ledger: Ledger, { intents }: JournalFacts): Iterable<string> {
  for (const [id, path] of ledger.received) {
    const recorded = intents.get(id);
    if (recorded === undefined) yield `${path} as ${id}`;
    else if (recorded !== path) yield `${path} as ${id}, which is recorded as ${recorded}`;
  }
  for (const path of ledger.receivedWithoutId) yield `${path} without a request id`;
}

function* answersWithout(
  ledger: Ledger,
  { refused, summed }: JournalFacts,
  idOfPath: ReadonlyMap<string, string>,
): Iterable<string> {
  let sums = 0;
  for (const count of summed.values()) sums += count;
  for (const [path, { status, anonymous }] of ledger.answered) {
    if (idOfPath.has(path)) continue;
    if (anonymous && sums > 0) sums -= 1;
    else yield `${path} with ${status}`;
  }
  for (const { requestId, sent, kill } of ledger.loose) {
    if (refused.has(requestId)) continue;
    if (sums > 0) sums -= 1;
    else yield `/k${kill}- as ${requestId}: ${JSON.stringify(sent.slice(0, 60))}`;
  }
}

function* lateCompletions(
  ledger: Ledger,
  { intents, done }: JournalFacts,
  idOfPath: ReadonlyMap<string, string>,
): Iterable<string> {
  for (const [path, { kill, wholeAtMs }] of ledger.answered) {
    const id = idOfPath.get(path);
    if (wholeAtMs === null || id === undefined || !intents.has(id) || done.has(id)) continue;
    const struckAtMs = ledger.struckAtMs[kill] ?? Number.POSITIVE_INFINITY;
    if (struckAtMs - wholeAtMs > SETTLED_MS)
      yield `${path} ${Math.round(struckAtMs - wholeAtMs)} ms before the kill`;
  }
}

function* notPublished(journal: JournalFacts, { requests, ids }: PublishedFacts): Iterable<string> {
  for (const [id, path] of journal.intents) if (!requests.has(id)) yield `${path} as ${id}`;
  for (const [id, path] of journal.refused) if (!requests.has(id)) yield `${path} as ${id}`;
  for (const id of journal.others) if (!ids.has(id)) yield `the line ${id}`;
}

/** Twice, by two programs that share no code: ours here, and the product's own. */
function verified(directory: string, journal: JournalFacts, problems: Problems): boolean | null {
  if (journal.groups === 0) return null;
  const main = join(import.meta.dirname, '../../src/main.ts');
  const args = ['--conditions=source', main, 'audit', 'verify', '--journal', directory];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const output = `${stdout}${stderr}`.trim().split('\n').slice(-SHOWN).join(' | ');
  if (status !== 0) problems.each('postern audit verify', [`exit code ${status}: ${output}`]);
  return status === 0 && journal.problems.length === 0;
}
