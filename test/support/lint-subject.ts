// A policy set from text, as the lint takes it.
import { parseTarget } from '../../src/gateway/request-target.ts';
import { compilePolicy } from '#policy/compile.ts';
import type { LintSubject } from '#policy/lint/lint-policy.ts';
import type { ApiOperation } from '#policy/openapi-operation.ts';
import { appendDocuments, emptyDocuments, parsePolicyFile } from '#policy/policy-file.ts';
import type { PolicyProblem } from '#policy/problem.ts';

/** Each text is a file of whole policy documents. */
export function lintSubject(...texts: readonly string[]): LintSubject {
  const documents = emptyDocuments();
  const problems: PolicyProblem[] = [];
  for (const text of texts) {
    const parsed = parsePolicyFile('p.yaml', Buffer.from(text));
    appendDocuments(documents, parsed.documents);
    problems.push(...parsed.problems);
  }
  const options = { source: 'p.yaml', dangerouslyAllowEmpty: true, defaultEffect: 'allow' } as const;
  const { policy, problems: found } = compilePolicy(documents, options);
  if (policy === null || problems.length > 0) throw new Error(JSON.stringify([...problems, ...found]));
  return { source: 'p.yaml', documents, policy, parseTarget };
}

/** `rules` are lines of YAML under `rules:`, each `{ id: …, category: …, match: … }`. */
export function rulesOf(...rules: readonly string[]): LintSubject {
  const files: string[] = [];
  for (let i = 0; i < rules.length; i += RULES_PER_FILE) {
    files.push(policyText(...rules.slice(i, i + RULES_PER_FILE)));
  }
  return lintSubject(...files);
}

/** A file of more would be larger than a file may be. */
const RULES_PER_FILE = 200;

export function policyText(...rules: readonly string[]): string {
  const lines = rules.map((rule) => `    - ${rule}`).join('\n');
  return `apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: test }\nspec:\n  rules:\n${lines}\n`;
}

export function operation(method: string, path: string, more: Partial<ApiOperation> = {}): ApiOperation {
  return {
    method,
    path,
    operationId: null,
    summary: null,
    description: null,
    tags: [],
    parameters: [],
    requestTypes: [],
    responseTypes: [],
    responseHeaders: [],
    requestFields: [],
    responseFields: [],
    ...more,
  };
}
