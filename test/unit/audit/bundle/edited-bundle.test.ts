// The attack: somebody who was handed a bundle, or hands one on, changes what is in it. Thousands of seeded edits of the
// bytes; then edits by somebody who can sign the whole again with a key that is trusted, so that only the proofs are left.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { endText, readEnd } from '#audit/bundle/bundle-format.ts';
import type { SigningKey } from '#audit/chain/signing-key.ts';
import { type BundleJournal, newKey, textOf, twoTenants, verified } from '../../../support/bundle-journal.ts';

const EDITS = 2000;

/** Mulberry32: the same numbers on every machine. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = ReturnType<typeof seeded>;

function editedText(text: string, random: Random): string {
  const lines = text.split('\n').slice(0, -1);
  const line = random(lines.length);
  const other = random(lines.length);
  const byte = random(text.length);
  switch (random(8)) {
    case 0:
      return text.slice(0, byte) + String.fromCharCode(random(256)) + text.slice(byte + 1);
    case 1:
      return text.slice(0, byte) + text.slice(byte + 1 + random(40));
    case 2:
      return text.slice(0, byte) + String.fromCharCode(random(256)) + text.slice(byte);
    case 3:
      return joined(lines.toSpliced(line, 1 + random(3)));
    case 4:
      return joined(lines.toSpliced(other, 0, lines[line] ?? ''));
    case 5:
      return joined(lines.with(line, lines[other] ?? '').with(other, lines[line] ?? ''));
    case 6:
      return text.slice(0, byte);
    default:
      return joined(lines.toSpliced(line, 1, ...lines.slice(other, other + 3)));
  }
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

/** The bundle with an end that counts as the old one did and signs what is there now. */
function signedAgain(text: string, key: SigningKey): string {
  const lines = text.split('\n').slice(0, -1);
  const end = readEnd(lines.at(-1) ?? '');
  if (end === null) throw new Error('no end');
  const body = joined(lines.slice(0, -1));
  return body + endText(end, createHash('sha256').update(body, 'latin1').digest('hex'), key);
}

async function exported(): Promise<{ readonly journal: BundleJournal; readonly text: string }> {
  const journal = await twoTenants();
  journal.export();
  return { journal, text: textOf(journal.file('bundle')) };
}

function problemsOf(journal: BundleJournal, text: string): readonly string[] {
  writeFileSync(journal.file('edited'), text, 'latin1');
  const { problems } = verified(journal.file('edited'), { publicKeys: [journal.key.publicKey] });
  return problems.map((problem) => problem.text);
}

describe('a bundle that was edited', () => {
  it('does not hold, whatever was changed', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    const random = seeded(4);
    let edits = 0;
    for (let i = 0; i < EDITS; i += 1) {
      const edited = editedText(text, random);
      if (edited === text) continue;
      edits += 1;
      if (problemsOf(journal, edited).length === 0) expect.fail(`edit ${i} was not seen`);
    }
    expect(edits).toBeGreaterThan(EDITS * 0.9);
    expect(problemsOf(journal, text)).toEqual([]);
  }, 60_000);

  it('does not hold even when whoever edited its leaves could sign it again', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    const lines = text.split('\n').slice(0, -1);
    const random = seeded(5);
    for (let i = 0; i < EDITS / 4; i += 1) {
      const at = 1 + random(lines.length - 2);
      const line = lines[at] ?? '';
      if (line.startsWith('{"b":"key"')) continue;
      const byte = random(line.length);
      const changed = line.slice(0, byte) + (line[byte] === '7' ? '8' : '7') + line.slice(byte + 1);
      const edited = [lines.with(at, changed), lines.toSpliced(at, 1), lines.toSpliced(at, 0, line)][i % 3];
      if (problemsOf(journal, signedAgain(joined(edited ?? []), journal.key)).length === 0) {
        expect.fail(`edit ${i} of line ${at + 1} was not seen`);
      }
    }
    expect(problemsOf(journal, signedAgain(text, journal.key))).toEqual([]);
  }, 60_000);

  it('does not hold when another key signed it', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    const { key } = newKey();
    expect(problemsOf(journal, signedAgain(text, key))).toEqual([
      'the bundle is not signed by a key that may',
    ]);
  });

  it('does not hold with nothing, something or another line at its end', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    expect(problemsOf(journal, '')).toEqual(['this is no bundle of the format postern-bundle/v1']);
    expect(problemsOf(journal, text.slice(0, -1))).toContain('the last line is cut off');
    expect(problemsOf(journal, `${text}\n`)).toContain('something follows on the end');
    const withoutEnd = joined(text.split('\n').slice(0, -2));
    expect(problemsOf(journal, withoutEnd)).toContain('the end is missing: the bundle was cut off');
  });
});

