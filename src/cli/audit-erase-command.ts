// The options of `postern audit erase`; a wrong one is bad usage, exit code 2. What the command does is loaded only
// when it runs. Not hot.
import type { Command } from 'commander';
import { type AuditCommandContext, withJournal } from './audit-context.ts';

interface EraseFlags {
  readonly journal: string;
  readonly subject: string;
  readonly yes: boolean;
  readonly json: boolean;
}

/** Adds the command `erase` to `command`. */
export function addErase(command: Command, { printer, answer, deps }: AuditCommandContext): void {
  withJournal(
    command
      .command('erase')
      .description('erase a person from the records: destroys their key, the chain still verifies'),
  )
    .requiredOption('--subject <id>', 'a subject’s id, or the id or email address of a person')
    .option('--yes', 'do not ask first on a terminal', false)
    .option('--json', 'print one JSON document', false)
    .action(async ({ journal: directory, subject, yes, json }: EraseFlags) => {
      const { eraseSubject } = await import('./audit-erase.ts');
      const { askOnTerminal } = await import('./audit-erase-question.ts');
      const confirm = yes ? null : (deps.confirm ?? askOnTerminal);
      answer(await eraseSubject({ directory, subject, json, confirm }, printer));
    });
}
