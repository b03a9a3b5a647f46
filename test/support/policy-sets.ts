// Policies from text, for tests: compiled or with their problems, and facts for the walk.
import { NEVER } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential, Principal } from '#model/principal.ts';
import type { RequestTarget } from '#model/request-target.ts';
import { NEEDS_BODY, PASS, type Verdict } from '#model/verdict.ts';
import { type CompileOptions, compilePolicy, type DefaultEffect } from '#policy/compile.ts';
import type { CompiledPolicy, RouteFacts } from '#policy/compiled-policy.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import type { PolicyProblem } from '#policy/problem.ts';
import { NO_BODY } from '#policy/read-body.ts';
import type { RequestBody } from '#policy/request-body.ts';

const OPTIONS: CompileOptions = {
  source: 'p.yaml',
  dangerouslyAllowEmpty: true,
  defaultEffect: 'allow',
};

export function problemsOf(text: string): readonly PolicyProblem[] {
  const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(text));
  if (problems.length > 0) return problems;
  return compilePolicy(documents, { ...OPTIONS, dangerouslyAllowEmpty: false }).problems;
}

/** `line:column message`, in order. */
export function problemLines(text: string): readonly string[] {
  return problemsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

export function policyFrom(text: string, defaultEffect: DefaultEffect = 'allow'): CompiledPolicy {
  const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(text));
  const { policy, problems: found } = compilePolicy(documents, { ...OPTIONS, defaultEffect });
  if (policy === null || problems.length > 0) {
    throw new Error(JSON.stringify([...problems, ...found], null, 2));
  }
  return policy;
}

export interface RuleText {
  readonly id: string;
  readonly match: string;
  readonly more?: string;
}

/** `match` in flow style without the outer brackets: `{ paths: ["/a"] }`. */
export function rulesText(rules: readonly RuleText[]): string {
  const lines = rules.map(
    ({ id, match, more = '' }) => `    - { id: ${id}, category: export, match: [${match}]${more} }`,
  );
  return `apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: test }\nspec:\n  rules:\n${lines.join('\n')}\n`;
}

/** One rule `r` on the paths given. */
export function denyPaths(...paths: readonly string[]): CompiledPolicy {
  return policyFrom(rulesText([{ id: 'r', match: `{ paths: ${JSON.stringify(paths)} }` }]));
}

export interface FactsOptions {
  readonly method?: string;
  readonly query?: string;
  readonly host?: string;
  /** As the parser of targets made it: stands instead of path, query and flags. */
  readonly target?: RequestTarget;
  readonly encodedSlash?: boolean;
  readonly encodedPercent?: boolean;
  /** A form body with a `_method` for each. */
  readonly formMethods?: readonly string[];
  readonly contentType?: string;
  /** A body was declared; `undefined` with a content type: it was not read yet. */
  readonly body?: RequestBody;
  readonly isUpgrade?: boolean;
  readonly lifts?: readonly string[];
  readonly grant?: Grant | null;
  readonly principal?: Partial<Principal>;
  readonly tenantClass?: string;
  readonly hasSession?: boolean;
  readonly workspace?: string;
  /** By name in lower case. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

/** `path` must be canonical. */
export function facts(path: string, options: FactsOptions = {}): RouteFacts {
  const { method = 'GET', query = '', encodedSlash = false, encodedPercent = false } = options;
  const { lifts = [], grant = { ...PLAIN_GRANT, lifts }, headers = {} } = options;
  const made = { path, query, hasQuery: query !== '', encodedSlash, encodedPercent };
  const body = options.body ?? formBody(options.formMethods);
  return {
    method,
    target: options.target ?? made,
    routePath: path,
    hostName: options.host ?? 'app.example.com',
    isUpgrade: options.isUpgrade ?? false,
    hasBody: body !== null || options.contentType !== undefined,
    contentType: options.contentType ?? (body?.kind === 'form' ? FORM : ''),
    body,
    grant,
    credential: options.principal === undefined ? null : credentialOf(options.principal),
    tenant: 'acme' as TenantId,
    tenantClass: options.tenantClass ?? null,
    hasSession: options.hasSession ?? null,
    workspace: options.workspace ?? null,
    headerValues: (name) => headers[name] ?? [],
  };
}

const FORM = 'application/x-www-form-urlencoded';

function formBody(methods: readonly string[] | undefined): RequestBody | null {
  if (methods === undefined) return null;
  const claimedMethods = methods.map((name) => name.toUpperCase());
  return {
    ...NO_BODY,
    kind: 'form',
    form: methods.map((name) => `_method=${name}`).join('&'),
    claimedMethods,
  };
}

function credentialOf(principal: Partial<Principal>): Credential {
  const whole = { id: 'u1', issuer: 'https://idp', email: null, name: null, groups: [], org: 'vendor' };
  return { principal: { ...whole, ...principal }, keyId: 'k', expiresAt: NEVER };
}

export function verdictOf(policy: CompiledPolicy, asked: RouteFacts): Verdict {
  return policy.evaluate(asked, { shadowRules: [], wantsBody: false });
}

/** `allow`, `needs_body`, a rule's id, or a reason code. */
export function decide(policy: CompiledPolicy, path: string, options: FactsOptions = {}): string {
  const verdict = verdictOf(policy, facts(path, options));
  if (verdict === PASS) return 'allow';
  return verdict === NEEDS_BODY ? 'needs_body' : (verdict.rule?.id ?? verdict.reason);
}
