// The options of `postern audit stats`, checked before anything is read. What the command does is loaded only when it
// runs. Not hot.
import type { Command } from 'commander';
import { type AuditCommandContext, withJournal } from './audit-context.ts';
import { instant } from './instant-argument.ts';

interface StatsFlags {
  readonly journal: string;
  readonly since?: number | null;
  readonly until?: number | null;
  readonly json: boolean;
}

/** Adds the command `stats` to `command`. */
export function addStats(command: Command, { printer, answer }: AuditCommandContext): void {
  withJournal(command.command('stats').description('count what the journal holds'))
    .option('--since <instant>', 'from then on: 2026-01-15T09:00:00Z', instant)
    .option('--until <instant>', 'before then', instant)
    .option('--json', 'print one JSON document', false)
    .action(async ({ journal: directory, since = null, until = null, json }: StatsFlags) => {
      const { statsOfAudit } = await import('./audit-stats.ts');
      answer(statsOfAudit({ directory, since, until, json }, printer));
    });
}
