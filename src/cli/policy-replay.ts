// `postern policy replay`: what a changed policy would have decided otherwise about the requests of a journal.
// Opens no socket and changes nothing; reads the journal of a running gateway as well as a copy. Not hot, but made
// for millions of records.
import type { RecordedLine } from '#audit/recorded-requests.ts';
import { recordedRequests } from '#audit/recorded-requests.ts';
import type { EpochMs } from '#model/clock.ts';
import type { DefaultEffect } from '#policy/compile.ts';
import { loadPolicyDirectory } from '#policy/load-directory.ts';
import type { ParseTarget } from '#policy/judge.ts';
import type { RecordedGrant, RecordedRequest } from '#policy/recorded-request.ts';
import { type Flip, Replay, type ReplayReport } from '#policy/replay.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { type PolicyPrinter, printable, printPolicyProblems } from './policy-print.ts';

export interface ReplayCommandOptions {
  readonly journal: string;
  readonly directory: string;
  readonly packs: readonly string[];
  readonly defaultEffect: DefaultEffect;
  /** Null: every tenant. */
  readonly tenant: string | null;
  /** Epoch milliseconds; null: from the beginning. */
  readonly since: number | null;
  /** Exclusive; null: to the end. */
  readonly until: number | null;
  /** To show of each change. */
  readonly examples: number;
  readonly json: boolean;
}

export interface ReplayDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
}

/** 0 when nothing would be decided otherwise, 1 when something would, 2 when it could not be asked. */
export async function replayJournal(options: ReplayCommandOptions, deps: ReplayDeps): Promise<number> {
  const { printer, parseTarget } = deps;
  const { directory, packs, defaultEffect } = options;
  const load = { directory, packs, defaultEffect, dangerouslyAllowEmpty: false };
  const { policy, problems } = await loadPolicyDirectory(load);
  if (policy === null) {
    if (options.json) printer.out(JSON.stringify({ ok: false, problems }, null, 2));
    else printPolicyProblems(problems, printer);
    return COULD_NOT_BE_ASKED;
  }
  const replay = new Replay({ policy, parseTarget, examples: options.examples });
  const read = readInto(replay, options, printer);
  if (typeof read === 'string') {
    printer.err(`${options.journal}: ${read}`);
    return COULD_NOT_BE_ASKED;
  }
  const report = replay.report();
  if (options.json) printer.out(jsonOf(report, { damaged: read.damaged, digest: policy.digest }));
  else print(report, read.damaged, printer);
  return report.flipped === 0 ? HELD : DID_NOT_HOLD;
}

