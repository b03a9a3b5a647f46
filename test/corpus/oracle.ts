// The leak oracle: says of each request that reached the application whether any reading of it lands on a denied route.
// Reads the policy itself, with a matcher of its own, so that a fault of the gate's is not one of the oracle's. Pure.
import { parseAllDocuments } from 'yaml';
import type { RecordedRequest } from '../support/recording-upstream.ts';
import { pathOf, railsFormat, READINGS, unescaped } from './readings.ts';

/** One way into what a rule denies; a rule with several matches or paths has several. */
export interface DeniedRoute {
  readonly rule: string;
  /** Upper case; empty: every method. */
  readonly methods: readonly string[];
  /** Literals, `{name}` or `*` for one segment, and at the end `**` for any number, none included. */
  readonly segments: readonly string[];
  /** All named keys must hold; a key holds with any listed value, `*` with every one. */
  readonly query: Readonly<Record<string, readonly string[]>>;
}

export interface Leak {
  readonly rule: string;
  readonly reading: string;
  /** As that reading sees it. */
  readonly path: string;
  /** Method and target as they arrived. */
  readonly request: string;
}

interface PolicyDocument {
  readonly kind: string;
  readonly spec: { readonly rules?: readonly PolicyRule[] };
}

interface PolicyRule {
  readonly id: string;
  readonly match: readonly {
    readonly methods?: readonly string[];
    readonly paths: readonly string[];
    readonly query?: Readonly<Record<string, readonly string[]>>;
    readonly json?: object;
    readonly form?: object;
    readonly graphql?: object;
    readonly jsonrpc?: object;
  }[];
}

/**
 * Of every RoutePolicy in the YAML stream. Knows the selectors `methods`, `paths` and `query`, as the corpus uses them. A match
 * that asks for something in the body is left out: the target does not tell whether it holds, so every allowed request of such
 * a path would be a leak. Those matches are held by the cases by hand.
 */
export function deniedRoutes(policy: string): readonly DeniedRoute[] {
  return parseAllDocuments(policy)
    .map((document) => document.toJS() as PolicyDocument | null)
    .filter((document) => document?.kind === 'RoutePolicy')
    .flatMap((document) => document?.spec.rules ?? [])
    .flatMap(({ id, match }) =>
      match
        .filter(({ json, form, graphql, jsonrpc }) => (json ?? form ?? graphql ?? jsonrpc) === undefined)
        .flatMap(({ methods = [], paths, query = {} }) =>
          // Letters are folded by the readings, so they are here.
          paths.map((path) => ({
            rule: id,
            methods,
            segments: path.slice(1).toLowerCase().split('/'),
            query,
          })),
        ),
    );
}

/** Every rule that one reading or another lands on; empty when the request was the application's to answer. */
export function leaksOf(recorded: RecordedRequest, denied: readonly DeniedRoute[]): readonly Leak[] {
  const leaks: Leak[] = [];
  const methods = methodsOf(recorded);
  const pairs = pairsIn(queryOf(recorded.target));
  const open = denied.filter((route) => allowsMethod(route, methods));
  for (const { name, read } of READINGS) {
    const path = read(recorded.target);
    if (path === null) continue;
    const seen = name === 'rails' ? withFormat(pairs, recorded.target) : pairs;
    for (const route of open) {
      if (!matches(route.segments, path) || !holdsAll(route, seen)) continue;
      const request = `${recorded.method} ${recorded.target}`;
      leaks.push({ rule: route.rule, reading: name, path, request });
    }
  }
  return leaks;
}

/** Rails gives what it takes off a path to the application as `params[:format]`. */
function withFormat(pairs: readonly Pair[], target: string): readonly Pair[] {
  const format = railsFormat(target);
  return format === null ? pairs : [...pairs, [['format'], format]];
}

function holdsAll({ query }: DeniedRoute, pairs: readonly Pair[]): boolean {
  return Object.entries(query).every(([key, values]) => holds(pairs, key, values));
}

/** One sentence for each rule that a request got past, with the readings that say so. */
export function toldOf(leaks: readonly Leak[]): readonly string[] {
  const rules = new Set(leaks.map(({ rule }) => rule));
  return [...rules].map((rule) => {
    const of = leaks.filter((leak) => leak.rule === rule);
    const readings = of.map(({ reading, path }) => `${reading} (${path})`).join(', ');
    return `${of[0]?.request ?? ''} arrived, denied by ${rule} as read by ${readings}`;
  });
}

/** A trailing slash is nothing; letters are lower case on both sides. */
function matches(pattern: readonly string[], path: string): boolean {
  const segments = path.replace(/^\//, '').replace(/\/$/, '').split('/');
  const open = pattern.at(-1) === '**';
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? segments.length < fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((wanted, index) => {
    const segment = segments[index] ?? '';
    return wanted === '*' || wanted.startsWith('{') ? segment !== '' : segment === wanted;
  });
}

function allowsMethod({ methods }: DeniedRoute, claimed: ReadonlySet<string>): boolean {
  return methods.length === 0 || methods.some((method) => claimed.has(method));
}

/** The real method and every one that a framework may take instead: HEAD is GET, QUERY both, `_method` what it says. */
function methodsOf({ method, target, headers, body }: RecordedRequest): ReadonlySet<string> {
  const methods = new Set([method]);
  if (method === 'HEAD') methods.add('GET');
  if (method === 'QUERY') for (const as of ['GET', 'POST']) methods.add(as);
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const isForm = /^\s*application\/x-www-form-urlencoded/i.test(type);
  for (const [names, value] of [...pairsIn(queryOf(target)), ...pairsIn(isForm ? body : '')]) {
    // PHP makes an underscore of what cannot stand in a variable's name.
    if (names.some((name) => name.replaceAll(/[ .[]/g, '_') === '_method')) methods.add(value.toUpperCase());
  }
  return methods;
}

/** Every name that a pair may go by, with its folded value. */
type Pair = readonly [names: readonly string[], value: string];

function holds(pairs: readonly Pair[], key: string, values: readonly string[]): boolean {
  return pairs.some(
    ([names, value]) => names.includes(key) && (values.includes('*') || values.includes(value)),
  );
}

/** The widest reading of a query: `;` separates too, names in brackets go by their last part as well. */
function pairsIn(query: string): readonly Pair[] {
  if (query === '') return [];
  return query.split(/[&;]/).map((part) => {
    const at = part.indexOf('=');
    const name = folded(at < 0 ? part : part.slice(0, at)).trimStart();
    const bare = name.replace(/\[\d*\]$/, '');
    const nested = /\[([^[\]]+)\]$/.exec(bare)?.[1];
    return [
      nested === undefined ? [name, bare] : [name, bare, nested],
      at < 0 ? '' : folded(part.slice(at + 1)),
    ];
  });
}

function folded(text: string): string {
  const decoded = unescaped(text.replaceAll('+', ' ')).normalize('NFKC');
  return decoded
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .normalize('NFKC');
}

function queryOf(target: string): string {
  return target.slice(pathOf(target).length + 1);
}
