// Recorded requests against a changed policy: what would be decided otherwise, per rule and tenant, with examples.
// Guarantees: a decision that needs what the record does not hold (a body, a header, a group) is counted as
// undecidable, never guessed. Judges by the gate's own code. Made for millions of records. Cold.
import type { EpochMs } from '#model/clock.ts';
import { PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { judgeRequest, type Judgement, type ParseTarget, verdictText } from './judge.ts';
import { RecordedFacts, type RecordedRequest, RecordedSubjects } from './recorded-request.ts';

/** What the change does to a request. `other`: denied before and after, by another rule or for another reason. */
export const FLIP_KINDS = ['newly_denied', 'newly_allowed', 'other'] as const;
export type FlipKind = (typeof FLIP_KINDS)[number];

export const UNDECIDABLE = ['body', 'query_value', 'header', 'principal', 'record'] as const;
export type UndecidableReason = (typeof UNDECIDABLE)[number];

export interface FlipExample {
  readonly requestId: string;
  readonly at: EpochMs;
  readonly tenant: string | null;
  readonly method: string;
  readonly host: string;
  readonly path: string;
}

/** All requests with the same change of decision. */
export interface Flip {
  readonly kind: FlipKind;
  /** `allow`, `deny by <rule>` or `deny by <reason>`. */
  readonly before: string;
  readonly after: string;
  count: number;
  readonly tenants: Map<string, number>;
  /** The first ones, at most as many as asked for. */
  readonly examples: FlipExample[];
}

export interface ReplayReport {
  /** Records of requests that were read. */
  readonly requests: number;
  /** Refused before the policy was asked: no grant, a malformed target, a limit. */
  readonly beforePolicy: number;
  readonly unchanged: number;
  readonly flipped: number;
  /** Most frequent first. */
  readonly flips: readonly Flip[];
  readonly undecidable: Readonly<Record<UndecidableReason, number>>;
}

export interface ReplayOptions {
  readonly policy: CompiledPolicy;
  readonly parseTarget: ParseTarget;
  /** Of each flip. */
  readonly examples: number;
}

/** Codes that only the policy gives; a request with one, or with `ok`, got as far as the policy. */
const BY_POLICY: ReadonlySet<string> = new Set([
  'ok',
  'rule_denied',
  'read_only',
  'tenant_mismatch',
  'workspace_out_of_scope',
  'body_uninspectable',
  'bad_request_target',
]);

export class Replay {
  readonly #options: ReplayOptions;
  readonly #subjects = new RecordedSubjects();
  readonly #flips = new Map<string, Flip>();
  /** By rule id: what its `when` asks for and no record holds. */
  readonly #narrowed: ReadonlySet<string>;
  readonly #undecidable = { body: 0, query_value: 0, header: 0, principal: 0, record: 0 };
  #requests = 0;
  #beforePolicy = 0;
  #unchanged = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#narrowed = new Set(options.policy.contents.rules.filter(asksUnknown).map(({ id }) => id));
  }

  take(request: RecordedRequest): void {
    this.#requests += 1;
    const { grant, code, rule } = request;
    const isByPolicy = BY_POLICY.has(code) || (code === 'body_too_large' && rule !== null);
    if (grant === null || !isByPolicy) {
      this.#beforePolicy += 1;
      return;
    }
    const facts = new RecordedFacts(request);
    const judgement = judgeRequest(
      { ...this.#options, now: request.at },
      this.#subjects.of(request, grant),
      facts,
    );
    const before = code === 'ok' ? 'allow' : `deny by ${rule ?? code}`;
    const after = verdictText(judgement.verdict);
    if (before === after && !judgement.needsBody) {
      this.#unchanged += 1;
      return;
    }
    const reason = this.#whyUndecidable(judgement, facts, request);
    if (reason === null) this.#flip(request, before, after);
    else this.#undecidable[reason] += 1;
  }

  report(): ReplayReport {
    const flips = [...this.#flips.values()].toSorted((a, b) => b.count - a.count);
    return {
      requests: this.#requests,
      beforePolicy: this.#beforePolicy,
      unchanged: this.#unchanged,
      flipped: flips.reduce((sum, { count }) => sum + count, 0),
      flips,
      undecidable: this.#undecidable,
    };
  }

  #whyUndecidable(
    { verdict, at, needsBody }: Judgement,
    facts: RecordedFacts,
    { path }: RecordedRequest,
  ): UndecidableReason | null {
    if (needsBody) return 'body';
    if (facts.askedForHeader) return 'header';
    // The journal cuts a path that is longer than it keeps.
    if (at === 'target') return path.endsWith('\u2026') ? 'record' : null;
    if (isUnread(verdict) && facts.queryIsPartial) return 'query_value';
    return verdict !== PASS && verdict.rule !== null && this.#narrowed.has(verdict.rule.id)
      ? 'principal'
      : null;
  }

  #flip(request: RecordedRequest, before: string, after: string): void {
    const kind = after === 'allow' ? 'newly_allowed' : before === 'allow' ? 'newly_denied' : 'other';
    const key = JSON.stringify([before, after]);
    let flip = this.#flips.get(key);
    if (flip === undefined) {
      flip = { kind, before, after, count: 0, tenants: new Map(), examples: [] };
      this.#flips.set(key, flip);
    }
    flip.count += 1;
    const { id, at, method, host, path } = request;
    const tenant = request.tenant ?? '';
    flip.tenants.set(tenant, (flip.tenants.get(tenant) ?? 0) + 1);
    if (flip.examples.length < this.#options.examples) {
      flip.examples.push({ requestId: id, at, tenant: request.tenant, method, host, path });
    }
  }
}

const UNKNOWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  'groups',
  'workspaceRoles',
  'tenantClass',
  'actAs',
  'session',
]);

function asksUnknown({ when }: CompiledPolicy['contents']['rules'][number]): boolean {
  return when.some((attribute) => UNKNOWN_ATTRIBUTES.has(attribute));
}

/** A query that a rule had to read and could not; scope maps say the same of theirs. */
function isUnread(verdict: Verdict): boolean {
  return (
    verdict !== PASS &&
    (verdict.reason === 'bad_request_target' ||
      verdict.reason === 'workspace_out_of_scope' ||
      verdict.reason === 'tenant_mismatch')
  );
}
