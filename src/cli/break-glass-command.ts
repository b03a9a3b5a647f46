// `postern break-glass …`: two of the vendor's security staff open access that the customer did not; the customer hears of
// it. A thin client of the control API, which judges everything. Not hot.
import { Command } from 'commander';
import { type Control, part, post } from './control-context.ts';
import {
  bodyOf,
  type CommonFlags,
  given,
  type ListFlags,
  onePrincipal,
  type PrincipalFlag,
} from './control-flags.ts';
import { type Column, personText } from './control-print.ts';

const BREAK_GLASS = '/v1/break-glass';

const COLUMNS: readonly Column[] = [
  ['ID', 'id'],
  ['STATUS', 'status'],
  ['TENANT', 'tenant'],
  ['ACCESS', 'access'],
  ['CASE', 'caseRef'],
  ['ASKED BY', ({ askedBy }) => personText(askedBy)],
  ['LAPSES', ({ status, lapsesAt }) => (status === 'confirmed' ? '' : lapsesAt)],
  ['CONFIRMED BY', ({ confirmedBy }) => personText(confirmedBy)],
  ['ENDS', 'expiresAt'],
  ['REASON', 'reason.detail'],
];

export function breakGlassCommand(control: Control): Command {
  const command = new Command('break-glass').description(
    'emergency access, by two people of the vendor’s security staff',
  );
  control
    .command(command, 'list', 'what was asked for, newest first', 'limit')
    .option('--pending', 'only what waits for a second person')
    .action((flags: ListFlags & { readonly pending?: boolean }) =>
      control.list(flags, () => ({
        path: BREAK_GLASS,
        query: { status: flags.pending === true ? 'pending' : undefined },
        columns: COLUMNS,
      })),
    );
  addAsk(command, control);
  control
    .command(command, 'confirm <id>', 'as the second person, who never uses the access', 'key')
    .action((id: string, flags: CommonFlags) =>
      control.one(flags, () => post(`${BREAK_GLASS}/${part(id)}/second`, undefined, flags)),
    );
  return command;
}

interface AskFlags extends CommonFlags {
  readonly tenant: string;
  readonly responder?: PrincipalFlag;
}

function addAsk(command: Command, control: Control): void {
  control
    .command(
      command,
      'ask',
      'ask for it: gives nothing before another person confirms',
      'reason',
      'access',
      'key',
    )
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--duration <duration>', 'from the confirmation on: 15m, 2h; 1h otherwise, 4h at most')
    .option('--responder <issuer#id>', 'one more person who may use the access', onePrincipal)
    .action((flags: AskFlags) =>
      control.one(flags, () => {
        const { tenant, responder } = flags;
        return post(BREAK_GLASS, { tenant, ...bodyOf(flags), ...given({ responder }) }, flags);
      }),
    );
}
