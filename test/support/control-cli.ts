// `postern …` run in this process against a control API: what it wrote and answered. Standard output is no terminal unless
// asked for.
import { runCli } from '#cli/cli.ts';
import { parseTarget } from '#gateway/request-target.ts';

export interface CliRun {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

export interface CliPlace {
  readonly env: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
}

export async function runControlCli(
  { env, isTTY = false }: CliPlace,
  ...argv: readonly string[]
): Promise<CliRun> {
  const text = { out: '', err: '' };
  const code = await runCli(argv, {
    version: '0.0.0',
    env: { NO_COLOR: '1', ...env },
    stdout: { isTTY, write: (chunk: string) => (text.out += chunk) },
    stderr: { write: (chunk: string) => (text.err += chunk) },
    serve: () => Promise.reject(new Error('not asked for here')),
    parseTarget,
  });
  return { ...text, code };
}
