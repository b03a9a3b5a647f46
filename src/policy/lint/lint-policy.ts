// The lint of a set: what is odd in itself, and, beside an API document, what it leaves open. Guarantees: findings
// sorted by place; nothing is changed or sent. Assumes documents without problems, and their compiled set. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { CompiledPolicy } from '../compiled-policy.ts';
import type { ParseTarget } from '../judge.ts';
import type { ApiOperation } from '../openapi-operation.ts';
import type { PolicyDocuments } from '../policy-file.ts';
import { type EntryIndex, indexEntries } from './rule-entries.ts';
import { type Finding, sortFindings } from './finding.ts';
import { decideOperations, type OperationDecision } from './operation-decisions.ts';
import { findUnknownMethods, findUnreachablePaths } from './reachable-paths.ts';
import { findConfusingIds, findDeepStarts, findMissingCategories, findShadowModeOnly } from './set-shape.ts';
import { findShadowedRules } from './shadowed-rules.ts';
import { findSuspects, type Suspect } from './suspects.ts';
import { findOpenOperations, findOpenSiblings } from './version-siblings.ts';

export interface LintSubject {
  /** The directory or file that a finding about the whole set is reported for. */
  readonly source: string;
  readonly documents: PolicyDocuments;
  readonly policy: CompiledPolicy;
  readonly parseTarget: ParseTarget;
}

/** Sorted by place; empty is the aim. */
export function lintPolicy(subject: LintSubject): readonly Finding[] {
  return sortFindings(findingsOf(subject, indexEntries(subject.documents.rules)));
}

export interface OperationsLint {
  /** Those of the set alone, and open siblings among the operations. Sorted by place. */
  readonly findings: readonly Finding[];
  /** In the document's order. */
  readonly decisions: readonly OperationDecision[];
  /** Undenied, at least in part; the highest score first, of all scores above 0. */
  readonly suspects: readonly Suspect[];
}

export interface ApiSubject {
  readonly operations: readonly ApiOperation[];
  /** What the Host header is taken to be; empty: rules for named hosts do not match. */
  readonly host: string;
}

/** No grant is judged, so the clock does not matter. */
const NO_TIME = 0 as EpochMs;

export function lintOperations(subject: LintSubject, { operations, host }: ApiSubject): OperationsLint {
  const { documents, policy, parseTarget } = subject;
  const { rules, guards } = documents;
  const index = indexEntries(rules);
  const decisions = decideOperations({ rules, policy, parseTarget, host, now: NO_TIME }, operations);
  const findings = [...findingsOf(subject, index), ...findOpenOperations(index, decisions)];
  const ids = [...rules, ...guards].map(({ draft }) => draft.id);
  return { findings: sortFindings(findings), decisions, suspects: findSuspects(decisions, new Set(ids)) };
}

function findingsOf(subject: LintSubject, index: EntryIndex): readonly Finding[] {
  const { source, documents, policy, parseTarget } = subject;
  const { rules } = documents;
  return [
    ...findShadowedRules(index),
    ...findUnreachablePaths({ policy, parseTarget }, rules),
    ...findUnknownMethods(rules),
    ...findOpenSiblings(index),
    ...findMissingCategories(source, documents),
    ...findConfusingIds(rules),
    ...findDeepStarts(rules),
    ...findShadowModeOnly(rules),
  ];
}
