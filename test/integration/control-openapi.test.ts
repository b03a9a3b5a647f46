// The OpenAPI document describes what the server does: every call is in it, with the parameters it reads, the headers it
// answers with and the statuses it has; real answers match its schemas; and what it leaves out has no effect.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '#control/authorise.ts';
import { createReportTally } from '#sessions/session-report.ts';
import { record, subjectRow, visit } from '../support/control-audit.ts';
import { startControl, WISH } from '../support/control-server.ts';
import { START } from '../support/grants-fixtures.ts';
import {
  contractOf,
  type GoodCall,
  type OpenApiDocument,
  operationsOf,
} from '../support/openapi-contract.ts';
import { startWholeControl, type WholeControl } from '../support/whole-control.ts';

const ASK = { tenant: 'acme', caseRef: 'CASE-1', reason: WISH.reason };
const TENANT = '/v1/tenants/acme';

/** What the calls before have made, by the operation that made it. */
type Made = Readonly<Record<string, string>>;
type Call = (made: Made) => GoodCall;

const get =
  (caller: string, path: string): Call =>
  () => ({ caller, path });
const of =
  (caller: string, path: string, { by, body, tag }: { by: string; body?: object; tag?: string }): Call =>
  (made) => ({
    caller,
    path: path.replace('{id}', made[by] ?? `${PREFIXES[by] ?? ''}_${'0'.repeat(26)}`),
    ...(body === undefined ? {} : { body }),
    ...(tag === undefined ? {} : { tag }),
  });
const send =
  (caller: string, path: string, body: object, tag?: string): Call =>
  () => ({ caller, path, body, ...(tag === undefined ? {} : { tag }) });

/** Of ids that nothing was made with. */
const PREFIXES: Made = {
  'grants.create': 'grt',
  'sessions.open': 'ses',
  'requests.make': 'req',
  'requests.make#2': 'req',
  'requests.make#3': 'req',
  'break_glass.ask': 'emg',
  'locks.set': 'lck',
};

/** Answered without the store. */
const STORELESS = new Set([
  'policy.read',
  'policy.explain',
  'audit.history',
  'audit.records',
  'subjects.erase',
]);

