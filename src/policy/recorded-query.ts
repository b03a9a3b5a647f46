// What of a query belongs in the record: the pairs whose names some rule reads, since without their values nobody can
// say later why a request was decided so, or replay it. Everything else stays out. Hot for requests with a query.
import { foldedNamesOf, METHOD_OVERRIDE } from './query.ts';

/** A longer value is no value of a rule: `…`, percent-encoded, stands for it. */
const MAX_VALUE = 256;
export const LEFT_OUT = '%E2%80%A6';

/**
 * The raw pairs of a query whose names, in the widest reading, are among `names` or `_method`, joined by `&`; of a pair
 * whose name cannot be read the name alone. Empty when there is nothing to keep.
 */
export function createRecordedQuery(names: ReadonlySet<string>): (query: string) => string {
  const kept = new Set([...names, METHOD_OVERRIDE]);
  return (query) => {
    if (query === '') return '';
    let text = '';
    let start = 0;
    for (let i = 0; i <= query.length; i++) {
      const code = i === query.length ? 0x26 : query.charCodeAt(i);
      if (code !== 0x26 && code !== 0x3b) continue;
      const pair = i > start ? recorded(query.slice(start, i), kept) : '';
      if (pair !== '') text = text === '' ? pair : `${text}&${pair}`;
      start = i + 1;
    }
    return text;
  };
}

function recorded(pair: string, kept: ReadonlySet<string>): string {
  const equals = pair.indexOf('=');
  const rawName = equals === -1 ? pair : pair.slice(0, equals);
  const names = foldedNamesOf(rawName);
  // A token without a name is longer than any name.
  if (names === null) return rawName.length > MAX_VALUE ? '' : rawName;
  if (!names.some((name) => kept.has(name))) return '';
  return pair.length - rawName.length > MAX_VALUE ? `${rawName}=${LEFT_OUT}` : pair;
}
