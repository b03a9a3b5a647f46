// Random edits of a journal: of bytes, lines, groups and segments; and where each of them first changed something.
import { below, type MemorySegment, type Random } from './journal.ts';

export interface GroupSpan {
  /** Index of its segment. */
  readonly segment: number;
  readonly group: number;
  readonly start: number;
  readonly end: number;
}

export interface Edit {
  readonly kind: string;
  readonly segments: readonly MemorySegment[];
}

/** Of a journal as it was written. */
export function groupSpans(segments: readonly MemorySegment[]): GroupSpan[] {
  const spans: GroupSpan[] = [];
  for (const [segment, { bytes }] of segments.entries()) {
    let start = 0;
    for (const { from, to } of lineSpans(bytes)) {
      const seal = /^\{"k":"seal","n":(\d+)/.exec(bytes.toString('latin1', from, to));
      if (seal === null) continue;
      spans.push({ segment, group: Number(seal[1]), start, end: to });
      start = to;
    }
  }
  return spans;
}

function lineSpans(bytes: Buffer): { from: number; to: number }[] {
  const spans = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(0x0a, from) + 1;
    spans.push({ from, to });
    from = to;
  }
  return spans;
}

/**
 * The group that holds the first changed byte; of groups that are gone or stand in another's place, the first of those.
 * Behind the last group it is the number after it. Null when nothing changed.
 */
export function firstChanged(
  before: readonly MemorySegment[],
  after: readonly MemorySegment[],
  spans: readonly GroupSpan[],
): number | null {
  for (const [segment, { number, bytes }] of before.entries()) {
    const other = after.find((edited) => edited.number === number)?.bytes ?? null;
    const offset = other === null ? 0 : firstDifference(bytes, other);
    if (offset === null) continue;
    const inside = spans.find(
      (span) => span.segment === segment && span.start <= offset && offset < span.end,
    );
    if (inside !== undefined) return inside.group;
    return (spans.findLast((span) => span.segment === segment)?.group ?? 0) + 1;
  }
  return null;
}

function firstDifference(a: Buffer, b: Buffer): number | null {
  const length = Math.min(a.length, b.length);
  // Buffer.compare is native; halving finds the place.
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2) + 1;
    if (a.compare(b, low, middle, low, middle) === 0) low = middle;
    else high = middle - 1;
  }
  return low === length && a.length === b.length ? null : low;
}

interface Attack {
  readonly before: readonly MemorySegment[];
  readonly spans: readonly GroupSpan[];
  readonly random: Random;
}

type MakeEdit = (attack: Attack) => readonly MemorySegment[];

function withBytes(segments: readonly MemorySegment[], at: number, bytes: Buffer): MemorySegment[] {
  return segments.map((segment, i) => (i === at ? { number: segment.number, bytes } : segment));
}

/** In the segment `at`, `remove` bytes from `offset` on become `insert`. */
function spliced(
  segments: readonly MemorySegment[],
  place: { readonly at: number; readonly offset: number; readonly remove: number },
  insert: Buffer,
): MemorySegment[] {
  const { bytes } = segments[place.at] as MemorySegment;
  const rest = bytes.subarray(place.offset + place.remove);
  return withBytes(segments, place.at, Buffer.concat([bytes.subarray(0, place.offset), insert, rest]));
}

const NOTHING = Buffer.alloc(0);

function anyByte({ before, random }: Attack): { readonly at: number; readonly offset: number } {
  const at = below(random, before.length);
  return { at, offset: below(random, (before[at] as MemorySegment).bytes.length) };
}

function anyLine({ before, random }: Attack): {
  readonly at: number;
  readonly from: number;
  readonly to: number;
} {
  const at = below(random, before.length);
  const lines = lineSpans((before[at] as MemorySegment).bytes);
  return { at, ...(lines[below(random, lines.length)] as { from: number; to: number }) };
}

function anyGroup({ spans, random }: Attack): GroupSpan {
  return spans[below(random, spans.length)] as GroupSpan;
}

function bytesOf(segments: readonly MemorySegment[], at: number, from: number, to: number): Buffer {
  return (segments[at] as MemorySegment).bytes.subarray(from, to);
}

