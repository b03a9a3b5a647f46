// What the notary is given by another's walk over the lines is what it would have read by itself, of journals of any kind.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GroupLeaves, type LeavesOfGroup } from '#audit/chain/group-leaves.ts';
import { GroupReader } from '#audit/chain/group-reader.ts';
import { leafHashText, leafPrefix, leavesOf } from '#audit/chain/leaves.ts';
import { BlockBuilder } from '#audit/index/block-builder.ts';
import { testDirectory } from '../../../support/audit-journal.ts';
import { seeded } from '../../../support/index-journal.ts';
import { intentOf, line } from '../../../support/index-lines.ts';
import { RandomJournal } from '../../../support/random-journal.ts';

interface Seen {
  readonly number: number;
  readonly head: string;
  readonly size: number;
  readonly leaves: readonly { readonly tenant: string | null; readonly hash: string }[];
}

let directory: ReturnType<typeof testDirectory>;
beforeAll(() => {
  directory = testDirectory();
});
afterAll(() => directory[Symbol.dispose]());

/** Each segment is one chunk. Ends early where the index cannot go on: it is tried again, and the notary reads by itself. */
function fromWalk(segments: readonly Buffer[]): Seen[] {
  const seen: Seen[] = [];
  const leaves = new GroupLeaves(({ number, head, size, bytes, leaves: open }: LeavesOfGroup) => {
    const prefix = leafPrefix(number);
    seen.push({
      number,
      head,
      size,
      leaves: open.map(({ tenant, spans }) => ({
        tenant,
        hash: Buffer.from(leafHashText(prefix, bytes, spans), 'latin1').toString('hex'),
      })),
    });
  });
  const builder = new BlockBuilder({
    blockBytes: 700,
    start: { nextBlock: 1, topIdMs: 0, tenants: [] },
    findIntent: () => null,
  });
  for (const [index, bytes] of segments.entries())
    builder.take({ segment: index + 1, offset: 0, bytes }, leaves);
  return seen;
}

function fromReader(folder: string, segments: readonly Buffer[]): Seen[] {
  const seen: Seen[] = [];
  const reader = new GroupReader(folder, { segment: 1, offset: 0 });
  const end = { segment: segments.length, offset: segments.at(-1)?.length ?? 0 };
  for (let group = reader.next(end); group !== null; group = reader.next(end)) {
    const { number, head, lines } = group;
    seen.push({
      number,
      head,
      size: lines.length,
      leaves: leavesOf(number, lines).map(({ tenant, hash }) => ({ tenant, hash: hash.toString('hex') })),
    });
  }
  reader.close();
  return seen;
}

function segmentsOf(folder: string): Buffer[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
  return names.toSorted().map((name) => readFileSync(path.join(folder, name)));
}

/** The leaves of one group whose lines are `text`, from a walk. */
function leavesOfText(text: string): (string | null)[] {
  const seal = `{"k":"seal","n":1,"h":"${'0'.repeat(64)}"}\n`;
  const [group] = fromWalk([Buffer.from(text + seal, 'latin1')]);
  const expected = leavesOf(1, Buffer.from(text, 'latin1'));
  expect(group?.leaves).toEqual(expected.map(({ tenant, hash }) => ({ tenant, hash: hash.toString('hex') })));
  return expected.map(({ tenant }) => tenant);
}

function seal(n: number): string {
  return line({ k: 'seal', n, h: 'a'.repeat(64) });
}

