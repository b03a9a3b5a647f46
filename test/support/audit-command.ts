// `postern audit …` run in this process: what it wrote and answered. Streams are no terminal unless asked for.
import { Command } from 'commander';
import { auditCommand } from '#cli/audit.ts';
import type { AuditCommandDeps } from '#cli/audit-context.ts';

export interface AuditRun {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

/** Rejects with commander's error for bad usage. */
export async function runAuditWith(
  deps: Partial<AuditCommandDeps>,
  ...argv: readonly string[]
): Promise<AuditRun> {
  const text = { out: '', err: '' };
  let code: number | null = null;
  const program = new Command('postern').exitOverride();
  program.addCommand(
    auditCommand({
      stdout: { write: (chunk: string) => (text.out += chunk) },
      stderr: { write: (chunk: string) => (text.err += chunk) },
      isTerminal: false,
      onExitCode: (given) => (code = given),
      ...deps,
    }),
  );
  await program.parseAsync(['audit', ...argv], { from: 'user' });
  return { ...text, code };
}

export function runAudit(...argv: readonly string[]): Promise<AuditRun> {
  return runAuditWith({}, ...argv);
}
