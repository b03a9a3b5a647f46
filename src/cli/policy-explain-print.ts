// How `postern policy explain` tells its answer, as text and as JSON. Header values are never shown, since a request
// carries credentials in them; of the body only its kind, its size and what is wrong with it. Not hot.
import { PASS } from '#model/verdict.ts';
import type { ConsideredRule, Explanation } from '#policy/compiled-policy.ts';
import { decisionJson, type ExplainedDecision } from '#policy/explained.ts';
import { type JudgedAt, type JudgedSubject, type Judgement, verdictText } from '#policy/judge.ts';
import type { PolicyDocuments } from '#policy/policy-file.ts';
import type { AnswerSigns } from '#policy/response-guard.ts';
import type { DescribedRequest } from './described-request.ts';
import { type PolicyPrinter, printable } from './policy-print.ts';

export interface Explained extends ExplainedDecision {
  readonly request: DescribedRequest;
  readonly subject: JudgedSubject;
  /** Of the whole set; `route.matched` says which are about this route. */
  readonly guards: readonly { readonly route: ConsideredRule; readonly signs: AnswerSigns }[];
  readonly documents: PolicyDocuments;
}

const BEFORE_RULES: Readonly<Partial<Record<JudgedAt, string>>> = {
  target: 'Refused before any rule was looked at: by its target.',
  settings: 'Refused before any rule was looked at: by the settings of the route.',
  upgrade: 'Refused before any rule was looked at: as an upgrade.',
  grant: 'Refused before any rule was looked at: by the grant.',
  access: 'Refused before any rule was asked, since the grant only reads; the rules would say:',
  scope: 'Refused before any rule was asked, by a ScopeMap; the rules would say:',
};

export function printExplained(explained: Explained, all: boolean, printer: PolicyPrinter): void {
  const { request, judgement, explanation } = explained;
  const { verdict } = judgement;
  const line = (label: string, text: string): void => printer.out(`  ${label.padEnd(11)}${printable(text)}`);
  printer.out(printable(`${request.method} ${request.rawTarget}`));
  const decision = decisionText(verdict);
  printer.out(`  decision   ${verdict === PASS ? printer.green(decision) : printer.red(decision)}`);
  const why = verdict === PASS ? null : (verdict.rule?.message ?? verdict.note);
  if (why !== null) line('because', why);
  if (request.host !== '') line('host', request.host);
  for (const note of request.notes) line('note', note);
  const before = BEFORE_RULES[judgement.at];
  if (before !== undefined) printer.out(`  ${before}`);
  if (explanation === null) return;
  line('canonical', explanation.canonicalPath);
  for (const reading of explanation.readings) line('reading', reading);
  if (judgement.facts?.workspace) line('workspace', judgement.facts.workspace);
  const body = bodyText(explained);
  if (body !== null) line('body', body);
  if (explanation.allowance !== null) line('allowance', explanation.allowance);
  printRules(explanation, all, printer);
  for (const { route, signs } of explained.guards) {
    if (route.matched) line('guard', `${ruleText(route)}, and stops ${signsText(signs)}`);
  }
  printWhatIsUnknown(explained, printer);
}

function decisionText(verdict: Judgement['verdict']): string {
  const text = verdictText(verdict);
  const isPlain = verdict === PASS || verdict.rule === null || verdict.reason === 'rule_denied';
  return isPlain ? text : `${text} (${verdict.reason})`;
}

function printRules(explanation: Explanation, all: boolean, printer: PolicyPrinter): void {
  const near = explanation.considered.filter((one) => one.pathMatched);
  const shown = all ? explanation.considered : near;
  for (const one of shown) {
    printer.out(`  ${one.matched ? 'matched' : 'not    '}    ${printable(ruleText(one))}`);
  }
  const hidden = explanation.considered.length - shown.length;
  if (hidden > 0) printer.out(printer.dim(`  ${hidden} more rules, none of whose paths matched (--all)`));
}

function ruleText({ rule, mode, because }: ConsideredRule): string {
  return `${rule.id}${mode === 'shadow' ? ' (shadow)' : ''}: ${because}`;
}

/** Null where there is none, and nobody would look at one. */
function bodyText({ request, judgement, dependsOnBody }: Explained): string | null {
  if (request.body.length === 0) {
    return dependsOnBody ? 'none; a check on this route looks at it: give one with --body' : null;
  }
  const size = `${request.body.length} bytes`;
  const body = judgement.facts?.body ?? null;
  if (body === null) return `${size}, not read: nothing on this route looks at it`;
  return `${size}, ${body.kind}${body.flaw === null ? '' : `: ${body.flaw}`}`;
}

function signsText({ attachment, mediaTypes, extensions, maxBytes }: AnswerSigns): string {
  const signs = [
    ...(attachment ? ['attachments'] : []),
    ...mediaTypes,
    ...extensions.map((extension) => `.${extension}`),
    ...(maxBytes === null ? [] : [`more than ${maxBytes} bytes`]),
  ];
  return signs.join(', ');
}

/** Only where it could have made a difference. */
function printWhatIsUnknown(explained: Explained, printer: PolicyPrinter): void {
  const { subject, explanation, documents, request } = explained;
  const near = new Set(
    explanation?.considered.filter((one) => one.pathMatched).map((one) => one.rule.id) ?? [],
  );
  const drafts = documents.rules.map(({ draft }) => draft).filter(({ id }) => near.has(id));
  const isUnknown = subject.grant === null || subject.credential === null;
  if (isUnknown && drafts.some(({ when }) => when !== null)) {
    const text = 'What `when` asks about a grant or principal that was not given counts as holding';
    printer.out(printer.dim(`  ${text} (--grant, --principal).`));
  }
  if (request.host === '' && drafts.some(({ hosts }) => hosts !== null)) {
    printer.out(printer.dim('  Rules for named hosts are left out, since no host was given (--host).'));
  }
}

export function explainedJson(explained: Explained): string {
  const { request, judgement, subject } = explained;
  const { bodyMatters: matters, allowance, considered, workspace, ...decided } = decisionJson(explained);
  const body = judgement.facts?.body ?? null;
  const answer = {
    request: `${request.method} ${request.rawTarget}`,
    host: request.host,
    ...decided,
    tenant: subject.tenant,
    workspace,
    body: { bytes: request.body.length, kind: body?.kind ?? null, flaw: body?.flaw ?? null, matters },
    upgrade: request.upgrade,
    allowance,
    considered,
    guards: explained.guards.map(({ route, signs }) => ({ ...route, stops: signs })),
    notes: request.notes,
  };
  return JSON.stringify(answer, null, 2);
}
