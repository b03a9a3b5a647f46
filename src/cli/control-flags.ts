// Options that several commands of the control API have, and the parts of a body they stand for. What is malformed in
// itself is bad usage; what is not allowed is the gateway's to say. Not hot.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { REASON_TYPES } from '#model/grant.ts';
import { CouldNotAsk } from './control-errors.ts';

export interface ScopeFlags {
  readonly access?: 'read' | 'write';
  readonly role?: readonly string[];
  readonly workspace?: readonly WorkspaceFlag[];
  readonly lift?: readonly string[];
}

interface WorkspaceFlag {
  readonly id: string;
  readonly roles: readonly string[];
}

export interface PrincipalFlag {
  readonly issuer: string;
  readonly id: string;
}

export interface ReasonFlags {
  readonly case?: string;
  readonly reason?: string;
  readonly detail?: string;
}

export interface PersonFlags {
  readonly forId?: string;
  readonly forEmail?: string;
  readonly forName?: string;
}

const MOST = 10_000;

export function withLimit(command: Command): Command {
  return command.option('--limit <count>', 'how many', count, '50');
}

export function withScope(command: Command): Command {
  return command
    .addOption(new Option('--access <access>', 'read or write').choices(['read', 'write']))
    .option('--role <role>', 'an account-wide role; may be repeated', collect)
    .option('--workspace <id=role,role>', 'a workspace and the roles in it; may be repeated', workspace)
    .option('--lift <category>', 'a category of deny rules to lift; may be repeated', collect);
}

export function withReason(command: Command): Command {
  return command
    .option('--case <ref>', 'the support case')
    .addOption(new Option('--reason <type>', 'the type of the reason').choices([...REASON_TYPES]))
    .option('--detail <text>', 'the reason in one sentence');
}

/** For service keys: whose decision it is. */
export function withPerson(command: Command): Command {
  return command
    .option('--for-id <id>', 'with a service key: the person of the customer whose decision this is')
    .option('--for-email <address>', 'their address')
    .option('--for-name <name>', 'their name');
}

export function withRevision(command: Command): Command {
  return command.option('--revision <number>', 'refuse unless this is still its revision', revision);
}

/** Lets a script repeat a call that it does not know the end of. */
export function withKey(command: Command): Command {
  return command.option('--key <key>', 'an idempotency key: a repetition with it is done once');
}

export function scopeOf({ access, role, workspace: workspaces, lift }: ScopeFlags): object {
  return {
    ...(access === undefined ? {} : { access }),
    ...(role === undefined ? {} : { roles: role }),
    ...(workspaces === undefined ? {} : { workspaces }),
    ...(lift === undefined ? {} : { lifts: lift }),
  };
}

export function purposeOf({ case: caseRef, reason, detail }: ReasonFlags): object {
  if ((reason === undefined) !== (detail === undefined)) {
    throw new CouldNotAsk('--reason and --detail go together');
  }
  return {
    ...(caseRef === undefined ? {} : { caseRef }),
    ...(reason === undefined ? {} : { reason: { type: reason, detail } }),
  };
}

export function personOf({ forId, forEmail, forName }: PersonFlags): object {
  if (forId === undefined && forEmail === undefined && forName === undefined) return {};
  if (forId === undefined || forEmail === undefined)
    throw new CouldNotAsk('--for-id and --for-email go together');
  const name = forName === undefined ? {} : { name: forName };
  return { onBehalfOf: { id: forId, email: forEmail, ...name } };
}

export interface CallFlags {
  readonly revision?: string;
  readonly key?: string;
}

export function headersOf(flags: CallFlags): Record<string, string> {
  return {
    ...(flags.revision === undefined ? {} : { 'if-match': `"${flags.revision}"` }),
    ...(flags.key === undefined ? {} : { 'idempotency-key': flags.key }),
  };
}

/** An argument of commander: each time it is given, one more. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** `https://issuer.example#subject`: an issuer has no fragment (OpenID Connect Core section 2). */
export function principal(
  text: string,
  before: readonly PrincipalFlag[] | undefined,
): readonly PrincipalFlag[] {
  return [...(before ?? []), onePrincipal(text)];
}

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
  if (/^[1-9][0-9]{0,14}$/.test(text)) return text;
  throw new InvalidArgumentError('must be a whole number of at least 1.');
}
