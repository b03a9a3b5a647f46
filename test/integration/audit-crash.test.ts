// A gateway that is killed under load: whatever was let through has its record, before and after the next start.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linesOf, testDirectory, testJournal } from '../support/audit-journal.ts';
import { recordProblems } from '../support/audit-schema.ts';
import { chainProblems } from '../support/chain-check.ts';

const CHILD = new URL('../support/audit-crash-child.ts', import.meta.url).pathname;

/** Runs the child until it has let so many requests through, kills it, and returns their ids. */
async function killedAfter(args: readonly string[], requests: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--conditions=source', CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    said += chunk;
    if (said.length >= requests * 37) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  // The last line may be cut: whoever was let through and could not say so is not counted here.
  return said.split('\n').slice(0, -1);
}

it.each(['os', 'disk'])(
  'has a line for every request that was let through (durability: %s)',
  async (durability) => {
    using directory = testDirectory();
    const through = await killedAfter([directory.path, durability], 1000);
    expect(through.length).toBeGreaterThanOrEqual(1000);
    await using journal = testJournal(directory.path);
    expect(journal.available).toBe(true);
    const intents = new Set(directory.lines().flatMap((line) => (line.k === 'intent' ? [line.id] : [])));
    expect(through.filter((id) => !intents.has(id))).toEqual([]);
    expect(chainProblems(directory.path)).toEqual([]);
  },
);

it('publishes a record for every request that was let through, over the kill', async () => {
  using directory = testDirectory();
  const file = path.join(path.dirname(directory.path), 'out.ndjson');
  const through = await killedAfter([directory.path, 'os', file], 5000);
  const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
  await journal.close(10_000);
  const records = linesOf(readFileSync(file, 'utf8'));
  const published = new Set(records.map(({ requestId }) => requestId));
  expect(through.filter((id) => !published.has(id))).toEqual([]);
  expect(records.flatMap(recordProblems)).toEqual([]);
  expect(chainProblems(directory.path)).toEqual([]);
  // A record that came twice is the same record.
  const bySeq = new Map<unknown, unknown>();
  for (const { seq, id } of records) {
    expect(bySeq.get(seq) ?? id).toBe(id);
    bySeq.set(seq, id);
  }
  expect(bySeq.size).toBe(Math.max(...([...bySeq.keys()] as number[])));
});
