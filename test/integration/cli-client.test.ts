// The commands that ask the control API: against the real one, but for sessions, locks and everything that may go wrong on
// the way, which one made up here answers.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TEST_DEFAULTS } from '../contract/settings-store.ts';
import { type CliRun, runControlCli } from '../support/control-cli.ts';
import { startRequestsControl } from '../support/control-requests.ts';
import { startControl } from '../support/control-server.ts';
import { temporaryFolder } from '../support/grants-fixtures.ts';
import { startSecurityServer } from '../support/security-server.ts';

const REASON = ['--reason', 'customer_initiated_support', '--detail', 'The invoice page is empty.'];

/** `postern …` with the token of a caller of the server. */
function commandsOf({ url }: { readonly url: string }, isTTY = false) {
  return (who: string, ...argv: readonly string[]) =>
    runControlCli({ env: { POSTERN_CONTROL_URL: url, POSTERN_TOKEN: who }, isTTY }, ...argv);
}

function parsed(run: CliRun): Record<string, unknown> {
  expect(run, run.err).toMatchObject({ code: 0, err: '' });
  return JSON.parse(run.out) as Record<string, unknown>;
}

interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

interface Scripted {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

/** Answers what it is told to, in order, the last one ever after. */
async function fakeControl(...script: readonly Scripted[]) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      heard.push({ method, url, headers, body: text === '' ? null : JSON.parse(text) });
      const answer = script[Math.min(heard.length, script.length) - 1] as Scripted;
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { POSTERN_CONTROL_URL: url, POSTERN_TOKEN: 'token-1' };
  return {
    heard,
    url,
    run: (...argv: readonly string[]) => runControlCli({ env }, ...argv),
    onTerminal: (...argv: readonly string[]) => runControlCli({ env, isTTY: true }, ...argv),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('postern request and grant, against the control API', () => {
  it('asks, lists, approves to less, and shows the grant', async () => {
    await using t = await startRequestsControl();
    const as = commandsOf(t);
    const scope = [
      '--access',
      'write',
      '--role',
      'agent',
      '--role',
      'viewer',
      '--workspace',
      'w1=agent,viewer',
    ];
    const made = parsed(
      await as(
        'sam',
        'request',
        'make',
        '--tenant',
        'acme',
        '--case',
        'CASE-1',
        ...REASON,
        ...scope,
        '--duration',
        '3d',
      ),
    );
    expect(made).toMatchObject({
      status: 'awaiting_tenant',
      wanted: { roles: ['agent', 'viewer'], workspaces: [{ id: 'w1', roles: ['agent', 'viewer'] }] },
    });
    const id = String(made['id']);
    const listed = await as('ada', 'request', 'list', '--tenant', 'acme', '--status', 'awaiting_tenant');
    expect(parsed(listed)).toEqual(made);
    expect(parsed(await as('ada', 'request', 'show', id))).toEqual(made);
    expect(await as('gil', 'request', 'show', id)).toMatchObject({ code: 1, out: '' });
    const stale = await as('ada', 'request', 'approve', id, '--revision', '7');
    expect(stale).toMatchObject({ code: 1, out: '' });
    expect(stale.err).toMatch(/^error: .*\(urn:postern:problem:precondition_failed\)\n$/);
    const approved = await as(
      'ada',
      'request',
      'approve',
      id,
      '--revision',
      '1',
      '--duration',
      '8h',
      '--role',
      'agent',
    );
    const { grantId } = parsed(approved);
    const grant = parsed(await as('ada', 'grant', 'show', String(grantId)));
    expect(grant).toMatchObject({
      roles: ['agent'],
      expiresAt: '2030-01-15T20:00:00.000Z',
      source: 'request',
    });
    expect(parsed(await as('sam', 'grant', 'list'))).toMatchObject({ id: grantId });
    const again = await as('abe', 'request', 'deny', id, '--why', 'Too late.');
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain('urn:postern:problem:request_decided');
  });

  it('denies and withdraws, and a service names the person it acts for', async () => {
    await using t = await startRequestsControl({ settings: { leadFirst: true } });
    const as = commandsOf(t);
    const make = async (caseRef: string) =>
      String(
        parsed(await as('sam', 'request', 'make', '--tenant', 'acme', '--case', caseRef, ...REASON))['id'],
      );
    const first = await make('CASE-1');
    expect(parsed(await as('lea', 'request', 'list', '--awaiting-lead'))).toMatchObject({ id: first });
    expect(parsed(await as('lea', 'request', 'approve', first))).toMatchObject({ status: 'awaiting_tenant' });
    const person = ['--for-id', 'u-1', '--for-email', 'ada@acme.example', '--for-name', 'Ada'];
    expect(parsed(await as('key', 'request', 'deny', first, '--why', 'Not now.', ...person))).toMatchObject({
      status: 'denied',
      denied: { why: 'Not now.', by: { kind: 'service', onBehalfOf: { id: 'u-1', name: 'Ada' } } },
    });
    const second = await make('CASE-2');
    expect(parsed(await as('sam', 'request', 'withdraw', second))).toMatchObject({ status: 'withdrawn' });
    const all = await as('sam', 'request', 'list', '--mine', '--limit', '1');
    expect(JSON.parse(all.out)).toMatchObject({ id: second });
    expect(all.err).toBe('there are more: --limit shows 1\n');
  });

  it('gives, changes and revokes access, once for one key', async () => {
    await using t = await startRequestsControl();
    const as = commandsOf(t);
    const create = ['grant', 'create', '--tenant', 'acme', '--case', 'CASE-1', ...REASON, '--key', 'k-1'];
    const audience = ['--principal', 'https://idp.vendor.example#sam', '--until', '2030-01-20'];
    const made = parsed(await as('ada', ...create, ...audience));
    expect(made).toMatchObject({
      expiresAt: '2030-01-21T00:00:00.000Z',
      audience: { principals: [{ issuer: 'https://idp.vendor.example', id: 'sam' }] },
    });
    expect(parsed(await as('ada', ...create, ...audience))).toEqual(made);
    const id = String(made['id']);
    const changed = await as(
      'ada',
      'grant',
      'change',
      id,
      '--until',
      '2030-01-18T00:00:00Z',
      '--revision',
      '1',
    );
    expect(parsed(changed)).toMatchObject({ revision: 2, expiresAt: '2030-01-18T00:00:00.000Z' });
    expect(await as('ada', 'grant', 'change', id)).toMatchObject({ code: 2 });
    const impact = await as('ada', 'grant', 'impact', id);
    expect(parsed(impact)).toEqual({ requests: 3, streams: 2, principals: 1 });
    const shown = await commandsOf(t, true)('ada', 'grant', 'impact', id);
    expect(shown.out).toBe('requests    3\nstreams     2\nprincipals  1\n');
    expect(parsed(await as('ada', 'grant', 'revoke', id))).toMatchObject({ status: 'revoked' });
    const { out } = await commandsOf(t, true)('ada', 'grant', 'revisions', id);
    const [head, ...lines] = out.split('\n').map((line) => line.split(/ {2,}/));
    expect(head?.slice(0, 4)).toEqual(['REVISION', 'DONE', 'AT', 'BY']);
    expect(lines.map(([revision, done, , by]) => [revision, done, by])).toEqual([
      ['3', 'revoke', 'ada@acme.example'],
      ['2', 'change', 'ada@acme.example'],
      ['1', 'create', 'ada@acme.example'],
      ['', undefined, undefined],
    ]);
    const first = await as('ada', 'grant', 'revisions', id, '--limit', '1');
    expect(JSON.parse(first.out)).toMatchObject({ operation: 'revoke', grant: { id, revision: 3 } });
    expect(first.err).toBe('there are more: --limit shows 1\n');
    const none = await as('ada', 'grant', 'create', '--tenant', 'acme', '--case', 'CASE-1', ...REASON);
    expect(none).toMatchObject({ code: 1 });
    expect(none.err).toContain('(urn:postern:problem:empty_audience)');
    expect(await as('tom', 'grant', 'list', '--tenant', 'acme')).toMatchObject({ code: 0, out: '' });
    expect(await as('sam', 'grant', 'revoke', id)).toMatchObject({ code: 1 });
    expect(await as('nobody', 'grant', 'list')).toMatchObject({ code: 2 });
  });
});

const ACME = ['--tenant', 'acme'];
const refusal = (type: string) => expect.stringContaining(`(urn:postern:problem:${type})`);

describe('postern access, against the control API', () => {
  it('turns it on for a while, chooses the period anew, and turns it off', async () => {
    await using t = await startControl({ defaults: TEST_DEFAULTS });
    const as = commandsOf(t);
    const purpose = ['--case', 'CASE-1', ...REASON];
    expect(parsed(await as('ada', 'access', 'status', ...ACME))).toMatchObject({ open: false });
    const on = parsed(await as('ada', 'access', 'on', ...ACME, '--duration', '1d', ...purpose));
    expect(on).toMatchObject({
      status: { open: true, openUntil: '2030-01-16T12:00:00.000Z' },
      grant: { caseRef: 'CASE-1', source: 'switch', grantedBy: { id: 'u-1' } },
    });
    const longer = await as('ada', 'access', 'on', ...ACME, '--until', 'never', '--access', 'write');
    expect(parsed(longer)).toMatchObject({ status: { open: true, openUntil: null, access: 'write' } });
    expect(parsed(await as('ada', 'access', 'off', ...ACME))).toMatchObject({
      status: { open: false },
      grant: { status: 'revoked' },
    });
    const both = await as('ada', 'access', 'on', ...ACME, '--duration', '1d', '--until', 'never');
    expect(both).toMatchObject({ code: 2, err: refusal('invalid_request') });
    for (const [who, type] of [
      ['sam', 'staff_never_grant'],
      ['key', 'on_behalf_of_required'],
      ['gil', 'tenant_mismatch'],
    ] as const)
      expect(await as(who, 'access', 'off', ...ACME), who).toMatchObject({ code: 1, err: refusal(type) });
    const person = ['--for-id', 'u-1', '--for-email', 'ada@acme.example'];
    expect(parsed(await as('key', 'access', 'off', ...ACME, ...person))).toMatchObject({
      status: { open: false },
    });
  });
});

describe('postern settings, against the control API', () => {
  it('shows and settles each side’s part, keys left out as they are', async () => {
    await using t = await startControl({ defaults: TEST_DEFAULTS });
    const as = commandsOf(t);
    expect(parsed(await as('ada', 'settings', 'show', ...ACME))).toMatchObject({ revision: 0, own: {} });
    const pairs = ['approvals=2', 'sessionIdle=20m', 'notifyEmails=["cs@vendor.example"]'];
    expect(parsed(await as('idle', 'settings', 'set', ...ACME, ...pairs))).toMatchObject({
      revision: 1,
      vendor: { approvals: 2, sessionIdle: '20m', notifyEmails: ['cs@vendor.example'] },
    });
    const own = await as('ada', 'settings', 'set', ...ACME, 'durations.max=2mo', 'timeZone=Europe/Berlin');
    expect(parsed(own)).toMatchObject({
      revision: 2,
      own: { durations: { max: '2mo' }, timeZone: 'Europe/Berlin' },
    });
    const back = parsed(
      await as('ada', 'settings', 'set', ...ACME, '--unset', 'timeZone', '--revision', '2'),
    );
    expect(back).toMatchObject({ revision: 3, effective: { approvals: 2 } });
    expect(back['own']).not.toHaveProperty('timeZone');
    const table = (await commandsOf(t, true)('idle', 'settings', 'show', ...ACME)).out;
    expect(table).toMatch(/^tenant +acme\nrevision +3\nKEY +VENDOR +OWN +HOLDS\n/);
    expect(table).toMatch(/^sessionIdle +20m +20m$/m);
    expect(table).toMatch(/^durations\.max +2mo +2mo$/m);
  });

  it('refuses what is stale, not theirs, said twice or nothing at all', async () => {
    await using t = await startControl({ defaults: TEST_DEFAULTS });
    const as = commandsOf(t);
    const set = (who: string, ...argv: readonly string[]) => as(who, 'settings', 'set', ...ACME, ...argv);
    const stale = await set('ada', 'timeZone=Europe/Berlin', '--revision', '7');
    expect(stale).toMatchObject({ code: 1, err: refusal('precondition_failed') });
    expect(await set('ada', 'class=trial')).toMatchObject({ code: 1, err: refusal('settings_not_yours') });
    expect(await set('sam', 'approvals=2')).toMatchObject({ code: 1, err: refusal('staff_never_grant') });
    expect(await set('ada', 'durations.max.days=2')).toMatchObject({ code: 2 });
    for (const argv of [
      [],
      ['approvals'],
      ['=2'],
      ['approvals=2', 'approvals=3'],
      ['durations.max=2d', '--unset', 'durations'],
    ])
      expect(await set('ada', ...argv), argv.join(' ')).toMatchObject({ code: 2, out: '' });
    expect(parsed(await as('ada', 'settings', 'show', ...ACME))).toMatchObject({ revision: 0 });
    expect(t.settled).toEqual([]);
  });

  it('suspends and resumes, whatever else was settled meanwhile', async () => {
    await using t = await startControl({ defaults: TEST_DEFAULTS });
    const as = commandsOf(t);
    const suspended = await as('ada', 'settings', 'suspend', ...ACME);
    expect(parsed(suspended)).toMatchObject({ revision: 1, effective: { suspended: true } });
    expect(t.settled.map(([tenant, { settings }]) => [tenant, settings.suspended])).toEqual([['acme', true]]);
    expect(await as('ada', 'access', 'on', ...ACME)).toMatchObject({
      code: 1,
      err: refusal('tenant_suspended'),
    });
    expect(await as('idle', 'settings', 'resume', ...ACME)).toMatchObject({
      code: 1,
      err: refusal('settings_not_yours'),
    });
    expect(parsed(await as('pam', 'settings', 'resume', ...ACME))).toMatchObject({
      revision: 2,
      effective: { suspended: false },
    });
  });
});

describe('postern break-glass, against the control API', () => {
  it('asks, lists what waits, and confirms by somebody else', async () => {
    await using t = await startSecurityServer();
    const as = commandsOf(t);
    const ask = ['break-glass', 'ask', ...ACME, '--case', 'CASE-1', ...REASON, '--access', 'write'];
    const responder = ['--responder', 'https://idp.vendor.example#sam', '--duration', '2h'];
    const asked = parsed(await as('quinn', ...ask, ...responder));
    expect(asked).toMatchObject({
      status: 'pending',
      access: 'write',
      duration: '2h',
      caseRef: 'CASE-1',
      reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
      responder: { issuer: 'https://idp.vendor.example', id: 'sam' },
    });
    const id = String(asked['id']);
    expect(parsed(await as('rita', 'break-glass', 'list', '--pending'))).toEqual(asked);
    expect(await as('quinn', 'break-glass', 'confirm', id)).toMatchObject({
      code: 1,
      err: refusal('second_person_required'),
    });
    expect(await as('sam', 'break-glass', 'confirm', id)).toMatchObject({
      code: 1,
      err: refusal('security_staff_only'),
    });
    expect(t.forgotten).toEqual([]);
    expect(parsed(await as('rita', 'break-glass', 'confirm', id))).toMatchObject({
      status: 'confirmed',
      confirmedBy: { id: 'rita' },
      expiresAt: '2030-01-15T14:00:00.000Z',
    });
    expect(await as('rita', 'break-glass', 'list', '--pending')).toMatchObject({ code: 0, out: '' });
    const { out } = await commandsOf(t, true)('rita', 'break-glass', 'list');
    const [head, line] = out.split('\n').map((text) => text.split(/ {2,}/));
    expect(head?.slice(0, 6)).toEqual(['ID', 'STATUS', 'TENANT', 'ACCESS', 'CASE', 'ASKED BY']);
    expect(line?.slice(0, 6)).toEqual([id, 'confirmed', 'acme', 'write', 'CASE-1', 'quinn@vendor.example']);
    expect(await as('quinn', 'break-glass', 'ask', ...ACME, '--responder', 'sam')).toMatchObject({ code: 2 });
  });
});

describe('postern session and lock', () => {
  it('open, list, end and report sessions', async () => {
    await using t = await fakeControl({ body: { items: [], nextCursor: null } });
    await t.run('session', 'list');
    await t.run('session', 'list', '--tenant', 'acme', '--open');
    await t.run(
      'session',
      'open',
      '--tenant',
      'acme',
      '--case',
      'CASE-1',
      ...REASON,
      '--access',
      'write',
      '--no-browser',
    );
    await t.run('session', 'open', '--tenant', 'acme', ...REASON, '--grant', 'grt_1');
    await t.run('session', 'end', 'ses_1', '--note', 'Mended the invoice.');
    await t.run('session', 'report', '../x?y');
    await t.run('session', 'show', 'ses_1');
    const reason = { type: 'customer_initiated_support', detail: 'The invoice page is empty.' };
    expect(t.heard.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/v1/me/sessions?limit=50', null],
      ['GET', '/v1/tenants/acme/sessions?limit=50&status=open', null],
      [
        'POST',
        '/v1/sessions',
        { tenant: 'acme', caseRef: 'CASE-1', reason, access: 'write', browser: false },
      ],
      ['POST', '/v1/sessions', { tenant: 'acme', reason, grantId: 'grt_1' }],
      ['POST', '/v1/sessions/ses_1/end', { note: 'Mended the invoice.' }],
      ['GET', '/v1/sessions/..%2Fx%3Fy/report', null],
      ['GET', '/v1/sessions/ses_1', null],
    ]);
    for (const { headers } of t.heard) expect(headers.authorization).toBe('Bearer token-1');
  });

  it('set, list and lift locks, of exactly one thing', async () => {
    await using t = await fakeControl({ body: { items: [], nextCursor: null } });
    await t.run('lock', 'list', '--all');
    const principal = ['--principal', 'https://idp.vendor.example#sam', '--email', 'sam@vendor.example'];
    await t.run('lock', 'set', ...principal, '--message', 'Call us.', '--duration', '8h', '--key', 'k-1');
    await t.run('lock', 'set', '--tenant', 'acme', '--until', '2030-01-31T12:00:00Z');
    await t.run('lock', 'set', '--case', 'CASE-1', '--tenant', 'acme');
    await t.run('lock', 'set', '--everything');
    await t.run('lock', 'lift', 'lck_1');
    expect(t.heard.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/v1/locks?limit=50&status=all', null],
      [
        'POST',
        '/v1/locks',
        {
          target: {
            kind: 'principal',
            issuer: 'https://idp.vendor.example',
            id: 'sam',
            email: 'sam@vendor.example',
          },
          message: 'Call us.',
          duration: '8h',
        },
      ],
      ['POST', '/v1/locks', { target: { kind: 'tenant', tenant: 'acme' }, endsAt: '2030-01-31T12:00:00Z' }],
      ['POST', '/v1/locks', { target: { kind: 'case', caseRef: 'CASE-1', tenant: 'acme' } }],
      ['POST', '/v1/locks', { target: { kind: 'everything' } }],
      ['DELETE', '/v1/locks/lck_1', null],
    ]);
    expect(t.heard[1]?.headers['idempotency-key']).toBe('k-1');
    for (const wrong of [
      [],
      ['--tenant', 'acme', '--everything'],
      [...principal, '--case', 'C'],
      ['--tenant', 'a', '--email', 'x'],
    ]) {
      expect(await t.run('lock', 'set', ...wrong)).toMatchObject({ code: 2 });
    }
    expect(t.heard).toHaveLength(6);
  });
});

