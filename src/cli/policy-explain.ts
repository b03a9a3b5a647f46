// `postern policy explain 'POST /api/v2/exports'`: what would be decided and why, by the walk that decides.
// Opens no socket, executes nothing and changes nothing: it reads the policy directory and the files that are named.
// Not hot.
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type Clock, systemClock } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import { compilePolicy, type DefaultEffect } from '#policy/compile.ts';
import { explainDecision } from '#policy/explained.ts';
import type { JudgeDeps, JudgedSubject, ParseTarget } from '#policy/judge.ts';
import { readPolicyDirectory, readPolicyFile } from '#policy/load-directory.ts';
import { emptyDocuments, parseGrantFile, type PolicyDocuments } from '#policy/policy-file.ts';
import { parsePrincipalFile } from '#policy/policy-test-principal.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { type PolicyProblem, problemOfFile } from '#policy/problem.ts';
import { isCurlCommand, readCurlCommand } from './curl-command.ts';
import {
  type DescribedOrRefused,
  type DescribedRequest,
  isWebSocket,
  readRequestLine,
  splitHeaderLine,
} from './described-request.ts';
import { COULD_NOT_BE_ASKED, HELD } from './exit-codes.ts';
import { type Explained, explainedJson, printExplained } from './policy-explain-print.ts';
import { type PolicyPrinter, printPolicyProblems } from './policy-print.ts';

export interface ExplainOptions {
  /** `METHOD /target`, `METHOD https://host/target`, or a curl command; `-` reads it from standard input. */
  readonly request: string;
  readonly directory: string;
  readonly packs: readonly string[];
  readonly defaultEffect: DefaultEffect;
  /** A file that holds one grant; null judges without any: nothing is lifted. */
  readonly grantFile: string | null;
  /** A file that holds one principal; null: nobody in particular. */
  readonly principalFile: string | null;
  /** Instead of the URL's. */
  readonly host: string | null;
  /** `Name: value`, each instead of the curl command's lines of that name. */
  readonly headers: readonly string[];
  /** A file, or `-` for standard input; instead of the curl command's body. */
  readonly bodyFile: string | null;
  /** Null: that of the grant's file, if it says one. */
  readonly tenant: string | null;
  readonly tenantClass: string | null;
  readonly json: boolean;
  /** Also the rules whose path did not match. */
  readonly all: boolean;
}

export interface ExplainDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
  readonly clock?: Clock;
  /** Default: the process's own. */
  readonly readStdin?: () => Promise<Buffer>;
}

/** 0 when it could be explained, whatever the decision. */
export async function explainRequest(options: ExplainOptions, deps: ExplainDeps): Promise<number> {
  const { printer, parseTarget, clock = systemClock } = deps;
  const described = await describe(options, deps);
  if ('refused' in described) {
    if (options.json) printer.out(JSON.stringify({ ok: false, refused: described.refused }, null, 2));
    else for (const sentence of described.refused) printer.err(`${printer.red('error: ')}${sentence}`);
    return COULD_NOT_BE_ASKED;
  }
  const set = await loadSet(options);
  const subject = await readSubject(options);
  const problems = [...set.problems, ...subject.problems];
  if (set.policy === null || problems.length > 0) {
    if (options.json) printer.out(JSON.stringify({ ok: false, problems }, null, 2));
    else printPolicyProblems(problems, printer);
    return COULD_NOT_BE_ASKED;
  }
  const judge: JudgeDeps = { policy: set.policy, parseTarget, now: clock.now() };
  const explained = await explainDescribed(judge, subject.subject, described, set.documents);
  if (options.json) printer.out(explainedJson(explained));
  else printExplained(explained, options.all, printer);
  return HELD;
}

async function explainDescribed(
  judge: JudgeDeps,
  subject: JudgedSubject,
  request: DescribedRequest,
  documents: PolicyDocuments,
): Promise<Explained> {
  const explained = await explainDecision(judge, subject, request);
  const { facts } = explained.judgement;
  return {
    ...explained,
    request,
    subject,
    guards: facts === null ? [] : guardsOf(documents, facts),
    documents,
  };
}

