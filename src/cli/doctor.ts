// The options of `postern doctor`; a wrong one is bad usage, exit code 2. What the command does is loaded only when it
// runs, and what asks rooms that this one may not know is handed in. Not hot.
import { Command } from 'commander';
import type { DoctorRooms } from './doctor-rooms.ts';
import { createPolicyPrinter, type PolicyPrinterDeps } from './policy-print.ts';

export interface DoctorCommandDeps extends PolicyPrinterDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly defaultConfig: string;
  readonly rooms: () => Promise<DoctorRooms>;
  readonly onExitCode: (code: number) => void;
}

interface Flags {
  readonly config: string;
  readonly path: string;
  readonly host?: string;
  readonly publicUrl: readonly string[];
  readonly trustNetwork: boolean;
  readonly json: boolean;
}

/** The command `doctor`. */
export function doctorCommand(deps: DoctorCommandDeps): Command {
  const { env, rooms, onExitCode } = deps;
  return new Command('doctor')
    .description('look for what is wrong or missing, and try to reach the upstream around the gate')
    .option('--config <file>', 'the configuration; POSTERN_CONFIG names another default', deps.defaultConfig)
    .option('--path <path>', 'what to ask of the upstream, by GET: something that support would see', '/')
    .option('--host <name>', 'the Host to ask with, such as that of a customer; else the address’s own')
    .option(
      '--public-url <url...>',
      'addresses by which outsiders might reach the upstream around the gate',
      [],
    )
    .option(
      '--trust-network',
      'the network lets nothing but the gate reach the upstream: what answers here is a warning',
      false,
    )
    .option('--json', 'print one JSON document', false)
    .action(async ({ config: file, ...flags }: Flags) => {
      const { examine } = await import('./doctor-examine.ts');
      const printer = createPolicyPrinter(deps);
      onExitCode(await examine({ file, ...flags, host: flags.host ?? null }, { env, printer, rooms }));
    });
}
