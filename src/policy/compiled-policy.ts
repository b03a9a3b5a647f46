// The contract of the policy room: what the gateway asks of a compiled policy set.
// Assumes a canonical target; every answer is synchronous, linear in the request, and free of promises. Hot.
import type { Grant } from '#model/grant.ts';
import type { RequestTarget } from '#model/request-target.ts';
import type { RuleRef, Verdict } from '#model/verdict.ts';

/** What rules look at. The gateway's exchange satisfies it, so that no object is made per request. */
export interface RouteFacts {
  /** As sent; upper case by the parser's own law. */
  readonly method: string;
  readonly target: RequestTarget;
  /** The canonical path the rules see: the target's, less a tenant prefix where tenancy is by path. */
  readonly routePath: string;
  /** The methods named by `_method` in a form body that was held for the purpose (P6); usually empty. */
  readonly formMethods: readonly string[];
  /** Null only in tools (`policy explain` without a grant): then nothing is lifted. */
  readonly grant: Grant | null;
}

/** `kind: RouteSettings`, merged for one route; matched narrowly. The default is one shared frozen object. */
export interface RouteSettings {
  readonly allowEncodedSlash: boolean;
  readonly allowEncodedPercent: boolean;
  readonly allowGetBody: boolean;
  /** Names with `_` or `.` that may pass (P8), lower case. */
  readonly headers: readonly string[];
  /** Null: the gateway's own limit. */
  readonly maxBodyBytes: number | null;
  /** Null: the gateway's own timeout. */
  readonly headersTimeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
}

/** Filled by `evaluate`: rules in shadow mode that would have denied. */
export interface ShadowSink {
  shadowRules: readonly RuleRef[];
}

export interface CompiledPolicy {
  /** SHA-256 of the compiled set, `sha256:` and 64 hex digits; independent of file names and comments. */
  readonly digest: string;
  readonly ruleCount: number;
  settingsFor(routePath: string): RouteSettings;
  /**
   * P6: whether a form body must be searched for `_method` before this POST can be decided, because a rule
   * on this path names PUT, PATCH or DELETE.
   */
  needsFormMethod(facts: RouteFacts): boolean;
  evaluate(facts: RouteFacts, shadow: ShadowSink): Verdict;
  explain(facts: RouteFacts): Explanation;
}

/** The same walk as `evaluate`, told step by step; a property test holds that both decide alike. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly canonicalPath: string;
  /** Every widest reading tried, in order: the folded path, without the suffix, decoded again. */
  readonly readings: readonly string[];
  readonly considered: readonly ConsideredRule[];
}

export interface ConsideredRule {
  readonly rule: RuleRef;
  readonly mode: 'enforce' | 'shadow';
  readonly matched: boolean;
  /** Whether at least a path of the rule matched: the rules a reader of the explanation looks at first. */
  readonly pathMatched: boolean;
  /** One sentence: `path /exports/** matched, method POST is not one of GET`. */
  readonly because: string;
}
