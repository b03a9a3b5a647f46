// Options that several commands of the control API have, in groups, and the parts of a call they stand for. What is
// malformed in itself is bad usage; what is not allowed is the gateway's to say. Not hot.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { REASON_TYPES } from '#model/grant.ts';
import { CouldNotAsk } from './control-errors.ts';

/** Of every command; what commander made of its options. */
export interface ControlFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly dangerouslyPlainHttp?: boolean;
  /** Absent: JSON where no person watches. */
  readonly json?: boolean;
}

interface WorkspaceFlag {
  readonly id: string;
  readonly roles: readonly string[];
}

export interface PrincipalFlag {
  readonly issuer: string;
  readonly id: string;
}

/** What the groups below make, and options that several commands describe in their own words. */
export interface CommonFlags extends ControlFlags {
  readonly access?: 'read' | 'write';
  readonly role?: readonly string[];
  readonly workspace?: readonly WorkspaceFlag[];
  readonly lift?: readonly string[];
  readonly case?: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly forId?: string;
  readonly forEmail?: string;
  readonly forName?: string;
  readonly revision?: string;
  readonly key?: string;
  readonly duration?: string;
  readonly notice?: string;
  readonly actAs?: string;
}

export interface AudienceFlags {
  readonly org?: string;
  readonly group?: readonly string[];
  readonly principal?: readonly PrincipalFlag[];
}

export interface ListFlags extends ControlFlags {
  readonly limit: string;
}

const MOST = 10_000;

export const OPTION_GROUPS = {
  limit: (command: Command) => command.option('--limit <count>', 'how many', count, '50'),
  access: withAccess,
  scope: (command: Command) =>
    withAccess(command)
      .option('--role <role>', 'an account-wide role; may be repeated', collect)
      .option('--workspace <id=role,role>', 'a workspace and the roles in it; may be repeated', workspace),
  lift: (command: Command) =>
    command.option('--lift <category>', 'a category of deny rules to lift; may be repeated', collect),
  reason: (command: Command) =>
    command
      .option('--case <ref>', 'the support case')
      .addOption(new Option('--reason <type>', 'the type of the reason').choices([...REASON_TYPES]))
      .option('--detail <text>', 'the reason in one sentence'),
  audience: (command: Command) =>
    command
      .option('--org <org>', 'for the staff of this organisation')
      .option('--group <group>', 'for this group; may be repeated', collect)
      .option('--principal <issuer#id>', 'for this person; may be repeated', principal),
  notice: (command: Command) =>
    command.option('--notice <version>', 'the version of the notice that was shown'),
  /** For service keys: whose decision it is. */
  person: (command: Command) =>
    command
      .option('--for-id <id>', 'with a service key: the person of the customer whose decision this is')
      .option('--for-email <address>', 'their address')
      .option('--for-name <name>', 'their name'),
  revision: (command: Command) =>
    command.option('--revision <number>', 'refuse unless this is still its revision', revision),
  /** Lets a script repeat a call that it does not know the end of. */
  key: (command: Command) =>
    command.option('--key <key>', 'an idempotency key: a repetition with it is done once'),
} as const satisfies Readonly<Record<string, (command: Command) => Command>>;

export type OptionGroup = keyof typeof OPTION_GROUPS;

function withAccess(command: Command): Command {
  return command.addOption(new Option('--access <access>', 'read or write').choices(['read', 'write']));
}

/** Only what was given. Throws CouldNotAsk where half of something was. */
export function bodyOf(flags: CommonFlags & AudienceFlags): object {
  const { access, role: roles, workspace: workspaces, lift: lifts, duration, notice, actAs } = flags;
  return given({
    audience: audienceOf(flags),
    access,
    roles,
    workspaces,
    actAs,
    lifts,
    caseRef: flags.case,
    reason: reasonOf(flags),
    duration,
    notice: notice === undefined ? undefined : { version: notice },
    onBehalfOf: personOf(flags),
  });
}

/** Without what is undefined. */
export function given(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function audienceOf({ org, group: groups, principal: principals }: AudienceFlags): object | undefined {
  const audience = given({ org, groups, principals });
  return Object.keys(audience).length === 0 ? undefined : audience;
}

function reasonOf({ reason, detail }: CommonFlags): object | undefined {
  if ((reason === undefined) !== (detail === undefined)) {
    throw new CouldNotAsk('--reason and --detail go together');
  }
  return reason === undefined ? undefined : { type: reason, detail };
}

function personOf({ forId, forEmail, forName }: CommonFlags): object | undefined {
  if (forId === undefined && forEmail === undefined && forName === undefined) return undefined;
  if (forId === undefined || forEmail === undefined)
    throw new CouldNotAsk('--for-id and --for-email go together');
  return given({ id: forId, email: forEmail, name: forName });
}

export function headersOf({
  revision: tag,
  key,
}: Pick<CommonFlags, 'revision' | 'key'>): Record<string, string> {
  return {
    ...(tag === undefined ? {} : { 'if-match': `"${tag}"` }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
}

/** An argument of commander: each time it is given, one more. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function principal(text: string, before: readonly PrincipalFlag[] | undefined): readonly PrincipalFlag[] {
  return [...(before ?? []), onePrincipal(text)];
}

/** `https://issuer.example#subject`: an issuer has no fragment (OpenID Connect Core section 2). */
export function onePrincipal(text: string): PrincipalFlag {
  const at = text.indexOf('#');
  if (at < 1 || at === text.length - 1) {
    throw new InvalidArgumentError('must be issuer#id, such as https://idp.example.com#sam.');
  }
  return { issuer: text.slice(0, at), id: text.slice(at + 1) };
}

function workspace(text: string, before: readonly WorkspaceFlag[] | undefined): readonly WorkspaceFlag[] {
  const [id = '', names = ''] = text.split('=', 2);
  if (id === '') throw new InvalidArgumentError('must be id or id=role,role.');
  return [...(before ?? []), { id, roles: names.split(',').filter((role) => role !== '') }];
}

function count(text: string): string {
  if (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= MOST) return text;
  throw new InvalidArgumentError(`must be a whole number from 1 to ${MOST}.`);
}

function revision(text: string): string {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return text;
  throw new InvalidArgumentError('must be a whole number.');
}
