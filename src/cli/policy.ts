// `postern policy …`: the commands of security teams. Exit codes: 0 held, 1 did not hold, 2 could not be asked
// (bad usage, or a policy with problems, which are printed all at once). Not hot.
import { Command } from 'commander';
import type { ParseTarget } from '#policy/run-policy-tests.ts';
import { createPolicyPrinter } from './policy-print.ts';
import type { TextStream } from './terminal.ts';

export interface PolicyCommandDeps {
  /** gateway/request-target.ts has the one parser. */
  readonly parseTarget: ParseTarget;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Whether colours make sense. */
  readonly isTerminal: boolean;
  /** Called once per command run. Default: sets `process.exitCode`. */
  readonly onExitCode?: (code: number) => void;
}

const DEFAULT_DIRECTORY = 'policies';

export function policyCommand(deps: PolicyCommandDeps): Command {
  const printer = createPolicyPrinter(deps);
  const answer =
    deps.onExitCode ??
    ((code: number): void => {
      process.exitCode = code;
    });
  const command = new Command('policy').description('check, test and explain deny rules');
  command
    .command('check')
    .description('read a policy directory and its packs; print every problem at once')
    .argument('[dir]', 'the policy directory', DEFAULT_DIRECTORY)
    .option('--json', 'print one JSON document', false)
    .action(async (directory: string, { json }: { json: boolean }) => {
      const { checkPolicies } = await import('./policy-test.ts');
      answer(await checkPolicies({ directory, json }, printer));
    });
  command
    .command('test')
    .description('run the PolicyTest documents of a policy directory and its packs')
    .argument('[dir]', 'the policy directory', DEFAULT_DIRECTORY)
    .option('--filter <text>', 'only tests whose document, case or request holds the text')
    .option('--json', 'print one JSON document', false)
    .action(async (directory: string, options: { filter?: string; json: boolean }) => {
      const { testPolicies } = await import('./policy-test.ts');
      const { filter = null, json } = options;
      answer(await testPolicies({ directory, filter, json }, { printer, parseTarget: deps.parseTarget }));
    });
  addExplain(command, { printer, parseTarget: deps.parseTarget, answer });
  return command;
}

interface ExplainWiring {
  readonly printer: ReturnType<typeof createPolicyPrinter>;
  readonly parseTarget: ParseTarget;
  readonly answer: (code: number) => void;
}

interface ExplainFlags {
  readonly dir: string;
  readonly pack?: readonly string[];
  readonly grant?: string;
  readonly json: boolean;
  readonly all: boolean;
}

function addExplain(command: Command, { printer, parseTarget, answer }: ExplainWiring): void {
  command
    .command('explain')
    .description('tell what would be decided about a request, and why')
    .argument('<request>', "a method and a target: 'POST /api/v2/exports'")
    .option('--dir <dir>', 'the policy directory', DEFAULT_DIRECTORY)
    .option('--pack <name...>', 'packs to load besides, as policies.packs names them')
    .option('--grant <file>', 'a file that holds the grant to judge under')
    .option('--all', 'also show the rules whose path did not match', false)
    .option('--json', 'print one JSON document', false)
    .action(async (request: string, flags: ExplainFlags) => {
      const { explainRequest } = await import('./policy-explain.ts');
      const { dir: directory, pack: packs = [], grant: grantFile = null, json, all } = flags;
      const options = { request, directory, packs, grantFile, json, all };
      answer(await explainRequest(options, { printer, parseTarget }));
    });
}