/** In an order in which each may succeed; a name behind # only tells two calls of one operation apart. */
const STORY: Readonly<Record<string, Call>> = {
  'settings.read': get('ada', `${TENANT}/settings`),
  'settings.change': send('ada', `${TENANT}/settings`, { timeZone: 'Europe/Berlin' }, '"0"'),
  'grants.create': send('ada', `${TENANT}/grants`, WISH),
  'grants.unverified': get('lea', '/v1/me/verifications'),
  'grants.verify': of('lea', '/v1/grants/{id}/verify', { by: 'grants.create' }),
  'grants.list': get('ada', `${TENANT}/grants`),
  'grants.mine': get('sam', '/v1/me/grants'),
  'grants.read': of('ada', '/v1/grants/{id}', { by: 'grants.create' }),
  'grants.revisions': of('ada', '/v1/grants/{id}/revisions', { by: 'grants.create' }),
  'grants.impact': of('ada', '/v1/grants/{id}/impact', { by: 'grants.create' }),
  'sessions.open': send('sam', '/v1/sessions', ASK),
  'sessions.mine': get('sam', '/v1/me/sessions'),
  'sessions.list': get('ada', `${TENANT}/sessions`),
  'sessions.read': of('ada', '/v1/sessions/{id}', { by: 'sessions.open' }),
  'sessions.end': of('sam', '/v1/sessions/{id}/end', { by: 'sessions.open' }),
  'sessions.report': of('sam', '/v1/sessions/{id}/report', { by: 'sessions.open' }),
  'grants.change': of('ada', '/v1/grants/{id}', { by: 'grants.create', body: { access: 'read' } }),
  'grants.revoke': of('ada', '/v1/grants/{id}/revoke', { by: 'grants.create' }),
  'access.switch': send('ada', `${TENANT}/access`, { open: true, caseRef: 'CASE-2', reason: WISH.reason }),
  'tenant.status': get('ada', `${TENANT}/status`),
  'policy.read': get('quinn', '/v1/policy'),
  'policy.explain': send('quinn', '/v1/policy/explain', { method: 'GET', target: '/exports/1' }),
  'audit.access': get('ada', `${TENANT}/access`),
  'audit.history': get('ada', `${TENANT}/access-history`),
  'audit.records': get('ada', `${TENANT}/records`),
  'subjects.erase': get('quinn', `/v1/subjects/${subjectRow().id}`),
  'requests.make': send('sam', '/v1/access-requests', ASK),
  'requests.list': get('sam', '/v1/access-requests'),
  'requests.list_of_tenant': get('ada', `${TENANT}/access-requests`),
  'requests.read': of('ada', '/v1/access-requests/{id}', { by: 'requests.make' }),
  'requests.withdraw': of('sam', '/v1/access-requests/{id}/withdraw', { by: 'requests.make' }),
  'requests.make#2': send('sam', '/v1/access-requests', ASK),
  'requests.deny': of('ada', '/v1/access-requests/{id}/deny', { by: 'requests.make#2' }),
  'requests.make#3': send('sam', '/v1/access-requests', ASK),
  'requests.approve': of('ada', '/v1/access-requests/{id}/approve', { by: 'requests.make#3' }),
  'break_glass.ask': send('quinn', '/v1/break-glass', ASK),
  'break_glass.list': get('quinn', '/v1/break-glass'),
  'break_glass.second': of('rita', '/v1/break-glass/{id}/second', { by: 'break_glass.ask' }),
  'locks.set': send('quinn', '/v1/locks', { target: { kind: 'case', caseRef: 'CASE-9' } }),
  'locks.list': get('quinn', '/v1/locks'),
  'locks.lift': of('quinn', '/v1/locks/{id}', { by: 'locks.set' }),
};

async function documentOf(t: WholeControl): Promise<OpenApiDocument> {
  return (await (await fetch(`${t.url}/openapi.json`)).json()) as OpenApiDocument;
}

async function reported({ sessions }: WholeControl, id: string): Promise<void> {
  const session = await sessions.get(id as never);
  if (session === null) throw new TypeError('there is no such session');
  await sessions.saveReport(createReportTally().report(session, { at: START, complete: true }));
}

