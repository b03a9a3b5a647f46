// Headers the configuration injects: templates compiled once, all problems together, rendered per request.
// Guarantees: a rendered value is visible ASCII and spaces; nothing a person typed can end the header line.
// Assumes the exchange passed every check. Hot: a template of constants costs nothing, others a few reads.
import type { RequestId, TenantId } from '#model/ids.ts';
import type { Grant } from '#model/grant.ts';
import type { Credential } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';

/** What a template may speak of. The outbound exchange satisfies it. */
export interface TemplateFacts {
  readonly credential: Credential;
  readonly grant: Grant;
  /** Absent or null: the request belongs to none. */
  readonly session?: Pick<SupportSession, 'id'> | null;
  readonly tenant: TenantId;
  readonly requestId: RequestId;
  /** Absent or null: the request names none. */
  readonly workspace?: string | null;
}

/** A secret, or a map of them that a template indexes. Values are in the clear: never log one. */
export type Secrets = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

export interface InjectTemplate {
  readonly name: string;
  readonly template: string;
}

/** One fault of a template. `position` counts characters from 0 within the template (or the name). */
interface InjectProblem {
  readonly header: string;
  readonly position: number;
  readonly message: string;
}

/** Why a template gave no value for this request. `absent`: the header is left out, nothing is wrong. */
export const ABSENT = Symbol('absent');
export const SECRET_MISSING = Symbol('secret missing');
export const UNSAFE = Symbol('control character');
type Rendered = string | typeof ABSENT | typeof SECRET_MISSING | typeof UNSAFE;

export interface Injection {
  readonly name: string;
  render(facts: TemplateFacts): Rendered;
}

type Read = (facts: TemplateFacts) => string | null;
type Part = string | ((facts: TemplateFacts) => string | typeof ABSENT | typeof SECRET_MISSING);

const FIELDS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['principal.id', (f) => f.credential.principal.id],
  ['principal.email', (f) => f.credential.principal.email],
  ['principal.name', (f) => f.credential.principal.name],
  ['principal.issuer', (f) => f.credential.principal.issuer],
  ['principal.org', (f) => f.credential.principal.org],
  ['grant.id', (f) => f.grant.id],
  ['grant.actAs', (f) => f.grant.actAs],
  // A grant may list several roles, the first of which is the one to take where only one fits.
  ['grant.role', (f) => f.grant.roles[0] ?? null],
  ['grant.roles', rolesOf],
  ['grant.workspaces', workspacesOf],
  ['grant.caseRef', (f) => f.grant.caseRef],
  ['grant.access', (f) => f.grant.access],
  ['grant.revision', (f) => String(f.grant.revision)],
  ['session.id', (f) => f.session?.id ?? null],
  ['workspace', (f) => f.workspace ?? null],
  ['workspace.role', workspaceRole],
  ['tenant', (f) => f.tenant],
  ['requestId', (f) => f.requestId],
]);

function rolesOf({ grant }: TemplateFacts): string | null {
  let text = '';
  for (let i = 0; i < grant.roles.length; i++) text = joined(text, grant.roles[i] as string);
  return text === '' ? null : text;
}

/** Of a grant that is for every workspace it is absent: an empty list would say that it is for none. */
function workspacesOf({ grant }: TemplateFacts): string | null {
  let text = '';
  for (let i = 0; i < grant.workspaces.length; i++) text = joined(text, grant.workspaces[i]?.id ?? '');
  return text === '' ? null : text;
}

/** A comma within a name is percent-encoded, so that no name passes for two. */
function joined(text: string, name: string): string {
  const whole = SPLITS.test(name) ? name.replace(EVERY_SPLIT, encodeURIComponent) : name;
  return text === '' ? whole : `${text},${whole}`;
}

/** The first of those the grant gives in the workspace that the request names. */
function workspaceRole({ grant, workspace }: TemplateFacts): string | null {
  for (let i = 0; i < grant.workspaces.length; i++) {
    const one = grant.workspaces[i] as Grant['workspaces'][number];
    if (one.id === workspace) return one.roles[0] ?? null;
  }
  return null;
}

/** What lists of names are split at, and what would undo its encoding. */
const SPLITS = /[%,]/;
const EVERY_SPLIT = /[%,]/g;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PLAIN = /^[\x20-\x7e]*$/;
/** Those of ASCII and Latin-1: a line break would end the header (FR17). */
const CONTROL = /\p{Cc}/u;
/** What the gate, the framing or the protocol sets itself. */
const NOT_INJECTABLE = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'via',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
]);

