// `postern request …`: support asks for access, a lead and the customer decide. A thin client of the control API, which
// judges everything; what is checked here is only whether there is something to ask. Not hot.
import { Command, Option } from 'commander';
import { REQUEST_STATUSES } from '#model/access-request.ts';
import {
  ask,
  type ControlContext,
  type ControlFlags,
  listed,
  one,
  part,
  withControl,
} from './control-context.ts';
import {
  type CallFlags,
  headersOf,
  type PersonFlags,
  personOf,
  purposeOf,
  type ReasonFlags,
  type ScopeFlags,
  scopeOf,
  withKey,
  withLimit,
  withPerson,
  withReason,
  withRevision,
  withScope,
} from './control-flags.ts';
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

export function requestCommand(context: ControlContext): Command {
  const command = new Command('request').description('ask a customer for access, and decide about it');
  addList(command, context);
  addMake(command, context);
  addApprove(command, context);
  addDeny(command, context);
  addWithdraw(command, context);
  return command;
}

interface ListFlags extends ControlFlags {
  readonly tenant?: string;
  readonly awaitingLead?: boolean;
  readonly mine?: boolean;
  readonly status?: string;
  readonly limit: string;
}

function addList(command: Command, context: ControlContext): void {
  withLimit(withControl(command.command('list').description('what was asked, newest first')))
    .option('--tenant <id>', 'of this tenant; otherwise your own, or what waits for a lead')
    .option('--awaiting-lead', 'what waits for a lead')
    .option('--mine', 'what you have asked for')
    .addOption(new Option('--status <status>', 'of this status').choices([...REQUEST_STATUSES]))
    .action((flags: ListFlags) =>
      ask(context, flags, async (client) => {
        const { tenant, status, limit } = flags;
        const view = flags.awaitingLead === true ? 'awaiting_lead' : flags.mine === true ? 'mine' : undefined;
        const path = tenant === undefined ? REQUESTS : `/v1/tenants/${part(tenant)}/access-requests`;
        const list = await listed(client, path, {
          status,
          limit,
          view: tenant === undefined ? view : undefined,
        });
        return { kind: 'list', list, columns: COLUMNS };
      }),
    );
}

interface MakeFlags extends ControlFlags, ReasonFlags, ScopeFlags, CallFlags {
  readonly tenant: string;
  readonly duration?: string;
  readonly actAs?: string;
  readonly escalates?: string;
}

function addMake(command: Command, context: ControlContext): void {
  withKey(withScope(withReason(withControl(command.command('make').description('ask for access')))))
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--duration <duration>', 'from the approval on: 8h, 3d, 1mo')
    .option('--act-as <user>', 'the user of the customer to act as')
    .option('--escalates <id>', 'your approved request that was not enough')
    .action((flags: MakeFlags) =>
      ask(context, flags, (client) => {
        const { tenant, duration, actAs, escalates } = flags;
        const body = {
          tenant,
          ...purposeOf(flags),
          ...scopeOf(flags),
          ...(duration === undefined ? {} : { duration }),
          ...(actAs === undefined ? {} : { actAs }),
          ...(escalates === undefined ? {} : { escalates }),
        };
        return one(client, { method: 'POST', path: REQUESTS, body, headers: headersOf(flags) });
      }),
    );
}

interface ApproveFlags extends ControlFlags, ScopeFlags, PersonFlags, CallFlags {
  readonly duration?: string;
  readonly notice?: string;
}

function addApprove(command: Command, context: ControlContext): void {
  const approve = command.command('approve <id>').description('say yes, to all of it or to less');
  withKey(withRevision(withPerson(withScope(withControl(approve)))))
    .option('--duration <duration>', 'for a shorter time than was asked for')
    .option('--notice <version>', 'the version of the notice that was shown')
    .action((id: string, flags: ApproveFlags) =>
      ask(context, flags, (client) => {
        const { duration, notice } = flags;
        const body = {
          ...scopeOf(flags),
          ...personOf(flags),
          ...(duration === undefined ? {} : { duration }),
          ...(notice === undefined ? {} : { notice: { version: notice } }),
        };
        const path = `${REQUESTS}/${part(id)}/approve`;
        return one(client, { method: 'POST', path, body, headers: headersOf(flags) });
      }),
    );
}

interface DenyFlags extends ControlFlags, PersonFlags, CallFlags {
  readonly why?: string;
}

function addDeny(command: Command, context: ControlContext): void {
  const deny = command.command('deny <id>').description('say no, and why');
  withKey(withRevision(withPerson(withControl(deny))))
    .option('--why <text>', 'the asker is told')
    .action((id: string, flags: DenyFlags) =>
      ask(context, flags, (client) => {
        const body = { ...(flags.why === undefined ? {} : { why: flags.why }), ...personOf(flags) };
        const path = `${REQUESTS}/${part(id)}/deny`;
        return one(client, { method: 'POST', path, body, headers: headersOf(flags) });
      }),
    );
}

function addWithdraw(command: Command, context: ControlContext): void {
  const withdraw = command.command('withdraw <id>').description('take back what you have asked for');
  withKey(withRevision(withControl(withdraw))).action((id: string, flags: ControlFlags & CallFlags) =>
    ask(context, flags, (client) =>
      one(client, { method: 'POST', path: `${REQUESTS}/${part(id)}/withdraw`, headers: headersOf(flags) }),
    ),
  );
}
