// The one judgement behind every tool: what the gate would decide about a request that is described, not received.
// Guarantees: the order in which the gate refuses (target, opt-ins, upgrade, grant, access, scope, rules), by the
// gate's own code where it has a decision to make. Assumes a checked grant. Synchronous; `replay` runs it a million
// times, so it makes one object of a fixed shape per request and no more.
import type { EpochMs } from '#model/clock.ts';
import { type Grant, grantStatusAt } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import type { DenialCode } from '#model/reason.ts';
import type { RequestTarget } from '#model/request-target.ts';
import { type Denial, deny, NEEDS_BODY, PASS, type RuleRef, type Verdict } from '#model/verdict.ts';
import type {
  CompiledPolicy,
  GuardVerdict,
  ResponseFacts,
  RouteFacts,
  ShadowSink,
  WorkspaceSink,
} from './compiled-policy.ts';
import type { RequestBody } from './request-body.ts';

/** gateway/request-target.ts has it; handed in, since rooms do not import each other. */
export type ParseTarget = (raw: string) => RequestTarget | Denial;

export interface JudgeDeps {
  readonly policy: CompiledPolicy;
  readonly parseTarget: ParseTarget;
  readonly now: EpochMs;
}

/** Who asks. What is null is not known, and a rule that depends on it holds. */
export interface JudgedSubject {
  readonly grant: Grant | null;
  readonly credential: Credential | null;
  readonly tenant: TenantId | null;
  readonly tenantClass: string | null;
  readonly hasSession?: boolean | null;
}

/** Lines of the request's header by name in lower case, in order. */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

export interface JudgedRequest {
  /** Upper case. */
  readonly method: string;
  readonly rawTarget: string;
  /** What the rules see, where tenancy is by path. Absent: the canonical path of the target. */
  readonly routePath?: string;
  /** As in the Host header, in any case, with or without a port; empty where it is not known. */
  readonly host: string;
  readonly headers: Pick<RequestHeaders, 'get'>;
  /** How long its body is; 0 is none. Absent: some length where `body` is one. */
  readonly bodyBytes?: number;
  /** Null: it has none, or nobody read it. */
  readonly body: RequestBody | null;
  /** A WebSocket handshake. */
  readonly upgrade: boolean;
}

/** Which check decided; `rules` where every earlier one passed. */
export type JudgedAt = 'target' | 'settings' | 'upgrade' | 'grant' | 'access' | 'scope' | 'rules';

export interface Judgement {
  readonly verdict: Verdict;
  readonly at: JudgedAt;
  /** It has a body that was not given, and the decision depends on it; `verdict` is then NEEDS_BODY. */
  readonly needsBody: boolean;
  /** In file and document order; usually empty. */
  readonly shadowRules: readonly RuleRef[];
  /** Null where the request was refused before access was looked at. */
  readonly facts: RequestFacts | null;
}

const NO_RULES: readonly RuleRef[] = Object.freeze([]);
const NO_LINES: readonly string[] = Object.freeze([]);
export const NO_HEADERS: RequestHeaders = new Map();

/** The facts of one request, and the sinks that the policy fills, as the gateway's exchange is both. */
export class RequestFacts implements RouteFacts, WorkspaceSink, ShadowSink {
  readonly method: string;
  readonly target: RequestTarget;
  readonly routePath: string;
  readonly hostName: string;
  readonly isUpgrade: boolean;
  readonly hasBody: boolean;
  readonly contentType: string;
  readonly body: RequestBody | null;
  readonly grant: Grant | null;
  readonly credential: Credential | null;
  readonly tenant: TenantId | null;
  readonly tenantClass: string | null;
  readonly hasSession: boolean | null;
  workspace: string | null = null;
  shadowRules: readonly RuleRef[] = NO_RULES;
  wantsBody = false;
  private readonly request: JudgedRequest;

  constructor(request: JudgedRequest, target: RequestTarget, subject: JudgedSubject) {
    this.request = request;
    this.method = request.method;
    this.target = target;
    this.routePath = request.routePath ?? target.path;
    this.hostName = hostNameOf(request.host);
    this.isUpgrade = request.upgrade;
    this.hasBody = bodyBytesOf(request) > 0;
    this.contentType = request.headers.get('content-type')?.[0] ?? '';
    this.body = request.body;
    this.grant = subject.grant;
    this.credential = subject.credential;
    this.tenant = subject.tenant;
    this.tenantClass = subject.tenantClass;
    this.hasSession = subject.hasSession ?? null;
  }

  headerValues(name: string): readonly string[] {
    return this.request.headers.get(name) ?? NO_LINES;
  }
}

/** Nobody in particular: nothing is lifted and every `when` holds, so that a rule matches by itself. */
export const UNKNOWN_SUBJECT: JudgedSubject = Object.freeze({
  grant: null,
  credential: null,
  tenant: null,
  tenantClass: null,
});

export function judgeRequest(deps: JudgeDeps, subject: JudgedSubject, request: JudgedRequest): Judgement {
  const { policy } = deps;
  const target = deps.parseTarget(request.rawTarget);
  if ('reason' in target) return refused(target, 'target');
  const settled = judgeSettings(policy, request, target);
  if (settled !== PASS) return refused(settled, 'settings');
  if (request.upgrade && request.method !== 'GET') return refused(deny('upgrade_refused'), 'upgrade');
  if (subject.grant !== null) {
    const status = grantStatusAt(subject.grant, deps.now);
    if (status !== 'active') return refused(deny(STATUS_REASONS[status]), 'grant');
  }
  const facts = new RequestFacts(request, target, subject);
  const access = policy.access(facts);
  if (access !== PASS) return judged(access, 'access', facts);
  const scope = policy.scope(facts, facts);
  if (scope !== PASS) return judged(scope, 'scope', facts);
  return judged(policy.evaluate(facts, facts), 'rules', facts);
}

