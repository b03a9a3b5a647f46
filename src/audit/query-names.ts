// Names of query keys for the record, and the pairs that a rule reads; never another value. `queryNamesOf` is hot: it only cuts values off;
// decoding is left to the reader (`decodedNames`), which runs in the worker.
// Assumes nothing of the query: that of a refused target holds any bytes.

const MAX_NAMES = 32;
/** Of a longer name only the length is recorded. */
const MAX_NAME_LENGTH = 64;
/** The same for one without `=`, which may as well be a value without a name, such as a token. */
const MAX_BARE_LENGTH = 24;

/** The raw names of a query, joined by `&`; empty when there are none. */
export function queryNamesOf(query: string): string {
  let names = '';
  let from = 0;
  for (let count = 0; from < query.length && count < MAX_NAMES; count++) {
    let end = query.indexOf('&', from);
    if (end === -1) end = query.length;
    const equals = query.indexOf('=', from);
    const isBare = equals === -1 || equals > end;
    const nameEnd = isBare ? end : equals;
    if (nameEnd > from) {
      const isLong = nameEnd - from > (isBare ? MAX_BARE_LENGTH : MAX_NAME_LENGTH);
      const name = isLong ? `(${nameEnd - from})` : query.slice(from, nameEnd);
      names = names === '' ? name : `${names}&${name}`;
    }
    from = end + 1;
  }
  return names;
}

/** The names as a person reads them: decoded where that is possible, each once, in order. */
export function decodedNames(names: string): readonly string[] {
  if (names === '') return [];
  return [...new Set(names.split('&').map(decoded))];
}

/** The recorded pairs as a person reads them, in order; a name may stand several times. */
export function decodedPairs(pairs: string): readonly { readonly name: string; readonly value: string }[] {
  if (pairs === '') return [];
  return pairs.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    if (equals === -1) return { name: decoded(pair), value: '' };
    return { name: decoded(pair.slice(0, equals)), value: decoded(pair.slice(equals + 1)) };
  });
}

function decoded(name: string): string {
  const spaced = name.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
