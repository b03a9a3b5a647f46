// `postern serve`: nothing starts under a configuration that is not valid as a whole. Not hot.
// What is started is handed in: this room constructs nothing.
import type { Config } from '#config/config.ts';
import { printProblems, readConfig } from './config.ts';
import { COULD_NOT_BE_ASKED } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface ServeStart {
  readonly config: Config;
  /** One sentence each, with its place: unsafe choices that are allowed, for the operational log. May be empty. */
  readonly warnings: readonly string[];
}

/** Runs the gateway; resolves with the exit code once it has stopped. */
export type Serve = (start: ServeStart) => Promise<number>;

export interface ServeDeps {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly serve: Serve;
}

/** Resolves with 2 when the configuration is wrong, else with what `serve` says. */
export async function serveCommand(file: string, deps: ServeDeps): Promise<number> {
  const result = await readConfig(file, deps);
  if (!result.ok) {
    printProblems(result.problems, deps.terminal);
    return COULD_NOT_BE_ASKED;
  }
  const warnings = result.warnings.map((one) => `${one.file}:${one.line}:${one.column}: ${one.message}`);
  return deps.serve({ config: result.config, warnings });
}
