// `npm run audit:tamper -- --edits N [--seed S]`: makes N random edits of a small journal (bytes, lines, groups,
// segments, truncations) and prints {edits, detected, located}; exits 1 unless all were found where they were made.
import { parseArgs } from 'node:util';
import { newSigningKey, smallJournal } from './journal.ts';
import { type Miss, type TamperCounts, tamper } from './trials.ts';

const { values } = parseArgs({
  options: { edits: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const edits = Number(values.edits);
const seed = Number(values.seed);
/** So that keys, and other lines, are not those of one journal alone. */
const EDITS_PER_JOURNAL = 5000;
const MAX_SHOWN = 20;

const key = newSigningKey();
const sum: TamperCounts = { edits: 0, detected: 0, located: 0 };
let shown = 0;
const show = (miss: Miss) => {
  shown += 1;
  if (shown <= MAX_SHOWN) process.stderr.write(`${JSON.stringify(miss)}\n`);
};
for (let round = 0; sum.edits < edits; round++) {
  const writer = smallJournal({ seed: seed + round, segments: 4, groupsPerSegment: 8, key });
  const victim = { segments: writer.segments, kept: writer.kept, publicKey: key.publicKey };
  const part = Math.min(EDITS_PER_JOURNAL, edits - sum.edits);
  const counts = tamper(victim, { edits: part, seed: seed + round }, show);
  sum.edits += counts.edits;
  sum.detected += counts.detected;
  sum.located += counts.located;
}
process.stdout.write(`${JSON.stringify(sum)}\n`);
process.exitCode = sum.detected === sum.edits && sum.located === sum.edits ? 0 : 1;
