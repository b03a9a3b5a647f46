// Policies from text, for tests: compiled or with their problems, and facts for the walk.
import type { Grant } from '#model/grant.ts';
import { PASS, type Verdict } from '#model/verdict.ts';
import { compilePolicy } from '#policy/compile.ts';
import type { CompiledPolicy, RouteFacts } from '#policy/compiled-policy.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import type { PolicyProblem } from '#policy/problem.ts';

export function problemsOf(text: string): readonly PolicyProblem[] {
  const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(text));
  if (problems.length > 0) return problems;
  return compilePolicy(documents, { source: 'p.yaml', dangerouslyAllowEmpty: false }).problems;
}

/** `line:column message`, in order. */
export function problemLines(text: string): readonly string[] {
  return problemsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);
}

export function policyFrom(text: string): CompiledPolicy {
  const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(text));
  const options = { source: 'p.yaml', dangerouslyAllowEmpty: true };
  const { policy, problems: found } = compilePolicy(documents, options);
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
  readonly encodedSlash?: boolean;
  readonly encodedPercent?: boolean;
  readonly formMethods?: readonly string[];
  readonly lifts?: readonly string[];
  readonly grant?: Grant | null;
}

/** `path` must be canonical. */
export function facts(path: string, options: FactsOptions = {}): RouteFacts {
  const { method = 'GET', query = '', encodedSlash = false, encodedPercent = false } = options;
  const { formMethods = [], lifts = [], grant = { ...PLAIN_GRANT, lifts } } = options;
  const target = { path, query, hasQuery: query !== '', encodedSlash, encodedPercent };
  return { method, target, routePath: path, formMethods, grant };
}

export function verdictOf(policy: CompiledPolicy, asked: RouteFacts): Verdict {
  return policy.evaluate(asked, { shadowRules: [] });
}

/** `allow`, a rule's id, or a reason code. */
export function decide(policy: CompiledPolicy, path: string, options: FactsOptions = {}): string {
  const verdict = verdictOf(policy, facts(path, options));
  return verdict === PASS ? 'allow' : (verdict.rule?.id ?? verdict.reason);
}
