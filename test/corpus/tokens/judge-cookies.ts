// Judges rows of the kind `cookies`: real sessions in a real gate, whose cookies are sent raw, spelt, doubled, stolen and
// stale. What must be refused is refused by its reason, what passes arrives as the session's person without the cookie, and
// no secret stands in the journal, in an answer or at the application.
import { createHash, randomBytes } from 'node:crypto';
import type { CorpusRow } from '../../support/corpus-cases.ts';
import type { RecordedRequest } from '../../support/recording-upstream.ts';
import type { JudgedRow } from '../kinds.ts';
import {
  type CredentialGate,
  grantDraft,
  openCredentialGate,
  outcomesIn,
  shortly,
  spilled,
  toldFailures,
  valuesOf,
} from './credential-gate.ts';

export interface CookieRow extends CorpusRow {
  /** Values of Cookie lines: `<A>` is the secret of Sam's session, `<B>` of Bob's, `<G>` of Sam's at globex. */
  readonly cookie?: readonly string[];
  readonly headers?: readonly string[];
  readonly line?: string;
  readonly body?: string;
  readonly tenant?: string;
  /** What happens first: names of `STEPS`. */
  readonly before?: readonly string[];
  /** `forwarded`, or a status and the reason; a status alone for pages of the gate's own. */
  readonly expect: string;
  /** What the application must be told; nothing else of a cookie of ours arrives. */
  readonly as?: Readonly<Record<string, string | null>>;
  /** The Cookie header that arrives, joined; none by default. */
  readonly arrives?: string;
}

interface Session {
  readonly id: string;
  readonly secret: string;
}

/** What one row works with. Sessions are opened when they are first spoken of. */
interface Stage {
  readonly gate: CredentialGate;
  readonly grantId: string;
  readonly secrets: Map<string, string>;
  readonly sessions: Map<string, Session>;
  readonly undo: (() => Promise<unknown>)[];
}

const STAFF = { org: 'vendor', groups: ['support'] };

type Step = (stage: Stage) => Promise<void>;

const PEOPLE: Readonly<Record<string, readonly [person: string, tenant: string]>> = {
  A: ['sam', 'acme'],
  B: ['bob', 'acme'],
  G: ['sam', 'globex'],
};

const STEPS: Readonly<Record<string, Step>> = {
  'A is used': async (stage) => void (await visit(stage, await secretOf(stage, 'A'))),
  'A is ended': async (stage) => {
    const { id } = await sessionOf(stage, 'A');
    await stage.gate.call(await controlToken(stage, 'sam'), 'POST', `/v1/sessions/${id}/end`, {});
  },
  'A leaves': async (stage) => {
    const cookie = `Cookie: __Host-postern=${await secretOf(stage, 'A')}`;
    await send(stage, { path: '/-/postern/leave', body: 'note=', headers: [cookie] });
  },
  'Sam opens another': async (stage) => {
    await sessionOf(stage, 'A');
    await open(stage, 'sam', 'acme');
  },
  'Bob enters with A there': async (stage) => {
    const cookie = `Cookie: __Host-postern=${await secretOf(stage, 'A')}`;
    const { launch } = await open(stage, 'bob', 'acme');
    stage.secrets.set('B', await enter(stage, launch, 'acme', [cookie]));
  },
  'the grant is revoked': async (stage) => {
    await sessionOf(stage, 'A');
    await stage.gate.call(
      await stage.gate.clients.adminToken(),
      'POST',
      `/v1/grants/${stage.grantId}/revoke`,
    );
  },
  'a newer token of Sam is in no group': async (stage) => {
    await sessionOf(stage, 'A');
    const token = await stage.gate.clients.staffToken({ groups: ['alumni'] });
    await stage.gate.ask('data', 'GET /me', ['Host: acme.app.test', `Authorization: Bearer ${token}`]);
  },
  'Sam is locked': async (stage) => {
    await sessionOf(stage, 'A');
    const target = { kind: 'principal', issuer: stage.gate.workforce.issuer, id: 'sam' };
    const security = await controlToken(stage, 'quinn', ['support', 'security']);
    const { id } = await stage.gate.call(security, 'POST', '/v1/locks', { target });
    stage.undo.push(async () => stage.gate.call(security, 'DELETE', `/v1/locks/${String(id)}`));
  },
};

