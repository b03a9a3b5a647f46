// The options of `postern policy lint`; a wrong one is bad usage, exit code 2. What the command does is loaded only
// when it runs. Not hot.
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_DIRECTORY, defaultEffectOption, type PolicyCommandContext } from './policy-context.ts';
import type { LintOptions } from './policy-lint.ts';

interface LintFlags {
  readonly pack?: readonly string[];
  readonly defaultEffect: LintOptions['defaultEffect'];
  readonly openapi?: string;
  readonly host: string;
  readonly minScore: number;
  readonly json: boolean;
  readonly all: boolean;
}

/** Chosen in docs/policy-lint.md; policy/lint/suspicion.ts has the same and would load the whole model here. */
const DEFAULT_MIN_SCORE = 40;

/** Adds the command `lint` to `command`. */
export function addLint(command: Command, { printer, parseTarget, answer }: PolicyCommandContext): void {
  command
    .command('lint')
    .description(
      'find rules that never decide, gaps in a set and, beside an OpenAPI document, what it leaves open',
    )
    .argument('[dir]', 'the policy directory', DEFAULT_DIRECTORY)
    .option('--pack <name...>', 'packs to load besides, as policies.packs names them')
    .addOption(defaultEffectOption())
    .option('--openapi <file>', 'an OpenAPI 3.x document, JSON or YAML: decide each of its operations')
    .option('--host <host>', 'the host to judge with, for rules that name hosts', '')
    .option('--min-score <points>', 'what counts as suspicious, 1 to 100', score, DEFAULT_MIN_SCORE)
    .option('--all', 'also show operations that are less suspicious', false)
    .option('--json', 'print one JSON document', false)
    .action(async (directory: string, flags: LintFlags) => {
      const { lintPolicies } = await import('./policy-lint.ts');
      const { pack: packs = [], openapi: openApi = null, defaultEffect, host, minScore, json, all } = flags;
      const options = { directory, packs, defaultEffect, openApi, host, minScore, json, all };
      answer(await lintPolicies(options, { printer, parseTarget }));
    });
}

function score(text: string): number {
  const points = Number(text);
  if (/^\d{1,3}$/.test(text) && points >= 1 && points <= 100) return points;
  throw new InvalidArgumentError('must be a whole number from 1 to 100.');
}
