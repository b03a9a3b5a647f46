// A member of staff logs in as a browser would: authorization request with PKCE (RFC 7636), login form, code,
// token. Every step is HTTP to the provider's own endpoints; the token is signed by the key it publishes.
import { createHash, randomBytes } from 'node:crypto';
import { call, type HttpAnswer, jsonOf } from '../http.ts';
import { CLIENT_ID, REDIRECT_URI, type Resource } from './provider.ts';
import type { StaffMember } from './staff.ts';

const MAX_REDIRECTS = 10;

/** An access token (a JWT) for one resource. Throws with what the provider said when a step fails. */
export async function loginStaff(issuer: string, member: StaffMember, resource: Resource): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const endpoints = jsonOf(await visit(issuer, new URL(`${issuer}/.well-known/openid-configuration`)));
  const authorize = new URL(String(endpoints['authorization_endpoint']));
  authorize.search = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'support',
    resource,
    state: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const code = await authorizationCode(issuer, authorize, member);

  const answer = await call({
    port: portOf(issuer),
    method: 'POST',
    path: new URL(String(endpoints['token_endpoint'])).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
      code,
      code_verifier: verifier,
      resource,
    }).toString(),
  });
  const token = jsonOf(answer)['access_token'];
  if (typeof token !== 'string') throw new Error(`the identity provider gave no token: ${answer.text}`);
  return token;
}

/** Follows redirects with a cookie jar, posts the login form where it is shown, and ends at the redirect URI. */
async function authorizationCode(issuer: string, start: URL, member: StaffMember): Promise<string> {
  const cookies = new Map<string, string>();
  let url = start;
  let form: string | undefined;
  for (let hop = 0; hop < MAX_REDIRECTS; hop += 1) {
    const answer = await visit(issuer, url, { cookies, form });
    form = undefined;
    const location = answer.headers.location;
    if (location === undefined) {
      if (answer.status !== 200) throw new Error(`login failed with status ${answer.status}: ${answer.text}`);
      form = new URLSearchParams({ email: member.email, password: member.password }).toString();
      continue;
    }
    url = new URL(location, url);
    if (!url.href.startsWith(REDIRECT_URI)) continue;
    const code = url.searchParams.get('code');
    if (code === null) throw new Error(`login refused: ${url.searchParams.get('error_description')}`);
    return code;
  }
  throw new Error('the identity provider redirects without end');
}

interface Visit {
  readonly cookies?: Map<string, string>;
  readonly form?: string | undefined;
}

async function visit(issuer: string, url: URL, { cookies, form }: Visit = {}): Promise<HttpAnswer> {
  if (url.origin !== issuer) throw new Error('the identity provider redirects elsewhere');
  const jar = cookies ?? new Map<string, string>();
  const answer = await call({
    port: portOf(issuer),
    path: url.pathname + url.search,
    method: form === undefined ? 'GET' : 'POST',
    headers: {
      cookie: Array.from(jar, ([name, value]) => `${name}=${value}`).join('; '),
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(form === undefined ? {} : { body: form }),
  });
  for (const cookie of answer.headers['set-cookie'] ?? []) {
    const pair = cookie.slice(0, cookie.indexOf(';'));
    jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  }
  return answer;
}

function portOf(origin: string): number {
  return Number(new URL(origin).port);
}
