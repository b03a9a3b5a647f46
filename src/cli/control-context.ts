// What every command that asks the control API has: where it is, with which token, how the answer is shown, and what the
// exit codes mean: 0 it was done, 1 the gateway said no, 2 it could not be asked. Not hot.
import type { Command } from 'commander';
import type { ControlCall, ControlClient, JsonObject } from './control-client.ts';
import { CouldNotAsk, Refused } from './control-errors.ts';
import {
  type CommonFlags,
  type ControlFlags,
  headersOf,
  type ListFlags,
  OPTION_GROUPS,
  type OptionGroup,
} from './control-flags.ts';
import { type Column, printFields, printJson, printTable } from './control-print.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { createPolicyPrinter, type PolicyPrinter, printable } from './policy-print.ts';
import type { TextStream } from './terminal.ts';

export interface ControlCommandDeps {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Whether colours make sense. */
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called once per command run. */
  readonly onExitCode: (code: number) => void;
}

/** What the commands of one topic are made with. */
export interface Control {
  /** A command of `parent` with the options that every one has, and those of the groups. */
  command(parent: Command, usage: string, description: string, ...groups: readonly OptionGroup[]): Command;
  /** Runs one command: asks, shows, and turns what went wrong into one sentence and an exit code. */
  ask(flags: ControlFlags, work: (client: ControlClient) => Promise<Shown>): Promise<void>;
  /** The same with a single call, whose answer is one thing. */
  one(flags: ControlFlags, call: () => ControlCall): Promise<void>;
  /** The same with a list, page by page up to the limit. */
  list(flags: ListFlags, listing: () => Listing): Promise<void>;
}

export interface Listing {
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly columns: readonly Column[];
}

/** What a command has to show. */
export type Shown =
  | { readonly kind: 'one'; readonly item: JsonObject }
  /** One thing that people read as a table, under its `head`. */
  | {
      readonly kind: 'sheet';
      readonly item: JsonObject;
      readonly head: JsonObject;
      readonly rows: readonly JsonObject[];
      readonly columns: readonly Column[];
    }
  | { readonly kind: 'list'; readonly list: Listed; readonly columns: readonly Column[] };

interface Listed {
  readonly items: readonly JsonObject[];
  readonly hasMore: boolean;
}

export function createControl(deps: ControlCommandDeps): Control {
  const printer = createPolicyPrinter(deps);
  const control: Control = {
    command(parent, usage, description, ...groups) {
      const command = withControl(parent.command(usage).description(description));
      return groups.reduce((made, group) => OPTION_GROUPS[group](made), command);
    },
    async ask(flags, work) {
      const { createControlClient, DEFAULT_CONTROL_URL, readToken } = await import('./control-client.ts');
      try {
        const url = flags.url ?? deps.env['POSTERN_CONTROL_URL'] ?? DEFAULT_CONTROL_URL;
        const token = readToken(flags.tokenFile, deps.env);
        const dangerouslyPlainHttp = flags.dangerouslyPlainHttp === true;
        const shown = await work(createControlClient({ url, token, dangerouslyPlainHttp }));
        show(shown, flags.json ?? deps.stdout.isTTY !== true, printer);
        deps.onExitCode(HELD);
      } catch (error) {
        deps.onExitCode(sayWhy(error, printer));
      }
    },
    one: (flags, call) =>
      control.ask(flags, async (client) => ({ kind: 'one', item: await client.call(call()) })),
    list: (flags, listing) =>
      control.ask(flags, async (client) => {
        const { path, query, columns } = listing();
        const list = await listed(client, path, { limit: flags.limit, ...query });
        return { kind: 'list', list, columns };
      }),
  };
  return control;
}

function withControl(command: Command): Command {
  return command
    .option('--url <url>', 'the control listener, or unix:/path; POSTERN_CONTROL_URL names another default')
    .option('--token-file <file>', 'holds the token or service key; else POSTERN_TOKEN')
    .option('--dangerously-plain-http', 'send the token over http:// to another machine')
    .option('--json', 'print one JSON document per line; the default where no terminal is')
    .option('--no-json', 'print tables everywhere');
}

function show(shown: Shown, isJson: boolean, printer: PolicyPrinter): void {
  if (shown.kind === 'list') {
    showList(shown.list, shown.columns, { isJson, printer });
    return;
  }
  if (isJson) printJson([shown.item], printer);
  else if (shown.kind === 'one') printFields(shown.item, printer);
  else {
    printFields(shown.head, printer);
    printTable(shown.rows, shown.columns, printer);
  }
}

function showList(
  { items, hasMore }: Listed,
  columns: readonly Column[],
  { isJson, printer }: { readonly isJson: boolean; readonly printer: PolicyPrinter },
): void {
  if (isJson) printJson(items, printer);
  else if (items.length > 0) printTable(items, columns, printer);
  else printer.err('there are none');
  if (hasMore) printer.err(`there are more: --limit shows ${items.length}`);
}

/** Of no credential, a malformed call, too many and faults the gateway says that it could not be asked. */
const NOT_ASKED: ReadonlySet<number> = new Set([400, 401, 429]);

function sayWhy(error: unknown, printer: PolicyPrinter): number {
  if (error instanceof Refused) {
    const sentence = error.message.replace(/\.$/, '');
    printer.err(`${printer.red('error: ')}${printable(sentence)} (${printable(error.type)})`);
    return NOT_ASKED.has(error.status) || error.status >= 500 ? COULD_NOT_BE_ASKED : DID_NOT_HOLD;
  }
  if (!(error instanceof CouldNotAsk)) throw error;
  printer.err(`${printer.red('error: ')}${printable(error.message)}`);
  return COULD_NOT_BE_ASKED;
}

const PAGE = 200;

/** Follows the cursors until `limit` items are there. */
async function listed(
  client: ControlClient,
  path: string,
  query: Readonly<Record<string, string | undefined>> & { readonly limit: string },
): Promise<Listed> {
  const limit = Number(query.limit);
  const items: JsonObject[] = [];
  let cursor: string | undefined;
  do {
    const page: JsonObject = await client.call({
      method: 'GET',
      path: `${path}${queryText({ ...query, limit: String(Math.min(PAGE, limit - items.length)), cursor })}`,
    });
    items.push(...((page['items'] ?? []) as JsonObject[]));
    cursor = typeof page['nextCursor'] === 'string' ? page['nextCursor'] : undefined;
  } while (cursor !== undefined && items.length < limit);
  return { items, hasMore: cursor !== undefined };
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** One part of a path: what somebody typed is never more than that. */
export function part(text: string): string {
  return encodeURIComponent(text);
}

/** A POST with the headers that the flags ask for. */
export function post(
  path: string,
  body: object | undefined,
  flags: Pick<CommonFlags, 'revision' | 'key'> = {},
): ControlCall {
  return { method: 'POST', path, headers: headersOf(flags), ...(body === undefined ? {} : { body }) };
}
