// `postern policy …` run in this process: what it wrote and answered. Streams are no terminal unless asked for.
import { Command } from 'commander';
import { policyCommand } from '#cli/policy.ts';
import type { PolicyCommandDeps } from '#cli/policy-context.ts';
import { parseTarget } from '#gateway/request-target.ts';

export interface PolicyRun {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

export interface PolicyRunOptions extends Partial<PolicyCommandDeps> {
  readonly isTTY?: boolean;
  /** Told of everything that is written to standard error. */
  readonly onErr?: (chunk: string) => void;
}

export async function runPolicyWith(
  { isTTY = false, onErr, ...deps }: PolicyRunOptions,
  ...argv: readonly string[]
): Promise<PolicyRun> {
  const text = { out: '', err: '' };
  let code: number | null = null;
  const program = new Command('postern').exitOverride();
  const stderr = (chunk: string): void => {
    text.err += chunk;
    onErr?.(chunk);
  };
  program.addCommand(
    policyCommand({
      parseTarget,
      stdout: { isTTY, write: (chunk: string) => (text.out += chunk) },
      stderr: { isTTY, write: stderr },
      isTerminal: isTTY,
      onExitCode: (given) => (code = given),
      ...deps,
    }),
  );
  await program.parseAsync(['policy', ...argv], { from: 'user' });
  return { ...text, code };
}

export function runPolicy(...argv: readonly string[]): Promise<PolicyRun> {
  return runPolicyWith({}, ...argv);
}