/** A guard is about a route as a deny rule is, so its route is explained as a rule's. */
function guardsOf(documents: PolicyDocuments, facts: NonNullable<Explained['judgement']['facts']>) {
  const options = { source: 'guards', dangerouslyAllowEmpty: true, defaultEffect: 'allow' } as const;
  const { policy } = compilePolicy({ ...emptyDocuments(), rules: documents.guards }, options);
  const considered = policy?.explain(facts).considered ?? [];
  return documents.guards.flatMap(({ draft }, i) => {
    const route = considered[i];
    return route === undefined ? [] : [{ route, signs: draft.response }];
  });
}

async function loadSet({ directory, packs, defaultEffect }: ExplainOptions) {
  const { documents, problems } = await readPolicyDirectory({ directory, packs });
  if (problems.length > 0) return { policy: null, documents, problems };
  const dangerouslyAllowEmpty = documents.allowances.length > 0;
  const options = { source: directory, dangerouslyAllowEmpty, defaultEffect };
  return { documents, ...compilePolicy(documents, options) };
}

interface ReadSubject {
  readonly subject: JudgedSubject;
  readonly problems: readonly PolicyProblem[];
}

async function readSubject(options: ExplainOptions): Promise<ReadSubject> {
  const { grantFile, principalFile, tenantClass } = options;
  const grant = await readOne(grantFile, (file, bytes) => {
    const { grant: value, problems } = parseGrantFile(file, bytes);
    return { value, problems };
  });
  const credential = await readOne(principalFile, (file, bytes) => {
    const { credential: value, problems } = parsePrincipalFile(file, bytes);
    return { value, problems };
  });
  const tenant = (options.tenant as TenantId | null) ?? tenantOf(grant.value);
  return {
    subject: { grant: grant.value, credential: credential.value, tenant, tenantClass },
    problems: [...grant.problems, ...credential.problems],
  };
}

function tenantOf(grant: Grant | null): TenantId | null {
  return grant === null || grant.tenant === PLAIN_GRANT.tenant ? null : grant.tenant;
}

async function readOne<T extends Grant | Credential>(
  file: string | null,
  parse: (
    file: string,
    bytes: Uint8Array,
  ) => { readonly value: T | null; readonly problems: readonly PolicyProblem[] },
): Promise<{ readonly value: T | null; readonly problems: readonly PolicyProblem[] }> {
  if (file === null) return { value: null, problems: [] };
  const bytes = await readPolicyFile(file);
  if (typeof bytes === 'string') return { value: null, problems: [problemOfFile(file, bytes)] };
  return parse(file, bytes);
}

/** The request and what the options say instead. */
async function describe(options: ExplainOptions, deps: ExplainDeps): Promise<DescribedOrRefused> {
  const { readStdin = () => buffer(process.stdin) } = deps;
  if (options.request === '-' && options.bodyFile === '-') {
    return { refused: ['the request and its body cannot both come from standard input'] };
  }
  const text = options.request === '-' ? (await readStdin()).toString('utf8').trim() : options.request;
  const request = isCurlCommand(text) ? readCurlCommand(text) : readRequestLine(text);
  if ('refused' in request) return request;
  const headers = new Map(request.headers);
  const given = new Map<string, string[]>();
  for (const line of options.headers) {
    const header = splitHeaderLine(line);
    if (header === null) return { refused: ["--header takes a line: 'Name: value'"] };
    given.set(header[0], [...(given.get(header[0]) ?? []), header[1]]);
  }
  for (const [name, values] of given) headers.set(name, values);
  const body = options.bodyFile === null ? request.body : await readBody(options.bodyFile, readStdin);
  if (typeof body === 'string') return { refused: [body] };
  const host = options.host ?? given.get('host')?.[0] ?? request.host;
  return { ...request, headers, host, body, upgrade: request.upgrade || isWebSocket(headers) };
}

async function readBody(file: string, readStdin: () => Promise<Buffer>): Promise<Buffer | string> {
  if (file === '-') return readStdin();
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return `${file}: the body cannot be read (${code})`;
  }
}
