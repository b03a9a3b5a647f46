// Changes of an input: bytes, ranges, lines, encodings, pieces of a dictionary and of other inputs. Pure but for the
// random numbers, which are seeded: the same seed makes the same run.
import { below, type Random } from '../tamper/journal.ts';

export interface Mutator {
  readonly random: Random;
  readonly dictionary: readonly string[];
  /** Another input of the pool. */
  other(): string;
}

/** Longer inputs only cost time: every bound of the gate's lies lower, or has a target of its own. */
const MAX_LENGTH = 40_000;

type Change = (input: string, mutator: Mutator) => string;

function spliced(input: string, at: number, remove: number, insert: string): string {
  return input.slice(0, at) + insert + input.slice(at + remove);
}

function place(input: string, random: Random): number {
  return below(random, input.length + 1);
}

/** Mostly short. */
function span(random: Random, most: number): number {
  return 1 + below(random, below(random, 8) === 0 ? Math.max(1, most) : Math.min(8, Math.max(1, most)));
}

function anyOf<T>(list: readonly T[], random: Random): T | undefined {
  return list[below(random, list.length)];
}

const ODD_BYTES = [...'\0\t\n\r %./\\;:?#&=+[]{}()<>"\'`|^~_-*,!@$', '\x7f', '\x80', '\xa0', '\xff'];
const ODD_NUMBERS = ['0', '-1', '1e999', '2147483648', '9007199254740993', '0x10', '00', '1.5', 'NaN'];
/** As UTF-8: forms that fold to ASCII, vanish, or change their length when their case does. */
const ODD_CHARACTERS = [
  '\uff0e',
  '\uff0f',
  '\uff05',
  '\uff1b',
  '\uff03',
  '\uff1f',
  '\uff3c',
  '\u2025',
  '\uff41',
  '\u200b',
  '\u00ad',
  '\ufeff',
  '\u{e0001}',
  '\u0130',
  '\u00df',
  '\ufb00',
  '\u212a',
  '\u03c2',
  '\u0301',
];

const CHANGES: readonly Change[] = [
  (input, { random }) => spliced(input, place(input, random), 1, String.fromCharCode(below(random, 256))),
  (input, { random }) => spliced(input, place(input, random), 0, anyOf(ODD_BYTES, random) ?? ''),
  (input, { random }) => spliced(input, place(input, random), 1, anyOf(ODD_BYTES, random) ?? ''),
  (input, { random }) => spliced(input, place(input, random), span(random, input.length), ''),
  (input, { random, dictionary }) => spliced(input, place(input, random), 0, anyOf(dictionary, random) ?? ''),
  (input, { random, dictionary }) =>
    spliced(input, place(input, random), span(random, 12), anyOf(dictionary, random) ?? ''),
  (input, { random }) => {
    const from = place(input, random);
    return spliced(input, place(input, random), 0, input.slice(from, from + span(random, input.length)));
  },
  (input, { random, other }) => {
    const piece = other();
    const from = place(piece, random);
    return spliced(input, place(input, random), span(random, 20), piece.slice(from, from + span(random, 60)));
  },
  (input, { random, other }) => {
    const second = other();
    return input.slice(0, place(input, random)) + second.slice(place(second, random));
  },
  (input, { random }) => changedByte(input, random, (byte) => `%${byte.toString(16).padStart(2, '0')}`),
  (input, { random }) => changedByte(input, random, (byte) => `%25${byte.toString(16).padStart(2, '0')}`),
  (input, { random }) => changedByte(input, random, (byte) => String.fromCharCode(byte ^ 0x20)),
  (input, { random }) =>
    changedByte(input, random, (byte) => String.fromCharCode(byte ^ (1 << below(random, 8)))),
  (input, { random }) =>
    changedByte(input, random, (byte) =>
      byte > 0x20 && byte < 0x7f ? utf8(String.fromCodePoint(byte + 0xfee0)) : String.fromCharCode(byte),
    ),
  (input, { random }) => {
    const bytes = utf8(anyOf(ODD_CHARACTERS, random) ?? '');
    const escaped = below(random, 2) === 0 ? escapedBytes(bytes) : bytes;
    return spliced(input, place(input, random), below(random, 2), escaped);
  },
  (input, { random }) => input.replace(/\d+/, anyOf(ODD_NUMBERS, random) ?? '0'),
  (input, { random }) => withLines(input, (lines) => lines.splice(below(random, lines.length), 1)),
  (input, { random }) =>
    withLines(input, (lines) => lines.splice(below(random, lines.length), 0, anyOf(lines, random) ?? '')),
  (input, { random }) =>
    withLines(input, (lines) => {
      const [a, b] = [below(random, lines.length), below(random, lines.length)];
      [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    }),
  (input, { random }) => {
    const at = place(input, random);
    const piece = input.slice(at, at + span(random, 6));
    return spliced(input, at, 0, piece.repeat(1 + below(random, below(random, 20) === 0 ? 2000 : 12)));
  },
];

/** One change, often more. */
export function mutated(input: string, mutator: Mutator): string {
  let text = input;
  do text = (anyOf(CHANGES, mutator.random) as Change)(text, mutator);
  while (below(mutator.random, 3) !== 0);
  return text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH) : text;
}

function changedByte(input: string, random: Random, change: (byte: number) => string): string {
  if (input === '') return input;
  const at = below(random, input.length);
  return spliced(input, at, 1, change(input.charCodeAt(at)));
}

function withLines(input: string, change: (lines: string[]) => void): string {
  const lines = input.split('\n');
  change(lines);
  return lines.join('\n');
}

function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function escapedBytes(bytes: string): string {
  return bytes.replace(/[^]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}
