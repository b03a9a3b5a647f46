// The notary and the indexer read the journal once where they stand at the same place, and each by itself elsewhere: what
// they make of it is the same as when each reads alone, whoever is behind, restarted or broken.
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '#audit/chain/checkpoint.ts';
import { Notary } from '#audit/chain/notary.ts';
import { sealText } from '#audit/chain/seal.ts';
import { indexPath } from '#audit/index/index-database.ts';
import { Indexer } from '#audit/index/indexer.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import type { Position } from '#audit/segment-tail.ts';
import { testDirectory } from '../../../support/audit-journal.ts';
import { newKey } from '../../../support/bundle-journal.ts';
import { seeded } from '../../../support/index-journal.ts';
import { EXAMPLE_CHAIN } from '../../../support/journal-builder.ts';
import { RandomJournal } from '../../../support/random-journal.ts';

const BEGINNING: Position = { segment: 1, offset: 0 };
const { key } = newKey();

class Readers implements Disposable {
  readonly notary: Notary;
  indexer: Indexer;
  readonly texts: string[] = [];
  readonly notices: string[] = [];
  readonly #directory: string;
  readonly #together: boolean;

  constructor(directory: string, { together }: { readonly together: boolean }) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#together = together;
    this.notary = new Notary({
      directory,
      start: { chain: EXAMPLE_CHAIN, coveredTo: 0, from: BEGINNING },
      key,
      nowMs: () => 0,
      epochMs: () => 1_768_000_000_000,
      publish: (text) => void this.texts.push(text),
      notice: (_fields, text) => void this.notices.push(text),
    });
    this.indexer = this.#newIndexer();
  }

  #newIndexer(): Indexer {
    const indexer = new Indexer({
      directory: this.#directory,
      start: { segment: 0, offset: 0 },
      nowMs: () => performance.now(),
      report: () => undefined,
      notice: (_fields, text) => void this.notices.push(text),
      blockBytes: 700,
      follower: this.#together ? this.notary : null,
    });
    if (this.#together) this.notary.follow(indexer);
    return indexer;
  }

  /** What was read and is not written down is read again. */
  restartIndexer(): void {
    this.indexer.close();
    this.indexer = this.#newIndexer();
  }

  async sign(end: Position): Promise<void> {
    if (this.#together) this.indexer.wrote(end, 0);
    await this.notary.finish(end);
  }

  /** What the checkpoints say, less what is random in them. */
  signed(): object[] {
    return this.texts.map((text) => ({ ...readCheckpoint(text), id: '', sig: '' }));
  }

  /** All rows of all tables. */
  indexed(): Record<string, unknown[]> {
    const db = new DatabaseSync(indexPath(this.#directory), { readOnly: true });
    try {
      const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
      return Object.fromEntries(
        tables.map(({ name }) => [
          String(name),
          db
            .prepare(`SELECT * FROM "${String(name)}"`)
            .all()
            .map((row) => JSON.stringify(row))
            .toSorted(),
        ]),
      );
    } finally {
      db.close();
    }
  }

  [Symbol.dispose](): void {
    this.notary.close();
    this.indexer.close();
  }
}

function endOf(directory: string): Position {
  const name = readdirSync(directory)
    .filter((one) => one.endsWith('.ndjson'))
    .toSorted()
    .at(-1);
  if (name === undefined) return { segment: 1, offset: 0 };
  return { segment: Number(name.slice(8, 20)), offset: statSync(path.join(directory, name)).size };
}

/** Segments of `directory` are those of `of` after this; files that are open stay the same files. */
function copySegments(of: string, directory: string): void {
  for (const name of readdirSync(of).filter((one) => one.endsWith('.ndjson')))
    writeFileSync(path.join(directory, name), readFileSync(path.join(of, name)));
}

interface TestRun extends Disposable {
  readonly together: Readers;
  readonly apart: Readers;
  readonly random: () => number;
  /** Some groups more for both; their end. */
  written(): Position;
  signed(end: Position): Promise<void>;
  /** Everything is signed and indexed, and signed alike. */
  ended(): Promise<void>;
}

function testRun(seed: number): TestRun {
  const root = testDirectory();
  const [journal, alone] = [path.join(root.path, 'together'), path.join(root.path, 'alone')];
  const writer = new RandomJournal(journal, seed);
  const random = seeded(seed + 100);
  const together = new Readers(journal, { together: true });
  const apart = new Readers(alone, { together: false });
  const written = (): Position => {
    for (let groups = Math.floor(random() * 8); groups >= 0; groups--) writer.group();
    copySegments(journal, alone);
    return endOf(journal);
  };
  const signed = async (end: Position): Promise<void> => {
    await together.sign(end);
    await apart.sign(end);
  };
  return {
    together,
    apart,
    random,
    written,
    signed,
    async ended() {
      const end = written();
      await signed(end);
      for (const one of [together, apart]) {
        await one.indexer.drain(end, 0);
        expect(one.notices).toEqual([]);
      }
      expect(together.signed().length).toBeGreaterThan(5);
      expect(together.signed()).toEqual(apart.signed());
    },
    [Symbol.dispose]() {
      for (const one of [together, apart]) one[Symbol.dispose]();
      root[Symbol.dispose]();
    },
  };
}

describe('the notary and the indexer, reading together', () => {
  it.each([1, 2, 3, 4, 5, 6])('make what each makes alone (seed %i)', async (seed) => {
    using test = testRun(seed);
    const { together, apart } = test;
    for (let step = 0; step < 25; step++) {
      const end = test.written();
      const dice = test.random();
      if (dice < 0.2) await together.indexer.drain(end, 0);
      else if (dice < 0.4) {
        // Blocks begin anew after a restart: both have written down the same before it.
        for (const one of [together, apart]) {
          await one.indexer.drain(end, 0);
          one.restartIndexer();
        }
      } else await test.signed(end);
    }
    await test.ended();
    expect(together.indexed()).toEqual(apart.indexed());
  });

  it.each([1, 2, 3, 4, 5, 6])('sign the same after restarts in between (seed %i)', async (seed) => {
    using test = testRun(seed + 100);
    const { together } = test;
    for (let step = 0; step < 25; step++) {
      const end = test.written();
      const dice = test.random();
      if (dice < 0.3) await together.indexer.drain(end, 0);
      else if (dice < 0.6) together.restartIndexer();
      else await test.signed(end);
    }
    await test.ended();
  });

  it('read once: what the indexer has read is not read again to be signed', async () => {
    using root = testDirectory();
    const writer = new RandomJournal(root.path, 1);
    using readers = new Readers(root.path, { together: true });
    await readers.indexer.drain(BEGINNING, 0);
    for (let group = 0; group < 40; group++) writer.group();
    const end = endOf(root.path);
    await readers.indexer.drain(end, 0);
    expect(readers.notary.place()).toEqual(end);
    for (let segment = 1; segment <= end.segment; segment++) rmSync(segmentPath(root.path, segment));
    await readers.notary.finish(end);
    expect(readers.signed().at(-1)).toMatchObject({ to: 40 });
  });

  it('meet where the one that is ahead stands, whichever it is', async () => {
    using root = testDirectory();
    const writer = new RandomJournal(root.path, 2);
    using readers = new Readers(root.path, { together: true });
    for (let group = 0; group < 20; group++) writer.group();
    const first = endOf(root.path);
    // Before the indexer has opened its file the notary is ahead.
    await readers.notary.finish(first);
    expect(readers.notary.place()).toEqual(first);
    for (let group = 0; group < 20; group++) writer.group();
    const second = endOf(root.path);
    await readers.indexer.drain(second, 0);
    expect(readers.indexer.place()).toEqual(second);
    expect(readers.notary.place()).toEqual(second);
  });

  it('go on apart over a group that is larger than what is read at once, and together behind it', async () => {
    using root = testDirectory();
    const writer = new RandomJournal(root.path, 3);
    using readers = new Readers(root.path, { together: true });
    writer.group();
    const lines = Array.from(
      { length: 9000 },
      (_, n) => `{"k":"unused","tenant":"acme","from":${n},"to":${n}}\n`,
    );
    appendFileSync(segmentPath(root.path, 1), lines.join('') + sealText(2, 'a'.repeat(64)));
    const afterLarge = endOf(root.path);
    expect(afterLarge.offset).toBeGreaterThan(400_000);
    await readers.indexer.drain(afterLarge, 0);
    await readers.sign(afterLarge);
    expect(readers.signed().at(-1)).toMatchObject({ to: 2, head: 'a'.repeat(64) });
    const text = `{"k":"unused","tenant":"acme","from":1,"to":1}\n${sealText(3, 'b'.repeat(64))}`;
    appendFileSync(segmentPath(root.path, 1), text);
    const end = endOf(root.path);
    await readers.indexer.drain(end, 0);
    expect(readers.notary.place()).toEqual(end);
  });

  it('sign on while the index cannot be written, to the last group', async () => {
    using root = testDirectory();
    const writer = new RandomJournal(root.path, 4);
    using readers = new Readers(root.path, { together: true });
    for (let group = 0; group < 5; group++) writer.group();
    await readers.indexer.drain(endOf(root.path), 0);
    // Somebody else holds its file.
    using other = new DatabaseSync(indexPath(root.path));
    other.exec('BEGIN IMMEDIATE');
    for (let group = 0; group < 5; group++) writer.group();
    const writing = readers.indexer.drain(endOf(root.path), 0);
    await expect
      .poll(() => readers.notices, { timeout: 10_000 })
      .toEqual(['the audit index cannot be written; it is tried again']);
    for (let group = 0; group < 5; group++) writer.group();
    const end = endOf(root.path);
    await readers.sign(end);
    expect(readers.notary.place()).toEqual(end);
    other.exec('ROLLBACK');
    await writing;
    await readers.indexer.drain(end, 0);
    expect(readers.indexer.place()).toEqual(end);
  });

  it('go on over a sealed line that the index can make nothing of', async () => {
    using root = testDirectory();
    const writer = new RandomJournal(root.path, 4);
    using readers = new Readers(root.path, { together: true });
    for (let group = 0; group < 5; group++) writer.group();
    await readers.indexer.drain(endOf(root.path), 0);
    const noTenant =
      '{"k":"intent","tenant":"\\x","s":1,"g":0,"e":"r","n":1,"p":1,"id":"0198f2a0-0000-7000-8000-000000000000","t":1,"method":"GET"}\n';
    appendFileSync(segmentPath(root.path, endOf(root.path).segment), noTenant + sealText(6, 'a'.repeat(64)));
    const end = endOf(root.path);
    await readers.sign(end);
    await readers.indexer.drain(end, 0);
    expect(readers.notices).toEqual([]);
    expect(readers.signed().at(-1)).toMatchObject({ to: 6 });
    expect([readers.notary.place(), readers.indexer.place()]).toEqual([end, end]);
  });
});
