// Whether a route that allows covers a request, by the narrowest reading (P6): exact bytes of the canonical path, hosts
// and methods as listed. Guarantees: what could not be read is not covered; where a path has further readings (P3),
// a route must cover every one of them. Assumes a canonical path. Hot: one walk over the trie, nothing kept.
import type { RouteFacts } from './compiled-policy.ts';
import { type HostSet, hostsCover } from './hosts.ts';
import { claimsOfBody, isSafeMethod, MethodClaims } from './narrow-claims.ts';
import { judgeGraphql } from './narrow-graphql.ts';
import type { GraphqlDraft, NarrowRouteDraft } from './narrow-routes.ts';
import { Reading, readNarrow } from './reading.ts';
import { secondReadings } from './second-reading.ts';
import { Hits, Trie } from './trie.ts';

/** `needs_body`: a route would cover it, and the body has to be read to tell. */
export type NarrowAnswer = 'covered' | 'not_covered' | 'needs_body';

interface NarrowEntry {
  readonly hosts: HostSet | null;
  readonly methods: readonly string[] | null;
  readonly graphql: GraphqlDraft | null;
  readonly upgrade: boolean;
  /** Whether a body may have to be read for the method it claims. */
  readonly asksBody: boolean;
}

const UPGRADE_METHODS: readonly string[] = Object.freeze(['GET']);
/** What a form's `_method` stands in for. */
const OVERRIDABLE = ['PUT', 'PATCH', 'DELETE'];

/** The scratch space of one list of routes: never entered twice at once, since nothing here waits. */
export class NarrowMatcher {
  /** Place of the route that covered the last request, in the list; -1 when none did. */
  coveredBy = -1;
  private readonly entries: readonly NarrowEntry[];
  private readonly safeMethods: boolean;
  private readonly trie = new Trie();
  private readonly reading = new Reading();
  private readonly hits = new Hits();
  private readonly furtherHits = new Hits();
  private readonly claims = new MethodClaims();

  /**
   * `safeMethods`: for a list of what is safe. A claim of a safe method is no harm there, though it is not listed, and
   * JSON is read for a claim as forms are.
   */
  constructor(routes: readonly NarrowRouteDraft[], options: { readonly safeMethods: boolean }) {
    this.safeMethods = options.safeMethods;
    this.entries = routes.map((route) => compileEntry(route, options.safeMethods));
    routes.forEach((route, i) => route.paths.forEach((path) => this.trie.add(path.segments, i)));
  }

  /** Of several routes the first in the list counts that covers it without a body that nobody has read. */
  cover(facts: RouteFacts): NarrowAnswer {
    this.coveredBy = -1;
    readNarrow(facts.routePath, this.reading);
    this.trie.walk(this.reading, this.hits);
    let needsBody = false;
    for (let i = 0; i < this.hits.length; i++) {
      const place = this.hits.payloads[i] as number;
      if (this.coveredBy !== -1 && this.coveredBy <= place) continue;
      const answer = this.judge(place, facts);
      if (answer === 'covered') this.coveredBy = place;
      else if (answer === 'needs_body') needsBody = true;
    }
    if (this.coveredBy !== -1) return 'covered';
    return needsBody ? 'needs_body' : 'not_covered';
  }

  private judge(place: number, facts: RouteFacts): NarrowAnswer {
    const entry = this.entries[place] as NarrowEntry;
    if (entry.upgrade !== facts.isUpgrade || !hostIsListed(entry.hosts, facts.hostName)) return 'not_covered';
    if (entry.methods !== null) {
      if (!isListed(entry.methods, facts.method)) return 'not_covered';
      const claims = this.judgeClaims(entry, entry.methods, facts);
      if (claims !== 'covered') return claims;
    }
    const { target } = facts;
    if ((target.encodedSlash || target.encodedPercent) && !this.coversFurther(place, entry, facts)) {
      return 'not_covered';
    }
    return entry.graphql === null ? 'covered' : judgeGraphql(entry.graphql, facts);
  }

  private judgeClaims(entry: NarrowEntry, methods: readonly string[], facts: RouteFacts): NarrowAnswer {
    const { target } = facts;
    if (target.query !== '' || target.encodedSlash || target.encodedPercent) {
      const claimed = this.claims.ofQuery(facts);
      if (claimed === null || !this.areAllowed(methods, claimed)) return 'not_covered';
    }
    if (!facts.hasBody) return 'covered';
    const claimed = claimsOfBody(facts, this.safeMethods);
    if (claimed === 'needs_body') return entry.asksBody ? 'needs_body' : 'covered';
    if (claimed === 'unreadable') return entry.asksBody ? 'not_covered' : 'covered';
    return this.areAllowed(methods, claimed) ? 'covered' : 'not_covered';
  }

  private areAllowed(methods: readonly string[], claimed: readonly string[]): boolean {
    for (let i = 0; i < claimed.length; i++) {
      const method = claimed[i] as string;
      if (!isListed(methods, method) && !(this.safeMethods && isSafeMethod(method))) return false;
    }
    return true;
  }

  /**
   * An application that takes `%2F` as a slash must not be led past the route: `/tickets/7%2Fclose%3F/preview` is no
   * preview of a ticket to it.
   */
  private coversFurther(place: number, entry: NarrowEntry, { routePath }: RouteFacts): boolean {
    const further = secondReadings(routePath);
    if (further === null) return false;
    for (const { segments, query } of further) {
      if (query !== '' && entry.graphql !== null) return false;
      readNarrow(`/${segments.map(canonicalSegment).join('/')}`, this.reading);
      this.trie.walk(this.reading, this.furtherHits);
      if (!this.furtherHits.payloads.slice(0, this.furtherHits.length).includes(place)) return false;
    }
    return true;
  }
}

function compileEntry(route: NarrowRouteDraft, isSafe: boolean): NarrowEntry {
  const methods = route.upgrade ? UPGRADE_METHODS : route.methods;
  return Object.freeze({
    hosts: route.hosts,
    methods,
    graphql: route.graphql,
    upgrade: route.upgrade,
    asksBody: methods !== null && (isSafe || !OVERRIDABLE.every((method) => methods.includes(method))),
  });
}

/** GET covers HEAD and nothing else. */
function isListed(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

/** Exact: a trailing dot, which the widest reading takes off, is another name. */
function hostIsListed(hosts: HostSet | null, host: string): boolean {
  return hosts === null || (!host.endsWith('.') && hostsCover(hosts, host));
}

/** P4 for a decoded segment: what `encodeURIComponent` encodes and a path need not. */
function canonicalSegment(segment: string): string {
  return encodeURIComponent(segment).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}
