// What the deny rules say of a request, by the text of REQUEST-SAFETY.md and nothing else: every alternative is written
// out, every pattern is tried from the left, and nothing is shared with the compiled policy. Slow. Bodies are left out.

export interface ReferenceRule {
  readonly id: string;
  readonly enforced: boolean;
  readonly liftable: boolean;
  readonly category: string;
  readonly methods: readonly string[] | null;
  readonly path: string;
  readonly query: readonly { readonly name: string; readonly values: readonly string[] | null }[];
}

export interface ReferenceRequest {
  readonly method: string;
  /** Canonical. */
  readonly path: string;
  readonly query: string;
  readonly lifts: readonly string[];
}

export interface ReferenceVerdict {
  /** `pass`, the id of a rule, or `bad_request_target`. */
  readonly verdict: string;
  readonly shadow: readonly string[];
}

type Outcome = 'matched' | 'unreadable' | 'no';

export function referenceVerdict(
  rules: readonly ReferenceRule[],
  request: ReferenceRequest,
): ReferenceVerdict {
  const outcomes = rules.map((rule) => ({ rule, outcome: outcomeOf(rule, request) }));
  const enforced = outcomes.filter(({ rule }) => rule.enforced);
  const first = enforced.find(({ outcome }) => outcome === 'matched');
  const unreadable = enforced.some(({ outcome }) => outcome === 'unreadable');
  const shadow = outcomes.filter(({ rule, outcome }) => !rule.enforced && outcome === 'matched');
  return {
    verdict: first?.rule.id ?? (unreadable ? 'bad_request_target' : 'pass'),
    shadow: shadow.map(({ rule }) => rule.id),
  };
}

function outcomeOf(rule: ReferenceRule, { method, path, query, lifts }: ReferenceRequest): Outcome {
  if (rule.liftable && lifts.includes(rule.category)) return 'no';
  const segments = segmentsOf(path);
  if (!pathMatches(patternOf(rule.path), segments)) return 'no';
  const pairs = [...pairsOf(query), ...formatsOf(segments)];
  const ofMethod = methodOutcome(rule.methods, method, pairs);
  if (ofMethod === 'no' || rule.query.length === 0) return ofMethod;
  let ofQuery: Outcome = 'matched';
  for (const { name, values } of rule.query) {
    const one = keyOutcome(pairs, foldedName(name), values?.map(fold) ?? null);
    if (one === 'no') return 'no';
    if (one === 'unreadable') ofQuery = 'unreadable';
  }
  return ofQuery === 'matched' ? ofMethod : ofQuery;
}

function fold(text: string): string {
  const folded = text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase();
  return folded.replaceAll('\u03c2', '\u03c3').normalize('NFKC');
}

interface Segment {
  /** Everything that an application may take it for, but for the suffix. */
  readonly plain: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
  /** What stands behind the last dot, where it may be a format. */
  readonly formats: readonly string[];
}

function trimmed(text: string): string {
  return text.replace(/[. ]+$/, '');
}

function withCuts(text: string): string[] {
  const cut = text.split(';')[0] as string;
  return [text, trimmed(text), cut, trimmed(cut)];
}

function segmentsOf(path: string): readonly Segment[] {
  const texts = path.split('/').filter((text) => text !== '');
  const raw = texts.map((text) => decodeURIComponent(text));
  const plain = raw.map((text) => new Set(withCuts(fold(text))));
  return plain.map((one, i) => {
    const isLast = plain.slice(i + 1).every((later) => later.has(''));
    const formats = isLast ? [...one].flatMap((text) => /\.([^.]+)$/.exec(text)?.[1] ?? []) : [];
    const unfolded = fold((raw[i] as string).replace(/\.[^.]+$/, ''));
    const bare = isLast ? [unfolded, ...[...one].map((text) => text.replace(/\.[^.]+$/, ''))] : [];
    return { plain: one, all: new Set([...one, ...bare, ...bare.map(trimmed)]), formats };
  });
}

type Piece = { readonly kind: 'deep' | 'any' } | { readonly kind: 'text'; readonly test: RegExp };

function patternOf(text: string): readonly Piece[] {
  const parts = text.slice(1).replace(/\/$/, '').split('/');
  return parts.filter((part) => part !== '').map(pieceOf);
}

