// The command line: which commands there are, what they are given, and the three exit codes. Not hot.
// Loads nothing that only one command needs before that command runs: help and health checks stay quick.
import { Command, CommanderError } from 'commander';
import type { ParseTarget } from '#policy/judge.ts';
import { auditCommand } from './audit.ts';
import { checkConfig } from './config.ts';
import { controlCommands } from './control-commands.ts';
import { doctorCommand } from './doctor.ts';
import type { DoctorRooms } from './doctor-rooms.ts';
import { COULD_NOT_BE_ASKED, HELD } from './exit-codes.ts';
import { DEFAULT_HEALTH_URL, healthcheck } from './healthcheck.ts';
import { policyCommand } from './policy.ts';
import { type Serve, serveCommand } from './serve.ts';
import { createTerminal, isColoured, type Terminal, type TextStream } from './terminal.ts';

const DEFAULT_CONFIG = 'config/postern.yaml';

export interface CliDeps {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly serve: Serve;
  /** The gateway's one reading of a request target, for `policy test` and `policy explain`. */
  readonly parseTarget: ParseTarget;
  /** What `doctor` asks of rooms that are not known here; absent: there is no such command. */
  readonly doctorRooms?: () => Promise<DoctorRooms>;
}

interface Run {
  readonly deps: CliDeps;
  readonly terminal: Terminal;
  /** What the command answered; the last one wins, and there is only one. */
  exitCode: number;
}

/** `argv` without the program's own name: `['config', 'check']`. Resolves with the exit code; never rejects for bad usage. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  const terminal = createTerminal(deps);
  const run: Run = { deps, terminal, exitCode: HELD };
  const program = createProgram(run);
  inherit(program, program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return run.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return ASKED_FOR_TEXT.has(error.code) ? HELD : COULD_NOT_BE_ASKED;
  }
}

const ASKED_FOR_TEXT = new Set(['commander.helpDisplayed', 'commander.version']);

function createProgram(run: Run): Command {
  const { deps, terminal } = run;
  const { env } = deps;
  const program = new Command('postern')
    .description(
      'The side gate for support staff: time-bound, revocable, recorded access to a customer account.',
    )
    .version(deps.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: (text) => deps.stderr.write(text),
      // One line: what is wrong and, from the parser's own suggestion, what was probably meant.
      outputError: (text) =>
        terminal.err(
          text
            .trim()
            .replace(/\s*\n\s*/g, ' ')
            .replace(/^error:/, terminal.red('error:')),
        ),
    });
  const config = env['POSTERN_CONFIG'] ?? DEFAULT_CONFIG;
  program
    .command('serve')
    .description('run the gateway')
    .option('--config <file>', 'the configuration; POSTERN_CONFIG names another default', config)
    .action(async (options: { config: string }) => {
      run.exitCode = await serveCommand(options.config, { terminal, env, serve: deps.serve });
    });
  addConfigCommand(program, run, config);
  program
    .command('healthcheck')
    .description('ask a running gateway whether it is ready')
    .option('--url <url>', 'what to ask', DEFAULT_HEALTH_URL)
    .action(async (options: { url: string }) => {
      run.exitCode = await healthcheck(options.url, { terminal });
    });
  const streams = {
    stdout: deps.stdout,
    stderr: deps.stderr,
    isTerminal: isColoured(deps.stdout, env) && isColoured(deps.stderr, env),
    onExitCode: (code: number): void => {
      run.exitCode = code;
    },
  };
  program.addCommand(policyCommand({ parseTarget: deps.parseTarget, ...streams }));
  program.addCommand(auditCommand(streams));
  for (const command of controlCommands({ ...streams, env })) program.addCommand(command);
  const { doctorRooms: rooms } = deps;
  if (rooms !== undefined) {
    program.addCommand(doctorCommand({ ...streams, env, rooms, defaultConfig: config }));
  }
  return program;
}

function addConfigCommand(program: Command, run: Run, config: string): void {
  const group = program.command('config').description('look at a configuration without running it');
  group
    .command('check')
    .description('read the file, its secrets and its keys; print every problem at once')
    .option('--config <file>', 'the configuration; POSTERN_CONFIG names another default', config)
    .option('--json', 'print one JSON document', false)
    .action(async (options: { config: string; json: boolean }) => {
      const { terminal, deps } = run;
      run.exitCode = await checkConfig(
        { file: options.config, json: options.json },
        { terminal, env: deps.env },
      );
    });
}

/** Commands made elsewhere must not exit the process or write anywhere else either. */
function inherit(program: Command, command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(program);
    inherit(program, child);
  }
}