describe('leaves from the walk of another reader', () => {
  it.each(Array.from({ length: 12 }, (_, seed) => seed + 1))('are those of the journal (seed %i)', (seed) => {
    const folder = path.join(directory.path, `random-${seed}`);
    const journal = new RandomJournal(folder, seed);
    for (let group = 0; group < 80; group++) journal.group();
    const segments = segmentsOf(folder);
    const seen = fromWalk(segments);
    expect(seen).toHaveLength(80);
    expect(seen).toEqual(fromReader(folder, segments));
  });

  it('are those of many tenants in one group', () => {
    const random = seeded(5);
    let text = '';
    for (let i = 0; i < 300; i++) {
      const facts = {
        id: `0198f2a0-0000-7000-8000-${String(i).padStart(12, '0')}`,
        s: 1,
        g: 0,
        t: 1e12,
        isWrite: false,
      };
      text += intentOf({ ...facts, tenant: `tenant-${Math.floor(40 * random())}` }, new Map());
    }
    expect(leavesOfText(text).length).toBeGreaterThan(30);
  });

  it('are those of lines that begin like a request and are none, and of names that hold quotes', () => {
    const rest =
      ',"s":1,"g":0,"e":"r","n":1,"p":1,"id":"0198f2a0-0000-7000-8000-000000000000","t":1760000000000,';
    const tenants = leavesOfText(
      [
        `{"k":"intent","tenant":"a\\"b"${rest}"method":"GET"}`,
        `{"k":"intenX","tenant":"a\\"b"${rest}"method":"GET"}`,
        `{"k":"intent","tenanX":"a\\"b"${rest}"method":"GET"}`,
        `{"k":"intent","tenant":null${rest}"method":"GET"}`,
        `{"k":"done","tenant":"a\\\\","id":"0198f2a0-0000-7000-8000-000000000000","code":"ok"}`,
        `{"k":"done","tenanX":"a\\\\","id":"0198f2a0-0000-7000-8000-000000000000","code":"ok"}`,
        `{"k":"done","tenant":"c","id":7}`,
        `{"k":"refused","tenant":"c"}`,
        '{"k":"done"}',
        '{"k":"seal","n":"no"}',
        '{}',
        '',
        '',
      ].join('\n'),
    );
    expect(tenants).toEqual(['"a\\"b"', null, null, '"a\\\\"', null, '"c"', null, null, null, null]);
  });

  it('are those of a damaged journal, as far as the index reads it', () => {
    const folder = path.join(directory.path, 'damaged');
    const journal = new RandomJournal(folder, 3);
    for (let group = 0; group < 30; group++) journal.group();
    const whole = Buffer.concat(segmentsOf(folder));
    const random = seeded(11);
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(whole);
      for (let edit = 0; edit < 5; edit++)
        bytes[Math.floor(random() * bytes.length)] = 0x20 + Math.floor(random() * 0x5f);
      const expected = fromText(bytes);
      let seen: Seen[] = [];
      try {
        seen = fromWalk([bytes]);
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
        continue;
      }
      expect(seen).toEqual(expected);
    }
  });

  it('are dropped with a group that no seal closes, and that of a checkpoint alone brings no news', () => {
    const news: boolean[] = [];
    const leaves = new GroupLeaves(({ hasNews }) => void news.push(hasNews));
    const checkpoint = line({ k: 'checkpoint', id: 'a', t: 1 });
    const unused = line({ k: 'unused', tenant: 'acme', from: 1, to: 2 });
    const builder = new BlockBuilder({
      blockBytes: 700,
      start: { nextBlock: 1, topIdMs: 0, tenants: [] },
      findIntent: () => null,
    });
    const take = (text: string): void =>
      builder.take({ segment: 1, offset: 0, bytes: Buffer.from(text, 'latin1') }, leaves);
    take(checkpoint + seal(1) + checkpoint + unused + seal(2) + seal(3) + unused);
    take(checkpoint + seal(4));
    expect(news).toEqual([false, true, false, false]);
  });
});

/** The groups of a text by the rules alone: what no whole seal closes is left out. */
function fromText(bytes: Buffer): Seen[] {
  const seen: Seen[] = [];
  let start = 0;
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from) + 1;
    if (end === 0) break;
    const match = /^\{"k":"seal","n":(\d{1,15}),"h":"([\s\S]{64})"\}\n$/.exec(
      bytes.toString('latin1', from, end),
    );
    if (match !== null && Number(match[1]) > 0) {
      const number = Number(match[1]);
      const lines = bytes.subarray(start, from);
      const leaves = leavesOf(number, lines).map(({ tenant, hash }) => ({
        tenant,
        hash: hash.toString('hex'),
      }));
      seen.push({ number, head: match[2] ?? '', size: lines.length, leaves });
      start = end;
    }
    from = end;
  }
  return seen;
}