function judged(verdict: Verdict, at: JudgedAt, facts: RequestFacts): Judgement {
  return { verdict, at, needsBody: verdict === NEEDS_BODY, shadowRules: facts.shadowRules, facts };
}

function refused(verdict: Denial, at: JudgedAt): Judgement {
  return { verdict, at, needsBody: false, shadowRules: NO_RULES, facts: null };
}

const CLOSED_SLASH = deny(
  'bad_request_target',
  'an encoded slash, and the route does not opt in to encodedSlash',
);
const CLOSED_PERCENT = deny(
  'bad_request_target',
  'an encoded percent sign, and the route does not opt in to encodedPercent',
);
const CLOSED_BODY = deny('bad_framing', 'a body on GET or HEAD, and the route does not opt in to getBody');
const UPGRADE_BODY = deny('bad_framing', 'a body on an upgrade');

function judgeSettings(policy: CompiledPolicy, request: JudgedRequest, target: RequestTarget): Verdict {
  const settings = policy.settingsFor(request.routePath ?? target.path);
  if (target.encodedSlash && !settings.allowEncodedSlash) return CLOSED_SLASH;
  if (target.encodedPercent && !settings.allowEncodedPercent) return CLOSED_PERCENT;
  const bytes = bodyBytesOf(request);
  if (bytes === 0) return PASS;
  if (request.upgrade) return UPGRADE_BODY;
  const { method } = request;
  if ((method === 'GET' || method === 'HEAD') && !settings.allowGetBody) return CLOSED_BODY;
  const { maxBodyBytes } = settings;
  return maxBodyBytes !== null && bytes > maxBodyBytes ? deny('body_too_large') : PASS;
}

const STATUS_REASONS = {
  pending: 'grant_pending',
  scheduled: 'grant_pending',
  expired: 'grant_expired',
  revoked: 'grant_revoked',
} as const satisfies Record<string, DenialCode>;

function bodyBytesOf({ bodyBytes, body }: JudgedRequest): number {
  return bodyBytes ?? (body !== null && body.kind !== 'none' ? 1 : 0);
}

/** In lower case and without a port. */
function hostNameOf(host: string): string {
  const colon = host.lastIndexOf(':');
  const name = colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
  return name.toLowerCase();
}

/**
 * As the gate does it: judged without the body, and only where a check has to see the body, or a rule in shadow mode
 * wants to, is it read, once, and the request judged again. `bytes` of no length are no body.
 */
export async function judgeWithBody(
  deps: JudgeDeps,
  subject: JudgedSubject,
  request: Omit<JudgedRequest, 'body' | 'bodyBytes'>,
  bytes: Buffer,
): Promise<Judgement> {
  const unread: JudgedRequest = { ...request, bodyBytes: bytes.length, body: null };
  const first = judgeRequest(deps, subject, unread);
  const { facts, verdict } = first;
  if (facts === null || !(first.needsBody || (verdict === PASS && facts.wantsBody))) return first;
  const maxBytes = deps.policy.settingsFor(facts.routePath).maxInspectedBytes;
  const body = await deps.policy.readBody({
    bytes: bytes.length > maxBytes ? null : bytes,
    contentType: facts.contentType,
    contentEncoding: request.headers.get('content-encoding')?.join(', ') ?? '',
    maxBytes,
  });
  return judgeRequest(deps, subject, { ...unread, body });
}

/** An upstream's answer, as a test or `explain` describes it. */
export interface JudgedAnswer extends ResponseFacts {
  /** How long the body turned out to be; 0 where nobody says. */
  readonly bytes: number;
}

export interface AnswerJudgement {
  /** PASS, or the guard's denial: before the first byte, or when the body has grown too long. */
  readonly verdict: Verdict;
  /** The answer began and was cut by the guard of size. */
  readonly isCut: boolean;
  readonly shadowRules: readonly RuleRef[];
}

export function judgeAnswer(
  policy: CompiledPolicy,
  facts: RouteFacts,
  answer: JudgedAnswer,
): AnswerJudgement {
  if (!policy.hasGuards) return { verdict: PASS, isCut: false, shadowRules: NO_RULES };
  const guard: GuardVerdict = policy.judgeResponse(facts, answer);
  const tooLong = guard.shadowSizes.filter(({ maxBytes }) => answer.bytes > maxBytes);
  const shadowRules = [...guard.shadowRules, ...tooLong.map(({ rule }) => rule)];
  if (guard.denial !== null) return { verdict: guard.denial, isCut: false, shadowRules };
  const isCut = answer.bytes > guard.maxBodyBytes;
  const cut: Denial = { reason: 'response_guarded', rule: guard.sizeGuard, note: 'cut by a guard of size' };
  return { verdict: isCut ? cut : PASS, isCut, shadowRules };
}

/** `allow`, `deny by <rule>` or `deny by <reason>`. */
export function verdictText(verdict: Verdict): string {
  if (verdict === PASS) return 'allow';
  return `deny by ${verdict.rule?.id ?? verdict.reason}`;
}
