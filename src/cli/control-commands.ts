// The commands that ask a running gateway's control API: each topic is a file of its own. Exit codes: 0 it was done, 1 the
// gateway said no, 2 it could not be asked. Not hot.
import type { Command } from 'commander';
import { accessCommand } from './access-command.ts';
import { breakGlassCommand } from './break-glass-command.ts';
import { type ControlCommandDeps, createControl } from './control-context.ts';
import { grantCommand } from './grant-command.ts';
import { lockCommand } from './lock-command.ts';
import { requestCommand } from './request-command.ts';
import { sessionCommand } from './session-command.ts';
import { settingsCommand } from './settings-command.ts';

const TOPICS = [
  accessCommand,
  grantCommand,
  requestCommand,
  sessionCommand,
  settingsCommand,
  lockCommand,
  breakGlassCommand,
];

/** `access`, `grant`, `request`, `session`, `settings`, `lock` and `break-glass`. */
export function controlCommands(deps: ControlCommandDeps): readonly Command[] {
  const control = createControl(deps);
  return TOPICS.map((topic) => topic(control));
}
