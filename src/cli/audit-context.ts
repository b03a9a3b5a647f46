// What every command of `postern audit …` is given, and the options that several of them have. The commands read
// files alone: they work beside a running gateway, without one, and on a copy. Not hot.
import type { Command } from 'commander';
import type { PolicyPrinter } from './policy-print.ts';
import type { TextStream } from './terminal.ts';

export interface AuditCommandDeps {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Whether colours make sense. */
  readonly isTerminal: boolean;
  /** Called once per command run. */
  readonly onExitCode: (code: number) => void;
  /** What ends `tail -f`. Default: SIGINT and SIGTERM. */
  readonly interruption?: () => AbortSignal;
  /** Asks before what cannot be undone. Default: at the terminal, where there is one. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

export interface AuditCommandContext {
  readonly deps: AuditCommandDeps;
  readonly printer: PolicyPrinter;
  readonly answer: (code: number) => void;
}

/** As `audit.directory` of the gateway names it. */
const DEFAULT_JOURNAL = 'data/audit';

export function withJournal(command: Command): Command {
  return command.option(
    '--journal <dir>',
    'the audit directory, as audit.directory names it',
    DEFAULT_JOURNAL,
  );
}
