// The demo's help desk and identity provider by themselves, with a stand-in for Postern's key set: what an
// application must do with the assertion, and what the example page's server side must refuse.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, jsonOf } from '../../demo/http.ts';
import { loginStaff } from '../../demo/identity-provider/login.ts';
import { startIdentityProvider } from '../../demo/identity-provider/provider.ts';
import { STAFF } from '../../demo/identity-provider/staff.ts';
import { type Helpdesk, startHelpdesk } from '../../demo/saas/server.ts';

const ISSUER = 'https://gate.test.example';
const ASSERTION = {
  iss: ISSUER,
  aud: 'helpdesk',
  sub: 'staff-sam',
  email: 'sam@v.example',
  jti: 'j1',
  tenant: 'acme',
  grant: { id: 'grt_1', revision: 1 },
};
const ADMIN_PAGE = '/settings/security/support-access/api';

interface Received {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
}

describe('the help desk', () => {
  const stack = new AsyncDisposableStack();
  const received: Received[] = [];
  let helpdesk: Helpdesk;
  let sign: (claims?: object) => Promise<string>;

  beforeAll(async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    // Stands in for both listeners of Postern: the key set, and a control API that answers every call alike.
    const postern = createServer((request, response) => {
      const { method = '', url: path = '', headers } = request;
      if (path !== '/-/postern/jwks.json') {
        received.push({ method, path, authorization: headers.authorization ?? '' });
      }
      response.end(
        JSON.stringify({ keys: [jwk], items: [{ id: 'grt_1', status: 'active' }], nextCursor: null }),
      );
    });
    await new Promise<void>((resolve) => void postern.listen(0, '127.0.0.1', resolve));
    stack.defer(async () => void postern.close());
    const { port } = postern.address() as AddressInfo;
    helpdesk = stack.use(
      await startHelpdesk({
        port: 0,
        databasePath: ':memory:',
        postern: {
          dataPort: port,
          controlPort: port,
          assertionIssuer: ISSUER,
          assertionAudience: 'helpdesk',
          controlAudience: 'postern-control',
          vendorOrg: 'vendor',
        },
      }),
    );
    sign = (claims) => {
      const exp = Math.floor(Date.now() / 1000) + 60;
      const payload = { ...ASSERTION, exp, ...claims };
      const header = { alg: 'ES256', kid: 'k1', typ: 'postern-assertion+jwt' };
      return new SignJWT(payload).setProtectedHeader(header).sign(privateKey);
    };
  });
  afterAll(() => stack.disposeAsync());

  const ask = (
    path: string,
    headers: Record<string, string> = {},
    more: { method?: string; body?: object } = {},
  ) => call({ port: helpdesk.port, path, headers: { host: 'acme.helpdesk.localhost', ...headers }, ...more });

  test('takes the staff member of a valid assertion for the actor', async () => {
    const answer = await ask('/api/v1/me', {
      'x-support-assertion': await sign(),
      'x-support-user': 'sam@v.example',
    });
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)['actingAs']).toMatchObject({ kind: 'support', id: 'staff-sam', tenant: 'acme' });
  });

  test.each([
    ['names another tenant', { tenant: 'globex' }],
    ['disagrees with X-Support-User', { email: 'lena@v.example' }],
    ['has expired', { exp: 1 }],
    ['is for another audience', { aud: 'elsewhere' }],
    ['is signed by somebody else', 'forged'],
  ])('refuses an assertion that %s', async (_what, claims) => {
    const token = typeof claims === 'string' ? `${(await sign()).slice(0, -8)}AAAAAAAA` : await sign(claims);
    const answer = await ask('/api/v1/me', {
      'x-support-assertion': token,
      'x-support-user': 'sam@v.example',
    });
    expect(answer.status).toBe(401);
  });

  test('believes no header that merely names somebody', async () => {
    const answer = await ask('/api/v1/me', { 'x-support-user': 'sam@v.example' });
    expect(answer.status).toBe(401);
  });

  test('shows no ticket of another tenant', async () => {
    const cookie = helpdesk.sessionCookie('acme-alan');
    expect((await ask('/api/v1/tickets/1', { cookie })).status).toBe(200);
    expect((await ask('/api/v1/tickets/4', { cookie })).status).toBe(404);
    expect((await ask('/api/v1/me', { cookie, host: 'globex.helpdesk.localhost' })).status).toBe(401);
  });

  test('speaks to the control API for the admin of the session, with a token the key set verifies', async () => {
    received.length = 0;
    const cookie = helpdesk.sessionCookie('acme-ada');
    expect((await ask(`${ADMIN_PAGE}/grants`, { cookie })).status).toBe(200);
    expect(received).toMatchObject([{ method: 'GET', path: '/v1/tenants/acme/grants?limit=100' }]);
    const keys = createRemoteJWKSet(new URL(`${helpdesk.issuer}/.well-known/jwks.json`));
    const token = received[0]?.authorization.slice('Bearer '.length) ?? '';
    const { payload } = await jwtVerify(token, keys, {
      issuer: helpdesk.issuer,
      audience: 'postern-control',
    });
    expect(payload).toMatchObject({ sub: 'acme-ada', org_id: 'acme', is_admin: true });
  });

  test('turning the switch off revokes every live grant', async () => {
    received.length = 0;
    const headers = { cookie: helpdesk.sessionCookie('acme-ada'), origin: 'http://acme.helpdesk.localhost' };
    const answer = await ask(`${ADMIN_PAGE}/close`, headers, { method: 'POST', body: {} });
    expect(jsonOf(answer)).toEqual({ revoked: 1 });
    expect(received[1]).toMatchObject({ method: 'POST', path: '/v1/grants/grt_1/revoke' });
  });

  test('lets neither support, nor a user who is no admin, nor another site touch support access', async () => {
    received.length = 0;
    const change = { method: 'POST', body: {} };
    const origin = 'http://acme.helpdesk.localhost';
    const admin = { cookie: helpdesk.sessionCookie('acme-ada') };
    const agent = { cookie: helpdesk.sessionCookie('acme-alan'), origin };
    const support = { ...admin, origin, 'x-support-assertion': await sign() };
    for (const headers of [agent, support, { ...admin, origin: 'http://evil.example' }, admin]) {
      expect((await ask(`${ADMIN_PAGE}/close`, headers, change)).status).toBe(403);
    }
    expect((await ask(`${ADMIN_PAGE}/grants`, support)).status).toBe(403);
    expect(received).toEqual([]);
  });

  test('serves the settings page to whoever is logged in, and the login page to others', async () => {
    const page = '/settings/security/support-access';
    expect((await ask(page)).headers.location).toBe('/login');
    const answer = await ask(page, { cookie: helpdesk.sessionCookie('acme-ada') });
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  });
});

describe('the identity provider', () => {
  test('signs an access token for the audience of the resource, verifiable by its own key set', async () => {
    await using provider = await startIdentityProvider({ port: 0 });
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
    const token = await loginStaff(provider.issuer, STAFF.lena, 'urn:postern:control');
    const { payload } = await jwtVerify(token, keys, {
      issuer: provider.issuer,
      audience: 'postern-control',
    });
    expect(payload).toMatchObject({ sub: 'staff-lena', email_verified: true });
    expect(payload['groups']).toEqual(['support', 'support-leads']);
  });

  test('gives nothing for a wrong password', async () => {
    await using provider = await startIdentityProvider({ port: 0 });
    const stranger = { ...STAFF.sam, password: 'guessed' };
    await expect(loginStaff(provider.issuer, stranger, 'urn:postern:data')).rejects.toThrow('status 401');
  });
});
