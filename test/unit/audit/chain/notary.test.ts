import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkpointHolds, readCheckpoint } from '#audit/chain/checkpoint.ts';
import { leavesOf } from '#audit/chain/leaves.ts';
import { merkleRoot } from '#audit/chain/merkle.ts';
import { Notary, type NotaryStart } from '#audit/chain/notary.ts';
import type { CheckpointLine } from '#audit/journal-lines.ts';
import type { Position } from '#audit/segment-tail.ts';
import { testDirectory, until } from '../../../support/audit-journal.ts';
import { newKey } from '../../../support/bundle-journal.ts';
import { EXAMPLE_CHAIN, JournalBuilder } from '../../../support/journal-builder.ts';

const BEGINNING: Position = { segment: 1, offset: 0 };
const { key } = newKey();

interface TestNotary extends Disposable {
  readonly notary: Notary;
  readonly builder: JournalBuilder;
  readonly texts: string[];
  readonly notices: string[];
  readonly clock: { now: number };
  end(): Position;
  made(): (CheckpointLine | null)[];
  /** Another one, as after a restart. */
  again(start: NotaryStart): Notary;
}

function testNotary(): TestNotary {
  const directory = testDirectory();
  const builder = new JournalBuilder(directory.path);
  const texts: string[] = [];
  const notices: string[] = [];
  const clock = { now: 0 };
  const again = (start: NotaryStart): Notary =>
    new Notary({
      directory: directory.path,
      start,
      key,
      nowMs: () => clock.now,
      epochMs: () => 1_768_000_000_000,
      publish: (text) => void texts.push(text),
      notice: (_fields, text) => void notices.push(text),
    });
  const notary = again({ chain: EXAMPLE_CHAIN, coveredTo: 0, from: BEGINNING });
  return {
    notary,
    builder,
    texts,
    notices,
    clock,
    again,
    end: () => ({ segment: builder.segment, offset: statSync(builder.path()).size }),
    made: () => texts.map((text) => readCheckpoint(text)),
    [Symbol.dispose]() {
      notary.close();
      directory[Symbol.dispose]();
    },
  };
}

const request = (tenant: string, id: string): object => ({ k: 'intent', tenant, s: 0, g: 0, id });

