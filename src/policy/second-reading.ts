// P3: the further readings of a path that a route opted in for: `%2F %5C %3F %23` taken as structure, and
// `%25` taken as another layer of encoding. Deny rules are evaluated on every one of them. Rare, so it allocates.
// Assumes a canonical path; the plain reading (decoded once, encoded slashes within their segment) is not repeated.
// Guarantees: all of them together are little more work than one long plain path, whatever the path holds.
import {
  decodeAgain,
  decodeStrict,
  gainsStructure,
  hasControl,
  hasEncodedOctet,
  isDotSegment,
} from './fold.ts';

export interface SecondReading {
  /** Decoded, not folded; none empty. */
  readonly segments: readonly string[];
  /** What would be a query in this reading, ahead of the request's own; usually empty. */
  readonly query: string;
}

/** Layers of encoding beyond this are nobody's file name. */
const MAX_LAYERS = 4;

/**
 * What all readings of one path may take: for each its bytes, the query's that is read again behind it, and its segments,
 * which every rule that begins with `**` is asked about. Attack: marks on every layer multiply the readings of a long path, and
 * one request then holds up all the others (second-reading-work.test.ts).
 */
const MAX_WORK = 48 * 1024;
const WORK_PER_SEGMENT = 8;

/** The readings so far; `add` is false once they are more work than a path may be. */
class Readings {
  readonly all: SecondReading[] = [];
  readonly #each: number;
  #left = MAX_WORK;

  constructor(bytes: number) {
    this.#each = bytes;
  }

  add(segments: readonly string[], query: string): boolean {
    this.#left -= this.#each + WORK_PER_SEGMENT * segments.length;
    if (this.#left < 0) return false;
    this.all.push({ segments, query });
    return true;
  }
}

/**
 * Null: some reading holds what P2 to P4 refuse (dot segments, control characters, bytes that are no UTF-8), or there are
 * too many of them. `queryLength`: of the request's own query, where it is read again for each.
 */
export function secondReadings(path: string, queryLength = 0): readonly SecondReading[] | null {
  const readings = new Readings(path.length + queryLength);
  if (!readFrom(path, readings)) return null;
  // Servlet containers take parameters off before they decode: `/a%2Fexports;%2Fb` is `/a/exports` to them.
  if (path.includes(';') && !readFrom(path.replaceAll(/;[^/]*/g, ''), readings)) return null;
  return readings.all;
}

/** Whether every reading is one that may be, and they are not too many. */
function readFrom(path: string, readings: Readings): boolean {
  let segments = mapAll(path.slice(1).split('/'), decodeStrict);
  for (let layer = 1; segments !== null; layer++) {
    if (layer > 1) {
      if (segments.some(isUnsafe)) return false;
      const whole = segments.filter((segment) => segment !== '');
      if (!readings.add(whole, '')) return false;
    }
    if (segments.some(hasStructure) && !readSplits(segments.join('/'), readings)) return false;
    if (!segments.some(hasEncodedOctet)) return true;
    if (layer === MAX_LAYERS) return false;
    segments = mapAll(segments, decodeAgain);
  }
  return false;
}

function mapAll(
  segments: readonly string[],
  decode: (segment: string) => string | null,
): readonly string[] | null {
  const decoded: string[] = [];
  for (const segment of segments) {
    const one = decode(segment);
    if (one === null) return null;
    decoded.push(one);
  }
  return decoded;
}

function hasStructure(segment: string): boolean {
  return /[/\\?#]/.test(segment);
}

function isUnsafe(segment: string): boolean {
  return hasControl(segment) || isDotSegment(segment) || gainsStructure(segment);
}

/**
 * Which of the four are structure is the application's choice: `a%3Fb%2Fexports` is `a` with a query to one and `exports`
 * below `a?b` to another, `a%5Cb%2Fexports` has two segments or three. Every combination is a reading of its own.
 */
function readSplits(text: string, readings: Readings): boolean {
  for (const mark of text.includes('?') ? ['?', null] : [null]) {
    for (const hash of text.includes('#') ? ['#', null] : [null]) {
      const [bare, query] = cutAtMark(hash === null ? text : cutAt(text, hash), mark);
      for (const separator of bare.includes('\\') ? [/[/\\]/, '/'] : ['/']) {
        const segments = bare.split(separator).filter((segment) => segment !== '');
        if (segments.some(isUnsafe) || !readings.add(segments, query)) return false;
      }
    }
  }
  return true;
}

function cutAt(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at === -1 ? text : text.slice(0, at);
}

function cutAtMark(text: string, mark: string | null): readonly [path: string, query: string] {
  const path = mark === null ? text : cutAt(text, mark);
  return [path, text.slice(path.length + 1)];
}
