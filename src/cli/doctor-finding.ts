// What `postern doctor` found: one line each, and what to do about it. Holds no secret: only names, addresses and paths of
// the configuration, codes and statuses. Cold.
import { printTable } from './control-print.ts';
import { DID_NOT_HOLD, HELD } from './exit-codes.ts';
import type { PolicyPrinter } from './policy-print.ts';

export type FindingState = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  /** What was looked at: `config`, `key`, `store`, `journal`, `issuer`, `upstream`, … */
  readonly check: string;
  /** Which one. */
  readonly subject: string;
  readonly state: FindingState;
  readonly detail: string;
  /** What to do; null where there is nothing to do. */
  readonly remedy: string | null;
}

export type Sort = (state: FindingState, detail: string, remedy?: string) => Finding;

/** A maker of findings about one thing. */
export function about(check: string, subject: string): Sort {
  return (state, detail, remedy) => ({ check, subject, state, detail, remedy: remedy ?? null });
}

/** A code from the closed sets of Node, OpenSSL and SQLite, or the error's class: never text from the other side. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && code !== '' ? code : error.name;
}

const SHOWN: Readonly<Record<FindingState, string>> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: 'skipped',
};

/** Prints them; 1 when one of them failed, else 0. */
export function printFindings(findings: readonly Finding[], json: boolean, printer: PolicyPrinter): number {
  const ok = findings.every(({ state }) => state !== 'failed');
  if (json) {
    printer.out(JSON.stringify({ ok, findings }, null, 2));
  } else {
    const rows = findings.map((finding) => ({ ...finding, state: SHOWN[finding.state] }));
    const columns = ['state', 'check', 'subject', 'detail'] as const;
    printTable(
      rows,
      columns.map((name) => [name.toUpperCase(), name] as const),
      printer,
    );
    for (const { state, check, subject, remedy } of findings) {
      if (remedy !== null) printer.out(`\n${SHOWN[state]} ${check} ${subject}\n  ${remedy}`);
    }
  }
  return ok ? HELD : DID_NOT_HOLD;
}