describe('the notary', () => {
  it('signs the root over the leaves of all groups since the last checkpoint, and the head of the chain', async () => {
    using test = testNotary();
    const { builder, notary, texts } = test;
    builder.add(request('acme', 'a'), request('globex', 'b'), request('acme', 'c')).add(request('acme', 'd'));
    await notary.finish(test.end());
    expect(checkpointHolds(texts[0] ?? '', [key.publicKey])).toBe(true);
    const [, first = '', second = ''] =
      /^(.*?)\{"k":"seal".*?\n(.*?)\{"k":"seal"/s.exec(textOf(builder)) ?? [];
    const leaves = [first, second].flatMap((lines, index) =>
      leavesOf(index + 1, Buffer.from(lines, 'latin1')),
    );
    expect(leaves).toHaveLength(4);
    const root = merkleRoot(leaves.map(({ hash }) => hash)).toString('hex');
    const facts = { chain: EXAMPLE_CHAIN, from: 1, to: 2, head: builder.head, leaves: 4, root };
    expect(test.made()).toEqual([expect.objectContaining(facts)]);
  });

  it('goes on where the checkpoints left off, and covers the one that was added meanwhile', async () => {
    using test = testNotary();
    const { builder, notary } = test;
    builder.add(request('acme', 'a'));
    await notary.finish(test.end());
    builder.add(test.texts[0]?.trimEnd() ?? '', request('acme', 'b'));
    await notary.finish(test.end());
    expect(test.made()).toMatchObject([
      { from: 1, to: 1 },
      { from: 2, to: 2 },
    ]);
  });

  it('begins in the middle when a checkpoint covers what is before', async () => {
    using test = testNotary();
    const { builder } = test;
    builder.add(request('acme', 'a'));
    const from = test.end();
    builder.add(request('acme', 'b'));
    const notary = test.again({ chain: EXAMPLE_CHAIN, coveredTo: 1, from });
    await notary.finish(test.end());
    notary.close();
    expect(test.made()).toMatchObject([{ from: 2, to: 2, head: builder.head }]);
    expect(test.notices).toEqual([]);
  });

  it('signs nothing while there are only checkpoints to sign', async () => {
    using test = testNotary();
    const { builder, notary, texts } = test;
    builder.add(request('acme', 'a'));
    await notary.finish(test.end());
    builder.add(texts[0]?.trimEnd() ?? '');
    await notary.finish(test.end());
    expect(texts).toHaveLength(1);
    builder.add(request('acme', 'b'));
    await notary.finish(test.end());
    expect(test.made().at(-1)).toMatchObject({ from: 2, to: 3 });
  });

  it('never lets a checkpoint reach over the end of a segment', async () => {
    using test = testNotary();
    const { builder, notary } = test;
    builder.add(request('acme', 'a')).add(request('acme', 'b')).startSegment();
    builder.add(request('acme', 'c')).startSegment().add(request('acme', 'd'));
    await notary.finish(test.end());
    expect(test.made()).toMatchObject([
      { from: 1, to: 2 },
      { from: 3, to: 3 },
      { from: 4, to: 4 },
    ]);
  });

  it('reads groups larger than what it reads at once, and no further than it was told', async () => {
    using test = testNotary();
    const { builder, notary } = test;
    const lines = Array.from({ length: 30_000 }, (_, index) =>
      request('acme', `request-${index}-${'x'.repeat(60)}`),
    );
    builder.add(...lines);
    const end = test.end();
    expect(end.offset).toBeGreaterThan(3 * 1024 * 1024);
    builder.add(request('acme', 'later'));
    await notary.finish(end);
    expect(test.made()).toMatchObject([{ from: 1, to: 1, leaves: 2 }]);
    await notary.finish(test.end());
    expect(test.made().at(-1)).toMatchObject({ from: 2, to: 2 });
  });

  it('signs what comes after a hole in the groups, says that there is one, and covers no group that is not there', async () => {
    using test = testNotary();
    const { builder, notary } = test;
    builder.add(request('acme', 'a'));
    builder.group += 3;
    builder.add(request('acme', 'b'));
    await notary.finish(test.end());
    expect(test.made()).toMatchObject([
      { from: 1, to: 1 },
      { from: 5, to: 5 },
    ]);
    expect(test.notices).toEqual(['groups of the audit journal are missing']);
  });

  it('waits for a second between two checkpoints', async () => {
    using test = testNotary();
    const { builder, notary, texts } = test;
    builder.add(request('acme', 'a'));
    notary.wrote(test.end());
    await until(() => texts.length === 1);
    builder.add(request('acme', 'b'));
    test.clock.now = 999.5;
    notary.wrote(test.end());
    builder.add(request('acme', 'c'));
    notary.wrote(test.end());
    await until(() => texts.length === 2);
    expect(test.made().at(-1)).toMatchObject({ from: 2, to: 3 });
  });

  it('says once that a segment cannot be read, and signs it when it can be', async () => {
    using test = testNotary();
    const { builder, notary, texts } = test;
    builder.add(request('acme', 'a'));
    const bytes = Buffer.from(textOf(builder), 'latin1');
    const end = test.end();
    rmSync(builder.path());
    mkdirSync(builder.path());
    await notary.finish(end);
    await notary.finish(end);
    expect(texts).toEqual([]);
    expect(test.notices).toEqual(['the audit journal cannot be read to sign it; it is tried again']);
    rmSync(builder.path(), { recursive: true });
    writeFileSync(builder.path(), bytes);
    await notary.finish(end);
    expect(test.made()).toMatchObject([{ from: 1, to: 1 }]);
  });
});

function textOf(builder: JournalBuilder): string {
  return readFileSync(builder.path(), 'latin1');
}
