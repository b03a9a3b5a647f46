// `postern lock …`: the vendor's security staff stop a principal, a tenant, a case or everything, and let go again. A thin
// client of the control API, which judges everything. Not hot.
import { Command } from 'commander';
import { type Control, part, post } from './control-context.ts';
import { CouldNotAsk } from './control-errors.ts';
import {
  type ControlFlags,
  given,
  type ListFlags,
  onePrincipal,
  type PrincipalFlag,
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

export function lockCommand(control: Control): Command {
  const command = new Command('lock').description('stop a principal, a tenant, a case or everything');
  control
    .command(command, 'list', 'the locks that hold, newest first', 'limit')
    .option('--all', 'those that have ended or were lifted too')
    .action((flags: ListFlags & { readonly all?: boolean }) =>
      control.list(flags, () => ({
        path: LOCKS,
        query: { status: flags.all === true ? 'all' : undefined },
        columns: COLUMNS,
      })),
    );
  addSet(command, control);
  control
    .command(command, 'lift <id>', 'lift a lock')
    .action((id: string, flags: ControlFlags) =>
      control.one(flags, () => ({ method: 'DELETE', path: `${LOCKS}/${part(id)}` })),
    );
  return command;
}

interface SetFlags extends ControlFlags {
  readonly principal?: PrincipalFlag;
  readonly email?: string;
  readonly tenant?: string;
  readonly case?: string;
  readonly everything?: boolean;
  readonly message?: string;
  readonly duration?: string;
  readonly until?: string;
  readonly key?: string;
}

function addSet(command: Command, control: Control): void {
  control
    .command(command, 'set', 'set a lock: returns when nothing more is forwarded', 'key')
    .option('--principal <issuer#id>', 'this person', onePrincipal)
    .option('--email <address>', 'with --principal: and whoever has this verified address')
    .option('--tenant <id>', 'this tenant')
    .option('--case <ref>', 'this case; with --tenant, there alone')
    .option('--everything', 'all support access')
    .option('--message <text>', 'shown to whoever is stopped')
    .option('--duration <duration>', 'for so long: 8h; otherwise until it is lifted')
    .option('--until <instant>', 'until then: 2030-01-31T12:00:00Z')
    .action((flags: SetFlags) =>
      control.one(flags, () => {
        const { message, duration, until: endsAt } = flags;
        return post(LOCKS, { target: targetOf(flags), ...given({ message, duration, endsAt }) }, flags);
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
    return { kind: 'principal', ...principal, ...given({ email }) };
  }
  if (caseRef !== undefined) {
    return { kind: 'case', caseRef, ...given({ tenant }) };
  }
  return tenant === undefined ? { kind: 'everything' } : { kind: 'tenant', tenant };
}
