// `postern grant …`: the customer gives, changes and takes away access, a lead verifies it, staff see what covers them. A
// thin client of the control API, which judges everything. Not hot.
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
import { CouldNotAsk } from './control-errors.ts';
import {
  type CallFlags,
  collect,
  headersOf,
  type PersonFlags,
  personOf,
  type PrincipalFlag,
  principal,
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

export function grantCommand(context: ControlContext): Command {
  const command = new Command('grant').description(
    'give, change and take away access to a customer’s account',
  );
  addList(command, context);
  addCreate(command, context);
  addChange(command, context);
  const show = withControl(command.command('show <id>').description('one grant'));
  show.action((id: string, flags: ControlFlags) =>
    ask(context, flags, (client) => one(client, { method: 'GET', path: pathOf(id) })),
  );
  addRevoke(command, context);
  const verify = command.command('verify <id>').description('as a lead: the case of a grant is as it says');
  withKey(withRevision(withControl(verify))).action((id: string, flags: ControlFlags & CallFlags) =>
    ask(context, flags, (client) =>
      one(client, { method: 'POST', path: `${pathOf(id)}/verify`, headers: headersOf(flags) }),
    ),
  );
  return command;
}

function pathOf(id: string): string {
  return `/v1/grants/${part(id)}`;
}

interface ListFlags extends ControlFlags {
  readonly tenant?: string;
  readonly unverified?: boolean;
  readonly status?: string;
  readonly limit: string;
}

const STATUSES = ['pending', 'scheduled', 'active', 'expired', 'revoked'];

function addList(command: Command, context: ControlContext): void {
  withLimit(withControl(command.command('list').description('grants, newest first')))
    .option('--tenant <id>', 'of this tenant; otherwise those that cover you')
    .option('--unverified', 'as a lead: those that wait to be verified')
    .addOption(new Option('--status <status>', 'of this status').choices(STATUSES))
    .action((flags: ListFlags) =>
      ask(context, flags, async (client) => {
        const { tenant, status, limit } = flags;
        if (flags.unverified === true && (tenant !== undefined || status !== undefined)) {
          throw new CouldNotAsk('--unverified stands alone');
        }
        const own = flags.unverified === true ? '/v1/me/verifications' : '/v1/me/grants';
        const path = tenant === undefined ? own : `/v1/tenants/${part(tenant)}/grants`;
        const list = await listed(client, path, { status, limit });
        return { kind: 'list', list, columns: COLUMNS };
      }),
    );
}

interface PeriodFlags {
  readonly start?: string;
  readonly duration?: string;
  readonly until?: string;
}

interface AudienceFlags {
  readonly org?: string;
  readonly group?: readonly string[];
  readonly principal?: readonly PrincipalFlag[];
}

interface GrantFlags
  extends ControlFlags,
    ReasonFlags,
    ScopeFlags,
    PersonFlags,
    CallFlags,
    PeriodFlags,
    AudienceFlags {
  readonly notice?: string;
}

interface CreateFlags extends GrantFlags {
  readonly tenant: string;
  readonly actAs?: string;
}

function withGrant(command: Command): Command {
  return withPerson(withScope(withReason(withControl(command))))
    .option('--org <org>', 'for the staff of this organisation')
    .option('--group <group>', 'for this group; may be repeated', collect)
    .option('--principal <issuer#id>', 'for this person; may be repeated', principal)
    .option('--start <instant>', 'when it starts: 2030-01-31T12:00:00Z')
    .option('--until <end>', 'when it ends: an instant, a day such as 2030-01-31, or `never`')
    .option('--notice <version>', 'the version of the notice that was shown');
}

function addCreate(command: Command, context: ControlContext): void {
  withKey(withGrant(command.command('create').description('give access')))
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--duration <duration>', 'instead of --until: 8h, 14d, 1mo')
    .option('--act-as <user>', 'the user of the customer to act as')
    .action((flags: CreateFlags) =>
      ask(context, flags, (client) => {
        const actAs = flags.actAs === undefined ? {} : { actAs: flags.actAs };
        const body = { audience: {}, ...bodyOf(flags), ...actAs };
        const path = `/v1/tenants/${part(flags.tenant)}/grants`;
        return one(client, { method: 'POST', path, body, headers: headersOf(flags) });
      }),
    );
}

function addChange(command: Command, context: ControlContext): void {
  withRevision(
    withGrant(command.command('change <id>').description('extend, shorten, narrow or widen a grant')),
  ).action((id: string, flags: GrantFlags) =>
    ask(context, flags, (client) => {
      const body = bodyOf(flags);
      if (Object.keys(body).length === 0) throw new CouldNotAsk('name something to change');
      return one(client, { method: 'PATCH', path: pathOf(id), body, headers: headersOf(flags) });
    }),
  );
}

function addRevoke(command: Command, context: ControlContext): void {
  const revoke = command
    .command('revoke <id>')
    .description('end a grant: returns when nothing more of it is forwarded');
  withKey(withPerson(withControl(revoke))).action(
    (id: string, flags: ControlFlags & PersonFlags & CallFlags) =>
      ask(context, flags, (client) => {
        const body = personOf(flags);
        return one(client, { method: 'POST', path: `${pathOf(id)}/revoke`, body, headers: headersOf(flags) });
      }),
  );
}

/** Only what was given. */
function bodyOf(flags: GrantFlags): object {
  const { notice } = flags;
  return {
    ...periodOf(flags),
    ...audienceOf(flags),
    ...scopeOf(flags),
    ...purposeOf(flags),
    ...personOf(flags),
    ...(notice === undefined ? {} : { notice: { version: notice } }),
  };
}

function periodOf({ start, duration, until }: PeriodFlags): object {
  return {
    ...(start === undefined ? {} : { startsAt: start }),
    ...(duration === undefined ? {} : { duration }),
    ...(until === undefined ? {} : { expiresAt: until === 'never' ? null : until }),
  };
}

function audienceOf({ org, group, principal: principals }: AudienceFlags): object {
  if (org === undefined && group === undefined && principals === undefined) return {};
  return {
    audience: {
      ...(org === undefined ? {} : { org }),
      ...(group === undefined ? {} : { groups: group }),
      ...(principals === undefined ? {} : { principals }),
    },
  };
}
