// `postern request …`: support asks for access, a lead and the customer decide. A thin client of the control API, which
// judges everything; what is checked here is only whether there is something to ask. Not hot.
import { Command, Option } from 'commander';
import { REQUEST_STATUSES } from '#model/access-request.ts';
import { type Control, part, post } from './control-context.ts';
import { bodyOf, type CommonFlags, type ControlFlags, given, type ListFlags } from './control-flags.ts';
import { type Column, personText } from './control-print.ts';

const REQUESTS = '/v1/access-requests';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', 'status'],
  ['TENANT', 'tenant'],
  ['ASKER', ({ asker }) => personText(asker)],
  ['CASE', 'caseRef'],
  ['ACCESS', ({ narrowed, wanted }) => ((narrowed ?? wanted) as { access?: unknown }).access],
  ['FOR', ({ narrowed, wanted }) => ((narrowed ?? wanted) as { duration?: unknown }).duration],
  ['LAPSES', 'lapsesAt'],
  ['REASON', 'reason.detail'],
];

export function requestCommand(control: Control): Command {
  const command = new Command('request').description('ask a customer for access, and decide about it');
  addList(command, control);
  addMake(command, control);
  control
    .command(command, 'show <id>', 'one request')
    .action((id: string, flags: ControlFlags) =>
      control.one(flags, () => ({ method: 'GET', path: `${REQUESTS}/${part(id)}` })),
    );
  control
    .command(
      command,
      'approve <id>',
      'say yes, to all of it or to less',
      ...DECIDING,
      'scope',
      'lift',
      'notice',
    )
    .option('--duration <duration>', 'for a shorter time than was asked for')
    .action((id: string, flags: CommonFlags) =>
      control.one(flags, () => post(stepOf(id, 'approve'), bodyOf(flags), flags)),
    );
  control
    .command(command, 'deny <id>', 'say no, and why', ...DECIDING)
    .option('--why <text>', 'the asker is told')
    .action((id: string, flags: CommonFlags & { readonly why?: string }) =>
      control.one(flags, () => {
        const body = { ...given({ why: flags.why }), ...bodyOf(flags) };
        return post(stepOf(id, 'deny'), body, flags);
      }),
    );
  control
    .command(command, 'withdraw <id>', 'take back what you have asked for', 'revision', 'key')
    .action((id: string, flags: CommonFlags) =>
      control.one(flags, () => post(stepOf(id, 'withdraw'), undefined, flags)),
    );
  return command;
}

const DECIDING = ['person', 'revision', 'key'] as const;

function stepOf(id: string, step: string): string {
  return `${REQUESTS}/${part(id)}/${step}`;
}

interface RequestListFlags extends ListFlags {
  readonly tenant?: string;
  readonly awaitingLead?: boolean;
  readonly mine?: boolean;
  readonly status?: string;
}

function addList(command: Command, control: Control): void {
  control
    .command(command, 'list', 'what was asked, newest first', 'limit')
    .option('--tenant <id>', 'of this tenant; otherwise your own, or what waits for a lead')
    .option('--awaiting-lead', 'what waits for a lead')
    .option('--mine', 'what you have asked for')
    .addOption(new Option('--status <status>', 'of this status').choices([...REQUEST_STATUSES]))
    .action((flags: RequestListFlags) =>
      control.list(flags, () => {
        const { tenant, status } = flags;
        if (tenant !== undefined) {
          const path = `/v1/tenants/${part(tenant)}/access-requests`;
          return { path, query: { status }, columns: COLUMNS };
        }
        const view = flags.awaitingLead === true ? 'awaiting_lead' : flags.mine === true ? 'mine' : undefined;
        return { path: REQUESTS, query: { status, view }, columns: COLUMNS };
      }),
    );
}

interface MakeFlags extends CommonFlags {
  readonly tenant: string;
  readonly escalates?: string;
}

function addMake(command: Command, control: Control): void {
  control
    .command(command, 'make', 'ask for access', 'reason', 'scope', 'lift', 'key')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--duration <duration>', 'from the approval on: 8h, 3d, 1mo')
    .option('--act-as <user>', 'the user of the customer to act as')
    .option('--escalates <id>', 'your approved request that was not enough')
    .action((flags: MakeFlags) =>
      control.one(flags, () => {
        const { tenant, escalates } = flags;
        return post(REQUESTS, { tenant, ...bodyOf(flags), ...given({ escalates }) }, flags);
      }),
    );
}
