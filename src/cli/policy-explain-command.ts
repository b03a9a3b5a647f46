// The options of `postern policy explain`. What it does is loaded only when it runs; a request that begins with `curl`
// is one argument, quoted as a whole. Not hot.
import type { Command } from 'commander';
import type { DefaultEffect } from '#policy/compile.ts';
import { DEFAULT_DIRECTORY, defaultEffectOption, type PolicyCommandContext } from './policy-context.ts';

interface ExplainFlags {
  readonly dir: string;
  readonly pack?: readonly string[];
  readonly defaultEffect: DefaultEffect;
  readonly grant?: string;
  readonly principal?: string;
  readonly host?: string;
  readonly header: readonly string[];
  readonly body?: string;
  readonly tenant?: string;
  readonly tenantClass?: string;
  readonly json: boolean;
  readonly all: boolean;
}

/** Adds the command `explain` to `command`. */
export function addExplain(command: Command, context: PolicyCommandContext): void {
  command
    .command('explain')
    .description('tell what would be decided about a request, and why')
    .argument(
      '<request>',
      "'POST /api/v2/exports', 'POST https://host/path', a curl command, or - to read it",
    )
    .option('--dir <dir>', 'the policy directory', DEFAULT_DIRECTORY)
    .option('--pack <name...>', 'packs to load besides, as policies.packs names them')
    .addOption(defaultEffectOption())
    .option('--grant <file>', 'a file that holds the grant to judge under')
    .option('--principal <file>', 'a file that holds who asks: id, issuer, email, groups, org')
    .option('--host <host>', 'the Host header')
    .option('--header <line>', "a header line 'Name: value'; may be repeated", collected, [])
    .option('--body <file>', 'a file that holds the body, or - for standard input')
    .option('--tenant <tenant>', 'the tenant that the request belongs to')
    .option('--tenant-class <class>', 'its class')
    .option('--all', 'also show the rules whose path did not match', false)
    .option('--json', 'print one JSON document', false)
    .action(async (request: string, flags: ExplainFlags) => {
      const { explainRequest } = await import('./policy-explain.ts');
      const { dir: directory, pack: packs = [], header: headers, defaultEffect, json, all } = flags;
      const { grant: grantFile = null, principal: principalFile = null, body: bodyFile = null } = flags;
      const { host = null, tenant = null, tenantClass = null } = flags;
      const who = { grantFile, principalFile, tenant, tenantClass };
      const what = { request, host, headers, bodyFile };
      const options = { ...what, ...who, directory, packs, defaultEffect, json, all };
      const { printer, parseTarget, deps } = context;
      const stdin = deps.readStdin === undefined ? {} : { readStdin: deps.readStdin };
      context.answer(await explainRequest(options, { printer, parseTarget, ...stdin }));
    });
}

function collected(line: string, lines: readonly string[]): readonly string[] {
  return [...lines, line];
}
