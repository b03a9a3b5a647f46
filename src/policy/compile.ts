// Checked documents → the compiled set in force, or the problems that only show between documents. Cold.
// What it returns is hot and immutable but for its own scratch space.
import { createHash } from 'node:crypto';
import type { CompiledPolicy } from './compiled-policy.ts';
import { Walk } from './evaluate.ts';
import { explainWith } from './explain.ts';
import type { PolicyDocuments } from './policy-file.ts';
import { compare, type PolicyProblem, problemAt, problemOfFile, sortProblems } from './problem.ts';
import type { PlacedRule } from './route-policy.ts';
import { createSettingsLookup, type SettingsDraft } from './route-settings.ts';
import { compileRules, type RuleDraft } from './rule-set.ts';

export interface CompileOptions {
  /** The directory or file that a missing deny rule is reported for. */
  readonly source: string;
  /** Loud in the configuration: a gate without a single deny rule. */
  readonly dangerouslyAllowEmpty: boolean;
}

export interface CompileOutcome {
  /** Null exactly when there are problems. */
  readonly policy: CompiledPolicy | null;
  /** Sorted. */
  readonly problems: readonly PolicyProblem[];
}

/** `documents` in file and document order, themselves without problems. */
export function compilePolicy(documents: PolicyDocuments, options: CompileOptions): CompileOutcome {
  const problems = findRepeatedIds(documents.rules);
  const drafts = documents.rules.map((placed) => placed.draft);
  if (drafts.length === 0 && !options.dangerouslyAllowEmpty) {
    problems.push(problemOfFile(options.source, 'the set holds no deny rule'));
  }
  if (problems.length > 0) return { policy: null, problems: sortProblems(problems) };
  const set = compileRules(drafts);
  const walk = new Walk(set);
  const policy: CompiledPolicy = Object.freeze({
    digest: digestOf(drafts, documents.settings),
    ruleCount: drafts.length,
    settingsFor: createSettingsLookup(documents.settings),
    needsFormMethod: (facts) => walk.needsFormMethod(facts),
    evaluate: (facts, shadow) => walk.run(facts, shadow, null),
    explain: (facts) => explainWith(walk, set, facts),
  } satisfies CompiledPolicy);
  return { policy, problems: [] };
}

function findRepeatedIds(rules: readonly PlacedRule[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const first = new Map<string, PlacedRule>();
  for (const rule of rules) {
    const known = first.get(rule.draft.id);
    if (known === undefined) first.set(rule.draft.id, rule);
    else {
      const { file, line } = known.at;
      problems.push(problemAt(rule.at, `rule id ${rule.draft.id} stands at ${file}:${line} already`));
    }
  }
  return problems;
}

/** Arrays only, every field named by its place, sets sorted: equal sets have equal texts. */
function digestOf(rules: readonly RuleDraft[], settings: readonly SettingsDraft[]): string {
  const ruleParts = rules.map((rule) => [
    rule.id,
    rule.category,
    rule.mode,
    rule.liftable,
    rule.message,
    rule.match.map((match) => [
      match.methods === null ? null : match.methods.toSorted(),
      match.paths.map((path) => path.text).toSorted(),
      match.query
        .map((condition) => [condition.key, condition.values === null ? null : condition.values.toSorted()])
        .toSorted(([a], [b]) => compare(String(a), String(b))),
    ]),
  ]);
  const settingParts = settings.map((draft) => [
    draft.paths.map((path) => path.text).toSorted(),
    draft.allow.toSorted(),
    draft.headers.toSorted(),
    draft.maxBodyBytes,
    draft.headersTimeoutMs,
    draft.idleTimeoutMs,
  ]);
  const text = JSON.stringify(['postern/v1', ruleParts, settingParts]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