function pieceOf(part: string): Piece {
  if (part === '**') return { kind: 'deep' };
  if (part === '*' || part.startsWith('{')) return { kind: 'any' };
  const pieces = part.split('*').map((piece) => escaped(fold(decodeURIComponent(piece))));
  return { kind: 'text', test: new RegExp(`^${pieces.join('.*')}$`, 'su') };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** All places of the pattern that what was read so far can have led to; no more than there are, however many `**`. */
function pathMatches(pattern: readonly Piece[], segments: readonly Segment[]): boolean {
  let open = withDeepPassed(pattern, [0]);
  for (const segment of segments) {
    const next: number[] = [];
    for (const at of open) {
      const piece = pattern[at];
      if (segment.all.has('') || piece?.kind === 'deep') next.push(at);
      if (piece !== undefined && takes(piece, segment)) next.push(at + 1);
    }
    open = withDeepPassed(pattern, next);
  }
  return open.has(pattern.length);
}

/** `**` may stand for nothing. */
function withDeepPassed(pattern: readonly Piece[], places: readonly number[]): Set<number> {
  const open = new Set(places);
  for (const at of open) if (pattern[at]?.kind === 'deep') open.add(at + 1);
  return open;
}

function takes(piece: Piece, segment: Segment): boolean {
  if (piece.kind !== 'text') return piece.kind === 'any';
  return [...segment.all].some((text) => text !== '' && piece.test.test(text));
}

interface Pair {
  /** Null: it cannot be read. */
  readonly names: readonly string[] | null;
  readonly rawName: string;
  readonly value: string | null;
}

/** A format in the path is a parameter too. */
function formatsOf(segments: readonly Segment[]): readonly Pair[] {
  const formats = segments.flatMap((one) => one.formats);
  return formats.map((value) => ({ names: ['format'], rawName: 'format', value }));
}

function pairsOf(query: string): readonly Pair[] {
  return query
    .split(/[&;]/)
    .filter((text) => text !== '')
    .map((text) => {
      const [rawName = '', ...more] = text.split('=');
      const name = decoded(rawName);
      return { names: name === null ? null : namesOf(name), rawName, value: decoded(more.join('=')) };
    });
}

function decoded(text: string): string | null {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', ' '));
    return plain.includes('\0') ? null : fold(plain);
  } catch {
    return null;
  }
}

function foldedName(key: string): string {
  return fold(key)
    .replace(/^ +/, '')
    .replace(/(?:\[[0-9]*\])+$/, '');
}

/** Whole, by what stands in its last brackets, and as PHP would call it. */
function namesOf(folded: string): readonly string[] {
  const name = folded.replace(/^ +/, '').replace(/(?:\[[0-9]*\])+$/, '');
  const names = [name];
  const last = /\[([^[]*)\]$/.exec(name)?.[1];
  if (last !== undefined) names.push(last);
  const stem = /^([^[]*)\[[^]*\]/.exec(name)?.[1] ?? name;
  if (/[. []/.test(stem)) names.push(stem.replaceAll(/[. []/g, '_'));
  return names;
}

function keyOutcome(pairs: readonly Pair[], key: string, wanted: readonly string[] | null): Outcome {
  const own = pairs.filter(({ names }) => names?.includes(key) === true);
  const holds = own.some(({ value }) => wanted === null || (value !== null && wanted.includes(value)));
  if (holds) return 'matched';
  const unreadable = own.some(({ value }) => value === null) || pairs.some(({ names }) => names === null);
  return unreadable ? 'unreadable' : 'no';
}

function methodOutcome(methods: readonly string[] | null, method: string, pairs: readonly Pair[]): Outcome {
  if (methods === null || countsAs(method).some((one) => methods.includes(one))) return 'matched';
  const claimed = pairs.filter(({ names }) => names?.includes('_method') === true);
  for (const { value } of claimed) {
    if (value !== null && countsAs(value.toUpperCase().trim()).some((one) => methods.includes(one)))
      return 'matched';
  }
  const unreadableName = pairs.some(({ names, rawName }) => names === null && mayNameMethod(rawName));
  return unreadableName || claimed.some(({ value }) => value === null) ? 'unreadable' : 'no';
}

function countsAs(method: string): readonly string[] {
  if (method === 'HEAD') return ['HEAD', 'GET'];
  return method === 'QUERY' ? ['QUERY', 'GET', 'POST'] : [method];
}

/** What is left of a name that does not decode still names the override. */
function mayNameMethod(rawName: string): boolean {
  const left = rawName.replaceAll(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[!-~]/.test(char) ? char : '';
  });
  return fold(left).includes('method');
}
