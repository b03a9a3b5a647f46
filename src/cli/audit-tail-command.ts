// The options of `postern audit tail`, checked before anything is read. What the command does is loaded only when it
// runs. Not hot.
import { type Command, InvalidArgumentError } from 'commander';
import { type AuditCommandContext, withJournal } from './audit-context.ts';

interface TailFlags {
  readonly journal: string;
  readonly follow: boolean;
  readonly tenant?: string | null;
  readonly lines: number;
  readonly json: boolean;
}

const DEFAULT_LINES = 20;

/** Adds the command `tail` to `command`. */
export function addTail(command: Command, { deps, printer, answer }: AuditCommandContext): void {
  withJournal(command.command('tail').description('show the last records, and those that follow'))
    .option('-f, --follow', 'go on until interrupted', false)
    .option('--tenant <id>', 'only those of this tenant')
    .option('-n, --lines <count>', 'how many to begin with', count, DEFAULT_LINES)
    .option('--json', 'print one record as JSON per line', false)
    .action(async ({ journal: directory, follow, tenant = null, lines, json }: TailFlags) => {
      const { tailAudit } = await import('./audit-tail.ts');
      const signal = follow ? (deps.interruption ?? interruptionOfProcess)() : null;
      answer(await tailAudit({ directory, tenant, count: lines, json, follow: signal }, printer));
    });
}

function interruptionOfProcess(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

function count(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('must be a whole number up to 99999.');
}
