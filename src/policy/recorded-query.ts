// What of a query belongs in the record: the pairs whose names some rule reads, since without their values nobody can
// say later why a request was decided so, or replay it. Everything else stays out. Hot for requests with a query.
import { foldedNamesOf, METHOD_OVERRIDE } from './query.ts';

/** A longer value is no value of a rule: `…`, percent-encoded, stands for it. */
const MAX_VALUE = 256;
export const LEFT_OUT = '%E2%80%A6';

/** RFC 6750 section 2.3: what stands under this name is a credential, whatever a rule wants of it (corpus TK331). */
const CREDENTIAL = 'access_token';

/** Clients spell few names, attackers many: beyond these a name is read each time. */
const MAX_KNOWN = 1024;
const MAX_KNOWN_NAME = 64;

/** What to do with a pair, by its raw name: nothing of it, all of it, or the name alone: it cannot be read, or must not. */
type Part = 'nothing' | 'pair' | 'name';

/**
 * The raw pairs of a query whose names, in the widest reading, are among `names` or `_method`, joined by `&`; of a pair
 * whose name cannot be read, or that is a credential, the name alone. Empty when there is nothing to keep.
 */
export function createRecordedQuery(names: ReadonlySet<string>): (query: string) => string {
  const kept = new Set([...names, METHOD_OVERRIDE]);
  const known = new Map<string, Part>();

  function partOf(rawName: string): Part {
    const found = known.get(rawName);
    if (found !== undefined) return found;
    const part = readName(rawName, kept);
    if (known.size < MAX_KNOWN && rawName.length <= MAX_KNOWN_NAME) known.set(copied(rawName), part);
    return part;
  }

  return (query) => {
    let text = '';
    let start = 0;
    while (start < query.length) {
      const end = endOfPair(query, start);
      const equals = query.indexOf('=', start);
      const nameEnd = equals === -1 || equals > end ? end : equals;
      if (end > start) {
        const rawName = query.slice(start, nameEnd);
        const part = partOf(rawName);
        if (part !== 'nothing') {
          const pair = part === 'name' ? rawName : bounded(rawName, query.slice(start, end));
          text = text === '' ? pair : `${text}&${pair}`;
        }
      }
      start = end + 1;
    }
    return text;
  };
}

/** Pairs are split at `&` and, as some servers do, at `;`. */
function endOfPair(query: string, start: number): number {
  for (let i = start; i < query.length; i++) {
    const code = query.charCodeAt(i);
    if (code === 0x26 || code === 0x3b) return i;
  }
  return query.length;
}

/** A slice would keep the whole query, and what stands in it, in memory. */
function copied(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1');
}

function readName(rawName: string, kept: ReadonlySet<string>): Part {
  const names = foldedNamesOf(rawName);
  // A token without a name is longer than any name.
  if (names === null) return rawName.length > MAX_VALUE ? 'nothing' : 'name';
  if (!names.some((name) => kept.has(name))) return 'nothing';
  return names.includes(CREDENTIAL) ? 'name' : 'pair';
}

function bounded(rawName: string, pair: string): string {
  return pair.length - rawName.length > MAX_VALUE ? `${rawName}=${LEFT_OUT}` : pair;
}
