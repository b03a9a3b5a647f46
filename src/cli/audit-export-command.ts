// The options of `postern audit export`; what the command does is loaded only when it runs.
// Not hot.
import type { Command } from 'commander';
import { type AuditCommandContext, withJournal } from './audit-context.ts';
import { instant } from './instant-argument.ts';

interface ExportFlags {
  readonly journal: string;
  readonly tenant: string;
  readonly since?: number;
  readonly until?: number;
  readonly out: string;
  readonly key: string;
  readonly json: boolean;
}

/** As `audit.signingKey` of the gateway names it. */
const DEFAULT_KEY = 'data/keys/audit.pem';

/** Adds the command `export` to `command`. */
export function addExport(command: Command, { printer, answer }: AuditCommandContext): void {
  withJournal(
    command
      .command('export')
      .description('make a signed bundle of one tenant’s records, which the customer can verify offline'),
  )
    .requiredOption('--tenant <id>', 'whose records')
    .requiredOption('--out <file>', 'the bundle to be made; an older one is replaced')
    .option('--since <instant>', 'only what happened from then on, such as 2026-01-15T09:00:00Z', instant)
    .option('--until <instant>', 'only what happened before then', instant)
    .option('--key <file>', 'the key that signs the journal, as audit.signingKey names it', DEFAULT_KEY)
    .option('--json', 'print one JSON document', false)
    .action(async (flags: ExportFlags) => {
      const { exportTenant } = await import('./audit-export.ts');
      const { journal: directory, since = null, until = null, tenant, out, key, json } = flags;
      answer(await exportTenant({ directory, since, until, tenant, out, key, json }, printer));
    });
}