/** What it could not read, or how many lines were damaged. */
function readInto(
  replay: Replay,
  options: ReplayCommandOptions,
  printer: PolicyPrinter,
): { readonly damaged: number } | string {
  let damaged = 0;
  let any = false;
  try {
    for (const batch of recordedRequests(options.journal)) {
      any = true;
      damaged += batch.damaged;
      for (const one of batch.lines) if (isWanted(one, options)) replay.take(requestOf(one));
      printer.progress(`${Math.floor((100 * batch.bytesRead) / batch.bytesTotal)} %`);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return `the journal cannot be read (${code})`;
  } finally {
    printer.progress(null);
  }
  return any ? { damaged } : 'there is no journal segment with a record in it';
}

function isWanted({ line }: RecordedLine, { tenant, since, until }: ReplayCommandOptions): boolean {
  if (tenant !== null && line.tenant !== tenant) return false;
  return (since === null || line.t >= since) && (until === null || line.t < until);
}

function requestOf({ line, subject, grant }: RecordedLine): RecordedRequest {
  const isRefused = line.k === 'refused';
  return {
    id: line.id,
    at: line.t as EpochMs,
    tenant: line.tenant,
    method: line.method,
    host: line.host,
    path: line.path,
    route: line.route ?? null,
    queryNames: line.query ?? '',
    queryPairs: line.pairs ?? '',
    bodyType: line.body ?? null,
    upgrade: line.upgrade === true,
    actor: actorOf(subject),
    grant: grant === null ? null : grantOf(grant),
    code: isRefused ? line.code : 'ok',
    rule: isRefused ? (line.rule?.id ?? null) : null,
  };
}

/** The subject stands for the principal's id: no `when` asks for that, and so nobody's box is opened. */
function actorOf({ kind, subject, issuer, org }: RecordedLine['subject']): RecordedRequest['actor'] {
  return kind === 'anonymous' ? null : { id: subject, issuer: issuer ?? '', org: org ?? '' };
}

/** A session may read under a grant that allows writing: then it is another one to judge by. */
function grantOf({
  grant,
  session,
  lifts,
  workspaces,
  reason,
}: NonNullable<RecordedLine['grant']>): RecordedGrant {
  const { revision, roles } = grant;
  return {
    id: session?.id ?? grant.id,
    revision,
    access: session?.access === 'read' ? 'read' : grant.access,
    roles,
    lifts: lifts ?? [],
    workspaces: workspaces ?? [],
    reasonType: reason?.type ?? null,
  };
}

const KIND_TEXT = {
  newly_denied: 'newly denied',
  newly_allowed: 'newly allowed',
  other: 'denied for another reason',
} as const satisfies Record<Flip['kind'], string>;

function print(report: ReplayReport, damaged: number, printer: PolicyPrinter): void {
  const { requests, beforePolicy, unchanged, flipped, undecidable } = report;
  for (const flip of report.flips) printFlip(flip, printer);
  const undecided = Object.entries(undecidable).filter(([, count]) => count > 0);
  const total = undecided.reduce((sum, [, count]) => sum + count, 0);
  const changed = `${grouped(flipped)} would be decided otherwise`;
  printer.out(flipped === 0 ? printer.green(changed) : printer.red(changed));
  printer.out(`${grouped(unchanged)} as before, of ${grouped(requests)} recorded requests`);
  printer.out(`${grouped(beforePolicy)} were refused before the policy was asked`);
  const why = undecided.map(([reason, count]) => `${grouped(count)} ${UNDECIDED_TEXT[reason] ?? reason}`);
  printer.out(
    `${grouped(total)} cannot be decided from the record${total === 0 ? '' : `: ${why.join(', ')}`}`,
  );
  if (damaged > 0) printer.err(printer.yellow(`warning: ${grouped(damaged)} damaged lines were passed over`));
}

const UNDECIDED_TEXT: Readonly<Record<string, string>> = {
  body: 'for their body',
  query_value: 'for a query value',
  header: 'for a header',
  principal: 'for groups, workspace roles or tenant class',
  record: 'for a path too long for the record',
};

const MOST_TENANTS = 8;

function printFlip(flip: Flip, printer: PolicyPrinter): void {
  const { kind, before, after, count, tenants, examples } = flip;
  const paint = kind === 'newly_allowed' ? printer.yellow : printer.red;
  printer.out(`${paint(KIND_TEXT[kind])}: ${grouped(count)} × ${after} (was ${before})`);
  const busiest = [...tenants].toSorted(([, a], [, b]) => b - a);
  const named = busiest.slice(0, MOST_TENANTS).map(([tenant, n]) => `${printable(tenant)} ${grouped(n)}`);
  const more = busiest.length - named.length;
  printer.out(`  tenants: ${named.join(', ')}${more > 0 ? ` and ${grouped(more)} more` : ''}`);
  for (const { requestId, at, tenant, method, path } of examples) {
    const when = new Date(at).toISOString();
    const what = `${printable(method)} ${printable(path)}`;
    printer.out(printer.dim(`  ${when} ${printable(tenant ?? '-')} ${what} ${printable(requestId)}`));
  }
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function jsonOf(report: ReplayReport, more: { readonly damaged: number; readonly digest: string }): string {
  const flips = report.flips.map(({ tenants, examples, ...flip }) => ({
    ...flip,
    tenants: [...tenants].map(([tenant, count]) => ({ tenant, count })),
    examples: examples.map(({ at, ...example }) => ({ ...example, time: new Date(at).toISOString() })),
  }));
  const { damaged, digest } = more;
  const answer = { ok: report.flipped === 0, policyDigest: digest, ...report, flips, damagedLines: damaged };
  return JSON.stringify(answer, null, 2);
}
