// Attacks on a journal that was written: somebody who can write its files changes, deletes, adds and moves bytes, lines,
// groups and segments, cuts it back, or forges the whole chain anew without the signing key. Each must be found, and
// random edits in the group where they begin. `npm run audit:tamper` does the same a hundred thousand times.
import { describe, expect, it } from 'vitest';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import type { KeptCheckpoint, VerifyReport } from '#audit/chain/verify-report.ts';
import { groupSpans } from '../tamper/edits.ts';
import {
  ChainWriter,
  type MemorySegment,
  memorySource,
  newSigningKey,
  smallJournal,
} from '../tamper/journal.ts';
import { resealed as resealedWith } from '../tamper/reseal.ts';
import { type Miss, tamper } from '../tamper/trials.ts';

const key = newSigningKey();
const writer = smallJournal({ seed: 11, segments: 4, groupsPerSegment: 8, key });
const { kept, segments } = writer;
const spans = groupSpans(segments);
const keys = [key.publicKey];

interface Asked {
  readonly publicKeys?: readonly string[] | null;
  readonly kept?: readonly KeptCheckpoint[] | null;
}

function verify(edited: readonly MemorySegment[], asked: Asked = {}): VerifyReport {
  return verifyJournal({ source: memorySource(edited), publicKeys: keys, kept: null, ...asked });
}

function edit(at: number, change: (text: string) => string): MemorySegment[] {
  const { number, bytes } = segments[at] as MemorySegment;
  return segments.with(at, { number, bytes: Buffer.from(change(bytes.toString('latin1')), 'latin1') });
}

/** Every seal and every segment line made again, so that the chain holds: all that can be done without the key. */
function resealed(edited: readonly MemorySegment[]): MemorySegment[] {
  return resealedWith(edited, (line, place) => `${JSON.stringify({ ...JSON.parse(line), ...place })}\n`);
}

/** Takes away the groups from `from` to `to`, which are in the segment `at`. */
function without(at: number, from: number, to: number): MemorySegment[] {
  const start = spans.find(({ group }) => group === from)?.start as number;
  const end = spans.find(({ group }) => group === to)?.end as number;
  return edit(at, (text) => text.slice(0, start) + text.slice(end));
}

/** Without the group and all that came after it. */
function cut(group: number): MemorySegment[] {
  const span = spans.find((known) => known.group === group);
  const at = span?.segment ?? 0;
  return edit(at, (text) => text.slice(0, span?.start)).slice(0, at + 1);
}

function asPut(text: string): string {
  return text.replace('"method":"GET"', '"method":"PUT"');
}

describe('an edited journal', () => {
  it('verifies before it is edited', () => {
    const report = verify(segments, { kept });
    expect(report.damage.findings).toEqual([]);
    expect(report).toMatchObject({
      verified: true,
      segments: { count: 4, first: 1, last: 4 },
      groups: { count: 33, first: 1, last: 33 },
      checkpoints: { count: kept.length, unsignedGroups: 1, rootsNotComputed: 0 },
      kept: { count: kept.length, found: kept.length, older: 0, otherChains: 0 },
      keys: { signed: keys, given: true },
      tailBytes: 0,
    });
  });

  it('is found out, in the group where the edit begins, whatever was edited', { timeout: 60_000 }, () => {
    const misses: Miss[] = [];
    const victim = { segments, kept, publicKey: key.publicKey };
    const counts = tamper(victim, { edits: 4000, seed: 2 }, (miss) => misses.push(miss));
    expect(misses).toEqual([]);
    expect(counts).toEqual({ edits: 4000, detected: 4000, located: 4000 });
  });

  it('shows each of several damages, and goes on behind them', () => {
    const twice = edit(0, asPut).with(2, edit(2, asPut)[2] as MemorySegment);
    const { damage, groups } = verify(twice);
    expect(damage.findings.map(({ segment }) => segment)).toEqual([1, 3]);
    expect(groups).toMatchObject({ count: 31, last: 33 });
  });
});

describe('a group copied to where its number belongs', () => {
  it('is found at the end of the segment before, where its seal holds', () => {
    const first = spans.find(({ segment }) => segment === 2);
    const group = (segments[2] as MemorySegment).bytes.toString('latin1', first?.start, first?.end);
    const { damage } = verify(edit(1, (text) => text + group));
    expect(damage.findings[0]).toMatchObject({ segment: 2, group: first?.group });
  });
});

