// Which workspace and tenant a request names, and whether it may. Guarantees: a map applies by the widest reading of
// the path, and what it names is the narrow one (P6), so that no spelling of a mapped path goes unasked and none of a
// foreign name is taken for the grant's own; where the two disagree, the name counts as a foreign one.
// Assumes a canonical path. Hot where there are maps: one walk over the trie, and a slice for each capture.
import type { TenantId } from '#model/ids.ts';
import { type Denial, deny, PASS, type Verdict } from '#model/verdict.ts';
import type { RouteFacts, WorkspaceSink } from './compiled-policy.ts';
import { decodeStrict } from './fold.ts';
import { globMatches } from './glob.ts';
import { hostsCover } from './hosts.ts';
import { compilePattern, type PathPattern, type Segment } from './pattern.ts';
import { readDecoded, Reading, readWide } from './reading.ts';
import type { NameSource, ScopeDraft, Scopes } from './scope-map.ts';
import { isNominated, withoutOws } from './scope-map-header.ts';
import { type NamedInQuery, namedInQuery, type QueryKey, queryKey } from './scope-map-query.ts';
import { type SecondReading, secondReadings } from './second-reading.ts';
import { Hits, Trie } from './trie.ts';

type Source =
  | { readonly kind: 'path'; readonly index: number; readonly before: readonly Segment[] }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly key: QueryKey };

/** One path of one scope. */
interface ScopeEntry {
  readonly hosts: ScopeDraft['hosts'];
  readonly workspace: Source | null;
  readonly tenant: Source | null;
  readonly required: boolean;
}

/** What the sources of one kind of name said so far. */
interface Named {
  /** One of them named what it may not, nothing where it must, or something nobody can be sure of. */
  isForeign: boolean;
  /** The one value that all of them named; null before the first. */
  value: string | null;
  /** Two values, an empty one, or one that nobody can be sure of. */
  isUncertain: boolean;
}

const NOT_CANONICAL: Denial = Object.freeze(deny('bad_request_target', 'the path is not canonical'));
const UNSAFE_READING: Denial = Object.freeze(
  deny('bad_request_target', 'decoded once more, the path holds what a path may not hold, or too much'),
);
const MALFORMED_QUERY: Denial = Object.freeze(
  deny('bad_request_target', 'a ScopeMap has to read the query, and a name or value in it is malformed'),
);
const NOMINATED: Denial = Object.freeze(
  deny('bad_header', 'Connection names a header that a ScopeMap reads, and so takes it from the application'),
);

/** Scratch space included: never entered twice at once, since nothing here waits. */
export class ScopeJudge implements Scopes {
  readonly queryNames: ReadonlySet<string>;
  readonly headerNames: ReadonlySet<string>;
  private readonly entries: readonly ScopeEntry[];
  private readonly trie = new Trie();
  private readonly reading = new Reading();
  private readonly further = new Reading();
  private readonly hits = new Hits();
  private readonly workspace: Named = { isForeign: false, value: null, isUncertain: false };
  private readonly tenant: Named = { isForeign: false, value: null, isUncertain: false };
  private refusal: Denial | null = null;

  constructor(drafts: readonly ScopeDraft[]) {
    const entries: ScopeEntry[] = [];
    for (const draft of drafts) {
      for (const path of draft.paths) {
        this.trie.add(path.segments, entries.length);
        entries.push(compileEntry(draft, path));
      }
    }
    this.entries = entries;
    const sources = entries.flatMap(({ workspace, tenant }) => [workspace, tenant]);
    this.queryNames = new Set(sources.flatMap((one) => (one?.kind === 'query' ? [one.key.folded] : [])));
    this.headerNames = new Set(sources.flatMap((one) => (one?.kind === 'header' ? [one.name] : [])));
  }

  scope(facts: RouteFacts, into: WorkspaceSink): Verdict {
    into.workspace = null;
    this.refusal = null;
    forget(this.workspace);
    forget(this.tenant);
    if (!readWide(facts.routePath, this.reading)) return NOT_CANONICAL;
    this.judgeReading(facts, this.reading, null);
    if (facts.target.encodedSlash || facts.target.encodedPercent) this.judgeFurther(facts);
    if (this.refusal !== null) return this.refusal;
    if (this.tenant.isForeign) return deny('tenant_mismatch');
    if (this.workspace.isForeign) return deny('workspace_out_of_scope');
    if (!this.workspace.isUncertain) into.workspace = this.workspace.value;
    return PASS;
  }

  private judgeFurther(facts: RouteFacts): void {
    const readings = secondReadings(facts.routePath);
    if (readings === null) {
      this.refusal = UNSAFE_READING;
      return;
    }
    for (const one of readings) {
      readDecoded(one.segments, this.further);
      this.judgeReading(facts, this.further, one);
    }
  }

  /** `second` is what `reading` was made of; null for the plain reading. */
  private judgeReading(facts: RouteFacts, reading: Reading, second: SecondReading | null): void {
    this.trie.walk(reading, this.hits);
    for (let i = 0; i < this.hits.length; i++) {
      const entry = this.entries[this.hits.payloads[i] as number] as ScopeEntry;
      if (entry.hosts !== null && !hostsCover(entry.hosts, facts.hostName)) continue;
      if (entry.workspace !== null) this.judgeSource(entry, entry.workspace, facts, second);
      if (entry.tenant !== null) this.judgeSource(entry, entry.tenant, facts, second);
    }
  }

