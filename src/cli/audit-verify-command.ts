// The options of `postern audit verify`; a wrong one is bad usage, exit code 2. What the command does is loaded only when
// it runs. Not hot.
import type { Command } from 'commander';
import { type AuditCommandContext, withJournal } from './audit-context.ts';

interface VerifyFlags {
  readonly journal: string;
  readonly publicKey?: readonly string[];
  readonly checkpoint?: readonly string[];
  readonly json: boolean;
}

/** Adds the command `verify` to `command`. */
export function addVerify(command: Command, { printer, answer }: AuditCommandContext): void {
  withJournal(
    command
      .command('verify')
      .description('find what was changed, removed, added or moved in the journal since it was written'),
  )
    .option(
      '--public-key <file...>',
      'public keys in PEM that may have signed; without one, those of the journal itself',
    )
    .option(
      '--checkpoint <file...>',
      'checkpoints that were kept elsewhere: records of a sink, or lines of a journal',
    )
    .option('--json', 'print one JSON document', false)
    .action(async ({ journal: directory, publicKey = [], checkpoint = [], json }: VerifyFlags) => {
      const { verifyAudit } = await import('./audit-verify.ts');
      answer(await verifyAudit({ directory, publicKeys: publicKey, checkpoints: checkpoint, json }, printer));
    });
}
