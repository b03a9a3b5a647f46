// What verification reports of journals that are whole, and of those whose lines contradict each other although their
// seals hold. Attacks by editing are in test/security/audit-tamper.test.ts.
import { describe, expect, it } from 'vitest';
import { checkpointText, readCheckpoint } from '#audit/chain/checkpoint.ts';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import {
  ChainWriter,
  lineText,
  type MemorySegment,
  memorySource,
  newSigningKey,
  smallJournal,
} from '../../../tamper/journal.ts';

const key = newSigningKey();

function verify(segments: readonly MemorySegment[], kept: ChainWriter['kept'] | null = null): VerifyReport {
  return verifyJournal({ source: memorySource(segments), publicKeys: [key.publicKey], kept });
}

function intent(n: number, tenant = 'acme'): string {
  return lineText({ k: 'intent', tenant, s: 1, g: 1, e: 'r', n, id: 'x' });
}

function unused(...ranges: readonly (readonly [number, number])[]): string {
  return lineText({ k: 'unused', tenant: 'acme', ranges });
}

/** What is found in a journal of these groups. */
function whatIsFound(...groups: readonly string[]): string[] {
  const writer = new ChainWriter(key);
  for (const group of groups) writer.addText(group);
  return verify(writer.segments).damage.findings.map(({ group, what }) => `${group}: ${what}`);
}

function withTail(segments: readonly MemorySegment[], tail: string | Buffer): MemorySegment[] {
  const last = segments.at(-1) as MemorySegment;
  const bytes = Buffer.concat([last.bytes, Buffer.from(tail as string, 'latin1')]);
  return segments.with(segments.length - 1, { number: last.number, bytes });
}

