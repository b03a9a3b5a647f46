// Hints in how an operation is named: path, operation id, summary, description, tags, parameter names. Each phrase of
// the vocabulary counts where it weighs most, and a little more for every further place that says it. Cold.
import type { ApiOperation } from '../openapi-operation.ts';
import type { Hint } from './suspicion.ts';
import { CATEGORIES, type CategoryWords, INNOCENT, OWN, READING_VERBS } from './vocabulary.ts';
import { phrasesOf, wordsOf } from './words.ts';

interface Place {
  readonly name: string;
  /** What is left of a phrase's points here. */
  readonly weight: number;
  readonly phrases: readonly string[];
}

const WEIGHTS = {
  lastOfPath: 1,
  path: 0.6,
  operationId: 0.7,
  summary: 0.5,
  tag: 0.25,
  description: 0.2,
  parameter: 0.3,
} as const;

/** What a phrase adds that weighs more elsewhere, or stands within a longer one that counts. */
const REPEATED = 1 / 3;
/** What is left where one thing is read and not all of them, and reading is not the harm in itself. */
const READS_ONE = 0.8;

export function hintsOfNames(operation: ApiOperation): readonly Hint[] {
  const places = placesOf(operation);
  const reads = isReading(operation);
  const isOwn = isAboutOneself(operation);
  return CATEGORIES.flatMap((words) => {
    let factor = isOwn ? words.ownFactor : 1;
    if (reads) factor *= words.readingFactor;
    if (reads && words.readingFactor < 1 && operation.path.endsWith('}')) factor *= READS_ONE;
    return hintsOf(words, places, factor);
  });
}

function hintsOf(words: CategoryWords, places: readonly Place[], factor: number): readonly Hint[] {
  const found = new Map<string, Hint[]>();
  for (const { name, weight, phrases } of places) {
    const known = [...new Set(phrases)].filter((phrase) => pointsOf(words, phrase) > 0);
    const hints = known.map((phrase): Hint => {
      const isPart = known.some((other) => other !== phrase && ` ${other} `.includes(` ${phrase} `));
      const points = pointsOf(words, phrase) * weight * factor * (isPart ? REPEATED : 1);
      return { category: words.category, points, words: phrase, place: name };
    });
    // Prose says many things, whom to ask and how to sign in among them: only its strongest word counts.
    const counted = name === 'description' ? hints.toSorted(byPoints).slice(0, 1) : hints;
    for (const hint of counted) found.set(hint.words, [...(found.get(hint.words) ?? []), hint]);
  }
  return [...found.values()].flatMap(oneInFull);
}

/** The best place in full, the others for repeating it. */
function oneInFull(hints: readonly Hint[]): readonly Hint[] {
  const [best, ...others] = hints.toSorted(byPoints);
  const weak = others.map(({ category, points, words, place }) => ({
    category,
    points: points * REPEATED,
    words,
    place,
  }));
  return best === undefined ? [] : [best, ...weak];
}

function pointsOf({ terms }: CategoryWords, phrase: string): number {
  return Object.hasOwn(terms, phrase) ? (terms[phrase] as number) : 0;
}

function byPoints(a: Hint, b: Hint): number {
  return b.points - a.points;
}

function placesOf(operation: ApiOperation): readonly Place[] {
  const segments = literalsOf(operation.path);
  return [
    { name: 'path', weight: WEIGHTS.lastOfPath, phrases: [...endPhrases(segments)] },
    place('path', WEIGHTS.path, segments.slice(0, -1)),
    place('operationId', WEIGHTS.operationId, [operation.operationId]),
    place('summary', WEIGHTS.summary, [operation.summary]),
    place('tag', WEIGHTS.tag, operation.tags),
    place('description', WEIGHTS.description, [operation.description]),
    place(
      'parameter',
      WEIGHTS.parameter,
      operation.parameters.map(({ name }) => name),
    ),
  ];
}

function place(name: string, weight: number, texts: readonly (string | null)[]): Place {
  return { name, weight, phrases: texts.flatMap((text) => (text === null ? [] : meaningful(text))) };
}

/** Of the last segment, and of the two last ones together: `/users/{id}/merge` says `merge user` too. */
function* endPhrases(segments: readonly string[]): Generator<string> {
  const last = segments.at(-1);
  if (last === undefined) return;
  yield* meaningful(last);
  const before = segments.at(-2);
  if (before === undefined) return;
  const [ending, beginning] = [wordsOf(before).at(-1), wordsOf(last)[0]];
  if (ending === undefined || beginning === undefined) return;
  for (const phrase of [`${ending} ${beginning}`, `${beginning} ${ending}`]) {
    if (!INNOCENT.has(phrase)) yield phrase;
  }
}

/** Phrases without those that mean something else. */
function meaningful(text: string): readonly string[] {
  const words = wordsOf(text);
  const kept: string[][] = [[]];
  for (let i = 0; i < words.length; i++) {
    if (INNOCENT.has(words.slice(i, i + 2).join(' '))) {
      i++;
      kept.push([]);
    } else kept.at(-1)?.push(words[i] as string);
  }
  return kept.flatMap(phrasesOf);
}

/** Segments of a path that are written out, in order; `{id}.csv` is `csv`. */
export function literalsOf(path: string): readonly string[] {
  return path
    .split(/[/?#]/)
    .map((segment) => segment.replace(/\{[^{}]*\}/g, ' ').trim())
    .filter((segment) => /[A-Za-z0-9]/.test(segment));
}

const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

function isReading({ method, path, operationId }: ApiOperation): boolean {
  if (READING_METHODS.has(method)) return true;
  if (method !== 'POST') return false;
  const last = wordsOf(literalsOf(path).at(-1) ?? '');
  const verb = wordsOf(operationId ?? '')[0] ?? '';
  return (last.length === 1 && READING_VERBS.has(last[0] as string)) || READING_VERBS.has(verb);
}

function isAboutOneself({ path, operationId }: ApiOperation): boolean {
  const words = [...literalsOf(path).flatMap(wordsOf), ...wordsOf(operationId ?? '')];
  return words.some((word) => OWN.has(word));
}