describe('a segment that follows on another group than the one before it', () => {
  it('is found, although it follows on what its own first line says', () => {
    const bare = segments.map(({ number, bytes }) => {
      const text = bytes.toString('latin1').replaceAll(/\{"k":"checkpoint".*\n/g, '{"k":"opened"}\n');
      return { number, bytes: Buffer.from(text, 'latin1') };
    });
    const whole = resealed(bare);
    expect(verify(whole).verified).toBe(true);
    const [first, ...others] = bare as [MemorySegment, ...MemorySegment[]];
    const changed = { number: 1, bytes: Buffer.from(asPut(first.bytes.toString('latin1')), 'latin1') };
    const forged = [...resealed([changed, ...others]).slice(0, 2), ...whole.slice(2)];
    const { damage } = verify(forged);
    expect(damage.findings).toMatchObject([{ segment: 3, group: 17, offset: 0 }]);
  });
});

describe('a journal forged without the key', () => {
  it.each([
    ['a changed line', () => edit(1, asPut)],
    ['a removed group', () => without(1, 11, 11)],
    [
      'a removed segment, the others renumbered',
      () => segments.toSpliced(1, 1).map(({ bytes }, i) => ({ number: i + 1, bytes })),
    ],
  ])('is found by its checkpoints although every seal holds: %s', (_, forge) => {
    const forged = resealed(forge());
    for (const asked of [{}, { publicKeys: null }]) {
      const { damage, verified } = verify(forged, asked);
      expect(verified).toBe(false);
      expect(damage.findings.map(({ what }) => what).join()).toMatch(/not what was signed|checkpoint/);
    }
  });

  it('is found when its checkpoints were signed with a key of the forger', () => {
    const forger = smallJournal({ seed: 11, segments: 4, groupsPerSegment: 8, key: newSigningKey() });
    expect(verify(forger.segments, { publicKeys: null }).verified).toBe(true);
    expect(verify(forger.segments).damage.findings[0]?.what).toBe(
      'a checkpoint is signed by a key that is not trusted',
    );
    // Without the public key, the checkpoints kept elsewhere tell.
    expect(verify(forger.segments, { publicKeys: null, kept }).verified).toBe(false);
  });

  it('is found beside kept checkpoints when all checkpoints were taken out', () => {
    const bare = segments.map(({ number, bytes }) => {
      const text = bytes.toString('latin1').replaceAll(/\{"k":"checkpoint".*\n/g, '');
      return { number, bytes: Buffer.from(text, 'latin1') };
    });
    const forged = resealed(bare);
    const alone = verify(forged);
    expect(alone.checkpoints).toMatchObject({ count: 0, last: null });
    expect(alone.checkpoints.unsignedGroups).toBe(alone.groups.count);
    expect(verify(forged, { kept }).damage.findings[0]?.what).toContain(
      'differ from what a kept checkpoint signs',
    );
  });

  it('is found beside kept checkpoints even if it was made with the stolen key', () => {
    const thief = smallJournal({ seed: 12, segments: 4, groupsPerSegment: 8, key });
    expect(verify(thief.segments).verified).toBe(true);
    const { damage, kept: compared } = verify(thief.segments, { kept });
    expect(compared?.found).toBe(0);
    expect(damage.findings[0]?.what).toContain('differ from what a kept checkpoint signs');
  });

  it('is found when the journal was replaced by another chain', () => {
    const other = new ChainWriter(key, 'another-chain');
    other.addText('{"k":"opened"}\n');
    other.addText(other.checkpoint());
    expect(verify(other.segments).verified).toBe(true);
    expect(verify(other.segments, { kept }).damage.findings[0]?.what).toContain('of another chain');
  });
});

describe('a journal that was cut back', () => {
  it('verifies by itself, which is why checkpoints are kept elsewhere', () => {
    expect(verify(cut(20)).verified).toBe(true);
  });

  it('is found beside a kept checkpoint, with what is missing', () => {
    const { damage } = verify(cut(20), { kept });
    expect(damage.findings).toHaveLength(1);
    expect(damage.findings[0]).toMatchObject({
      group: 20,
      what: 'the journal was cut back: groups 20 to 32 and the kept checkpoint that signs them are missing',
    });
  });

  it('is found when the group of the last kept checkpoint itself was cut off', () => {
    const { damage } = verify(cut(33), { kept });
    expect(damage.findings).toMatchObject([{ group: 33 }]);
    expect(damage.findings[0]?.what).toContain('the kept checkpoint of group 32 is no longer in it');
  });

  it('down to nothing is found beside a kept checkpoint', () => {
    expect(verify([], { kept }).damage.findings[0]).toMatchObject({ group: 1 });
  });

  it('is not excused by a kept checkpoint that was edited', () => {
    const edited = kept.map(({ text, ...rest }) =>
      Object.assign(rest, { text: text.replace('"to":', '"to":1') }),
    );
    expect(verify(segments, { kept: edited }).verified).toBe(false);
  });
});
