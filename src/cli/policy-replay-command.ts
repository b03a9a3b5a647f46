// The options of `postern policy replay`: which journal, which policies, which part of it. What the command does is
// loaded only when it runs. Not hot.
import { type Command, InvalidArgumentError } from 'commander';
import { instant } from './instant-argument.ts';
import { DEFAULT_DIRECTORY, defaultEffectOption, type PolicyCommandContext } from './policy-context.ts';
import type { ReplayCommandOptions } from './policy-replay.ts';

interface ReplayFlags {
  readonly journal: string;
  readonly policies: string;
  readonly pack?: readonly string[];
  readonly defaultEffect: ReplayCommandOptions['defaultEffect'];
  readonly tenant?: string;
  readonly since?: number;
  readonly until?: number;
  readonly examples: number;
  readonly json: boolean;
}

const DEFAULT_EXAMPLES = 3;

export function addReplay(command: Command, { printer, parseTarget, answer }: PolicyCommandContext): void {
  command
    .command('replay')
    .description('judge recorded requests by another policy: what would be decided otherwise')
    .requiredOption('--journal <dir>', 'the directory of the audit journal, as audit.directory names it')
    .option('--policies <dir>', 'the changed policy directory', DEFAULT_DIRECTORY)
    .option('--pack <name...>', 'packs to load besides, as policies.packs names them')
    .addOption(defaultEffectOption())
    .option('--tenant <id>', 'only requests of this tenant')
    .option('--since <instant>', 'only requests from then on: 2026-01-15T09:00:00Z', instant)
    .option('--until <instant>', 'only requests before then', instant)
    .option('--examples <count>', 'requests to show of each change', count, DEFAULT_EXAMPLES)
    .option('--json', 'print one JSON document', false)
    .action(async (flags: ReplayFlags) => {
      const { replayJournal } = await import('./policy-replay.ts');
      const { policies: directory, pack: packs = [], tenant = null, since = null, until = null } = flags;
      const { journal, defaultEffect, examples, json } = flags;
      const options = { journal, directory, packs, defaultEffect, tenant, since, until, examples, json };
      answer(await replayJournal(options, { printer, parseTarget }));
    });
}

function count(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('must be a whole number up to 9999.');
}