  private judgeSource(
    entry: ScopeEntry,
    source: Source,
    facts: RouteFacts,
    second: SecondReading | null,
  ): void {
    const named = source === entry.workspace ? this.workspace : this.tenant;
    switch (source.kind) {
      case 'path': {
        const value = this.captured(source, facts.routePath, second);
        return value === null ? this.keepUnclear(named, facts) : this.keep(named, value, facts);
      }
      case 'header':
        return this.judgeHeader(source.name, named, entry.required, facts);
      case 'query': {
        const { query } = facts.target;
        const text = second === null || second.query === '' ? query : `${second.query}&${query}`;
        return this.judgeQuery(namedInQuery(text, source.key), named, entry.required, facts);
      }
    }
  }

  /**
   * The segment that is captured, decoded once. Null where the bytes in front of it are not exactly the pattern's, or
   * where some reading may count the segments otherwise: an application that drops `;` from `/api/;/7/8` sees another
   * segment in the place of 7.
   */
  private captured(
    { index, before }: Extract<Source, { kind: 'path' }>,
    path: string,
    second: SecondReading | null,
  ): string | null {
    let start = 1;
    for (let i = 0; i <= index; i++) {
      const slash = path.indexOf('/', start);
      const end = slash === -1 ? path.length : slash;
      if (end <= start || this.reading.skippable[i] === true) return null;
      if (second !== null && this.further.skippable[i] === true) return null;
      const segment = path.slice(start, end);
      if (i === index) {
        const value = decodeStrict(segment);
        return second === null || second.segments[i] === value ? value : null;
      }
      if (!matchesExactly(before[i] as Segment, segment)) return null;
      start = end + 1;
    }
    return null;
  }

  private judgeHeader(name: string, named: Named, required: boolean, facts: RouteFacts): void {
    const lines = facts.headerValues(name);
    if (lines.length === 0) {
      if (required) this.keepMissing(named, facts);
      return;
    }
    if (isNominated(name, facts.headerValues('connection'))) this.refusal ??= NOMINATED;
    for (let i = 0; i < lines.length; i++) this.keep(named, withoutOws(lines[i] as string), facts);
  }

  private judgeQuery(
    { values, isUnclear, isMalformed }: NamedInQuery,
    named: Named,
    required: boolean,
    facts: RouteFacts,
  ): void {
    if (isMalformed) this.refusal ??= MALFORMED_QUERY;
    if (isUnclear) this.keepUnclear(named, facts);
    else if (values.length === 0 && required) this.keepMissing(named, facts);
    for (let i = 0; i < values.length; i++) this.keep(named, values[i] as string, facts);
  }

  private keep(named: Named, value: string, facts: RouteFacts): void {
    if (named === this.tenant) named.isForeign ||= !isTenant(value, facts.tenant);
    else named.isForeign ||= isLimited(facts) && !isInGrant(value, facts);
    if (value === '' || (named.value !== null && named.value !== value)) named.isUncertain = true;
    named.value = value;
  }

  private keepUnclear(named: Named, facts: RouteFacts): void {
    named.isUncertain = true;
    this.keepMissing(named, facts);
  }

  /** A grant for every workspace needs none to be named; every grant is one tenant's. */
  private keepMissing(named: Named, facts: RouteFacts): void {
    named.isForeign ||= named === this.tenant || isLimited(facts);
  }
}

function forget(named: Named): void {
  named.isForeign = false;
  named.value = null;
  named.isUncertain = false;
}

function isTenant(value: string, tenant: TenantId | null): boolean {
  return value === tenant && value !== '';
}

function isLimited({ grant }: RouteFacts): boolean {
  return grant !== null && grant.workspaces.length > 0;
}

function isInGrant(value: string, { grant }: RouteFacts): boolean {
  if (grant === null || value === '') return false;
  const { workspaces } = grant;
  for (let i = 0; i < workspaces.length; i++) if (workspaces[i]?.id === value) return true;
  return false;
}

function matchesExactly(segment: Segment, text: string): boolean {
  switch (segment.kind) {
    case 'literal':
      return segment.text === text;
    case 'glob':
      return globMatches(segment.glob, text);
    case 'any':
      return true;
    case 'deep':
      return false;
  }
}

function compileEntry(draft: ScopeDraft, path: PathPattern): ScopeEntry {
  return Object.freeze({
    hosts: draft.hosts,
    workspace: compileSource(draft.workspace, path),
    tenant: compileSource(draft.tenant, path),
    required: draft.required,
  });
}

function compileSource(source: NameSource | null, path: PathPattern): Source | null {
  if (source === null) return null;
  if (source.kind === 'header') return { kind: 'header', name: source.name };
  if (source.kind === 'query') return { kind: 'query', key: queryKey(source.name) };
  const narrow = compilePattern(path.text, 'narrow');
  if (typeof narrow === 'string') throw new Error(`a checked pattern ${narrow}`);
  const index = captureIndex(narrow.segments, source.name);
  return { kind: 'path', index, before: narrow.segments.slice(0, index) };
}

/** -1: the pattern has no such capture. */
export function captureIndex(segments: PathPattern['segments'], name: string): number {
  return segments.findIndex((segment) => segment.kind === 'any' && segment.name === name);
}