interface Piece {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Two pieces that do not overlap change places, in one segment or in two. */
function swapped(segments: readonly MemorySegment[], one: Piece, two: Piece): readonly MemorySegment[] {
  const isFirst = one.at < two.at || (one.at === two.at && one.from < two.from);
  const [a, b] = isFirst ? [one, two] : [two, one];
  const bytesOfA = bytesOf(segments, a.at, a.from, a.to);
  const bytesOfB = bytesOf(segments, b.at, b.from, b.to);
  // The later one first, so that the earlier one's place stays valid.
  const half = spliced(segments, { at: b.at, offset: b.from, remove: b.to - b.from }, bytesOfA);
  return spliced(half, { at: a.at, offset: a.from, remove: a.to - a.from }, bytesOfB);
}

function pieceOf({ segment, start, end }: GroupSpan): Piece {
  return { at: segment, from: start, to: end };
}

const EDITS: Readonly<Record<string, MakeEdit>> = {
  'change a byte': (attack) => {
    const place = anyByte(attack);
    return spliced(attack.before, { ...place, remove: 1 }, Buffer.of(below(attack.random, 256)));
  },
  'change a bit': (attack) => {
    const { at, offset } = anyByte(attack);
    const byte = bytesOf(attack.before, at, offset, offset + 1)[0] as number;
    return spliced(
      attack.before,
      { at, offset, remove: 1 },
      Buffer.of(byte ^ (1 << below(attack.random, 8))),
    );
  },
  'change a digit': (attack) => {
    const { at, offset } = anyByte(attack);
    return spliced(attack.before, { at, offset, remove: 1 }, Buffer.of(0x30 + below(attack.random, 10)));
  },
  'delete bytes': (attack) => {
    const remove = 1 + below(attack.random, 40);
    return spliced(attack.before, { ...anyByte(attack), remove }, NOTHING);
  },
  'insert bytes': ({ before, ...attack }) => {
    const bytes = Buffer.from(
      Array.from({ length: 1 + below(attack.random, 20) }, () => below(attack.random, 256)),
    );
    return spliced(before, { ...anyByte({ before, ...attack }), remove: 0 }, bytes);
  },
  'swap neighbouring bytes': (attack) => {
    const { at, offset } = anyByte(attack);
    const pair = bytesOf(attack.before, at, offset, offset + 2);
    return spliced(attack.before, { at, offset, remove: pair.length }, Buffer.from([...pair].toReversed()));
  },
  'delete a line': (attack) => {
    const { at, from, to } = anyLine(attack);
    return spliced(attack.before, { at, offset: from, remove: to - from }, NOTHING);
  },
  'copy a line': (attack) => {
    const line = anyLine(attack);
    const target = anyLine(attack);
    const offset = below(attack.random, 2) === 0 ? target.from : target.to;
    return spliced(
      attack.before,
      { at: target.at, offset, remove: 0 },
      bytesOf(attack.before, line.at, line.from, line.to),
    );
  },
  'put a line in the place of another': (attack) => {
    const line = anyLine(attack);
    const { at, from, to } = anyLine(attack);
    return spliced(
      attack.before,
      { at, offset: from, remove: to - from },
      bytesOf(attack.before, line.at, line.from, line.to),
    );
  },
  'swap lines': (attack) => swapped(attack.before, anyLine(attack), anyLine(attack)),
  'delete groups': (attack) => {
    const first = anyGroup(attack);
    const last = attack.spans.find(
      ({ segment, group }) => segment === first.segment && group === first.group + below(attack.random, 4),
    );
    const remove = (last ?? first).end - first.start;
    return spliced(attack.before, { at: first.segment, offset: first.start, remove }, NOTHING);
  },
  'copy a group': (attack) => {
    const { segment, start, end } = anyGroup(attack);
    const target = anyGroup(attack);
    const offset = below(attack.random, 2) === 0 ? target.start : target.end;
    return spliced(
      attack.before,
      { at: target.segment, offset, remove: 0 },
      bytesOf(attack.before, segment, start, end),
    );
  },
  'put a group in the place of another': (attack) => {
    const { segment, start, end } = anyGroup(attack);
    const { at, from, to } = pieceOf(anyGroup(attack));
    return spliced(
      attack.before,
      { at, offset: from, remove: to - from },
      bytesOf(attack.before, segment, start, end),
    );
  },
  'swap groups': (attack) => swapped(attack.before, pieceOf(anyGroup(attack)), pieceOf(anyGroup(attack))),
  'swap neighbouring groups': (attack) => {
    const one = anyGroup(attack);
    const next = attack.spans.find(({ group }) => group === one.group + 1) ?? one;
    return swapped(attack.before, pieceOf(one), pieceOf(next));
  },
  'swap segments': ({ before, random }) => {
    const [a, b] = [below(random, before.length), below(random, before.length)];
    const bytesOfA = (before[a] as MemorySegment).bytes;
    return withBytes(withBytes(before, a, (before[b] as MemorySegment).bytes), b, bytesOfA);
  },
  'remove a segment': ({ before, random }) => {
    // The oldest is what retention removes: verification tells where a journal begins, and no more can be told.
    const at = 1 + below(random, before.length - 1);
    return before.filter((_, i) => i !== at);
  },
  'cut a segment short': (attack) => {
    const { at, offset } = anyByte(attack);
    return withBytes(attack.before, at, bytesOf(attack.before, at, 0, offset));
  },
  'cut the journal short': (attack) => {
    const { at, offset } = anyByte(attack);
    return withBytes(attack.before, at, bytesOf(attack.before, at, 0, offset)).slice(0, at + 1);
  },
  'cut the journal short at a group': (attack) => {
    const { segment, start } = anyGroup(attack);
    return withBytes(attack.before, segment, bytesOf(attack.before, segment, 0, start)).slice(0, segment + 1);
  },
};

const KINDS = Object.keys(EDITS);

/** The kinds take turns. */
export function makeEdit(attack: Attack, turn: number): Edit {
  const kind = KINDS[turn % KINDS.length] as string;
  return { kind, segments: (EDITS[kind] as MakeEdit)(attack) };
}
