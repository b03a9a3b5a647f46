// Collects problems by pointer, finds their places in the text, and keeps secret values out of messages and excerpts.
// Assumes nothing of the text: a secret is masked where it stands in the wrong place too. Cold.
import { excerptAt, type Problem, type Span, sortProblems, visible } from './problem.ts';
import type { Place, YamlSource } from './yaml-source.ts';

/** Enough to mend a file by; a hostile one must not fill the terminal. */
const MAX_PROBLEMS = 200;

export interface ProblemList {
  /** At the value of `pointer`; where that is a block or missing, at the key of the nearest thing that holds it. */
  at(pointer: string, message: string): void;
  /** At the key of `pointer`, which nobody knows: a misplaced secret may stand below, so nothing of it is shown. */
  atUnknownKey(pointer: string, message: string): void;
  /** Whether the text itself holds the value, rather than a default. */
  holds(pointer: string): boolean;
  /** Whether something was already said of exactly this value. */
  isReported(pointer: string): boolean;
  /** True for values that must not be repeated in a message. */
  isSecret(pointer: string): boolean;
  readonly count: number;
  /** Sorted by place, each once, at most 200 and a last one that counts the rest. */
  finish(): readonly Problem[];
}

interface Entry {
  readonly span: Span;
  readonly pointer: string;
  readonly message: string;
}

export function createProblemList(file: string, source: YamlSource): ProblemList {
  const entries: Entry[] = source.problems.slice();
  const hidden = new Set<string>();
  return {
    at(pointer, message) {
      if (isUnder(pointer, source.unusable)) return;
      const place = source.places.get(pointer);
      const span = place?.leaf === true ? place.value : keyOf(nearestPlace(source, pointer));
      entries.push({ span, pointer, message });
    },
    atUnknownKey(pointer, message) {
      hidden.add(pointer);
      entries.push({ span: keyOf(nearestPlace(source, pointer)), pointer, message });
    },
    holds: (pointer) => source.places.has(pointer),
    isReported: (pointer) => entries.some((one) => one.pointer === pointer),
    isSecret(pointer) {
      const place = source.places.get(pointer);
      return place !== undefined && isMasked(source, pointer, place, hidden);
    },
    get count() {
      return entries.length;
    },
    finish: () => finish(file, source, entries, hidden),
  };
}

/** `identity.support[0].issuer`, as people write a place; `the file` for the root. */
export function dotted(pointer: string): string {
  if (pointer === '') return 'the file';
  const parts = pointer.slice(1).split('/');
  const text = parts.map((part) =>
    /^\d+$/.test(part) ? `[${part}]` : `.${part.replaceAll('~1', '/').replaceAll('~0', '~')}`,
  );
  return text.join('').replace(/^\./, '');
}

function nearestPlace(source: YamlSource, pointer: string): Place | undefined {
  let at = pointer;
  let place = source.places.get(at);
  while (place === undefined && at !== '') {
    at = at.slice(0, at.lastIndexOf('/'));
    place = source.places.get(at);
  }
  return place;
}

/** An item of a list has no key: its first character stands for it, and the root's is the start of the file. */
function keyOf(place: Place | undefined): Span {
  if (place === undefined) return { start: 0, end: 1 };
  return place.key ?? { start: place.value.start, end: place.value.start + 1 };
}

/** Whether `pointer` is one of `parents` or lies below one. */
function isUnder(pointer: string, parents: ReadonlySet<string>): boolean {
  for (const parent of parents) {
    if (pointer === parent || pointer.startsWith(`${parent}/`)) return true;
  }
  return false;
}

const SECRET_PLACE =
  /^\/(?:secrets|upstream\/inject|audit\/sinks\/\d+\/\w+\/headers|notify\/smtp\/url)(?:\/|$)|\/(?:key|signingKey|cert|keyHash|password|secret|token)(?:\/|$)/;
/** The references themselves are no secrets: a message must name the variable or the file. */
const REFERENCE = /\/from(?:Env|File)$/;
const SECRET_TEXT = /:\/\/[^/\s]*@|-----BEGIN|psk_/;

function isMasked(source: YamlSource, pointer: string, place: Place, hidden: ReadonlySet<string>): boolean {
  if (!place.leaf) return false;
  const text = source.text.slice(place.value.start, place.value.end);
  if (SECRET_TEXT.test(text) || isUnder(pointer, hidden)) return true;
  return SECRET_PLACE.test(pointer) && !(REFERENCE.test(pointer) && isReferenceText(pointer, text));
}

function isReferenceText(pointer: string, text: string): boolean {
  return pointer.endsWith('File') || /^["']?[A-Za-z_][A-Za-z0-9_]*["']?$/.test(text);
}

function finish(
  file: string,
  source: YamlSource,
  entries: readonly Entry[],
  hidden: ReadonlySet<string>,
): readonly Problem[] {
  const starts = lineStarts(source.text);
  const masks = source.broken ? brokenMasks(source.text) : valueMasks(source, hidden);
  const placed = entries.map(({ span, pointer, message }) => {
    const line = lineOf(starts, span.start);
    return {
      file,
      line,
      column: span.start - (starts[line - 1] ?? 0) + 1,
      pointer,
      message,
      span,
      excerpt: null,
    };
  });
  const sorted = sortProblems(placed);
  const shown = sorted.slice(0, MAX_PROBLEMS).map((one): Problem => {
    const { line, column, pointer, message, span } = one;
    const lineStart = starts[line - 1] ?? 0;
    const excerpt = excerptAt({ text: source.text, lineStart, line, span, masks });
    // A message may name a key or a header as it stands there.
    const said = visible(message);
    return { file, line, column, pointer, message: said, excerpt: source.text === '' ? null : excerpt };
  });
  const last = shown.at(-1);
  const more = sorted.length - shown.length;
  if (more === 0 || last === undefined) return shown;
  return [...shown, { ...last, message: `and ${more} more problems`, excerpt: null }];
}

function valueMasks(source: YamlSource, hidden: ReadonlySet<string>): readonly Span[] {
  const masks = source.skipped.slice();
  for (const [pointer, place] of source.places) {
    if (isMasked(source, pointer, place, hidden)) masks.push(place.value);
  }
  return masks;
}

/** Text that is not YAML has no values to mask one by one: on a line that looks like a secret's, all is. */
function brokenMasks(text: string): readonly Span[] {
  const masks: Span[] = [];
  const line =
    /^.*(?:key|token|secret|password|hash|cert|authorization|cookie|psk_|BEGIN|:\/\/[^/\s]*@).*$/gim;
  for (const match of text.matchAll(line)) {
    const colon = match[0].indexOf(':');
    masks.push({ start: match.index + colon + 1, end: match.index + match[0].length });
  }
  return masks;
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
