// The hand-written bypass corpus as inputs to start from.
import { type CorpusCase, corpusCases, fillIn } from '../support/corpus-cases.ts';

const MAX_LENGTH = 10_000;

/** Placeholders stay in them. */
export function corpusInputs(read: (one: CorpusCase) => string): readonly string[] {
  const cases = corpusCases(new URL('../security/corpus', import.meta.url).pathname);
  return [...new Set(cases.map(read))].filter((text) => fillIn(text, '', '').length < MAX_LENGTH);
}

/** Placeholders filled in, of tenant acme. */
export function corpusSeeds(read: (one: CorpusCase) => string, token = ''): readonly string[] {
  return corpusInputs(read).map((text) => fillIn(text, 'acme.app.test', token));
}