export type CompiledInjections =
  | { readonly ok: true; readonly injections: readonly Injection[] }
  | { readonly ok: false; readonly problems: readonly InjectProblem[] };

/** Every problem of every template, in their order, or the compiled headers. Never throws. */
export function compileInjections(
  templates: readonly InjectTemplate[],
  secrets: Secrets,
): CompiledInjections {
  const problems: InjectProblem[] = [];
  const injections: Injection[] = [];
  const names = new Set<string>();
  for (const { name, template } of templates) {
    const report = (position: number, message: string) => problems.push({ header: name, position, message });
    const lower = name.toLowerCase();
    if (!HEADER_NAME.test(name)) report(0, 'is not a header name');
    else if (NOT_INJECTABLE.has(lower)) report(0, 'is set by the gate itself');
    else if (names.has(lower)) report(0, 'is injected twice');
    names.add(lower);
    injections.push({ name, render: renderer(parse(template, secrets, report)) });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, injections };
}

type Report = (position: number, message: string) => void;

function parse(template: string, secrets: Secrets, report: Report): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const literal = template.slice(at, open === -1 ? undefined : open);
    if (!PLAIN.test(literal)) report(at, 'holds a character outside visible ASCII');
    if (literal.includes('}')) report(at + literal.indexOf('}'), 'has a } without its {');
    if (literal !== '') parts.push(literal);
    if (open === -1) break;
    const close = endOfPlaceholder(template, open);
    if (close === -1) {
      report(open, 'has a { without its }');
      break;
    }
    const part = placeholder(template.slice(open + 1, close), secrets, (message) => report(open, message));
    if (part !== null) parts.push(part);
    at = close + 1;
  }
  return parts;
}

/** The matching brace: an index of a secret is a placeholder inside a placeholder. */
function endOfPlaceholder(template: string, open: number): number {
  let depth = 0;
  for (let i = open; i < template.length; i++) {
    if (template[i] === '{') depth++;
    else if (template[i] === '}' && --depth === 0) return i;
  }
  return -1;
}

function placeholder(text: string, secrets: Secrets, report: (message: string) => void): Part | null {
  if (text.startsWith('secret:')) return secretPart(text.slice('secret:'.length), secrets, report);
  const read = FIELDS.get(text);
  if (read === undefined) {
    report(`names the unknown field {${text}}`);
    return null;
  }
  return (facts) => read(facts) ?? ABSENT;
}

function secretPart(text: string, secrets: Secrets, report: (message: string) => void): Part | null {
  const indexed = /^([^[\]{}]+)\[\{([^[\]{}]+)\}\]$/.exec(text);
  const name = indexed === null ? text : (indexed[1] as string);
  if (!Object.hasOwn(secrets, name)) {
    report(`names the unknown secret ${name}`);
    return null;
  }
  const secret = secrets[name] as string | Readonly<Record<string, string>>;
  if (typeof secret === 'string') {
    if (indexed === null) return secret;
    report(`indexes the secret ${name}, which is one value`);
    return null;
  }
  const read = indexed === null ? undefined : FIELDS.get(indexed[2] as string);
  if (read === undefined) {
    report(
      indexed === null
        ? `must index the secret ${name}, which is a map`
        : `indexes by the unknown field ${indexed[2]}`,
    );
    return null;
  }
  const values = new Map(Object.entries(secret));
  return (facts) => {
    const key = read(facts);
    return (key === null ? undefined : values.get(key)) ?? SECRET_MISSING;
  };
}

function renderer(parts: readonly Part[]): (facts: TemplateFacts) => Rendered {
  if (parts.every((part) => typeof part === 'string')) {
    const constant = encode(parts.join(''));
    return () => constant;
  }
  return (facts) => {
    let text = '';
    for (const part of parts) {
      const piece = typeof part === 'string' ? part : part(facts);
      if (typeof piece !== 'string') return piece;
      text += piece;
    }
    return encode(text);
  };
}

/** RFC 9110 section 5.5 asks for ASCII; anything else travels as percent-encoded UTF-8. */
function encode(text: string): Rendered {
  if (PLAIN.test(text)) return text;
  if (CONTROL.test(text)) return UNSAFE;
  return text.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent);
}
