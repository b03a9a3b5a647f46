// Checked documents → the compiled set in force, or the problems that only show between documents. Cold.
// What it returns is hot and immutable but for its own scratch space.
import { type Denial, denyByRule, NEEDS_BODY, PASS, type RuleRef, type Verdict } from '#model/verdict.ts';
import { createAccess } from './access.ts';
import type { CompiledPolicy, ListedRule, PolicyContents, RouteFacts } from './compiled-policy.ts';
import { digestOf } from './digest.ts';
import { Walk } from './evaluate.ts';
import { explainWith } from './explain.ts';
import type { PolicyDocuments } from './policy-file.ts';
import { type PolicyProblem, type Position, problemAt, problemOfFile, sortProblems } from './problem.ts';
import { readBody } from './read-body.ts';
import type { RuleHead } from './route-policy.ts';
import { attributesOf } from './when.ts';
import { createRecordedQuery } from './recorded-query.ts';
import { compileGuards } from './response-guard.ts';
import { type Allowances, createAllowances } from './route-allowance.ts';
import { createSettingsLookup } from './route-settings.ts';
import { compileRules } from './rule-set.ts';
import { createSafeRoutes } from './safe-routes.ts';
import { createScopes } from './scope-map.ts';

/** `policies.defaultEffect`: what becomes of a request that no rule denies. */
export type DefaultEffect = 'allow' | 'deny';

export interface CompileOptions {
  /** The directory or file that a missing deny rule is reported for. */
  readonly source: string;
  /** Loud in the configuration: a gate without a single deny rule. */
  readonly dangerouslyAllowEmpty: boolean;
  readonly defaultEffect: DefaultEffect;
}

export interface CompileOutcome {
  /** Null exactly when there are problems. */
  readonly policy: CompiledPolicy | null;
  /** Sorted. */
  readonly problems: readonly PolicyProblem[];
}

/** `documents` in file and document order, themselves without problems. */
export function compilePolicy(documents: PolicyDocuments, options: CompileOptions): CompileOutcome {
  const problems = [...findRepeatedIds(documents), ...findAliases(documents, options.source)];
  const isAllowList = options.defaultEffect === 'deny';
  if (documents.rules.length === 0 && !isAllowList && !options.dangerouslyAllowEmpty) {
    problems.push(problemOfFile(options.source, 'the set holds no deny rule'));
  }
  if (problems.length > 0) return { policy: null, problems: sortProblems(problems) };
  return { policy: compileSet(documents, options.defaultEffect), problems: [] };
}

function compileSet(documents: PolicyDocuments, defaultEffect: DefaultEffect): CompiledPolicy {
  const set = compileRules(documents.rules.map(({ draft }) => draft));
  const walk = new Walk(set);
  const allowances = defaultEffect === 'deny' ? createAllowances(documents.allowances) : null;
  const guards = compileGuards(documents.guards.map(({ draft }) => draft));
  const scopes = createScopes(documents.scopes);
  return Object.freeze({
    digest: digestOf(documents, defaultEffect),
    ruleCount: set.rules.length,
    recordedQuery: createRecordedQuery(new Set([...set.queryNames, ...scopes.queryNames])),
    contents: contentsOf(documents, defaultEffect),
    hasGuards: documents.guards.length > 0,
    settingsFor: createSettingsLookup(documents.settings),
    access: createAccess(createSafeRoutes(documents.safeRoutes)),
    scope: (facts, into) => scopes.scope(facts, into),
    evaluate(facts, shadow) {
      const verdict = walk.run(facts, shadow, null);
      return verdict === PASS && allowances !== null ? judgeByDefault(allowances, facts) : verdict;
    },
    explain(facts) {
      const told = explainWith(walk, set, facts);
      const verdict =
        told.verdict === PASS && allowances !== null ? judgeByDefault(allowances, facts) : told.verdict;
      const covered = allowances?.coveredBy(facts);
      const allowance = typeof covered === 'string' ? covered : null;
      return { ...told, verdict, allowance, canonicalPath: facts.target.path };
    },
    judgeResponse: (facts, response) => guards.judge(facts, response),
    readBody,
  } satisfies CompiledPolicy);
}

function contentsOf(documents: PolicyDocuments, defaultEffect: DefaultEffect): PolicyContents {
  return Object.freeze({
    defaultEffect,
    rules: documents.rules.map(({ draft }) => listed(draft)),
    guards: documents.guards.map(({ draft }) => listed(draft)),
    allowances: documents.allowances.map(({ draft }) => draft.id),
    safeRoutes: documents.safeRoutes.length,
    scopeMaps: documents.scopes.length,
    routeSettings: documents.settings.length,
  });
}

function listed({ id, category, mode, liftable, when, message }: RuleHead): ListedRule {
  const attributes = when === null ? [] : attributesOf(when);
  return Object.freeze({ id, category, mode, liftable, when: attributes, message });
}

/** What an allow-list leaves out is denied by this, which has no file and no line. */
const BY_DEFAULT: RuleRef = Object.freeze({
  id: 'policy.default-deny',
  category: 'default',
  message: 'Support access does not include this part of the application.',
});
const DENIED_BY_DEFAULT: Denial = Object.freeze(denyByRule(BY_DEFAULT));

function judgeByDefault(allowances: Allowances, facts: RouteFacts): Verdict {
  const covered = allowances.coveredBy(facts);
  if (covered === NEEDS_BODY) return NEEDS_BODY;
  return covered === null ? DENIED_BY_DEFAULT : PASS;
}

/** A header that a map reads must not come by another name: which of the two counts is the application's to say. */
function findAliases({ settings, scopes }: PolicyDocuments, source: string): PolicyProblem[] {
  const { headerNames } = createScopes(scopes);
  const aliases = settings.flatMap(({ headers }) =>
    headers.filter((name) => headerNames.has(name.replaceAll(/[_.]/g, '-'))),
  );
  return aliases.map((name) =>
    problemOfFile(
      source,
      `RouteSettings let the header ${name} pass, another spelling of one that a ScopeMap reads`,
    ),
  );
}

/** Rules, guards and allowances share the names that records and metrics carry. */
function findRepeatedIds({ rules, guards, allowances }: PolicyDocuments): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const first = new Map<string, Position>();
  for (const { draft, at } of [...rules, ...guards, ...allowances]) {
    const known = first.get(draft.id);
    if (known === undefined) first.set(draft.id, at);
    else problems.push(problemAt(at, `rule id ${draft.id} stands at ${known.file}:${known.line} already`));
  }
  return problems;
}