export async function judgeCookies(rows: readonly CorpusRow[]): Promise<readonly JudgedRow[]> {
  await using gate = await openCredentialGate({
    identity: { roles: { security: { groups: ['security'] } } },
  });
  const globex = await gate.clients.adminToken({ org_id: 'globex' });
  await gate.call(globex, 'POST', '/v1/tenants/globex/grants', grantDraft(STAFF));
  const judged: JudgedRow[] = [];
  let stage = await openStage(gate);
  for (const row of rows as readonly CookieRow[]) {
    judged.push({ id: row.id, failures: await failuresOf(stage, row) });
    // What came before it may not touch the next one; what changed nothing is not made anew.
    if (row.before === undefined) continue;
    await closeStage(stage);
    stage = await openStage(gate);
  }
  return judged;
}

async function openStage(gate: CredentialGate): Promise<Stage> {
  const { id } = await gate.call(
    await gate.clients.adminToken(),
    'POST',
    '/v1/tenants/acme/grants',
    grantDraft(STAFF),
  );
  return { gate, grantId: String(id), secrets: new Map(), sessions: new Map(), undo: [] };
}

/** For the next to open one of its own. */
async function closeStage({ gate, grantId, undo }: Stage): Promise<void> {
  for (const step of undo) await step();
  const admin = `Authorization: Bearer ${await gate.clients.adminToken()}`;
  await gate.ask('control', `POST /v1/grants/${grantId}/revoke`, ['Host: x', admin]);
}

async function failuresOf(stage: Stage, row: CookieRow): Promise<readonly string[]> {
  const { gate } = stage;
  for (const name of row.before ?? []) {
    const step = STEPS[name];
    if (step === undefined) throw new Error(`${row.id}: nobody knows how ${name}`);
    await step(stage);
  }
  const headers: string[] = [];
  for (const text of row.cookie ?? []) headers.push(`Cookie: ${await filled(stage, text)}`);
  for (const text of row.headers ?? []) headers.push(await filled(stage, text));
  const line = await filled(stage, row.line ?? 'GET /me');
  const body = await filled(stage, row.body ?? '');
  const mark = gate.mark();
  const arrived = gate.upstream.requests.length;
  const host = `Host: ${row.tenant ?? 'acme'}.app.test`;
  const answer = await gate.ask('data', line, [host, ...headers], body);
  const isForwarded = row.expect === 'forwarded';
  const failures: string[] = [];
  const seen = shortly(answer);
  if (seen !== (isForwarded ? '200' : row.expect)) failures.push(`answered ${seen} instead of ${row.expect}`);
  const requests = gate.upstream.requests.slice(arrived);
  if (requests.length !== (isForwarded ? 1 : 0)) failures.push(`${requests.length} requests arrived`);
  for (const request of requests) failures.push(...arrivalFailures(row, request));
  const text = await gate.writtenSince(mark, 1);
  const outcomes = outcomesIn(text).join();
  const reason = row.expect.split(' ')[1];
  if (isForwarded ? outcomes !== 'intent' : reason !== undefined && outcomes !== reason)
    failures.push(`recorded as ${outcomes || 'nothing'}`);
  const places = { journal: text, answer: answer.text, application: JSON.stringify(requests) };
  failures.push(...spilled(places, stage.secrets.values()));
  return [...failures, ...gate.complaints()];
}

function arrivalFailures(row: CookieRow, request: RecordedRequest): readonly string[] {
  const cookies = valuesOf(request, 'cookie').join('; ');
  const wrong = cookies === (row.arrives ?? '') ? [] : [`the cookies ${JSON.stringify(cookies)} arrived`];
  return [...wrong, ...toldFailures(request, row.as)];
}

