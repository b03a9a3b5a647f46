// `postern session …`: support opens and ends its sessions, the customer lists them and reads their reports. A thin client
// of the control API, which judges everything. A launch link is a secret: it is printed where it was asked for, once. Not hot.
import { Command, Option } from 'commander';
import {
  ask,
  type ControlContext,
  type ControlFlags,
  listed,
  one,
  part,
  withControl,
} from './control-context.ts';
import { purposeOf, type ReasonFlags, withLimit, withReason } from './control-flags.ts';
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

export function sessionCommand(context: ControlContext): Command {
  const command = new Command('session').description('open, list and end support sessions');
  addList(command, context);
  addOpen(command, context);
  withControl(
    command.command('end <id>').description('end a session: returns when nothing more of it is forwarded'),
  )
    .option('--note <text>', 'the steps you have taken; the customer is told')
    .action((id: string, flags: ControlFlags & { readonly note?: string }) =>
      ask(context, flags, (client) => {
        const body = flags.note === undefined ? {} : { note: flags.note };
        return one(client, { method: 'POST', path: `${SESSIONS}/${part(id)}/end`, body });
      }),
    );
  withControl(command.command('report <id>').description('what was done in a session that has ended')).action(
    (id: string, flags: ControlFlags) =>
      ask(context, flags, (client) => one(client, { method: 'GET', path: `${SESSIONS}/${part(id)}/report` })),
  );
  return command;
}

interface ListFlags extends ControlFlags {
  readonly tenant?: string;
  readonly open?: boolean;
  readonly limit: string;
}

function addList(command: Command, context: ControlContext): void {
  withLimit(withControl(command.command('list').description('sessions, newest first')))
    .option('--tenant <id>', 'of this tenant; otherwise your own')
    .option('--open', 'only those that nobody has ended')
    .action((flags: ListFlags) =>
      ask(context, flags, async (client) => {
        const { tenant, limit } = flags;
        const path = tenant === undefined ? '/v1/me/sessions' : `/v1/tenants/${part(tenant)}/sessions`;
        const list = await listed(client, path, { limit, status: flags.open === true ? 'open' : undefined });
        return { kind: 'list', list, columns: COLUMNS };
      }),
    );
}

interface OpenFlags extends ControlFlags, ReasonFlags {
  readonly tenant: string;
  readonly grant?: string;
  readonly access?: 'read' | 'write';
  readonly browser: boolean;
}

function addOpen(command: Command, context: ControlContext): void {
  withReason(
    withControl(command.command('open').description('open a session; ends your earlier one for the tenant')),
  )
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--grant <id>', 'which grant, where several cover you')
    .addOption(new Option('--access <access>', 'read or write').choices(['read', 'write']))
    .option('--no-browser', 'make no launch link')
    .action((flags: OpenFlags) =>
      ask(context, flags, (client) => {
        const { tenant, grant, access, browser } = flags;
        const body = {
          tenant,
          ...purposeOf(flags),
          ...(grant === undefined ? {} : { grantId: grant }),
          ...(access === undefined ? {} : { access }),
          ...(browser ? {} : { browser }),
        };
        return one(client, { method: 'POST', path: SESSIONS, body });
      }),
    );
}
