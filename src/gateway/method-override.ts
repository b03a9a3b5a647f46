// The methods a request claims besides its own: `_method` in a query or a form, as several frameworks honour it.
// Widest reading, any spelling of the name, any value. Off the hot path but for a search in the query.
import { looseValues } from './loose-pairs.ts';

/** Upper case, one for each `_method`; not checked to be methods at all. */
export function claimedMethods(pairs: string): readonly string[] {
  return looseValues(pairs, '_method').map((method) => method.trim().toUpperCase());
}
