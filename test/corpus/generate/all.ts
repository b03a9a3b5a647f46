// Every generator of the corpus, in the order in which they run. A new one is added here and nowhere else.
import type { RequestGenerator } from '../generated-request.ts';
import { encodedLetters } from './encoded-letters.ts';
import { framings } from './framings.ts';
import { headerEvidence } from './header-evidence.ts';
import { messages } from './messages.ts';
import { methodSpellings } from './method-spellings.ts';
import { nearMisses } from './near-misses.ts';
import { querySpellings } from './query-spellings.ts';
import { spellings } from './spellings.ts';

export const GENERATORS: readonly RequestGenerator[] = [
  encodedLetters,
  nearMisses,
  spellings,
  querySpellings,
  headerEvidence,
  methodSpellings,
  framings,
  messages,
];
