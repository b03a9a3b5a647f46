// P3: the further readings of a path that a route opted in for: `%2F %5C %3F %23` taken as structure, and
// `%25` taken as another layer of encoding. Deny rules are evaluated on every one of them. Rare, so it allocates.
// Assumes a canonical path; the plain reading (decoded once, encoded slashes within their segment) is not repeated.
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

/** Null: some reading holds what P2 to P4 refuse (dot segments, control characters, bytes that are no UTF-8). */
export function secondReadings(path: string): readonly SecondReading[] | null {
  const whole = readingsFrom(path);
  if (whole === null || !path.includes(';')) return whole;
  // Servlet containers take parameters off before they decode: `/a%2Fexports;%2Fb` is `/a/exports` to them.
  const bare = readingsFrom(path.replaceAll(/;[^/]*/g, ''));
  return bare === null ? null : [...whole, ...bare];
}

function readingsFrom(path: string): readonly SecondReading[] | null {
  const readings: SecondReading[] = [];
  let segments = mapAll(path.slice(1).split('/'), decodeStrict);
  for (let layer = 1; segments !== null; layer++) {
    if (layer > 1) {
      if (segments.some(isUnsafe)) return null;
      readings.push({ segments: segments.filter((segment) => segment !== ''), query: '' });
    }
    if (segments.some(hasStructure)) {
      const split = splitsOf(segments.join('/'));
      if (split === null) return null;
      readings.push(...split);
    }
    if (!segments.some(hasEncodedOctet)) return readings;
    if (layer === MAX_LAYERS) return null;
    segments = mapAll(segments, decodeAgain);
  }
  return null;
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
function splitsOf(text: string): readonly SecondReading[] | null {
  const readings: SecondReading[] = [];
  for (const mark of text.includes('?') ? ['?', null] : [null]) {
    for (const hash of text.includes('#') ? ['#', null] : [null]) {
      const [bare, query] = cutAtMark(hash === null ? text : cutAt(text, hash), mark);
      for (const separator of bare.includes('\\') ? [/[/\\]/, '/'] : ['/']) {
        const segments = bare.split(separator).filter((segment) => segment !== '');
        if (segments.some(isUnsafe)) return null;
        readings.push({ segments, query });
      }
    }
  }
  return readings;
}

function cutAt(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at === -1 ? text : text.slice(0, at);
}

function cutAtMark(text: string, mark: string | null): readonly [path: string, query: string] {
  const path = mark === null ? text : cutAt(text, mark);
  return [path, text.slice(path.length + 1)];
}
