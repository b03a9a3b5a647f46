// The options of `postern policy check` and `postern policy test`, and `--watch`, which both have. What they do is
// loaded only when it runs. Not hot.
import type { Command } from 'commander';
import type { DefaultEffect } from '#policy/compile.ts';
import { DEFAULT_DIRECTORY, defaultEffectOption, type PolicyCommandContext } from './policy-context.ts';

interface CheckFlags {
  readonly defaultEffect: DefaultEffect;
  readonly json: boolean;
  readonly watch: boolean;
}

/** Adds the command `check` to `command`. */
export function addCheck(command: Command, context: PolicyCommandContext): void {
  command
    .command('check')
    .description('read a policy directory and its packs; print every problem at once')
    .argument('[dir]', 'the policy directory', DEFAULT_DIRECTORY)
    .addOption(defaultEffectOption())
    .option('--json', 'print one JSON document', false)
    .option('--watch', 'check again whenever a file changes, until interrupted', false)
    .action(async (directory: string, { defaultEffect, json, watch }: CheckFlags) => {
      const { checkPolicies } = await import('./policy-check.ts');
      const run = () => checkPolicies({ directory, json, defaultEffect }, context.printer);
      context.answer(watch ? await watched(directory, run, context) : await run());
    });
}

interface TestFlags {
  readonly filter?: string;
  readonly json: boolean;
  readonly junit?: string;
  readonly coverage: boolean;
  readonly strict: boolean;
  readonly watch: boolean;
}

/** Adds the command `test` to `command`. */
export function addTest(command: Command, context: PolicyCommandContext): void {
  command
    .command('test')
    .description('run the PolicyTest documents of a policy directory and its packs')
    .argument('[dir]', 'the policy directory', DEFAULT_DIRECTORY)
    .option('--filter <text>', 'only tests whose document, case or request holds the text')
    .option('--coverage', 'show rule by rule how many requests reach it', false)
    .option('--strict', 'a rule, guard, allowance or safe route that no test reaches is an error', false)
    .option('--json', 'print one JSON document', false)
    .option('--junit <file>', 'also write the results as JUnit XML')
    .option('--watch', 'run again whenever a file changes, until interrupted', false)
    .action(async (directory: string, flags: TestFlags) => {
      const { testPolicies } = await import('./policy-test.ts');
      const { filter = null, junit = null, json, coverage, strict } = flags;
      const options = { directory, filter, json, junit, coverage, strict };
      const run = () => testPolicies(options, context);
      context.answer(flags.watch ? await watched(directory, run, context) : await run());
    });
}

async function watched(
  directory: string,
  run: () => Promise<number>,
  { deps, printer }: PolicyCommandContext,
): Promise<number> {
  const { rerunOnChange } = await import('./policy-watch.ts');
  const signal = (deps.interruption ?? interruptionOfProcess)();
  const { watchDirectory } = deps;
  return rerunOnChange(directory, run, {
    printer,
    signal,
    ...(watchDirectory === undefined ? {} : { watch: watchDirectory }),
  });
}

function interruptionOfProcess(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}
