// Processor time of the index per request (intent and completion), by how many tenants and subjects take turns: a
// journal is made in a private folder and indexed as the sink worker does. `npm run bench:audit-index`
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Indexer } from '#audit/index/indexer.ts';
import { indexPath } from '#audit/index/index-database.ts';
import { nodeJournalFiles } from '#audit/journal-files.ts';
import { listSegments } from '#audit/segment-directory.ts';
import { writeIndexJournal } from '../test/support/index-journal.ts';

const REQUESTS = 200_000;
const ROUNDS = 5;

/** The journal's end. */
function endOf(directory: string): { readonly segment: number; readonly offset: number } {
  const last = listSegments(nodeJournalFiles, directory).at(-1);
  return { segment: last?.number ?? 0, offset: last?.bytes ?? 0 };
}

async function microsPerRequest(directory: string): Promise<number> {
  for (const suffix of ['', '-wal', '-shm']) rmSync(indexPath(directory) + suffix, { force: true });
  const end = endOf(directory);
  const before = process.cpuUsage();
  const indexer = new Indexer({
    directory,
    start: { segment: 0, offset: 0 },
    nowMs: () => performance.now(),
    report: () => undefined,
    notice: (fields, text) => console.error(text, fields),
  });
  await indexer.drain(end, 0);
  const { user, system } = process.cpuUsage(before);
  indexer.close();
  return (user + system) / REQUESTS;
}

const root = mkdtempSync(path.join(tmpdir(), 'postern-bench-'));
try {
  for (const { tenants, subjects, inFlight } of [
    { tenants: 1, subjects: 1, inFlight: 32 },
    { tenants: 1, subjects: 1, inFlight: 3200 },
    { tenants: 50, subjects: 20, inFlight: 32 },
  ]) {
    const directory = path.join(root, `${tenants}-${subjects}-${inFlight}`);
    writeIndexJournal(directory, { requests: REQUESTS, tenants, subjects, inFlight, groupOf: 32 });
    const rounds: number[] = [];
    // The first round compiles.
    for (let round = 0; round <= ROUNDS; round++) rounds.push(await microsPerRequest(directory));
    const sorted = rounds.slice(1).toSorted((a, b) => a - b);
    const micros = (sorted[Math.floor(ROUNDS / 2)] ?? 0).toFixed(2);
    const share = (100 * statSync(indexPath(directory)).size) / endOf(directory).offset;
    console.log(
      `${tenants} tenants × ${subjects} subjects, ${inFlight} in flight: ${micros} µs per request, index ${share.toFixed(1)} % of the journal`,
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
