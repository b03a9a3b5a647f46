// What every command of `postern policy …` is given, and the options that several of them have.
// Whatever is not handed in comes from the process: its streams, its signals. Not hot.
import { Option } from 'commander';
import type { ParseTarget } from '#policy/judge.ts';
import type { PolicyPrinter } from './policy-print.ts';
import type { WatchDirectory } from './policy-watch.ts';
import type { TextStream } from './terminal.ts';

export interface PolicyCommandDeps {
  /** gateway/request-target.ts has the one parser. */
  readonly parseTarget: ParseTarget;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Whether colours make sense. */
  readonly isTerminal: boolean;
  /** Called once per command run. Default: sets `process.exitCode`. */
  readonly onExitCode?: (code: number) => void;
  /** What ends a `--watch`. Default: SIGINT and SIGTERM. */
  readonly interruption?: () => AbortSignal;
  /** Default: the file system's own events. */
  readonly watchDirectory?: WatchDirectory;
  readonly readStdin?: () => Promise<Buffer>;
}

/** What every command is given. */
export interface PolicyCommandContext {
  readonly deps: PolicyCommandDeps;
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
  readonly answer: (code: number) => void;
}

export const DEFAULT_DIRECTORY = 'policies';

export function defaultEffectOption(): Option {
  const option = new Option('--default-effect <effect>', 'as policies.defaultEffect of the gateway has it');
  return option.choices(['allow', 'deny']).default('allow');
}
