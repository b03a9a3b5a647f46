// `postern lock …`: the vendor's security staff stop a principal, a tenant, a case or everything, and let go again. A thin
// client of the control API, which judges everything. Not hot.
import { Command } from 'commander';
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
  headersOf,
  onePrincipal,
  type PrincipalFlag,
  withKey,
  withLimit,
} from './control-flags.ts';
import { type Column, personText, textOf } from './control-print.ts';

const LOCKS = '/v1/locks';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', 'status'],
  ['STOPS', ({ target }) => textOf(target)],
  ['SET', 'createdAt'],
  ['SET BY', ({ createdBy }) => personText(createdBy)],
  ['ENDS', ({ endsAt }) => endsAt ?? 'when lifted'],
  ['MESSAGE', 'message'],
];

export function lockCommand(context: ControlContext): Command {
  const command = new Command('lock').description('stop a principal, a tenant, a case or everything');
  withLimit(withControl(command.command('list').description('the locks that hold, newest first')))
    .option('--all', 'those that have ended or were lifted too')
    .action((flags: ControlFlags & { readonly all?: boolean; readonly limit: string }) =>
      ask(context, flags, async (client) => {
        const status = flags.all === true ? 'all' : undefined;
        const list = await listed(client, LOCKS, { limit: flags.limit, status });
        return { kind: 'list', list, columns: COLUMNS };
      }),
    );
  addSet(command, context);
  withControl(command.command('lift <id>').description('lift a lock')).action(
    (id: string, flags: ControlFlags) =>
      ask(context, flags, (client) => one(client, { method: 'DELETE', path: `${LOCKS}/${part(id)}` })),
  );
  return command;
}

interface SetFlags extends ControlFlags, CallFlags {
  readonly principal?: PrincipalFlag;
  readonly email?: string;
  readonly tenant?: string;
  readonly case?: string;
  readonly everything?: boolean;
  readonly message?: string;
  readonly duration?: string;
  readonly until?: string;
}

function addSet(command: Command, context: ControlContext): void {
  const set = command.command('set').description('set a lock: returns when nothing more is forwarded');
  withKey(withControl(set))
    .option('--principal <issuer#id>', 'this person', onePrincipal)
    .option('--email <address>', 'with --principal: and whoever has this verified address')
    .option('--tenant <id>', 'this tenant')
    .option('--case <ref>', 'this case; with --tenant, there alone')
    .option('--everything', 'all support access')
    .option('--message <text>', 'shown to whoever is stopped')
    .option('--duration <duration>', 'for so long: 8h; otherwise until it is lifted')
    .option('--until <instant>', 'until then: 2030-01-31T12:00:00Z')
    .action((flags: SetFlags) =>
      ask(context, flags, (client) => {
        const { message, duration, until } = flags;
        const body = {
          target: targetOf(flags),
          ...(message === undefined ? {} : { message }),
          ...(duration === undefined ? {} : { duration }),
          ...(until === undefined ? {} : { endsAt: until }),
        };
        return one(client, { method: 'POST', path: LOCKS, body, headers: headersOf(flags) });
      }),
    );
}

/** Exactly one: a lock of more than was meant stops the wrong people, one of less stops too few. */
function targetOf({ principal, email, tenant, case: caseRef, everything }: SetFlags): object {
  const kinds = [principal, caseRef ?? tenant, everything].filter((one) => one !== undefined);
  if (kinds.length !== 1) {
    throw new CouldNotAsk('name one of --principal, --tenant, --case and --everything');
  }
  if (email !== undefined && principal === undefined) throw new CouldNotAsk('--email goes with --principal');
  if (principal !== undefined) {
    return { kind: 'principal', ...principal, ...(email === undefined ? {} : { email }) };
  }
  if (caseRef !== undefined) {
    return { kind: 'case', caseRef, ...(tenant === undefined ? {} : { tenant }) };
  }
  return tenant === undefined ? { kind: 'everything' } : { kind: 'tenant', tenant };
}
