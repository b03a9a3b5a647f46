// The commands that ask a running gateway's control API: each topic is a file of its own. Exit codes: 0 it was done, 1 the
// gateway said no, 2 it could not be asked. Not hot.
import type { Command } from 'commander';
import type { ControlCommandDeps, ControlContext } from './control-context.ts';
import { grantCommand } from './grant-command.ts';
import { lockCommand } from './lock-command.ts';
import { createPolicyPrinter } from './policy-print.ts';
import { requestCommand } from './request-command.ts';
import { sessionCommand } from './session-command.ts';

/** `grant`, `request`, `session` and `lock`. */
export function controlCommands(deps: ControlCommandDeps): readonly Command[] {
  const context: ControlContext = { deps, printer: createPolicyPrinter(deps) };
  return [grantCommand(context), requestCommand(context), sessionCommand(context), lockCommand(context)];
}
