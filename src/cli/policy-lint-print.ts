// How `postern policy lint` answers: findings with a caret, a table of operations, the suspicious ones with their
// reasons and a rule to paste; or one JSON document. Text of an API document is somebody else's: no control characters
// reach the screen. Not hot.
import type { Finding } from '#policy/lint/finding.ts';
import type { OperationDecision } from '#policy/lint/operation-decisions.ts';
import type { Suspect } from '#policy/lint/suspects.ts';
import type { Hint } from '#policy/lint/suspicion.ts';
import { type PolicyPrinter, problemText } from './policy-print.ts';

export interface LintPrint {
  readonly ok: boolean;
  /** Of the set. */
  readonly digest: string;
  readonly findings: readonly Finding[];
  /** Null where no API document was asked about. */
  readonly api: ApiPrint | null;
}

export interface ApiPrint {
  readonly title: string | null;
  readonly version: string;
  readonly unresolved: readonly string[];
  readonly decisions: readonly OperationDecision[];
  /** What is shown: those of `minScore` and more, or all. */
  readonly suspects: readonly Suspect[];
  /** How many reach `minScore`. */
  readonly suspicious: number;
  readonly minScore: number;
}

export function printLint({ findings, api }: LintPrint, printer: PolicyPrinter): void {
  for (const finding of findings) {
    const label = finding.severity === 'warning' ? printer.yellow('warning: ') : printer.dim('note: ');
    const message = printable(`${finding.message} [${finding.check}]`);
    printer.out(problemText({ ...finding, message }, label));
  }
  if (findings.length === 0) printer.out(printer.green('the set: nothing found'));
  if (api === null) return;
  printTable(api, printer);
  for (const suspect of api.suspects) printSuspect(suspect, api.minScore, printer);
  const summary = `${counted(api.suspicious, 'operation')} not denied and suspicious (score ${api.minScore} and more)`;
  printer.out(`\n${api.suspicious === 0 ? printer.green(summary) : printer.red(summary)}`);
}

function printTable({ decisions, title, unresolved }: ApiPrint, printer: PolicyPrinter): void {
  printer.out(`\n${printable(title ?? 'operations')}: ${decisionCounts(decisions)}`);
  for (const reference of unresolved) printer.err(`reference not followed: ${printable(reference)}`);
  const width = Math.max(...decisions.map(({ operation }) => operation.method.length));
  for (const { operation, decision, by, condition, shadowRules } of decisions) {
    const shown = decision.padEnd(11);
    const plain = decision === 'allow' ? shown : printer.yellow(shown);
    const why = [by, condition].filter((one) => one !== null).join(' ');
    const shadow = shadowRules.length === 0 ? '' : ` (shadow mode: ${shadowRules.join(', ')})`;
    const route = `${operation.method.padEnd(width)} ${operation.path}`;
    const rest = printable(`${route}${why === '' ? '' : `  ${why}`}${shadow}`);
    printer.out(`  ${decision === 'deny' ? printer.red(shown) : plain} ${rest}`);
  }
}

function decisionCounts(decisions: readonly OperationDecision[]): string {
  const count = (wanted: OperationDecision['decision']): number =>
    decisions.filter(({ decision }) => decision === wanted).length;
  const [denied, partly, allowed] = [count('deny'), count('conditional'), count('allow')];
  return `${counted(decisions.length, 'operation')}, ${denied} denied, ${partly} in part, ${allowed} allowed`;
}

const MAX_HINTS = 4;

function printSuspect(
  { decision, score, suspicions, rule }: Suspect,
  minScore: number,
  printer: PolicyPrinter,
): void {
  const { operation, condition } = decision;
  const [first] = suspicions;
  const partly = condition === null ? '' : ` (denied ${condition} only)`;
  const head = `${String(score).padStart(3)}  ${first?.category}  ${operation.method} ${operation.path}${partly}`;
  const shown = printable(head);
  printer.out(`\n${score >= minScore ? printer.yellow(shown) : printer.dim(shown)}`);
  printer.out(printable(`     because ${(first?.hints ?? []).slice(0, MAX_HINTS).map(hintText).join(', ')}`));
  const others = suspicions.slice(1).map(({ category, score: also }) => `${category} ${also}`);
  if (others.length > 0) printer.out(`     also looks like ${others.join(', ')}`);
  printer.out(rule === null ? '     no pattern can name this path' : rule.yaml);
}

function hintText({ words, place, points }: Hint): string {
  return `${JSON.stringify(words)} in the ${place} (${Math.round(points)})`;
}

export function lintJson({ ok, digest, findings, api }: LintPrint): string {
  const answer = {
    ok,
    policyDigest: digest,
    findings,
    ...(api === null
      ? {}
      : {
          openapi: { title: api.title, version: api.version, unresolvedReferences: api.unresolved },
          minScore: api.minScore,
          operations: api.decisions.map(operationJson),
          suspicious: api.suspicious,
          suspects: api.suspects.map(suspectJson),
        }),
  };
  return JSON.stringify(answer, null, 2);
}

function operationJson({ operation, ...decision }: OperationDecision): object {
  const { method, path, operationId } = operation;
  return { method, path, operationId, ...decision };
}

function suspectJson({ decision, score, suspicions, rule }: Suspect): object {
  const { method, path, operationId } = decision.operation;
  const { decision: decided, condition } = decision;
  const rounded = suspicions.map(({ hints, ...suspicion }) => ({
    ...suspicion,
    hints: hints.map(({ words, place, points }) => ({ words, place, points: Math.round(points) })),
  }));
  return { score, method, path, operationId, decision: decided, condition, suspicions: rounded, rule };
}

/** What could move a cursor or hide text becomes a space; colours are added afterwards. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ');
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
