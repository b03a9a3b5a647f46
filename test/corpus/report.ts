// What a run of the corpus says: a table by class on the terminal, and the shape of its JSON. Pure.
import type { Control } from './control.ts';
import type { Failure } from './tally.ts';

/** What `--json` writes. */
export interface Result {
  /** Hand-written cases, of every kind. */
  readonly cases: number;
  /** Sent to the process: hand-written requests and distinct generated ones. */
  readonly requests: number;
  /** Cases and generated requests of which something arrived that a reading maps to a denied route. */
  readonly leaks: number;
  /** Those that had to be forwarded and were not. */
  readonly overBlocks: number;
  readonly crashes: number;
  /** What the recorder received. */
  readonly upstreamRequests: number;
  /** What the journal says was judged and forwarded. */
  readonly judgedRequests: number;
  readonly control: Control;
  readonly seed: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
}

/** Names of REQUEST-SAFETY.md, "Classes of bypass", from 1 on. */
export const CLASSES = [
  'dot segments, encoded dots, encoded slash and backslash, encoded letters and case, slash merging',
  'path parameters, fragment in target, query read as path, client headers as decision input, header-name aliases',
  'hop-by-hop abuse, several values of one header, decision-cache key confusion, stale claims and fixation',
  "identity strings, the gate's own endpoints, CL.TE and TE.CL, 0.CL through DELETE and OPTIONS, Expect desync",
  'upgrade smuggling, response poisoning, body rewriting and Host confusion, token algorithm confusion',
  'hostile YAML and schemas, log injection, method confusion',
].flatMap((line) => line.split(', '));

const SHOWN_FAILURES = 50;

/** `sent`: every request that was sent, whatever came of it. */
export function printed(result: Result, sent: readonly { readonly class: number }[]): string {
  const rows = CLASSES.map((name, index) => {
    const number = index + 1;
    const leaks = result.control.byClass[number] ?? 0;
    return row(`${number} ${name}`, [countOf(sent, number), countOf(result.failures, number), leaks]);
  });
  const failures = result.failures
    .slice(0, SHOWN_FAILURES)
    .map(({ id, about, kind, why }) => `${id} ${kind} (${about}): ${why}`);
  const hidden = result.failures.length - failures.length;
  return [
    row('class', ['requests', 'failures', 'naive leaks']),
    ...rows,
    '',
    ...failures,
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
    `${result.cases} cases, ${result.requests} requests in ${result.seconds} s, seed ${result.seed}`,
    `${result.leaks} leaks, ${result.overBlocks} over-blocks, ${result.crashes} crashes`,
    `${result.upstreamRequests} requests arrived, ${result.judgedRequests} were judged`,
    `the naive gate: ${result.control.leaks} leaks, ${result.control.smuggled} smuggled`,
    '',
  ].join('\n');
}

function countOf(of: readonly { readonly class: number }[], number: number): number {
  return of.filter((one) => one.class === number).length;
}

function row(name: string, cells: readonly (string | number)[]): string {
  return name.padEnd(44) + cells.map((cell) => String(cell).padStart(12)).join('');
}
