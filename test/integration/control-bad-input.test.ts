// Hostile and mistaken calls of the control API: each is a 4xx problem with a sentence that says what is allowed,
// nothing is stored, and the server goes on.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startControl, WISH } from '../support/control-server.ts';
import { acme } from '../support/grants-fixtures.ts';

const GRANTS = '/v1/tenants/acme/grants';

describe('bad input to the control API', () => {
  it.each<[string, unknown, string]>([
    ['no audience', { ...WISH, audience: undefined }, '/audience'],
    ['an unknown key', { ...WISH, forever: true }, '/forever'],
    ['an unknown key within', { ...WISH, audience: { org: 'vendor', everyone: true } }, '/audience/everyone'],
    ['a number for a string', { ...WISH, caseRef: 7 }, '/caseRef'],
    ['a string for a list', { ...WISH, roles: 'agent' }, '/roles'],
    ['an access that does not exist', { ...WISH, access: 'admin' }, '/access'],
    ['a NUL in a name', { ...WISH, audience: { org: 'vendor\u0000' } }, '/audience/org'],
    ['a role given twice', { ...WISH, roles: ['a', 'a'] }, '/roles'],
    ['a name too long', { ...WISH, actAs: 'x'.repeat(257) }, '/actAs'],
    ['a list too long', { ...WISH, roles: Array.from({ length: 101 }, (_, i) => `r${i}`) }, '/roles'],
    ['a reason of no known type', { ...WISH, reason: { type: 'fun', detail: 'x' } }, '/reason/type'],
    ['an instant as a number', { ...WISH, expiresAt: 1_893_499_200_000 }, '/expiresAt'],
    ['an instant that is none for a start', { ...WISH, startsAt: 'tomorrow' }, '/startsAt'],
    ['an instant without a zone', { ...WISH, startsAt: '2030-01-16T00:00:00' }, '/startsAt'],
    ['a duration beside an end', { ...WISH, duration: '1h', expiresAt: '2030-01-16' }, '/duration'],
    ['a person without an address', { ...WISH, onBehalfOf: { id: 'x' } }, '/onBehalfOf/email'],
    ['a list at the top', [WISH], ''],
    ['null', null, ''],
    ['nothing', '', ''],
  ])('%s: points at the place', async (_name, body, pointer) => {
    await using t = await startControl();
    const answer = await t.call('ada', 'POST', GRANTS, body);
    expect(answer).toMatchObject({ status: 400, body: { type: 'urn:postern:problem:invalid_request' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    const errors = answer.body['errors'] as readonly { pointer: string; message: string }[];
    expect(errors.map((error) => error.pointer)).toContain(pointer);
    expect(t.events).toEqual([]);
  });

  it.each<[string, object, number, string]>([
    ['too long', { duration: '15d' }, 422, 'too_long'],
    ['an end in the past', { expiresAt: '2029-12-31T00:00:00Z' }, 422, 'end_in_past'],
    ['no end', { expiresAt: null }, 422, 'indefinite_not_allowed'],
    ['an empty audience', { audience: {} }, 422, 'empty_audience'],
    ['a lift', { lifts: ['export'] }, 422, 'lift_not_allowed'],
    ['no reason', { reason: null }, 422, 'reason_required'],
    ['no case', { caseRef: null }, 422, 'case_ref_required'],
    ['a case reference too long', { caseRef: '7'.repeat(129) }, 422, 'case_ref_mismatch'],
    ['a day that does not exist', { expiresAt: '2030-02-30' }, 422, 'date_invalid'],
    ['an instant on such a day', { expiresAt: '2030-02-30T12:00:00Z' }, 422, 'date_invalid'],
    ['an instant without a zone', { expiresAt: '2030-01-20T12:00:00' }, 422, 'instant_invalid'],
    ['an end that is neither', { expiresAt: 'tomorrow' }, 422, 'instant_invalid'],
    ['a duration for an instant', { expiresAt: '8h' }, 422, 'instant_invalid'],
    ['a duration without a unit', { duration: '30' }, 422, 'duration_invalid'],
    ['a duration of nothing', { duration: '0d' }, 422, 'duration_invalid'],
    ['a day for a duration', { duration: '2030-01-20' }, 422, 'duration_invalid'],
    ['a month, where 14 days are the most', { duration: '1mo' }, 422, 'too_long'],
    ['a start too late', { startsAt: '2031-01-16T00:00:00Z' }, 422, 'start_too_late'],
    ['a start in the past', { startsAt: '2029-01-16T00:00:00Z' }, 422, 'start_in_past'],
    ['a line break in a role', { roles: ['a\r\nb'] }, 422, 'role_invalid'],
    ['an empty role', { roles: [''] }, 422, 'role_invalid'],
    ['a role too long', { roles: ['x'.repeat(129)] }, 422, 'role_invalid'],
    ['a NUL in a workspace', { workspaces: [{ id: 'a\u0000', roles: [] }] }, 422, 'workspace_invalid'],
    ['an empty workspace', { workspaces: [{ id: '', roles: [] }] }, 422, 'workspace_invalid'],
    [
      'a workspace twice, with other roles',
      {
        workspaces: [
          { id: 'w', roles: ['a'] },
          { id: 'w', roles: ['b'] },
        ],
      },
      422,
      'workspace_invalid',
    ],
    ['a bad role in a workspace', { workspaces: [{ id: 'w', roles: ['\n'] }] }, 422, 'role_invalid'],
    ['a notice where there is none', { notice: { version: '1' } }, 422, 'notice_not_current'],
  ])('%s: its own problem and a sentence', async (_name, over, status, code) => {
    await using t = await startControl();
    const { body, status: actual } = await t.call('ada', 'POST', GRANTS, { ...WISH, ...over });
    expect(actual).toBe(status);
    expect(body['type']).toBe(`urn:postern:problem:${code}`);
    expect(body['detail']).toMatch(/^[A-Z].+\.$/);
    expect((await t.store.list({ tenant: acme, limit: 1, cursor: null })).items).toEqual([]);
    expect(Object.keys(body).toSorted()).toEqual(['detail', 'requestId', 'status', 'title', 'type']);
    expect(t.events).toEqual([]);
  });

  it.each([
    ['{"audience":{"org":"vendor"},"__proto__":{"access":"write"}}', 'malformed_json'],
    ['{"audience":{"org":"vendor"},"constructor":{"prototype":{"a":1}}}', 'malformed_json'],
    ['{"audience":', 'malformed_json'],
    ['\u0000', 'malformed_json'],
    [`${'['.repeat(30_000)}`, 'malformed_json'],
    [`{"caseRef":"${'x'.repeat(70_000)}"}`, 'body_too_large'],
  ])('a body that is no clean JSON object: %.40s', async (body, code) => {
    await using t = await startControl();
    const answer = await t.call('ada', 'POST', GRANTS, body);
    expect(answer.body['type']).toBe(`urn:postern:problem:${code}`);
    expect(answer.status).toBe(code === 'body_too_large' ? 413 : 400);
    expect(Object.hasOwn(Object.prototype, 'access')).toBe(false);
  });

  it.each([
    ['GET', '/v1/tenants/ac%00me/grants', 400],
    ['GET', '/v1/tenants/ac%2Fme/grants', 400],
    ['GET', '/v1/tenants/../grants', 404],
    ['GET', `/v1/tenants/${'a'.repeat(64)}/grants`, 400],
    ['GET', `/v1/tenants/${'a'.repeat(400)}/grants`, 414],
    ['GET', '/v1/tenants/%zz/grants', 400],
    ['GET', '/v1/tenants/__proto__/grants', 403],
    ['GET', '/v1/grants/grt_x', 400],
    ['GET', '/v1/grants/grt_00000000000000000000000000%00', 400],
    ['POST', '/v1/grants/__proto__/revoke', 400],
    ['GET', `${GRANTS}?limit=0`, 400],
    ['GET', `${GRANTS}?limit=201`, 400],
    ['GET', `${GRANTS}?limit=1e2`, 400],
    ['GET', `${GRANTS}?limit=1&limit=2`, 400],
    ['GET', `${GRANTS}?status=open`, 400],
    ['GET', `${GRANTS}?tenant=globex`, 400],
    ['GET', `${GRANTS}?cursor=x`, 400],
    ['GET', '/v1/tenants/acme/grants/', 404],
    ['DELETE', GRANTS, 404],
    ['OPTIONS', GRANTS, 404],
    ['GET', '/', 404],
  ])('%s %.60s is %d', async (method, path, status) => {
    await using t = await startControl();
    const answer = await t.call('ada', method, path);
    expect(answer).toMatchObject({
      status,
      body: { status, type: expect.stringContaining('urn:postern:problem:') },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('refuses a change of nothing, another media type, and a stale revision', async () => {
    await using t = await startControl();
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    const path = `/v1/grants/${id}`;
    expect((await t.call('ada', 'PATCH', path, {})).status).toBe(400);
    const stale = await t.call('ada', 'PATCH', path, { expectedRevision: 9, access: 'write' });
    expect(stale).toMatchObject({ status: 409, body: { type: 'urn:postern:problem:stale_revision' } });
    const form = await fetch(t.url + path, {
      method: 'PATCH',
      headers: { authorization: 'Bearer ada', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'access=write',
    });
    expect(form.status).toBe(415);
  });

  it('asks for a credential before it looks at anything else', async () => {
    await using t = await startControl();
    const none = await t.call('', 'POST', GRANTS, 'not json');
    expect(none).toMatchObject({ status: 401, body: { reason: 'no_credential' } });
    expect(none.headers.get('www-authenticate')).toBe('Bearer');
    expect((await t.call('nobody', 'GET', GRANTS)).body['reason']).toBe('credential_invalid');
  });

  // Two Authorization headers: Node keeps the first, a proxy in front may have checked the second.
  it('refuses two Authorization headers', async () => {
    await using t = await startControl();
    const answer = await raw(
      t.url,
      `GET ${GRANTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada\r\nauthorization: Bearer sam\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('urn:postern:problem:bad_header');
  });

  it('answers bytes that are not HTTP with a problem that says nothing of the server', async () => {
    await using t = await startControl();
    const answer = await raw(t.url, 'NONSENSE\r\n\r\n');
    expect(answer).toContain('application/problem+json');
    expect(answer).not.toMatch(/node|fastify|stack|HPE_/i);
    expect((await t.call('ada', 'GET', GRANTS)).status).toBe(200);
  });
});

function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    answer += chunk;
  });
  socket.on('close', () => resolve(answer));
  socket.on('error', reject);
  return promise;
}
