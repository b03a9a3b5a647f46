// `postern settings …`: what is settled for a tenant and what holds, and changes of the caller's part of it. A change is made
// against the revision that was read. A thin client of the control API, which judges everything. Not hot.
import { Command } from 'commander';
import type { ControlCall, ControlClient, JsonObject } from './control-client.ts';
import { type Control, part, type Shown } from './control-context.ts';
import { CouldNotAsk } from './control-errors.ts';
import { bodyOf, collect, type CommonFlags, headersOf } from './control-flags.ts';
import type { Column } from './control-print.ts';

interface SettingsFlags extends CommonFlags {
  readonly tenant: string;
}

interface SetFlags extends SettingsFlags {
  readonly unset?: readonly string[];
}

type Setting = readonly [key: string, value: unknown];

export function settingsCommand(control: Control): Command {
  const command = new Command('settings').description('what a customer may grant, and how');
  control
    .command(command, 'show', 'what is settled for a tenant, and what holds')
    .requiredOption('--tenant <id>', 'the tenant')
    .action((flags: SettingsFlags) =>
      control.ask(flags, async (client) => sheet(await client.call({ method: 'GET', path: pathOf(flags) }))),
    );
  control
    .command(
      command,
      'set [key=value...]',
      'settle keys of your part; others stay as they are',
      'revision',
      'person',
    )
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--unset <key>', 'back to what it inherits; may be repeated', collect)
    .action((pairs: readonly string[], flags: SetFlags) =>
      control.ask(flags, async (client) => {
        const values = nested([
          ...pairs.map(settingOf),
          ...(flags.unset ?? []).map((key): Setting => [key, null]),
        ]);
        if (Object.keys(values).length === 0) throw new CouldNotAsk('name something to settle: key=value');
        return sheet(await client.call(changeOf(flags, values, await revisionOf(client, flags))));
      }),
    );
  addSwitch(command, control, {
    name: 'suspend',
    suspended: true,
    about: 'let nobody in, whatever was granted',
  });
  addSwitch(command, control, { name: 'resume', suspended: false, about: 'lift the suspension' });
  return command;
}

/** Whatever else was settled in the meantime: who pulls the brake does not read first. */
function addSwitch(
  command: Command,
  control: Control,
  { name, suspended, about }: { readonly name: string; readonly suspended: boolean; readonly about: string },
): void {
  control
    .command(command, name, `${about}: returns when it is true`, 'person')
    .requiredOption('--tenant <id>', 'the tenant')
    .action((flags: SettingsFlags) =>
      control.ask(flags, async (client) => sheet(await client.call(changeOf(flags, { suspended }, '*')))),
    );
}

function pathOf({ tenant }: SettingsFlags): string {
  return `/v1/tenants/${part(tenant)}/settings`;
}

function changeOf(flags: SettingsFlags, values: object, tag: string): ControlCall {
  const body = { ...values, ...bodyOf(flags) };
  return { method: 'PUT', path: pathOf(flags), body, headers: { 'if-match': tag } };
}

/** As an If-Match: what the caller has read, or else what is there now. */
async function revisionOf(client: ControlClient, flags: SettingsFlags): Promise<string> {
  const asked = headersOf(flags)['if-match'];
  if (asked !== undefined) return asked;
  const { revision } = await client.call({ method: 'GET', path: pathOf(flags) });
  return `"${String(revision)}"`;
}

/** A value is JSON where it reads as such, and text otherwise: `approvals=2`, `timeZone=Europe/Berlin`. */
function settingOf(pair: string): Setting {
  const at = pair.indexOf('=');
  if (at < 1)
    throw new CouldNotAsk(`a setting is written key=value, such as approvals=2 or durations.max=2d`);
  const text = pair.slice(at + 1);
  try {
    return [pair.slice(0, at), JSON.parse(text) as unknown];
  } catch {
    return [pair.slice(0, at), text];
  }
}

/** `durations.max` is the key `max` of `durations`. */
function nested(settings: readonly Setting[]): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [i, [path, value]] of settings.entries()) {
    const dot = path.indexOf('.');
    const [key, inner] = dot === -1 ? [path] : [path.slice(0, dot), path.slice(dot + 1)];
    const isTwice = settings.some(([other], j) => i !== j && `${path}.`.startsWith(`${other}.`));
    if (isTwice) throw new CouldNotAsk('name each setting once');
    values[key] = inner === undefined ? value : { ...(values[key] as object | undefined), [inner]: value };
  }
  return values;
}

function sheet(item: JsonObject): Shown {
  const { tenant, revision, newWebhooks, vendor, own, effective } = item;
  const parts = { vendor: flat(vendor), own: flat(own), holds: flat(effective) };
  const keys = new Set(Object.values(parts).flatMap((values) => Object.keys(values)));
  const rows = [...keys].map((key) => ({
    key,
    vendor: parts.vendor[key],
    own: parts.own[key],
    holds: parts.holds[key],
  }));
  const columns: Column[] = [
    ['KEY', 'key'],
    ...(vendor === undefined ? [] : [['VENDOR', 'vendor'] as const]),
    ['OWN', 'own'],
    ['HOLDS', 'holds'],
  ];
  return { kind: 'sheet', item, head: { tenant, revision, newWebhooks }, rows, columns };
}

/** `durations` is a line for each of its keys. */
function flat(values: unknown): JsonObject {
  const { durations, ...rest } = (values ?? {}) as JsonObject;
  const inner = Object.entries((durations ?? {}) as JsonObject).map(([key, value]) => [
    `durations.${key}`,
    value,
  ]);
  return { ...rest, ...Object.fromEntries(inner) };
}