/** Every call of the story, compared with a document. */
async function differencesFrom(change: (document: OpenApiDocument) => void = () => {}): Promise<string[]> {
  await using t = await startWholeControl();
  t.audit.rows.push(subjectRow());
  [t.audit.visits, t.audit.records] = [[visit()], [record()]];
  const document = await documentOf(t);
  change(document);
  const contract = contractOf(t.url, document);
  const made: Record<string, string> = {};
  const differences: string[] = [];
  for (const [name, call] of Object.entries(STORY)) {
    const compared = await contract.compare(name.replace(/#.*/, ''), call(made));
    differences.push(...compared.differences);
    const { id, session = { id } } = compared.answer.body as { id?: string; session?: { id?: string } };
    made[name] = session?.id ?? '';
    if (name === 'sessions.end') await reported(t, made['sessions.open'] ?? '');
  }
  return differences;
}

/** One operation of a document, to be taken apart. */
function operationOf(document: OpenApiDocument, id: string) {
  const [method = '', path = ''] = operationsOf(document).get(id) ?? [];
  return document.paths[path]?.[method] as unknown as {
    parameters: { name: string }[];
    responses: Record<string, { headers: Record<string, unknown> }>;
  };
}

function without(document: OpenApiDocument, id: string, header: string): void {
  const operation = operationOf(document, id);
  operation.parameters = operation.parameters.filter(({ name }) => name !== header);
}

describe('the OpenAPI document', () => {
  it('is version 3.1, needs no credential, and has exactly the operations of the authorisation table', async () => {
    await using t = await startWholeControl();
    const document = await documentOf(t);
    expect(document).toMatchObject({ openapi: '3.1.0' });
    expect([...operationsOf(document).keys()].toSorted()).toEqual([...OPERATIONS].toSorted());
    for (const [method, path] of operationsOf(document).values()) {
      const { parameters = [] } = document.paths[path]?.[method] ?? {};
      const named = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(named, path).toEqual(path.match(/\{[a-z]+\}/g) ?? []);
    }
  });

  it('says of every operation what the server does: parameters, statuses, headers and bodies', async () => {
    const told = new Set(Object.keys(STORY).map((name) => name.replace(/#.*/, '')));
    expect([...told].toSorted()).toEqual([...OPERATIONS].toSorted());
    expect(await differencesFrom()).toEqual([]);
  }, 60_000);

  it('would be found out if a parameter, a header or a status were missing', async () => {
    const differences = await differencesFrom((document) => {
      without(document, 'grants.change', 'If-Match');
      without(document, 'locks.set', 'Idempotency-Key');
      delete operationOf(document, 'requests.read').responses['200']?.headers['ETag'];
      delete operationOf(document, 'settings.change').responses['428'];
      delete operationOf(document, 'sessions.open').responses['409'];
    });
    for (const expected of [
      'grants.change, a good call: 412',
      'locks.set, a good call: 400',
      'requests.read, a good call: 200 has etag and does not say so',
      'settings.change does not say 428',
      'sessions.open does not say 409',
    ])
      expect(differences).toContainEqual(expect.stringContaining(expected));
  }, 60_000);

  it('says of every operation that there is a limit, and what happens when the store is away', async () => {
    await using limited = await startWholeControl({ burst: 1 });
    await using broken = await startWholeControl();
    const document = await documentOf(limited);
    const [over, away] = [contractOf(limited.url, document), contractOf(broken.url, document)];
    await fetch(`${limited.url}/v1/policy`, { headers: { authorization: 'Bearer ada' } });
    await broken.breakStore();
    for (const [name, call] of Object.entries(STORY)) {
      const id = name.replace(/#.*/, '');
      const [method = '', path = ''] = operationsOf(document).get(id) ?? [];
      expect(document.paths[path]?.[method]?.responses, id).toHaveProperty('429');
      const good = call({});
      expect(await over.expecting(id, { ...good, caller: 'ada' }, 429)).toEqual([]);
      expect(await away.expecting(id, good, STORELESS.has(id) ? null : 503)).toEqual([]);
    }
  }, 60_000);

  it('describes the answers of the audit, and its own examples, as they are', async () => {
    await using t = await startControl();
    const document = (await t.call('', 'GET', '/openapi.json')).body;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document, 'doc');
    const matches = (ref: string, value: unknown) =>
      ajv.validate({ $ref: `doc#${ref}` }, value) || ajv.errors;
    await t.call('ada', 'POST', '/v1/tenants/acme/grants', WISH);
    t.audit.visits = [visit(), visit({ actor: null, grant: null, reason: null })];
    t.audit.records = [record()];
    const answers = { access: 'ActiveGrant', 'access-history': 'Visit', records: 'AuditRecord' };
    for (const [call, name] of Object.entries(answers)) {
      const { body } = await t.call('ada', 'GET', `/v1/tenants/acme/${call}`);
      const item = `/components/schemas/${name}`;
      for (const one of body['items'] as unknown[]) expect(matches(item, one), call).toBe(true);
      const answer = `/paths/~1v1~1tenants~1{tenant}~1${call}/get/responses/200/content/application~1json/schema`;
      expect(matches(answer, body), call).toBe(true);
    }
    const { schemas } = document['components'] as {
      schemas: Record<string, { examples?: readonly unknown[] }>;
    };
    for (const name of ['Visit', 'AuditRecord']) {
      const examples = schemas[name]?.examples ?? [];
      expect(examples).toHaveLength(1);
      expect(matches(`/components/schemas/${name}`, examples[0])).toBe(true);
    }
  });
});
