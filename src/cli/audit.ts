// `postern audit …`: the table of the commands of those who read the audit; each is a file of its own, loaded when
// it runs. Exit codes: 0 held, 1 did not hold (a journal that does not verify), 2 could not be asked. Not hot.
import { Command } from 'commander';
import type { AuditCommandContext, AuditCommandDeps } from './audit-context.ts';
import { addErase } from './audit-erase-command.ts';
import { addExport } from './audit-export-command.ts';
import { addQuery } from './audit-query-command.ts';
import { addStats } from './audit-stats-command.ts';
import { addTail } from './audit-tail-command.ts';
import { addVerifyBundle } from './audit-verify-bundle-command.ts';
import { addVerify } from './audit-verify-command.ts';
import { createPolicyPrinter } from './policy-print.ts';

export function auditCommand(deps: AuditCommandDeps): Command {
  const context: AuditCommandContext = {
    deps,
    printer: createPolicyPrinter(deps),
    answer: deps.onExitCode,
  };
  const command = new Command('audit').description('read, verify and export the audit journal');
  for (const add of COMMANDS) add(command, context);
  return command;
}

/** One line each: `addVerify` of audit-verify-command.ts and so on. */
const COMMANDS: readonly ((command: Command, context: AuditCommandContext) => void)[] = [
  addErase,
  addExport,
  addQuery,
  addStats,
  addTail,
  addVerifyBundle,
  addVerify,
];
