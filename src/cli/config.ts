// `postern config check`: the file, its secrets and its keys, judged exactly as `serve` would judge them. Not hot.
// Prints every problem at once; never a secret's value. Reads files and the environment, opens no socket.
import type { ConfigResult } from '#config/load-config.ts';
import type { Problem } from '#config/problem.ts';
import { COULD_NOT_BE_ASKED, HELD } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export interface ConfigCheckOptions {
  readonly file: string;
  readonly json: boolean;
}

export interface ConfigCheckDeps {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Resolves with 0, or 2 when the configuration is wrong. */
export async function checkConfig(options: ConfigCheckOptions, deps: ConfigCheckDeps): Promise<number> {
  const result = await readConfig(options.file, deps);
  if (options.json) {
    const { ok, warnings } = result;
    deps.terminal.out(JSON.stringify({ ok, problems: ok ? [] : result.problems, warnings }, null, 2));
  } else {
    printWarnings(result.warnings, deps.terminal);
    if (result.ok) deps.terminal.out(`${options.file}: the configuration is valid`);
    else printProblems(result.problems, deps.terminal);
  }
  return result.ok ? HELD : COULD_NOT_BE_ASKED;
}

/** Loaded only when it is needed: help and a health check know neither YAML nor schemas. */
export async function readConfig(file: string, deps: Pick<ConfigCheckDeps, 'env'>): Promise<ConfigResult> {
  const { loadConfig } = await import('#config/load-config.ts');
  return loadConfig({ file, env: deps.env });
}

export function printProblems(problems: readonly Problem[], terminal: Terminal): void {
  for (const problem of problems) terminal.err(lines(problem, terminal.red('error: ')));
  const [first] = problems;
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  if (first !== undefined) terminal.err(`${first.file}: ${count}`);
}

function printWarnings(warnings: readonly Problem[], terminal: Terminal): void {
  for (const warning of warnings) terminal.err(lines(warning, terminal.yellow('warning: ')));
}

function lines(problem: Problem, kind: string): string {
  const head = `${problem.file}:${problem.line}:${problem.column}: ${kind}${problem.message}`;
  return problem.excerpt === null ? head : `${head}\n${problem.excerpt}`;
}