async function filled(stage: Stage, text: string): Promise<string> {
  let result = text.replaceAll(/<(\d+) ([^>]*)>/g, (_whole, count: string, part: string) =>
    part.repeat(Number(count)),
  );
  for (const name of new Set(Array.from(result.matchAll(/<([A-Z_]+)>/g), ([, found = '']) => found)))
    result = result.replaceAll(`<${name}>`, await secretOf(stage, name));
  return result;
}

async function secretOf(stage: Stage, name: string): Promise<string> {
  const known = stage.secrets.get(name);
  if (known !== undefined) return known;
  const secret = await made(stage, name);
  stage.secrets.set(name, secret);
  return secret;
}

async function made(stage: Stage, name: string): Promise<string> {
  if (name in PEOPLE) return (await sessionOf(stage, name)).secret;
  if (name === 'FORGED') return randomBytes(60).toString('base64url').slice(0, 65);
  if (name === 'HASH')
    return createHash('sha256')
      .update(await secretOf(stage, 'A'))
      .digest('base64url');
  // Of somebody else: whoever opens a second session ends the first.
  if (name === 'LAUNCH') return (await open(stage, 'lena', 'acme')).launch;
  if (name === 'TOKEN') return stage.gate.clients.staffToken();
  if (name === 'TOKEN_OF_BOB') return stage.gate.clients.staffToken({ sub: 'bob', email: 'bob@vendor.test' });
  throw new Error(`no secret is called ${name}`);
}

async function sessionOf(stage: Stage, name: string): Promise<Session> {
  const known = stage.sessions.get(name);
  if (known !== undefined) return known;
  const [person, tenant] = PEOPLE[name] ?? ['sam', 'acme'];
  const { id, launch } = await open(stage, person, tenant);
  const session = { id, secret: await enter(stage, launch, tenant) };
  stage.sessions.set(name, session);
  stage.secrets.set(name, session.secret);
  return session;
}

async function open(
  { gate }: Stage,
  person: string,
  tenant: string,
): Promise<{ id: string; launch: string }> {
  const body = await gate.call(await controlToken({ gate }, person), 'POST', '/v1/sessions', {
    tenant,
    access: 'write',
    caseRef: 'CASE-1',
    reason: { type: 'customer_initiated_support', detail: 'the import fails' },
  });
  const { session, launch } = body as { session: { id: string }; launch: { url: string } };
  return { id: session.id, launch: new URL(launch.url).searchParams.get('launch') ?? '' };
}

async function enter(
  stage: Stage,
  launch: string,
  tenant: string,
  headers: readonly string[] = [],
): Promise<string> {
  const answer = await send(stage, { path: '/-/postern/enter', body: `launch=${launch}`, headers, tenant });
  const [, secret] = /^__Host-postern=([^;]+)/.exec(answer.headers['set-cookie'] ?? '') ?? [];
  if (answer.status !== 303 || secret === undefined) throw new Error(`not entered: ${answer.text}`);
  return secret;
}

interface Form {
  readonly path: string;
  readonly body: string;
  readonly headers?: readonly string[];
  readonly tenant?: string;
}

function send({ gate }: Pick<Stage, 'gate'>, { path, body, headers = [], tenant = 'acme' }: Form) {
  const own = [`Host: ${tenant}.app.test`, `Origin: https://${tenant}.app.test`];
  const type = 'Content-Type: application/x-www-form-urlencoded';
  return gate.ask('data', `POST ${path}`, [...own, type, ...headers], body);
}

function visit({ gate }: Stage, secret: string) {
  return gate.ask('data', 'GET /me', ['Host: acme.app.test', `Cookie: __Host-postern=${secret}`]);
}

function controlToken({ gate }: Pick<Stage, 'gate'>, person: string, groups = ['support']): Promise<string> {
  const claims = { sub: person, email: `${person}@vendor.test`, groups, aud: 'postern-staff-control' };
  return gate.workforce.sign(claims);
}
