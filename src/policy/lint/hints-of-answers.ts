// Hints in what an operation takes and gives: media types of files, a header that says attachment, a parameter that
// chooses a file, and fields whose whole name says it (`clientSecret`, never `secretary`). Cold.
import type { ApiOperation, ApiParameter } from '../openapi-operation.ts';
import type { Hint } from './suspicion.ts';
import { CATEGORIES, FILE_FORMATS, FILE_TYPES, FORMAT_PARAMETERS } from './vocabulary.ts';
import { wordsOf } from './words.ts';

export function hintsOfFields({ requestFields, responseFields }: ApiOperation): readonly Hint[] {
  const taken = new Map(requestFields.map((name) => [wordsOf(name).join(' '), name]));
  const given = new Map(responseFields.map((name) => [wordsOf(name).join(' '), name]));
  return CATEGORIES.flatMap(({ category, requestFields: asked, responseFields: answered }) =>
    fieldHints(category, asked, taken, 'request field').concat(
      fieldHints(category, answered, given, 'answer field'),
    ),
  );
}

function fieldHints(
  category: string,
  wanted: Readonly<Record<string, number>>,
  fields: ReadonlyMap<string, string>,
  place: string,
): readonly Hint[] {
  // The strongest alone: a secret has an id, a name and a token of the same meaning beside it.
  const found = Object.entries(wanted)
    .filter(([words]) => fields.has(words))
    .toSorted(([, a], [, b]) => b - a)[0];
  if (found === undefined) return [];
  const [words, points] = found;
  return [{ category, points, words: fields.get(words) ?? words, place }];
}

export function hintsOfFiles(operation: ApiOperation): readonly Hint[] {
  const { responseTypes, responseHeaders, parameters } = operation;
  const hints: Hint[] = [];
  // An answer that may also be JSON is a list with a second form; one that is only a file is a file.
  const types = responseTypes.flatMap((type) => {
    const points = FILE_TYPES.find(([pattern]) => pattern.test(type))?.[1];
    return points === undefined ? [] : [{ type, points }];
  });
  const [strongest] = types.toSorted((a, b) => b.points - a.points);
  if (strongest !== undefined) {
    const { type, points } = strongest;
    hints.push({ category: 'export', points, words: type, place: 'answer type' });
  }
  if (responseHeaders.includes('content-disposition')) {
    hints.push({ category: 'export', points: 40, words: 'Content-Disposition', place: 'answer header' });
  }
  const chooser = parameters.find(choosesFile);
  if (chooser !== undefined) {
    const words = chooser.values.length === 0 ? chooser.name : `${chooser.name}=${chooser.values.join('|')}`;
    hints.push({ category: 'export', points: 45, words: words.slice(0, 80), place: 'parameter' });
  }
  return hints;
}

function choosesFile(parameter: ApiParameter): boolean {
  if (parameter.in !== 'query') return false;
  const words = wordsOf(parameter.name);
  if (!words.some((word) => FORMAT_PARAMETERS.has(word))) return false;
  return parameter.values.some((value) => wordsOf(value).some((word) => FILE_FORMATS.has(word)));
}
