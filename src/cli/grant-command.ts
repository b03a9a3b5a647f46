// `postern grant …`: the customer gives, changes and takes away access, a lead verifies it, staff see what covers them. A
// thin client of the control API, which judges everything. Not hot.
import { Command, Option } from 'commander';
import { GRANT_STATUSES } from '#model/grant.ts';
import { type Control, part, post } from './control-context.ts';
import { CouldNotAsk } from './control-errors.ts';
import {
  type AudienceFlags,
  bodyOf,
  type CommonFlags,
  type ControlFlags,
  given,
  headersOf,
  type ListFlags,
  type OptionGroup,
} from './control-flags.ts';
import { type Column, personText } from './control-print.ts';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', 'status'],
  ['TENANT', 'tenant'],
  ['ACCESS', 'access'],
  ['CASE', 'caseRef'],
  ['STARTS', 'startsAt'],
  ['ENDS', ({ expiresAt }) => expiresAt ?? 'never'],
  ['GIVEN BY', ({ grantedBy }) => personText(grantedBy)],
  ['FOR', 'audience'],
];

const REVISION_COLUMNS: readonly Column[] = [
  ['REVISION', 'grant.revision'],
  ['DONE', 'operation'],
  ['AT', 'at'],
  ['BY', ({ by }) => personText(by)],
  ['STATUS', 'grant.status'],
  ['ACCESS', 'grant.access'],
  ['STARTS', 'grant.startsAt'],
  ['ENDS', ({ grant }) => (grant as { expiresAt?: unknown }).expiresAt ?? 'never'],
  ['FOR', 'grant.audience'],
];

export function grantCommand(control: Control): Command {
  const command = new Command('grant').description(
    'give, change and take away access to a customer’s account',
  );
  addList(command, control);
  addCreate(command, control);
  addChange(command, control);
  addShow(command, control);
  control
    .command(
      command,
      'revoke <id>',
      'end a grant: returns when nothing more of it is forwarded',
      'person',
      'key',
    )
    .action((id: string, flags: CommonFlags) =>
      control.one(flags, () => post(`${pathOf(id)}/revoke`, bodyOf(flags), flags)),
    );
  control
    .command(command, 'verify <id>', 'as a lead: the case of a grant is as it says', 'revision', 'key')
    .action((id: string, flags: CommonFlags) =>
      control.one(flags, () => post(`${pathOf(id)}/verify`, undefined, flags)),
    );
  return command;
}

function addShow(command: Command, control: Control): void {
  control
    .command(command, 'show <id>', 'one grant')
    .action((id: string, flags: ControlFlags) =>
      control.one(flags, () => ({ method: 'GET', path: pathOf(id) })),
    );
  control
    .command(command, 'impact <id>', 'what a revoke would cut now')
    .action((id: string, flags: ControlFlags) =>
      control.one(flags, () => ({ method: 'GET', path: `${pathOf(id)}/impact` })),
    );
  control
    .command(command, 'revisions <id>', 'what a grant was, who changed it and when, newest first', 'limit')
    .action((id: string, flags: ListFlags) =>
      control.list(flags, () => ({ path: `${pathOf(id)}/revisions`, columns: REVISION_COLUMNS })),
    );
}

function pathOf(id: string): string {
  return `/v1/grants/${part(id)}`;
}

interface GrantListFlags extends ListFlags {
  readonly tenant?: string;
  readonly unverified?: boolean;
  readonly status?: string;
}

function addList(command: Command, control: Control): void {
  control
    .command(command, 'list', 'grants, newest first', 'limit')
    .option('--tenant <id>', 'of this tenant; otherwise those that cover you')
    .option('--unverified', 'as a lead: those that wait to be verified')
    .addOption(new Option('--status <status>', 'of this status').choices(GRANT_STATUSES))
    .action((flags: GrantListFlags) =>
      control.list(flags, () => {
        const { tenant, status } = flags;
        if (flags.unverified === true && (tenant !== undefined || status !== undefined)) {
          throw new CouldNotAsk('--unverified stands alone');
        }
        const own = flags.unverified === true ? '/v1/me/verifications' : '/v1/me/grants';
        const path = tenant === undefined ? own : `/v1/tenants/${part(tenant)}/grants`;
        return { path, query: { status }, columns: COLUMNS };
      }),
    );
}

interface GrantFlags extends CommonFlags, AudienceFlags {
  readonly start?: string;
  readonly until?: string;
}

const OF_A_GRANT: readonly OptionGroup[] = ['reason', 'scope', 'lift', 'person', 'audience', 'notice'];

function withPeriod(command: Command): Command {
  return command
    .option('--start <instant>', 'when it starts: 2030-01-31T12:00:00Z')
    .option('--until <end>', 'when it ends: an instant, a day such as 2030-01-31, or `never`');
}

function addCreate(command: Command, control: Control): void {
  withPeriod(control.command(command, 'create', 'give access', ...OF_A_GRANT, 'key'))
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--duration <duration>', 'instead of --until: 8h, 14d, 1mo')
    .option('--act-as <user>', 'the user of the customer to act as')
    .action((flags: GrantFlags & { readonly tenant: string }) =>
      control.one(flags, () => {
        const body = { audience: {}, ...grantOf(flags) };
        return post(`/v1/tenants/${part(flags.tenant)}/grants`, body, flags);
      }),
    );
}

function addChange(command: Command, control: Control): void {
  const about = 'extend, shorten, narrow or widen a grant';
  withPeriod(control.command(command, 'change <id>', about, ...OF_A_GRANT, 'revision')).action(
    (id: string, flags: GrantFlags) =>
      control.one(flags, () => {
        const body = grantOf(flags);
        if (Object.keys(body).length === 0) throw new CouldNotAsk('name something to change');
        return { method: 'PATCH', path: pathOf(id), body, headers: headersOf(flags) };
      }),
  );
}

function grantOf(flags: GrantFlags): object {
  const { start: startsAt, until } = flags;
  return { ...given({ startsAt, expiresAt: until === 'never' ? null : until }), ...bodyOf(flags) };
}
