// What a query names under one key of a ScopeMap. Which pairs are meant is the widest reading, what they say is exact:
// values are decoded once and never folded. Guarantees: an operator (`id[ne]=7`), a list that some application splits
// (`id=7;8`) or a name that some framework rewrites (`id.x`) is never taken for the plain value. Hot where a map has
// a query key; without a query it allocates nothing.
import { decodePart, foldName } from './query.ts';

export interface QueryKey {
  /** As `foldName` makes it. */
  readonly folded: string;
  readonly flattened: string;
}

export interface NamedInQuery {
  /** In order, with repetitions; usually empty. */
  readonly values: readonly string[];
  /** The key stands there, but as an operator or a container: nobody can say what it names. */
  readonly isUnclear: boolean;
  /** A name, or a value of the key, is malformed. */
  readonly isMalformed: boolean;
}

const NOTHING: NamedInQuery = Object.freeze({ values: [], isUnclear: false, isMalformed: false });

/** `name` as the author wrote it. */
export function queryKey(name: string): QueryKey {
  const folded = foldName(name);
  return Object.freeze({ folded, flattened: flatten(folded) });
}

/** `text` is a raw query without its `?`. */
export function namedInQuery(text: string, key: QueryKey): NamedInQuery {
  if (text === '') return NOTHING;
  const found = { values: [] as string[], isUnclear: false, isMalformed: false };
  for (const pair of text.split('&')) {
    readPair(pair, key, found);
    // Some servers split here too, others take it for a part of the value: both readings count.
    if (pair.includes(';')) for (const part of pair.split(';')) readPair(part, key, found);
  }
  return found;
}

type Found = { -readonly [K in keyof NamedInQuery]: K extends 'values' ? string[] : boolean };

function readPair(pair: string, key: QueryKey, found: Found): void {
  if (pair === '') return;
  const equals = pair.indexOf('=');
  const name = decodePart(equals === -1 ? pair : pair.slice(0, equals));
  if (name === null) {
    found.isMalformed = true;
    return;
  }
  const role = roleOf(name, key);
  if (role === 'other') return;
  const value = decodePart(equals === -1 ? '' : pair.slice(equals + 1));
  if (value === null) found.isMalformed = true;
  else if (role === 'unclear') found.isUnclear = true;
  else found.values.push(value);
}

/** `id`, `id[]`, `filter[id]`, `filter.id` give the value; in `id[ne]` and `id.ne` it belongs to something else. */
function roleOf(name: string, key: QueryKey): 'value' | 'unclear' | 'other' {
  const folded = foldName(name);
  if (folded === key.folded || flatten(folded) === key.flattened) return 'value';
  if (!/[[\].]/.test(folded)) return 'other';
  const parts = folded.split(/[[\].]+/).filter((part) => part !== '');
  if (parts.at(-1) === key.folded) return 'value';
  return parts.includes(key.folded) ? 'unclear' : 'other';
}

/** PHP makes an underscore of a space, a dot and a lone bracket in a name. */
function flatten(name: string): string {
  return name.replaceAll(/[ .[\]]/g, '_');
}
