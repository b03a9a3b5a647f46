// The stdout sink in a process of its own: pure NDJSON, and a reader that has stopped holds up nobody.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { linesOf, testDirectory } from '../support/audit-journal.ts';
import { recordProblems } from '../support/audit-schema.ts';

const CHILD = new URL('../support/audit-stdout-child.ts', import.meta.url).pathname;

function started(
  directory: string,
  count: number,
  deadlineMs: number,
): ChildProcessByStdio<null, Readable, Readable> {
  const args = ['--conditions=source', CHILD, directory, String(count), String(deadlineMs)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

it('writes every record and nothing else to standard output', async () => {
  using directory = testDirectory();
  const child = started(directory.path, 3000, 10_000);
  const [records] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(linesOf(records).map(({ seq }) => seq)).toEqual(
    Array.from({ length: 3000 }, (_, index) => index + 1),
  );
  expect(recordProblems(linesOf(records)[2999])).toEqual([]);
});

it('does not wait at shutdown for a reader that has stopped, and goes on at the next start', async () => {
  using directory = testDirectory();
  const child = started(directory.path, 3000, 300);
  // Nobody reads standard output: the pipe is full after some records.
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  const next = started(directory.path, 0, 10_000);
  const seen = new Set(linesOf(await text(next.stdout)).map(({ seq }) => seq));
  expect(seen.size).toBe(3000);
});
