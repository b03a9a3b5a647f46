// The options of `postern audit verify-bundle`; what the command does is loaded only when it runs.
// Not hot.
import { type Command, Option } from 'commander';
import type { AuditCommandContext } from './audit-context.ts';

interface VerifyBundleFlags {
  readonly publicKey?: readonly string[];
  readonly json: boolean;
  readonly records: boolean;
}

/** Adds the command `verify-bundle` to `command`. */
export function addVerifyBundle(command: Command, { printer, answer }: AuditCommandContext): void {
  command
    .command('verify-bundle')
    .description('verify a bundle of one tenant’s records, offline and without the journal')
    .argument('<file>', 'the bundle')
    .option(
      '--public-key <file>',
      'a public key in PEM that may sign; may be repeated',
      (file: string, files: readonly string[] = []) => [...files, file],
    )
    .addOption(new Option('--json', 'print one JSON document').default(false).conflicts('records'))
    .option('--records', 'print the records, one JSON object a line, when the bundle holds', false)
    .action(async (file: string, { publicKey: publicKeys = [], json, records }: VerifyBundleFlags) => {
      const { verifyBundleFile } = await import('./audit-verify-bundle.ts');
      answer(await verifyBundleFile({ file, publicKeys, json, records }, printer));
    });
}
