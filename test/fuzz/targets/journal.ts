// A journal that somebody changed: verification never throws and finds every change, made with the chain's hashes worked
// out again (`reseal`) or not, since the checkpoints are signed and one is kept elsewhere; and whoever reads the damaged
// journal for records does not fall over it. An input is edits of one small journal, a line each:
//   reseal                                         the chain is worked out anew over what the edits leave
//   edit <segment> <offset> <removed> <text>       escapes of JSON strings without quotes; offsets count from the front
import * as fc from 'fast-check';
import { NO_KEYS } from '#audit/line-context.ts';
import type { JournalLine } from '#audit/journal-lines.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import { type MemorySegment, memorySource, newSigningKey, smallJournal } from '../../tamper/journal.ts';
import { resealed, type SegmentPlace } from '../../tamper/reseal.ts';
import { broken, type FuzzTarget, synchronous } from '../fuzz-target.ts';

const key = newSigningKey();
const original = smallJournal({ seed: 7, segments: 3, groupsPerSegment: 5, key });
const { segments: BEFORE, kept } = original;
const MAX_EDITS = 20;

function run(input: string): string {
  const lines = input.split('\n');
  const edited = BEFORE.map(({ number, bytes }) => ({ number, bytes: edit(bytes, number, lines) }));
  const after = lines.includes('reseal') ? resealed(edited, openedOn) : edited;
  const report = verifyJournal({ source: memorySource(after), publicKeys: [key.publicKey], kept });
  const isChanged = after.some(({ bytes }, i) => !bytes.equals(BEFORE[i]?.bytes ?? bytes));
  const isFound = !report.verified || report.tailBytes > 0;
  if (isChanged && !isFound) broken('finds every change', { input });
  if (!isChanged && isFound) broken('finds nothing where nothing changed', report.damage);
  if (report.verified !== (report.damage.count === 0)) broken('is verified or damaged', { input });
  checkReport(report, after);
  return `${wordsOf(report)}; ${readRecords(after)}`;
}

function checkReport({ damage, groups, bytes }: VerifyReport, segments: readonly MemorySegment[]): void {
  const size = segments.reduce((sum, one) => sum + one.bytes.length, 0);
  if (bytes > size * 2) broken('reads what is there', { bytes, size });
  for (const { segment, group, offset, what } of damage.findings) {
    const isPlace = Number.isSafeInteger(segment) && Number.isSafeInteger(group) && offset >= 0;
    if (!isPlace || what === '' || /[^ -~]/.test(what))
      broken('findings are a place and a plain sentence', { segment, group, offset, what });
  }
  if (groups.count > 0 && groups.last < groups.first) broken('counts its groups', groups);
}

function wordsOf({ damage, tailBytes }: VerifyReport): string {
  const first = damage.findings[0]?.what.replaceAll(/[0-9]+|[0-9a-f]{8,}/g, '…').slice(0, 60);
  return first ?? (tailBytes > 0 ? 'a tail' : 'whole');
}

function edit(bytes: Buffer, segment: number, lines: readonly string[]): Buffer {
  let text = bytes.toString('latin1');
  for (const line of lines.slice(0, MAX_EDITS)) {
    const found = /^edit (\d{1,3}) (\d{1,7}) (\d{1,7}) ?([^]*)$/.exec(line);
    if (found === null || Number(found[1]) % BEFORE.length !== segment - 1) continue;
    const at = Number(found[2]) % (text.length + 1);
    text = text.slice(0, at) + unescaped(found[4] ?? '') + text.slice(at + Number(found[3]));
  }
  return Buffer.from(text, 'latin1');
}

function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/** Of what may be no JSON any more. */
function openedOn(line: string, { prev }: SegmentPlace): string {
  return line.replace(/"prev":"[0-9a-f]*"/, `"prev":"${prev}"`);
}

/** What the readers of a journal do with each line that is JSON; they may refuse it, by an error, and never loop. */
function readRecords(segments: readonly MemorySegment[]): string {
  const joiner = new RecordJoiner('fuzz', 1, NO_KEYS);
  const records: Parameters<RecordJoiner['take']>[2] = [];
  let refused = 0;
  for (const { number, bytes } of segments) {
    for (const line of bytes.toString('latin1').split('\n')) {
      if (!line.startsWith('{"k":"')) continue;
      try {
        joiner.take(JSON.parse(line) as JournalLine, { segment: number, offset: 0 }, records);
      } catch (error) {
        if (error instanceof RangeError && /stack/.test(error.message)) throw error;
        refused += 1;
      }
    }
  }
  return `${Math.min(refused, 5)} lines refused`;
}

const LINES = BEFORE.flatMap(({ bytes }) => bytes.toString('latin1').split('\n')).filter(
  (line) => line !== '',
);
const PIECES = [
  ...new Set(LINES.flatMap((line) => line.match(/"[a-z]+":(?:"[^"]{0,12}"|\d+)/gi) ?? [])),
].slice(0, 150);
const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

const place = fc.tuple(fc.nat(BEFORE.length - 1), fc.nat(6000), fc.oneof(fc.nat(3), fc.nat(400)));
const insert = fc.oneof(
  fc.constant(''),
  fc.constantFrom(...LINES).map((line) => escaped(`${line}\n`)),
  fc.constantFrom(...PIECES).map(escaped),
  fc.string({ maxLength: 4 }).map(escaped),
);
const oneEdit = fc
  .tuple(place, insert)
  .map(([[segment, offset, removed], text]) => `edit ${segment} ${offset} ${removed} ${text}`);

export const target: FuzzTarget = {
  name: 'journal',
  dictionary: [
    ...PIECES.map(escaped),
    ...LINES.slice(0, 40).map((line) => escaped(`${line}\n`)),
    'reseal\n',
    '\\n',
    '{\\"k\\":\\"',
    '\\u0000',
    'edit 0 0 1 ',
  ],
  fresh: fc
    .tuple(fc.boolean(), fc.array(oneEdit, { minLength: 1, maxLength: 3 }))
    .map(([reseal, edits]) => `${reseal ? 'reseal\n' : ''}${edits.join('\n')}`),
  seeds: () => ['', 'reseal', ...LINES.map((line, i) => `edit 0 ${i * 40} ${line.length + 1} `)],
  batch: 100,
  open: synchronous(run, 1000),
};
