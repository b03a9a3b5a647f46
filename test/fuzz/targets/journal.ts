// A journal that somebody changed: verification never throws, and what it calls whole is. Of what was signed no byte is
// another, with the chain's hashes worked out again (`reseal`) or not; of what was not signed yet no byte that was not
// sealed anew, and then its lines are a journal's, numbered without a gap. A gate goes on behind the last whole seal, and
// whoever reads the damaged journal for records does not fall over it. An input is edits of one small journal, a line each:
//   reseal                                         the chain is worked out anew over what the edits leave
//   unkept                                         no checkpoint was kept elsewhere, so that cutting back is no change
//   edit <segment> <offset> <removed> <text>       escapes of JSON strings without quotes; offsets count from the front
import * as fc from 'fast-check';
import { NO_KEYS } from '#audit/line-context.ts';
import type { JournalLine } from '#audit/journal-lines.ts';
import { nodeJournalFiles } from '#audit/journal-files.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { readChainStart } from '#audit/chain/chain-start.ts';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import { type MemorySegment, memorySource, newSigningKey, smallJournal } from '../../tamper/journal.ts';
import { resealed, type SegmentPlace } from '../../tamper/reseal.ts';
import { broken, type FuzzTarget, synchronous } from '../fuzz-target.ts';
import {
  checkpointLines,
  endOfGroup,
  foreignLines,
  lastSealOf,
  mayBeTorn,
  tenantsOutOfCount,
  wholeText,
} from '../reference-journal.ts';

const key = newSigningKey();
const original = smallJournal({ seed: 7, segments: 3, groupsPerSegment: 5, key });
// Groups that no checkpoint covers yet: there the seals and the lines alone tell.
for (const tenant of ['acme', 'globex', 'acme']) {
  const intent = original.numbered('intent', tenant, { id: 'late', t: 1, method: 'GET', path: '/' });
  original.addText(intent + original.numbered('done', tenant, { id: 'late', code: 'allowed', status: 200 }));
}
const { segments: BEFORE, kept } = original;
const TEXT = wholeText(BEFORE);
/** No other was ever made with the key. */
const CHECKPOINTS = new Set(checkpointLines(TEXT));
const LAST_SIGNED = Math.max(...kept.map(({ to }) => to));
const MAX_EDITS = 20;

function run(input: string): string {
  const lines = input.split('\n');
  const edited = BEFORE.map(({ number, bytes }) => ({ number, bytes: edit(bytes, number, lines) }));
  const isResealed = lines.includes('reseal');
  const after = isResealed ? resealed(edited, openedOn) : edited;
  const isKept = !lines.includes('unkept');
  const report = verifyJournal({
    source: memorySource(after),
    publicKeys: [key.publicKey],
    kept: isKept ? kept : null,
  });
  const text = wholeText(after);
  if (text === TEXT && (!report.verified || report.tailBytes > 0))
    broken('finds nothing where nothing changed', report.damage);
  if (report.verified !== (report.damage.count === 0)) broken('is verified or damaged', { input });
  if (report.verified) checkVerified(report, text, { isResealed, isKept });
  checkReport(report, after);
  return `${wordsOf(report)}; ${readRecords(after)}; ${goOn(after)}`;
}

function checkVerified(
  { checkpoints, tailBytes }: VerifyReport,
  text: string,
  { isResealed, isKept }: { readonly isResealed: boolean; readonly isKept: boolean },
): void {
  const whole = text.slice(0, text.length - tailBytes);
  const tail = text.slice(whole.length);
  const signed = TEXT.slice(0, endOfGroup(TEXT, isKept ? LAST_SIGNED : (checkpoints.last?.to ?? 0)));
  if (!whole.startsWith(signed)) broken('finds every change of what was signed', { text });
  if (!isResealed && !TEXT.startsWith(whole)) broken('finds every change of what was sealed', { text });
  if (!mayBeTorn(tail)) broken('takes for torn what a writer may have left', { tail });
  const foreign = foreignLines(whole);
  if (foreign.length > 0) broken('finds lines that are none of a journal', { foreign });
  const forged = checkpointLines(whole).filter((line) => !CHECKPOINTS.has(line));
  if (forged.length > 0) broken('takes no checkpoint that was not signed', { forged });
  const tenants = tenantsOutOfCount(whole) ?? [];
  if (tenants.length > 0) broken('finds gaps and repetitions in the numbers of a tenant', { tenants });
}

/** Behind the last whole seal, whatever is damaged before it; it may refuse, where a segment does not begin as one. */
function goOn(after: readonly MemorySegment[]): string {
  const files = {
    ...nodeJournalFiles,
    openForRepair: (path: string) => Number(path),
    read: memorySource(after).read,
    close: () => undefined,
  };
  const segments = after.map(({ number, bytes }) => ({
    number,
    path: String(number),
    bytes: bytes.length,
    modifiedAtMs: 0,
  }));
  let start: ReturnType<typeof readChainStart>;
  try {
    start = readChainStart(files, segments);
  } catch {
    return 'does not start';
  }
  let last: ReturnType<typeof lastSealOf> = null;
  for (const segment of after.toReversed()) {
    last = lastSealOf(segment);
    if ((last?.wholeBytes ?? 0) !== start.wholeBytes.get(segment.number))
      broken('goes on behind the last whole seal', { last, start });
    if (last !== null) break;
  }
  if (start.group !== (last?.group ?? 0) || (last !== null && start.head !== last.head))
    broken('goes on from the last whole group', { last, start });
  return last === null ? 'starts anew' : 'goes on';
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
/** Where a line, a key's value or the inside of one begins, by the kind of the line: kinds are few, lines are many. */
const PLACES = BEFORE.flatMap(({ bytes }, segment) =>
  [...bytes.toString('latin1').matchAll(/(?<=^|\n)\{"k":"([a-z]+)"[^\n]*/g)].flatMap(
    ({ 0: line, 1: kind, index }) =>
      [0, ...[...line.matchAll(/":"?/g)].map((one) => one.index + one[0].length)].map((at) => ({
        kind,
        segment,
        offset: index + at,
      })),
  ),
);
const known = fc
  .constantFrom(...Map.groupBy(PLACES, ({ kind }) => kind).values())
  .chain((places) => fc.constantFrom(...places));
/** One character for another, so that the form stays. */
const overwrite = fc
  .tuple(known, fc.constantFrom('0', '1', '7', 'a', 'f', 'Q'))
  .map(([{ segment, offset }, text]) => `edit ${segment} ${offset} 1 ${text}`);
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
    'unkept\n',
    '\\n',
    '{\\"k\\":\\"',
    '\\u0000',
    'edit 0 0 1 ',
  ],
  fresh: fc
    .tuple(
      fc.subarray(['reseal', 'unkept']),
      fc.array(fc.oneof(oneEdit, overwrite), { minLength: 1, maxLength: 3 }),
    )
    .map((lists) => lists.flat().join('\n')),
  seeds: () => ['', 'reseal', ...LINES.map((line, i) => `edit 0 ${i * 40} ${line.length + 1} `)],
  batch: 100,
  open: synchronous(run, 1000),
};
