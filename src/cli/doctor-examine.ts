// `postern doctor`: the configuration, what it points to, who it depends on, and whether there is a way around the gate.
// Guarantees: nothing is changed or made, no secret is printed, and no credential of the configuration leaves this process:
// peers are only connected to, and the upstream gets requests without any. Cold.
import { printProblems, readConfig } from './config.ts';
import { shortPath, filesFindings } from './doctor-files.ts';
import { about, type Finding, printFindings } from './doctor-finding.ts';
import { peersFindings } from './doctor-peers.ts';
import type { DoctorRooms } from './doctor-rooms.ts';
import { aroundFindings, type Around } from './doctor-upstream.ts';
import { COULD_NOT_BE_ASKED } from './exit-codes.ts';
import type { PolicyPrinter } from './policy-print.ts';

export interface ExamineOptions {
  readonly file: string;
  readonly path: string;
  readonly host: string | null;
  readonly publicUrl: readonly string[];
  readonly trustNetwork: boolean;
  readonly json: boolean;
}

export interface ExamineDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly printer: PolicyPrinter;
  readonly rooms: () => Promise<DoctorRooms>;
  /** For each connection and answer. Default 5,000. */
  readonly timeoutMs?: number;
}

/** 0 nothing failed, 1 something did, 2 for bad usage or a configuration that is not valid. */
export async function examine(options: ExamineOptions, deps: ExamineDeps): Promise<number> {
  const { printer, env, timeoutMs = 5000 } = deps;
  const wrong = usageProblem(options);
  if (wrong !== null) {
    printer.err(`${printer.red('error: ')}${wrong}`);
    return COULD_NOT_BE_ASKED;
  }
  const result = await readConfig(options.file, { env });
  if (!result.ok) {
    if (options.json) printer.out(JSON.stringify({ ok: false, problems: result.problems }, null, 2));
    else printProblems(result.problems, printer);
    return COULD_NOT_BE_ASKED;
  }
  const { config, warnings } = result;
  const rooms = await deps.rooms();
  const sort = about('config', shortPath(options.file));
  const around: Around = { ...options, timeoutMs, rooms };
  const findings: Finding[] = [
    sort('ok', 'valid'),
    ...warnings.map(({ line, column, message }) => sort('warning', `${line}:${column} ${message}`)),
    ...(await filesFindings(config, rooms)),
    ...(await peersFindings(config, { rooms, timeoutMs })),
    ...(await aroundFindings(config, around)),
  ];
  return printFindings(findings, options.json, printer);
}

/** Values are not repeated: somebody may have put a password into an address. */
function usageProblem({ path, host, publicUrl }: ExamineOptions): string | null {
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(path))
    return '--path must begin with one slash and hold visible ASCII only';
  if (host !== null && !/^[a-z0-9.-]+(?::\d+)?$|^\[[0-9a-f:]+\](?::\d+)?$/i.test(host)) {
    return '--host must be a host name, with a port or without';
  }
  for (const text of publicUrl) {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol))
      return '--public-url must be an http or https address';
    if (url.username !== '' || url.password !== '')
      return '--public-url must not hold a user name or password';
  }
  return null;
}