const LOCK = {
  id: 'lck_1',
  status: 'held',
  target: { kind: 'tenant', tenant: 'acme' },
  message: 'Stop\u001B[2J\u202Ehere',
  createdAt: '2030-01-15T12:00:00Z',
  createdBy: { id: 'sue', email: 'sue@vendor.example', name: 'Sue', kind: 'security' },
  endsAt: null,
};

function lockPage(from: number, nextCursor: string | null): Scripted {
  return {
    body: { items: Array.from({ length: 200 }, (_, i) => ({ ...LOCK, id: `lck_${from + i}` })), nextCursor },
  };
}

describe('what a command shows', () => {
  it('is a table on a terminal and JSON elsewhere, each as asked for, and nothing in it moves the cursor', async () => {
    await using t = await fakeControl({ body: { items: [LOCK], nextCursor: null } });
    const table = await t.onTerminal('lock', 'list');
    expect(table.out).toBe(
      [
        'ID     STATUS  STOPS                    SET                   SET BY              ENDS         MESSAGE',
        'lck_1  held    kind=tenant tenant=acme  2030-01-15T12:00:00Z  sue@vendor.example  when lifted  Stop [2J here',
        '',
      ].join('\n'),
    );
    expect(await t.run('lock', 'list', '--no-json')).toEqual({ ...table });
    const json = await t.run('lock', 'list');
    expect(JSON.parse(json.out)).toEqual(LOCK);
    for (const hidden of ['\u001B', '\u202E']) expect(json.out).not.toContain(hidden);
    expect(await t.onTerminal('lock', 'list', '--json')).toEqual({ ...json });
  });

  it('is one line for each key of one thing', async () => {
    await using t = await fakeControl({ body: LOCK });
    const { out } = await t.onTerminal('lock', 'lift', 'lck_1');
    expect(out).toContain('target     kind=tenant tenant=acme\n');
    expect(out).not.toContain('endsAt');
  });

  it('follows the pages up to the limit', async () => {
    await using t = await fakeControl(lockPage(0, 'c-1'), lockPage(200, 'c-2'), lockPage(400, null));
    const run = await t.run('lock', 'list', '--limit', '400');
    expect(run.out.trim().split('\n')).toHaveLength(400);
    expect(run.err).toContain('there are more');
    expect(t.heard.map(({ url }) => url)).toEqual(['/v1/locks?limit=200', '/v1/locks?limit=200&cursor=c-1']);
    expect((await t.onTerminal('lock', 'list', '--limit', '0')).code).toBe(2);
  });
});

