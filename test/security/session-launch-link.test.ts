// The launch link as an attacker would use it: sent to somebody else (login CSRF, session fixation), followed by a scanner,
// used twice, at another tenant's door, with an address of the attacker's to go to; and the way out.
import { describe, expect, it } from 'vitest';
import {
  cookieLine,
  openAcme,
  reasonOf,
  type SessionGate,
  startSessionGate,
  unknownSecret,
  ALICE,
} from '../support/session-gate.ts';

const OWN = 'Origin: https://acme.app.test';
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const COOKIE = /^__Host-postern=([A-Za-z0-9_-]{65}); Path=\/; Secure; HttpOnly; SameSite=Lax$/;

/** A rule that reads the name would have its values recorded. */
const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: test }
spec:
  rules:
    - { id: launch, category: export, match: [ { paths: ["/**"], query: { launch: [x] } } ] }
`;

async function gateWithLaunch(): Promise<SessionGate & { readonly launch: string }> {
  const gate = await startSessionGate({ sessionsRequired: true, policy: POLICY });
  openAcme(gate.held);
  return Object.assign(gate, { launch: gate.held.launchFor(gate.held.session({ caseRef: 'CASE <1>' })) });
}

function post(gate: SessionGate, fields: Record<string, string>, headers: readonly string[] = [OWN]) {
  return gate.ask('POST /-/postern/enter', [FORM, ...headers], String(new URLSearchParams(fields)));
}

function leave(gate: SessionGate, headers: readonly string[], note = '') {
  return gate.ask('POST /-/postern/leave', [FORM, ...headers], String(new URLSearchParams({ note })));
}

describe('a launch link', () => {
  it('shows whom it is for before anything happens, and enters by the form of that page', async () => {
    await using gate = await gateWithLaunch();
    const shown = await gate.ask(`GET /-/postern/enter?launch=${gate.launch}&to=/tickets%3Fid=7`);
    expect(shown.status).toBe(200);
    expect(shown.headers['set-cookie']).toBeUndefined();
    expect(shown.body).toContain('Enter as Alice');
    expect(shown.body).toContain('alice@vendor.test');
    expect(shown.body).toContain('CASE &lt;1&gt;');
    expect(shown.body).toContain('<form method="post" action="/-/postern/enter">');
    expect(shown.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'strict-origin',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as unknown,
    });
    const entered = await post(gate, { launch: gate.launch, to: '/tickets?id=7' });
    expect(entered).toMatchObject({ status: 303, headers: { location: '/tickets?id=7' } });
    const [, cookie = ''] = COOKIE.exec(entered.headers['set-cookie'] ?? '') ?? [];
    expect((await gate.ask('GET /tickets', [cookieLine(cookie)])).status).toBe(200);
    expect(
      gate.records.some((x) => JSON.stringify([x.denialNote, x.recordedQuery, x.rule]).includes(gate.launch)),
    ).toBe(false);
  });

  it('is not spent by whoever merely follows it: scanners, prefetchers, HEAD', async () => {
    await using gate = await gateWithLaunch();
    for (const method of ['GET', 'HEAD', 'GET'])
      await gate.ask(`${method} /-/postern/enter?launch=${gate.launch}`, ['Connection: close']);
    expect((await post(gate, { launch: gate.launch })).status).toBe(303);
  });

  it('works once (replay), and is answered like one that never was', async () => {
    await using gate = await gateWithLaunch();
    expect((await post(gate, { launch: gate.launch })).status).toBe(303);
    for (const launch of [gate.launch, unknownSecret('launch')]) {
      const again = await post(gate, { launch });
      expect([again.status, reasonOf(again)]).toEqual([401, 'credential_invalid']);
      expect(again.headers['set-cookie']).toBeUndefined();
      const shown = await gate.ask(`GET /-/postern/enter?launch=${launch}`);
      expect(reasonOf(shown)).toBe('credential_invalid');
    }
  });

  it("works at its own tenant's door alone", async () => {
    await using gate = await gateWithLaunch();
    const shown = await gate.ask(`GET /-/postern/enter?launch=${gate.launch}`, ['Host: globex.app.test']);
    expect(reasonOf(shown)).toBe('credential_invalid');
    const entered = await post(gate, { launch: gate.launch }, [
      'Host: globex.app.test',
      'Origin: https://globex.app.test',
    ]);
    expect(reasonOf(entered)).toBe('credential_invalid');
  });

  it.each([
    ['no Origin', []],
    ['another origin', ['Origin: https://evil.test']],
    ['another tenant of the same site', ['Origin: https://globex.app.test']],
    ['an opaque one', ['Origin: null']],
    ['a cross-site page', ['Sec-Fetch-Site: cross-site']],
  ])('is not entered by a form from %s (login CSRF)', async (_what, headers) => {
    await using gate = await gateWithLaunch();
    const answer = await post(gate, { launch: gate.launch }, headers);
    expect([answer.status, reasonOf(answer)]).toEqual([403, 'origin_refused']);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect((await post(gate, { launch: gate.launch })).status).toBe(303);
  });

  it('replaces a cookie that was there, and never takes its session over (fixation)', async () => {
    await using gate = await gateWithLaunch();
    const planted = gate.held.cookieFor(
      gate.held.session({ principal: { ...ALICE, id: 'mallory', email: 'm@vendor.test' } }),
    );
    const entered = await post(gate, { launch: gate.launch }, [OWN, cookieLine(planted)]);
    const [, cookie = ''] = COOKIE.exec(entered.headers['set-cookie'] ?? '') ?? [];
    expect(cookie).not.toBe(planted);
    await gate.ask('GET /tickets', [cookieLine(cookie)]);
    expect(gate.records.at(-1)).toMatchObject({ credential: { principal: { id: 'alice' } } });
  });

  it.each([
    '//evil.test',
    '///evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    'https://evil.test/',
    'https:evil.test',
    'javascript:alert(1)',
    'evil.test',
    '/.//evil.test',
    '/a/..//evil.test',
    '/%2e%2e//evil.test',
    '/a\r\nSet-Cookie: x=1',
    '/a\nb',
    '/\t/evil.test',
    ' /a',
    '/#@evil.test',
    '/-/postern/leave',
    '/-/POSTERN/enter',
    `/${'a'.repeat(2000)}`,
    '',
  ])('goes nowhere else (open redirect): %j', async (to) => {
    await using gate = await gateWithLaunch();
    const answer = await post(gate, { launch: gate.launch, to });
    expect([answer.status, answer.headers['location']]).toEqual([400, undefined]);
    const shown = await gate.ask(
      `GET /-/postern/enter?${String(new URLSearchParams({ launch: gate.launch, to }))}`,
    );
    expect(shown.status).toBe(400);
  });

  it.each([
    ['/', '/'],
    ['/tickets//7', '/tickets/7'],
    ['/a%2Fb', '/a%2Fb'],
    ['/%5Cevil.test', '/%5Cevil.test'],
    ['/x?next=https://evil.test', '/x?next=https://evil.test'],
  ])('goes to a path of its own, in the form that the gate would forward: %s', async (to, location) => {
    await using gate = await gateWithLaunch();
    expect((await post(gate, { launch: gate.launch, to })).headers['location']).toBe(location);
  });

  it.each([
    ['two of them', 'launch=A&launch=A'],
    ['none', 'to=/'],
    ['two addresses', 'launch=A&to=/&to=/b'],
    ['what has not the form of one', 'launch=x'],
  ])('is refused with %s', async (_what, query) => {
    await using gate = await gateWithLaunch();
    const answer = await gate.ask(`GET /-/postern/enter?${query.replaceAll('A', gate.launch)}`);
    expect(answer.status).toBe(400);
  });

  it('takes a small form and nothing else', async () => {
    await using gate = await gateWithLaunch();
    const body = String(new URLSearchParams({ launch: gate.launch }));
    const asJson = await gate.ask('POST /-/postern/enter', [OWN, 'Content-Type: application/json'], body);
    expect(asJson.status).toBe(415);
    const long = await gate.ask('POST /-/postern/enter', [OWN, FORM], `${body}&x=${'y'.repeat(40_000)}`);
    expect(long.status).toBe(413);
    const chunked = await gate.ask('POST /-/postern/enter', [
      OWN,
      FORM,
      'Transfer-Encoding: chunked',
      `X-Length: ${body.length}\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0`,
    ]);
    expect(chunked.status).toBe(303);
  });

  it('is under the prefix of the tenant where tenancy is by path, and stays there', async () => {
    await using gate = await startSessionGate({
      tenancy: { from: 'path', prefix: '/t/', strip: true },
      hosts: ['acme.app.test'],
    });
    openAcme(gate.held);
    const launch = gate.held.launchFor(gate.held.session());
    const shown = await gate.ask(`GET /t/acme/-/postern/enter?launch=${launch}`);
    expect(shown.body).toContain('action="/t/acme/-/postern/enter"');
    const entered = await gate.ask(
      'POST /t/acme/-/postern/enter',
      [OWN, FORM],
      String(new URLSearchParams({ launch, to: '/tickets' })),
    );
    expect(entered.headers['location']).toBe('/t/acme/tickets');
    expect(reasonOf(await gate.ask(`GET /-/postern/enter?launch=${launch}`))).toBe('tenant_unresolved');
  });

  it('is shut while the gate is stopped', async () => {
    await using gate = await gateWithLaunch();
    gate.gateway.state.stopped = true;
    expect(reasonOf(await post(gate, { launch: gate.launch }))).toBe('stopped');
    gate.gateway.state.stopped = false;
    expect((await post(gate, { launch: gate.launch })).status).toBe(303);
  });
});

describe('leaving', () => {
  it('ends the session with the note on the steps taken, and takes the cookie back', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held);
    const session = gate.held.session();
    const cookie = cookieLine(gate.held.cookieFor(session));
    expect((await gate.ask('GET /-/postern/leave', [cookie])).body).toContain('<form method="post"');
    expect(gate.held.ends).toEqual([]);
    const left = await leave(gate, [OWN, cookie], ' Reset the import. ');
    expect(left).toMatchObject({
      status: 200,
      headers: { 'set-cookie': '__Host-postern=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax' },
    });
    expect(gate.held.ends).toMatchObject([
      {
        id: session.id,
        end: { ending: 'left', by: { kind: 'staff', id: 'alice' }, note: 'Reset the import.' },
      },
    ]);
    expect(reasonOf(await gate.ask('GET /tickets', [cookie]))).toBe('session_ended');
  });

  it('is not done by a form of somebody else (CSRF)', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held);
    const cookie = cookieLine(gate.held.cookieFor(gate.held.session()));
    for (const headers of [[], ['Origin: https://evil.test']])
      expect(reasonOf(await leave(gate, [cookie, ...headers]))).toBe('origin_refused');
    expect(gate.held.ends).toEqual([]);
  });

  it('without a session ends nothing', async () => {
    await using gate = await startSessionGate();
    expect((await leave(gate, [OWN])).body).toContain('There was no support session to leave.');
    expect((await leave(gate, [OWN, cookieLine(unknownSecret('cookie'))])).status).toBe(200);
    expect(gate.held.ends).toEqual([]);
  });
});
