// A journal in a directory of its own, for tests: reads back its lines and what its sinks got.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '#model/clock.ts';
import type { OpenJournal } from '#audit/open-journal.ts';
import { createJournal, type JournalOptions } from '#audit/create-journal.ts';
import type { JournalFiles } from '#audit/journal-files.ts';
import type { JournalLine } from '#audit/journal-lines.ts';

export interface TestDirectory extends Disposable {
  readonly path: string;
  /** Names of the segments, oldest first. */
  segments(): string[];
  text(): string;
  lines(): JournalLine[];
  /** Without the lines that are there for the chain, and those that others refer to. */
  recordLines(): JournalLine[];
}

const STRUCTURE: ReadonlySet<string> = new Set([
  'segment',
  'tenants',
  'subject',
  'grant',
  'policy',
  'unused',
  'seal',
]);

export function testDirectory(): TestDirectory {
  const root = mkdtempSync(path.join(tmpdir(), 'postern-audit-'));
  const directory = path.join(root, 'audit');
  const segments = (): string[] =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.ndjson'))
      .toSorted();
  const text = (): string =>
    segments()
      .map((name) => readFileSync(path.join(directory, name), 'utf8'))
      .join('');
  const lines = (): JournalLine[] => linesOf(text()) as unknown as JournalLine[];
  return {
    path: directory,
    segments,
    text,
    lines,
    recordLines: () => lines().filter(({ k }) => !STRUCTURE.has(k)),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

interface TestLog {
  readonly messages: string[];
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function testLog(): TestLog {
  const messages: string[] = [];
  const add = (_fields: object, message: string): void => {
    messages.push(message);
  };
  return { messages, info: add, warn: add, error: add };
}

export type TestJournal = OpenJournal & AsyncDisposable & { readonly log: TestLog };

export function testJournal(
  directory: string,
  options: Partial<JournalOptions> = {},
  deps: { readonly files?: JournalFiles; readonly clock?: Clock } = {},
): TestJournal {
  const log = testLog();
  const journal = createJournal({
    options: {
      directory,
      instance: 'test-1',
      sinks: [],
      retryMs: 20,
      signingKey: null,
      worker: (options.sinks ?? []).length > 0,
      ...options,
    },
    clock: deps.clock ?? systemClock,
    log,
    ...(deps.files === undefined ? {} : { files: deps.files }),
  });
  return Object.assign(journal, { log, [Symbol.asyncDispose]: () => journal.close(2000) });
}

/** One turn of the event loop: after it a group has been written and its exchanges were told. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** Waits for a condition that an event outside the test brings about; fails after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the condition did not come true');
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** Every line parsed; throws when one is not a JSON object or the last has no newline. */
export function linesOf(text: string): Record<string, unknown>[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw new Error('the last line has no newline');
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
