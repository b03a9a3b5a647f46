// Processor time of the journal per request (intent and completion together), by size of the group, and what
// the fragments kept per credential and grant save. `node --conditions=source bench/journal.ts`
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { OpenJournal } from '#audit/open-journal.ts';
import { createJournal } from '#audit/create-journal.ts';
import { systemClock } from '#model/clock.ts';
import {
  EXAMPLE_CREDENTIAL,
  EXAMPLE_GRANT,
  type FakeExchange,
  fakeExchange,
} from '../test/support/audit-exchange.ts';

const REQUESTS = 40_000;
const ROUNDS = 5;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

async function microsPerRequest(journal: OpenJournal, exchanges: readonly FakeExchange[]): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < REQUESTS; done += exchanges.length) {
    for (const x of exchanges) journal.intend(x);
    await turn();
    for (const x of exchanges) {
      x.answers.length = 0;
      journal.complete(x);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REQUESTS;
}

/** As many exchanges as a group has, each with a credential and a grant of its own where `fresh`. */
function exchangesOf(size: number, fresh: boolean): FakeExchange[] {
  return Array.from({ length: size }, () =>
    fakeExchange(fresh ? { credential: { ...EXAMPLE_CREDENTIAL }, grant: { ...EXAMPLE_GRANT } } : {}),
  );
}

const root = mkdtempSync(path.join(tmpdir(), 'postern-bench-'));
const journal = createJournal({
  options: { directory: root, instance: 'bench', sinks: [], signingKey: null, worker: false },
  clock: systemClock,
  log: silent,
});
try {
  const cases = [
    ['a group of 1', (): FakeExchange[] => exchangesOf(1, false)],
    ['a group of 8', (): FakeExchange[] => exchangesOf(8, false)],
    ['a group of 32', (): FakeExchange[] => exchangesOf(32, false)],
    ['a group of 4000, fragments kept', (): FakeExchange[] => exchangesOf(4000, false)],
    ['a group of 4000, fragments made anew', (): FakeExchange[] => exchangesOf(4000, true)],
  ] as const;
  for (const [name, make] of cases) {
    const rounds: number[] = [];
    // The first round of a case compiles.
    for (let round = 0; round <= ROUNDS; round++) {
      if (name.endsWith('anew')) rounds.push(await firstUse(make));
      else rounds.push(await microsPerRequest(journal, make()));
    }
    const sorted = rounds.slice(1).toSorted((a, b) => a - b);
    console.log(`${name}: ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(2)} µs per request`);
  }
} finally {
  await journal.close(1000);
  rmSync(root, { recursive: true, force: true });
}

/** Every request with a credential and a grant that were never seen before. */
async function firstUse(make: () => FakeExchange[]): Promise<number> {
  let micros = 0;
  const groups = REQUESTS / 4000;
  for (let group = 0; group < groups; group++) {
    const exchanges = make();
    const before = process.cpuUsage();
    for (const x of exchanges) journal.intend(x);
    await turn();
    for (const x of exchanges) journal.complete(x);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
  }
  return micros / REQUESTS;
}
