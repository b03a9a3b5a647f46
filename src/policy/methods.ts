// Which methods a request counts as, and which a deny rule names (P6). Hot: the usual methods are bits;
// a configured method beyond them (PROPFIND and the like) is compared by name.

const BITS: ReadonlyMap<string, number> = new Map([
  ['GET', 1],
  ['HEAD', 2],
  ['POST', 4],
  ['PUT', 8],
  ['PATCH', 16],
  ['DELETE', 32],
  ['OPTIONS', 64],
  ['QUERY', 128],
]);

/** PUT, PATCH, DELETE: what a form's `_method` usually stands in for. */
const OVERRIDABLE = 8 | 16 | 32;

/** What the methods of one match block come to. Frozen. */
export interface MethodSet {
  readonly bits: number;
  /** Named methods that have no bit; usually empty. */
  readonly others: readonly string[];
  /** As written, sorted, without duplicates. */
  readonly names: readonly string[];
}

/** `names` are upper-case tokens. */
export function compileMethods(names: readonly string[]): MethodSet {
  const sorted = [...new Set(names)].toSorted();
  let bits = 0;
  for (const name of sorted) bits |= BITS.get(name) ?? 0;
  return Object.freeze({
    bits,
    others: Object.freeze(sorted.filter((name) => !BITS.has(name))),
    names: Object.freeze(sorted),
  });
}

/** GET covers HEAD; QUERY counts as GET and POST. 0 for a method without a bit. */
export function bitsOfRequest(method: string): number {
  switch (method) {
    case 'GET':
      return 1;
    case 'POST':
      return 4;
    case 'HEAD':
      return 1 | 2;
    case 'QUERY':
      return 1 | 4 | 128;
    default:
      return BITS.get(method) ?? 0;
  }
}

/** `bits` are those of `method`. */
export function methodsCover(set: MethodSet, method: string, bits: number): boolean {
  return bits === 0 ? set.others.includes(method) : (set.bits & bits) !== 0;
}

/** Whether any of the methods named by a `_method`, in any case, is in the set. */
export function methodsCoverAny(set: MethodSet, names: Iterable<string>): boolean {
  for (const name of names) {
    const method = name.toUpperCase().trim();
    if (methodsCover(set, method, bitsOfRequest(method))) return true;
  }
  return false;
}

export function namesOverridable(set: MethodSet): boolean {
  return (set.bits & OVERRIDABLE) !== 0;
}

/** For suggestions after a typing error. */
export const KNOWN_METHODS: readonly string[] = [...BITS.keys()];