describe('the report of a journal that is whole', () => {
  const writer = smallJournal({ seed: 3, segments: 3, groupsPerSegment: 6, key });
  const { kept, segments } = writer;

  it('counts what is there and names the key', () => {
    const report = verify(segments);
    const text = Buffer.concat(segments.map(({ bytes }) => bytes)).toString('latin1');
    const lines = text.split('\n').length - 1;
    expect(report).toMatchObject({
      verified: true,
      chain: writer.chain,
      segments: { count: 3, first: 1, last: 3 },
      groups: { count: 19, first: 1, last: 19 },
      lines: lines - 19,
      bytes: text.length,
      before: null,
      checkpoints: { count: kept.length, last: { to: 18 }, unsignedGroups: 1, rootsNotComputed: 0 },
      kept: null,
      keys: { signed: [key.publicKey], given: true },
      tailBytes: 0,
      damage: { count: 0, findings: [] },
    });
  });

  it('says where it begins when retention removed older segments, and whether a kept checkpoint vouches for that', () => {
    const rest = segments.slice(1);
    const report = verify(rest);
    expect(report).toMatchObject({
      verified: true,
      groups: { count: 13, first: 7, last: 19 },
      before: { group: 6, checked: false },
    });
    const covering = new ChainWriter(key);
    covering.startSegment();
    covering.addText(covering.numbered('intent', 'acme', {}));
    covering.addText(covering.checkpoint());
    covering.checkpoint();
    covering.startSegment();
    covering.addText(covering.numbered('intent', 'acme', {}));
    const checked = verify(covering.segments.slice(1), covering.kept);
    expect(checked).toMatchObject({
      verified: true,
      before: { group: 2, checked: true },
      kept: { count: 2, found: 0, older: 2, otherChains: 0 },
    });
  });

  it('does not trust the first line of the oldest segment against a kept checkpoint', () => {
    const other = new ChainWriter(key);
    other.addText(intent(1));
    other.checkpoint();
    const forged = new ChainWriter(key);
    forged.addText(intent(1, 'globex'));
    forged.startSegment();
    forged.addText(intent(1));
    const { damage } = verify(forged.segments.slice(1), other.kept);
    expect(damage.findings).toMatchObject([{ group: 1 }]);
  });

  it('takes a torn or growing group at the end for no damage', () => {
    for (const tail of ['{', '{"k":"int', intent(1), `${intent(1)}{"k":"seal","n":20,"h":"ab`, '\0\0\0\0']) {
      expect(verify(withTail(segments, tail), kept)).toMatchObject({
        verified: true,
        tailBytes: tail.length,
      });
    }
  });

  it('takes what no gateway writes at the end for damage', () => {
    for (const tail of ['x', '\n', '{"k":"other"}\n', '{"k":"seal","n":1}\n', '{"k":"intent","é', ' ']) {
      expect(verify(withTail(segments, tail)).damage.findings).toMatchObject([{ segment: 3, group: 20 }]);
    }
  });

  it('is the same however few bytes a read returns', () => {
    const source = memorySource(segments);
    const slow = {
      ...source,
      read: (n: number, into: Buffer, at: number) => source.read(n, into.subarray(0, 7), at),
    };
    expect(verifyJournal({ source: slow, publicKeys: null, kept })).toMatchObject({ verified: true });
  });

  it('tells how far it has come', () => {
    let read = 0;
    const source = memorySource(segments);
    verifyJournal({ source, publicKeys: null, kept: null, onProgress: (bytes) => (read = bytes) });
    expect(read).toBe(segments.reduce((sum, { bytes }) => sum + bytes.length, 0));
  });

  it('reads groups larger than a chunk, and finds a changed byte in one', () => {
    const large = new ChainWriter(key);
    large.addText(intent(1));
    const text = Array.from({ length: 9000 }, (_, i) =>
      intent(i + 2).replace('"x"', `"${'x'.repeat(300)}"`),
    ).join('');
    large.addText(text);
    large.addText(intent(9002));
    expect(verify(large.segments)).toMatchObject({ verified: true, lines: 9003, groups: { count: 3 } });
    const [segment] = large.segments as [MemorySegment];
    segment.bytes.write('y', segment.bytes.indexOf('xxx') + 2_000_000);
    expect(verify([segment])).toMatchObject({ groups: { count: 2 }, damage: { findings: [{ group: 2 }] } });
  });

  it('of no journal at all has no segment', () => {
    expect(verify([])).toMatchObject({
      segments: { count: 0 },
      groups: { count: 0, first: 0, last: 0 },
      chain: null,
    });
  });
});

