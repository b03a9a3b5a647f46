// `postern session …`: support opens and ends its sessions, the customer lists them and reads their reports. A thin client
// of the control API, which judges everything. A launch link is a secret: it is printed where it was asked for, once. Not hot.
import { Command } from 'commander';
import { type Control, part, post } from './control-context.ts';
import { bodyOf, type CommonFlags, type ControlFlags, given, type ListFlags } from './control-flags.ts';
import { type Column, personText } from './control-print.ts';

const SESSIONS = '/v1/sessions';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', 'status'],
  ['TENANT', 'tenant'],
  ['WHO', ({ principal }) => personText(principal)],
  ['ACCESS', 'access'],
  ['WROTE', ({ hasWrites }) => (hasWrites === undefined ? '' : hasWrites === true ? 'yes' : 'no')],
  ['CASE', 'caseRef'],
  ['STARTED', 'startedAt'],
  ['ENDED', 'endedAt'],
  ['REASON', 'reason.detail'],
];

export function sessionCommand(control: Control): Command {
  const command = new Command('session').description('open, list and end support sessions');
  addList(command, control);
  addOpen(command, control);
  control
    .command(command, 'show <id>', 'one session')
    .action((id: string, flags: ControlFlags) =>
      control.one(flags, () => ({ method: 'GET', path: `${SESSIONS}/${part(id)}` })),
    );
  control
    .command(command, 'end <id>', 'end a session: returns when nothing more of it is forwarded', 'key')
    .option('--note <text>', 'the steps you have taken; the customer is told')
    .action((id: string, flags: CommonFlags & { readonly note?: string }) =>
      control.one(flags, () => post(`${SESSIONS}/${part(id)}/end`, given({ note: flags.note }), flags)),
    );
  control
    .command(command, 'report <id>', 'what was done in a session that has ended')
    .action((id: string, flags: ControlFlags) =>
      control.one(flags, () => ({ method: 'GET', path: `${SESSIONS}/${part(id)}/report` })),
    );
  return command;
}

interface SessionListFlags extends ListFlags {
  readonly tenant?: string;
  readonly open?: boolean;
}

function addList(command: Command, control: Control): void {
  control
    .command(command, 'list', 'sessions, newest first', 'limit')
    .option('--tenant <id>', 'of this tenant; otherwise your own')
    .option('--open', 'only those that nobody has ended')
    .action((flags: SessionListFlags) =>
      control.list(flags, () => {
        const { tenant, open } = flags;
        const path = tenant === undefined ? '/v1/me/sessions' : `/v1/tenants/${part(tenant)}/sessions`;
        return { path, query: { status: open === true ? 'open' : undefined }, columns: COLUMNS };
      }),
    );
}

interface OpenFlags extends CommonFlags {
  readonly tenant: string;
  readonly grant?: string;
  readonly browser: boolean;
}

function addOpen(command: Command, control: Control): void {
  control
    .command(
      command,
      'open',
      'open a session; ends your earlier one for the tenant',
      'reason',
      'access',
      'key',
    )
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--grant <id>', 'which grant, where several cover you')
    .option('--no-browser', 'make no launch link')
    .action((flags: OpenFlags) =>
      control.one(flags, () => {
        const { tenant, grant: grantId, browser } = flags;
        const more = given({ grantId, browser: browser ? undefined : false });
        return post(SESSIONS, { tenant, ...bodyOf(flags), ...more }, flags);
      }),
    );
}
