// Which guards, allowances and safe routes the tests reach. Each is compiled alone and asked about every request that
// was judged, so that what it covers is told by the very code that decides. Cold.
import { PASS } from '#model/verdict.ts';
import { compilePolicy, type DefaultEffect } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { NarrowRouteDraft } from './narrow-routes.ts';
import { judgeAnswer } from './judge.ts';
import { emptyDocuments, type PolicyDocuments } from './policy-file.ts';
import type { Position } from './problem.ts';
import type { JudgedTest } from './run-policy-tests.ts';

export interface PartCoverage {
  readonly kind: 'guard' | 'allowance' | 'safe route';
  /** The id; of a safe route, which has none, its methods and its first path. */
  readonly name: string;
  /** Null: nobody knows where it stands. */
  readonly at: Position | null;
  /** How many judged requests, or answers, it is about. */
  readonly reached: number;
}

export interface PartsCoverage {
  observe(judged: JudgedTest): void;
  /** Guards, allowances, safe routes, each in file and document order. */
  parts(): readonly PartCoverage[];
}

interface Part extends Omit<PartCoverage, 'reached'> {
  readonly covers: (judged: JudgedTest) => boolean;
  reached: number;
}

export function createPartsCoverage(documents: PolicyDocuments): PartsCoverage {
  const parts = [
    ...documents.guards.map((guard): Part => {
      const alone = compileAlone({ guards: [guard] }, 'allow');
      const covers = (judged: JudgedTest) => guardCovers(alone, judged);
      return { kind: 'guard', name: guard.draft.id, at: guard.at, covers, reached: 0 };
    }),
    ...documents.allowances.map((allowance): Part => {
      const alone = compileAlone({ allowances: [allowance] }, 'deny');
      const covers = (judged: JudgedTest) => allowanceCovers(alone, judged);
      return { kind: 'allowance', name: allowance.draft.id, at: allowance.at, covers, reached: 0 };
    }),
    ...documents.safeRoutes.map((route): Part => {
      const alone = compileAlone({ safeRoutes: [route] }, 'allow');
      const bare = compileAlone({}, 'allow');
      const covers = (judged: JudgedTest) => safeRouteCovers(alone, bare, judged);
      return { kind: 'safe route', name: nameOf(route), at: null, covers, reached: 0 };
    }),
  ];
  return {
    observe(judged) {
      for (const part of parts) if (part.covers(judged)) part.reached += 1;
    },
    parts: () => parts.map(({ kind, name, at, reached }) => ({ kind, name, at, reached })),
  };
}

function compileAlone(one: Partial<PolicyDocuments>, defaultEffect: DefaultEffect): CompiledPolicy {
  const options = { source: 'one part', dangerouslyAllowEmpty: true, defaultEffect };
  const { policy } = compilePolicy({ ...emptyDocuments(), ...one }, options);
  if (policy === null) throw new Error('a part of a set that compiles does not compile alone');
  return policy;
}

/** Of nobody in particular, so that a guard which the grant lifts counts. */
function guardCovers(alone: CompiledPolicy, { answer, neutral, case: one }: JudgedTest): boolean {
  if (answer === null || one.answer === null || neutral.facts === null) return false;
  const { verdict, shadowRules } = judgeAnswer(alone, neutral.facts, one.answer);
  return verdict !== PASS || shadowRules.length > 0;
}

function allowanceCovers(alone: CompiledPolicy, { document, judgement }: JudgedTest): boolean {
  const { facts, verdict } = judgement;
  if (document.defaultEffect !== 'deny' || facts === null || verdict !== PASS) return false;
  return alone.evaluate(facts, { shadowRules: [], wantsBody: false }) === PASS;
}

function safeRouteCovers(alone: CompiledPolicy, bare: CompiledPolicy, { judgement }: JudgedTest): boolean {
  const { facts } = judgement;
  if (facts === null) return false;
  return bare.access(facts) !== PASS && alone.access(facts) === PASS;
}

function nameOf({ methods, paths, upgrade }: NarrowRouteDraft): string {
  const how = upgrade ? 'websocket' : (methods?.join('|') ?? '*');
  return `${how} ${paths[0]?.text ?? ''}`;
}
