// The contract of the policy room: what the gateway asks of a compiled policy set.
// Assumes a canonical target; every answer but `readBody` is synchronous, linear in the request, and free of
// promises. Fails closed: what has to be looked at and is not there is a denial. Hot.
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import type { RequestTarget } from '#model/request-target.ts';
import type { Denial, RuleRef, Verdict } from '#model/verdict.ts';
import type { RequestBody } from './request-body.ts';

/** What rules look at. The gateway's exchange satisfies it, so that no object is made per request. */
export interface RouteFacts {
  /** As sent; upper case by the parser's own law. */
  readonly method: string;
  readonly target: RequestTarget;
  /** The canonical path the rules see: the target's, less a tenant prefix where tenancy is by path. */
  readonly routePath: string;
  /** Lower case, without a port. */
  readonly hostName: string;
  /** A WebSocket handshake: nobody sees what travels after it. */
  readonly isUpgrade: boolean;
  /** Whether the request declares a body at all; one of no bytes counts as none. */
  readonly hasBody: boolean;
  /** The header as it came; empty when absent. */
  readonly contentType: string;
  /** Null until it was held and read, which `NEEDS_BODY` asks for. */
  readonly body: RequestBody | null;
  /** Null only in tools (`policy explain` without a grant): then nothing is lifted, and access is `write`. */
  readonly grant: Grant | null;
  /** Null only in tools: what a rule asks of the principal is then unknown, and the rule holds. */
  readonly credential: Credential | null;
  readonly tenant: TenantId | null;
  /** Null: not known. */
  readonly tenantClass: string | null;
  /** Whether the request belongs to a support session. Absent or null: not known. */
  readonly hasSession?: boolean | null;
  /** The one workspace that the request names, by a ScopeMap; null where it names none or several. Set by `scope`. */
  readonly workspace: string | null;
  /** Every line of a request header, in order; empty when absent. `name` in lower case. */
  headerValues(name: string): readonly string[];
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
  /** A body that a rule has to see is held up to this; more is `body_too_large`. Never null. */
  readonly maxInspectedBytes: number;
  /** Null: the gateway's own timeout. */
  readonly headersTimeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
}

/** Filled by `evaluate`. */
export interface ShadowSink {
  /** Rules in shadow mode that would have denied. */
  shadowRules: readonly RuleRef[];
  /** Whether a rule in shadow mode would have to see the body, which was not read. It never stops a request. */
  wantsBody: boolean;
}

/** Filled by `scope`. */
export interface WorkspaceSink {
  workspace: string | null;
}

/** The head of an upstream's answer, as its guards look at it. */
export interface ResponseFacts {
  readonly status: number;
  /** Name, value, name, value … as received, any case. */
  readonly fields: readonly string[];
  /** -1 where it was not declared. */
  readonly contentLength: number;
}

/** What the guards of a route make of an answer. */
export interface GuardVerdict {
  /** Stops the answer before its first byte: `response_guarded` with the guard. Null: it may begin. */
  readonly denial: Denial | null;
  /** Body bytes after which it is cut, `endedBy: guard`; Infinity without a guard of size. */
  readonly maxBodyBytes: number;
  /** The guard that sets `maxBodyBytes`; null exactly when that is Infinity. */
  readonly sizeGuard: RuleRef | null;
  /** Guards in shadow mode that would have stopped it; usually empty. */
  readonly shadowRules: readonly RuleRef[];
  /** Guards of size in shadow mode that its head does not decide: each would have cut a longer body. Usually empty. */
  readonly shadowSizes: readonly SizeLimit[];
}

export interface SizeLimit {
  readonly rule: RuleRef;
  /** Body bytes that may pass. */
  readonly maxBytes: number;
}

export interface CompiledPolicy {
  /** SHA-256 of the compiled set, `sha256:` and 64 hex digits; independent of file names and comments. */
  readonly digest: string;
  /** Deny rules; guards and allowances are not counted. */
  readonly ruleCount: number;
  /** The raw pairs of a query whose names some rule reads: their values belong in the record. Usually empty. */
  recordedQuery(query: string): string;
  /** What the set holds, for people who ask: `GET /v1/policy`. Frozen. */
  readonly contents: PolicyContents;
  /** Whether any guard is in the set; without one `judgeResponse` need not be asked. */
  readonly hasGuards: boolean;
  settingsFor(routePath: string): RouteSettings;
  /** Read-only grants: what is neither safe by every method it claims nor a SafeRoute is `read_only`. */
  access(facts: RouteFacts): Verdict;
  /** ScopeMaps: `tenant_mismatch`, `workspace_out_of_scope`, or PASS with the workspace that was named. */
  scope(facts: RouteFacts, into: WorkspaceSink): Verdict;
  /** Deny rules, then allowances where the set is an allow-list. */
  evaluate(facts: RouteFacts, shadow: ShadowSink): Verdict;
  explain(facts: RouteFacts): Explanation;
  judgeResponse(facts: RouteFacts, response: ResponseFacts): GuardVerdict;
  /** Reads a held body, once per request. Never throws: what cannot be read is a body that says so. */
  readBody(held: HeldBody): RequestBody | Promise<RequestBody>;
}

export interface PolicyContents {
  readonly defaultEffect: 'allow' | 'deny';
  /** In file and document order. */
  readonly rules: readonly ListedRule[];
  readonly guards: readonly ListedRule[];
  /** Ids; they count only where `defaultEffect` is `deny`. */
  readonly allowances: readonly string[];
  readonly safeRoutes: number;
  readonly scopeMaps: number;
  readonly routeSettings: number;
}

export interface ListedRule extends RuleRef {
  readonly mode: 'enforce' | 'shadow';
  readonly liftable: boolean;
  /** Attributes that its `when` asks for, sorted; usually empty. */
  readonly when: readonly string[];
}

/** A body that was held, byte for byte, and how the request declares it. */
export interface HeldBody {
  /** Null: more came than `maxBytes`, or it was not waited for. */
  readonly bytes: Buffer | null;
  /** The header as it came; empty when absent. */
  readonly contentType: string;
  readonly contentEncoding: string;
  /** Decompressed bytes beyond this are not looked at: then it is too large. */
  readonly maxBytes: number;
}

/** The same walk as `evaluate`, told step by step; a property test holds that both decide alike. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly canonicalPath: string;
  /** Every widest reading tried, in order: the folded path, without the suffix, decoded again. */
  readonly readings: readonly string[];
  readonly considered: readonly ConsideredRule[];
  /** The allowance that covers it; null where none does, or where the set is no allow-list. */
  readonly allowance: string | null;
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