/** Where the leaf whose lines include `word` stands among the lines of a bundle, its key included. */
function leafAt(lines: readonly string[], word: string): { readonly at: number; readonly count: number } {
  for (let at = 0; at < lines.length; at += 1) {
    const match = /^\{"b":"leaf".*"lines":(\d+)\}$/.exec(lines[at] ?? '');
    if (match === null) continue;
    const count = 1 + Number(match[1]);
    if (!lines.slice(at, at + count).some((line) => line.includes(word))) continue;
    return { at, count: count + (lines[at + count]?.startsWith('{"b":"key"') === true ? 1 : 0) };
  }
  throw new Error('no such leaf');
}

/** Leaves out a leaf, as somebody with the journal's key could. */
function without(text: string, word: string): string {
  const lines = text.split('\n').slice(0, -1);
  const { at, count } = leafAt(lines, word);
  return joined(lines.toSpliced(at, count));
}

describe('a bundle from which its maker left something out', () => {
  it.each([
    ['a record', '"id":"c1"', 'numbers 5 to 6 are missing'],
    ['the line that explains a hole in the numbers', '"k":"unused"', 'numbers 11 to 12 are missing'],
    ['a person', '"k":"subject","s":2', 'a subject line that it refers to is missing'],
    ['whoever granted', '"k":"subject","s":3', 'a subject line that it refers to is missing'],
    ['the policy', '"k":"policy"', 'the policy line that it refers to is missing'],
    ['the segment line', '"k":"segment"', 'there is no segment line before it'],
  ])('does not hold: %s', async (_what, word, problem) => {
    const { journal, text } = await exported();
    using _ = journal;
    expect(problemsOf(journal, signedAgain(without(text, word), journal.key))).toContain(problem);
  });
});

describe('a bundle into which its maker put something', () => {
  it('does not hold with a leaf twice, or two of them exchanged', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    const lines = text.split('\n').slice(0, -1);
    const first = leafAt(lines, '"id":"c1"');
    const second = leafAt(lines, '"id":"c2"');
    const [one, two] = [first, second].map(({ at, count }) => lines.slice(at, at + count));
    const twice = lines.toSpliced(second.at, 0, ...(one ?? []));
    const exchanged = lines.toSpliced(first.at, first.count + second.count, ...(two ?? []), ...(one ?? []));
    for (const edited of [twice, exchanged]) {
      expect(problemsOf(journal, signedAgain(joined(edited), journal.key))).toContain(
        'a leaf that comes twice, too late or under another checkpoint',
      );
    }
  });

  it('does not hold with a proven record of another tenant', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    journal.export({ tenant: 'globex', out: journal.file('globex') });
    const theirs = textOf(journal.file('globex')).split('\n');
    const lines = text.split('\n').slice(0, -1);
    const record = leafAt(theirs, '"id":"b2"');
    const leaf = theirs.slice(record.at, record.at + record.count);
    const edited = lines.toSpliced(leafAt(lines, '"id":"c0"').at, 0, ...leaf);
    expect(problemsOf(journal, signedAgain(joined(edited), journal.key))).toContain(
      'a record of another tenant',
    );
  });

  it('does not hold with a key that opens another line, or a key where there is nothing to open', async () => {
    const { journal, text } = await exported();
    using _ = journal;
    const lines = text.split('\n').slice(0, -1);
    const keys = lines.flatMap((line, at) => (line.startsWith('{"b":"key"') ? [at] : []));
    const wrong = lines.with(keys[0] ?? 0, lines[keys[1] ?? 0] ?? '');
    expect(problemsOf(journal, signedAgain(joined(wrong), journal.key))).toContain(
      'the key does not open the subject line',
    );
    const alone = lines.toSpliced(keys[0] ?? 0, 0, lines[keys[0] ?? 0] ?? '');
    expect(problemsOf(journal, signedAgain(joined(alone), journal.key))).toContain(
      'a key without a subject line',
    );
  });
});