describe('what goes wrong', () => {
  const type = 'urn:postern:problem:consent_required';

  it.each([
    [403, 1],
    [404, 1],
    [409, 1],
    [412, 1],
    [422, 1],
    [400, 2],
    [401, 2],
    [429, 2],
    [503, 2],
  ])('a problem of status %i is one sentence with its type, and exit code %i', async (status, code) => {
    const detail = 'Ask an admin\u001B[31m of the tenant.';
    await using t = await fakeControl({
      status,
      body: { type, title: 'No', status, detail, requestId: 'r' },
    });
    expect(await t.run('grant', 'revoke', 'grt_1')).toEqual({
      code,
      out: '',
      err: `error: Ask an admin [31m of the tenant (${type})\n`,
    });
  });

  it('names each place of a malformed call', async () => {
    const errors = [
      { pointer: '/reason', message: 'is required' },
      { pointer: '/tenant', message: 'must match x' },
    ];
    const body = { type: 'urn:postern:problem:invalid_request', title: 'No', detail: 'See.', errors };
    await using t = await fakeControl({ status: 400, body });
    const { err } = await t.run('session', 'open', '--tenant', 'acme');
    expect(err).toBe(
      'error: /reason is required; /tenant must match x (urn:postern:problem:invalid_request)\n',
    );
  });

  it.each([
    [{ body: '<html>' }],
    [{ body: [] }],
    [{ status: 404, body: 'not here' }],
    [{ status: 502, body: { error: 'x' } }],
    [{ status: 302, headers: { location: 'https://elsewhere.example/' }, body: {} }],
  ] as const)(
    'an answer that is not the control API’s (%#) is exit code 2, and no redirect is followed',
    async (answer) => {
      await using t = await fakeControl(answer);
      const run = await t.run('grant', 'show', 'grt_1');
      expect(run).toMatchObject({ code: 2, out: '' });
      expect(run.err).toContain('the answer is not one of the control API');
      expect(t.heard).toHaveLength(1);
    },
  );

  it('a token comes from a file or the environment, and is never shown', async () => {
    await using t = await fakeControl({ body: { items: [], nextCursor: null } });
    using folder = temporaryFolder();
    const file = join(folder.path, 'token');
    writeFileSync(file, 'from-file\n', { mode: 0o600 });
    await t.run('lock', 'list', '--token-file', file);
    expect(t.heard[0]?.headers.authorization).toBe('Bearer from-file');
    const env = { POSTERN_CONTROL_URL: t.url };
    expect(await runControlCli({ env }, 'lock', 'list')).toMatchObject({
      code: 2,
      err: expect.stringContaining('POSTERN_TOKEN'),
    });
    for (const bad of ['two\nlines', 'a b']) {
      const run = await runControlCli({ env: { ...env, POSTERN_TOKEN: bad } }, 'lock', 'list');
      expect(run).toMatchObject({ code: 2 });
      expect(run.err).not.toContain(bad);
    }
    expect(await t.run('lock', 'list', '--token-file', join(folder.path, 'none'))).toMatchObject({ code: 2 });
    expect(await t.run('lock', 'list', '--token', 'x')).toMatchObject({ code: 2 });
    expect(t.heard).toHaveLength(1);
  });

  it('a control API on a Unix socket is asked there', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'c.sock');
    const server = createServer((_request, response) => response.end('{"items":[],"nextCursor":null}'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const env = { POSTERN_CONTROL_URL: `unix:${path}`, POSTERN_TOKEN: 'token-1' };
    expect(await runControlCli({ env }, 'lock', 'list')).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it('a token goes in clear to no other machine unless that was said', async () => {
    const env = { POSTERN_TOKEN: 'token-1' };
    for (const url of [
      'http://control.example:8081',
      'http://127.0.0.1.example',
      'ftp://127.0.0.1',
      'nonsense',
      'http://u:p@127.0.0.1',
    ]) {
      const run = await runControlCli({ env }, 'lock', 'list', '--url', url);
      expect(run, url).toMatchObject({ code: 2, out: '' });
      expect(run.err).toMatch(/clear|must be/);
    }
    const nobody = await runControlCli({ env }, 'lock', 'list', '--url', 'http://127.0.0.1:1');
    expect(nobody).toMatchObject({ code: 2, err: 'error: no answer from the control API (ECONNREFUSED)\n' });
  });
});
