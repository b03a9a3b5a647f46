// The chain worked out anew over changed lines, as by somebody who can write the files and has no key: hashes and numbers
// hold again, signatures do not. What tests and the fuzzer forge journals with.
import { GENESIS, groupHash, sealText } from '#audit/chain/seal.ts';
import type { MemorySegment } from './journal.ts';

/** Where a segment begins: its number, its first group and the seal of the group before. */
export interface SegmentPlace {
  readonly segment: number;
  readonly group: number;
  readonly prev: string;
}

/** Every group sealed again, on the one before. `opened`: the line that begins a segment, with its newline, as it then is. */
export function resealed(
  segments: readonly MemorySegment[],
  opened: (line: string, place: SegmentPlace) => string,
): MemorySegment[] {
  let prev = GENESIS;
  let group = 0;
  return segments.map(({ number, bytes }) => {
    let text = '';
    let lines = '';
    for (const line of bytes.toString('latin1').split(/(?<=\n)/)) {
      if (line.startsWith('{"k":"segment"')) {
        lines += opened(line, { segment: number, group: group + 1, prev });
      } else if (line.startsWith('{"k":"seal"')) {
        group += 1;
        prev = groupHash(Buffer.concat([Buffer.from(prev, 'hex'), Buffer.from(lines, 'latin1')]));
        text += lines + sealText(group, prev);
        lines = '';
      } else {
        lines += line;
      }
    }
    return { number, bytes: Buffer.from(text + lines, 'latin1') };
  });
}
