// `postern policy …`: the table of the commands of security teams; each is a file of its own, loaded when it runs.
// Exit codes: 0 held, 1 did not hold, 2 could not be asked (bad usage, or a policy with problems). Not hot.
import { Command } from 'commander';
import type { PolicyCommandContext, PolicyCommandDeps } from './policy-context.ts';
import { addDiff } from './policy-diff-command.ts';
import { addExplain } from './policy-explain-command.ts';
import { addLint } from './policy-lint-command.ts';
import { addReplay } from './policy-replay-command.ts';
import { createPolicyPrinter } from './policy-print.ts';
import { addCheck, addTest } from './policy-test-command.ts';

export function policyCommand(deps: PolicyCommandDeps): Command {
  const answer =
    deps.onExitCode ??
    ((code: number): void => {
      process.exitCode = code;
    });
  const context: PolicyCommandContext = {
    deps,
    printer: createPolicyPrinter(deps),
    parseTarget: deps.parseTarget,
    answer,
  };
  const command = new Command('policy').description('check, test, explain and lint policies');
  addCheck(command, context);
  addTest(command, context);
  addExplain(command, context);
  addLint(command, context);
  addReplay(command, context);
  addDiff(command, context);
  return command;
}
