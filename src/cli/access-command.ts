// `postern access …`: the customer's switch. On for a while, off, and whether it is on. A thin client of the control API,
// which judges everything. Not hot.
import { Command } from 'commander';
import { type Control, part } from './control-context.ts';
import { type AudienceFlags, bodyOf, type CommonFlags, type ControlFlags, given } from './control-flags.ts';

interface SwitchFlags extends CommonFlags, AudienceFlags {
  readonly tenant: string;
  readonly until?: string;
}

export function accessCommand(control: Control): Command {
  const command = new Command('access').description('the customer’s switch for support access');
  control
    .command(
      command,
      'on',
      'open it, or choose the period anew: returns when it is true',
      ...(['reason', 'scope', 'audience', 'notice', 'person'] as const),
    )
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--duration <duration>', 'for so long: 1d, 1w, 1mo; the tenant’s default otherwise')
    .option('--until <end>', 'instead: an instant, a day such as 2030-01-31, or `never`')
    .action((flags: SwitchFlags) =>
      control.one(flags, () => {
        const until = flags.until === 'never' ? null : flags.until;
        return switched(flags, { open: true, ...given({ until }), ...bodyOf(flags) });
      }),
    );
  control
    .command(command, 'off', 'shut what the switch has opened: returns when it is true', 'person')
    .requiredOption('--tenant <id>', 'the tenant')
    .action((flags: SwitchFlags) =>
      control.one(flags, () => switched(flags, { open: false, ...bodyOf(flags) })),
    );
  control
    .command(command, 'status', 'whether support may enter, and until when')
    .requiredOption('--tenant <id>', 'the tenant')
    .action((flags: ControlFlags & { readonly tenant: string }) =>
      control.one(flags, () => ({ method: 'GET', path: `/v1/tenants/${part(flags.tenant)}/status` })),
    );
  return command;
}

function switched({ tenant }: SwitchFlags, body: object) {
  return { method: 'PUT', path: `/v1/tenants/${part(tenant)}/access`, body } as const;
}
