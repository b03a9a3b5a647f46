// `$ref` within one OpenAPI document (RFC 6901 pointers in a fragment), and careful access to a value of unknown shape.
// Guarantees: chains end, own members only, never a throw. A reference that leaves the document is told. Cold.

export type Json = Readonly<Record<string, unknown>>;

const MAX_HOPS = 32;
const MAX_TOLD = 50;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function own(record: Json, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

export function recordAt(record: Json, key: string): Json | null {
  const value = own(record, key);
  return isRecord(value) ? value : null;
}

export function listAt(record: Json, key: string): readonly unknown[] {
  const value = own(record, key);
  return Array.isArray(value) ? value : [];
}

export function textAt(record: Json, key: string): string | null {
  const value = own(record, key);
  return typeof value === 'string' ? value : null;
}

export interface References {
  /** What `value` stands for after its references; null where it is no mapping or leads nowhere. */
  resolve(value: unknown): Json | null;
  /** References that could not be followed, each once, the first fifty. */
  readonly unresolved: ReadonlySet<string>;
}

export function createReferences(root: Json): References {
  const unresolved = new Set<string>();
  const tell = (reference: string): null => {
    if (unresolved.size < MAX_TOLD) unresolved.add(reference.slice(0, 200));
    return null;
  };
  return {
    unresolved,
    resolve(value) {
      let current = value;
      for (let hop = 0; hop < MAX_HOPS; hop++) {
        if (!isRecord(current)) return null;
        const reference = textAt(current, '$ref');
        if (reference === null) return current;
        if (!reference.startsWith('#')) return tell(reference);
        current = pointed(root, reference.slice(1));
        if (current === undefined) return tell(reference);
      }
      return tell(String(textAt(value as Json, '$ref')));
    },
  };
}

function pointed(root: Json, pointer: string): unknown {
  if (pointer === '') return root;
  let current: unknown = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = unescaped(part);
    if (Array.isArray(current))
      current = /^\d{1,9}$/.test(key) ? (current[Number(key)] as unknown) : undefined;
    else if (isRecord(current)) current = own(current, key);
    else return undefined;
  }
  return current;
}

function unescaped(part: string): string {
  let text = part;
  try {
    text = decodeURIComponent(part);
  } catch {
    // Not percent-encoded after all: taken as it stands.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