describe('tenants’ numbers', () => {
  it('run without gaps through groups and segments, each tenant for itself', () => {
    const writer = new ChainWriter(key);
    writer.startSegment();
    writer.addText(writer.numbered('intent', 'acme', {}) + writer.numbered('intent', 'globex', {}));
    writer.startSegment();
    writer.addText(writer.numbered('done', 'acme', {}) + writer.numbered('event', 'new', {}));
    expect(verify(writer.segments).damage.findings).toEqual([]);
  });

  it('show a line that was left out, one that is there twice and one without a number', () => {
    expect(whatIsFound(intent(1), intent(3), intent(4))).toEqual([
      '2: the number 2 of a tenant is missing before this',
    ]);
    expect(whatIsFound(intent(2))).toEqual(['1: the number 1 of a tenant is missing before this']);
    expect(whatIsFound(intent(1) + intent(5))).toEqual([
      '1: the numbers 2 to 4 of a tenant are missing before this',
    ]);
    expect(whatIsFound(intent(1), intent(1))).toEqual(['2: the number 1 of a tenant is there twice']);
    expect(whatIsFound(lineText({ k: 'done', tenant: 'acme', id: 'x' }))).toEqual([
      '1: a line of a tenant has no number',
    ]);
  });

  it('may be declared unused, before or after the lines around them', () => {
    expect(whatIsFound(intent(1), intent(6), unused([2, 3], [5, 5]), unused([4, 4]))).toEqual([]);
    expect(whatIsFound(intent(1), unused([2, 3]), intent(4))).toEqual([]);
    expect(whatIsFound(intent(1), unused([3, 3]), intent(4), intent(2))).toEqual([]);
    expect(whatIsFound(intent(1) + intent(2), unused([2, 2]))).toEqual([
      '2: the numbers 2 to 2 of a tenant are declared unused and are not',
    ]);
    expect(whatIsFound(unused([2, 1]))).toEqual(['1: a line that cannot be read']);
  });

  it('are not asked of grants, nor of lines without a tenant', () => {
    const grant = lineText({ k: 'grant', tenant: 'acme', g: 1, grant: {} });
    expect(
      whatIsFound(grant + lineText({ k: 'refused', tenant: null, s: 1, g: 0, e: 'r', id: 'x' })),
    ).toEqual([]);
  });

  it('must be those that a segment begins with', () => {
    const writer = new ChainWriter(key);
    writer.startSegment();
    writer.addText(writer.numbered('intent', 'acme', {}));
    writer.next.set('acme', 5);
    writer.startSegment();
    writer.addText(writer.numbered('intent', 'acme', {}));
    expect(verify(writer.segments).damage.findings).toMatchObject([
      { segment: 2, group: 2, what: "a tenant's next number is given as 5 where 2 follows" },
    ]);
  });

  it('are taken from the oldest segment that is kept', () => {
    const writer = new ChainWriter(key);
    writer.startSegment();
    writer.addText(writer.numbered('intent', 'acme', {}) + writer.numbered('intent', 'acme', {}));
    writer.startSegment();
    writer.addText(writer.numbered('intent', 'acme', {}) + writer.numbered('intent', 'new', {}));
    expect(verify(writer.segments.slice(1)).damage.findings).toEqual([]);
  });
});

describe('a journal whose seals hold', () => {
  it('may not hold lines of other kinds, or empty groups', () => {
    expect(whatIsFound('{"k":"other"}\n')).toEqual(['1: a line that is none of a journal']);
    expect(whatIsFound('{"k":"gap"}\n', '')).toEqual(['2: a group without a line']);
  });

  it('must begin each segment with a segment line that fits', () => {
    const writer = new ChainWriter(key);
    writer.addText(intent(1));
    const [{ bytes }] = writer.segments as [MemorySegment];
    expect(verify([{ number: 2, bytes }]).damage.findings).toMatchObject([
      { segment: 2, group: 1, what: 'the segment says that it is number 1' },
    ]);
  });

  it('must have checkpoints that follow on each other and sign what is there', () => {
    const writer = new ChainWriter(key);
    writer.addText(intent(1));
    const first = writer.checkpoint();
    writer.addText(intent(2));
    const second = writer.checkpoint();
    writer.addText(second);
    const { damage } = verify(writer.segments);
    expect(damage.findings[0]?.what).toBe('a checkpoint covers group 2 where one from group 1 on belongs');
    const unsigned = first.replace(/"sig":"..../, '"sig":"AAAA');
    expect(whatIsFound(intent(1), unsigned)).toEqual(["2: a checkpoint's signature does not hold"]);
  });

  it('must have checkpoints with the Merkle root and the number of its leaves', () => {
    const writer = new ChainWriter(key);
    writer.addText(intent(1) + intent(2));
    const line = readCheckpoint(writer.checkpoint());
    if (line === null) throw new Error('the writer wrote no checkpoint');
    // The segment line is a leaf of its own.
    expect(line.leaves).toBe(2);
    for (const wrong of [{ leaves: 3 }, { root: 'ab'.repeat(32) }]) {
      const found = whatIsFound(intent(1) + intent(2), checkpointText({ ...line, ...wrong }, key));
      expect(found).toEqual(['1: the Merkle root of group 1 is not the one that was signed']);
    }
    const elsewhere = checkpointText({ ...line, head: 'ab'.repeat(32) }, key);
    expect(whatIsFound(intent(1) + intent(2), elsewhere)).toEqual(['1: group 1 is not what was signed']);
  });
});
