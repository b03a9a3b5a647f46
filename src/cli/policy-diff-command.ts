// The options of `postern policy diff`: two directories, and what to compare them by. What the command does is loaded
// only when it runs. Not hot.
import type { Command } from 'commander';
import type { DiffOptions } from './policy-diff.ts';
import { defaultEffectOption, type PolicyCommandContext } from './policy-context.ts';

interface DiffFlags {
  readonly pack?: readonly string[];
  readonly defaultEffect: DiffOptions['defaultEffect'];
  readonly openapi?: string;
  readonly host: string;
  readonly json: boolean;
}

export function addDiff(command: Command, { printer, parseTarget, answer }: PolicyCommandContext): void {
  command
    .command('diff')
    .description(
      'compare two policy directories: their rules, and what they decide about tests and operations',
    )
    .argument('<before>', 'a policy directory')
    .argument('<after>', 'another one')
    .option('--pack <name...>', 'packs to load besides in both, as policies.packs names them')
    .addOption(defaultEffectOption())
    .option('--openapi <file>', 'an OpenAPI 3.x document, JSON or YAML: compare each of its operations too')
    .option('--host <host>', 'the host of its operations, for rules that name hosts', '')
    .option('--json', 'print one JSON document', false)
    .action(async (before: string, after: string, flags: DiffFlags) => {
      const { diffPolicies } = await import('./policy-diff.ts');
      const { pack: packs = [], openapi: openApi = null, defaultEffect, host, json } = flags;
      const options = { before, after, packs, defaultEffect, openApi, host, json };
      answer(await diffPolicies(options, { printer, parseTarget }));
    });
}
