// The pages: a login stub that lets one choose a demo user, and Settings › Security › Support access.
// Files are read once, at start, and served with a policy that allows nothing but the help desk's own.
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { readForm } from '../body.ts';
import { HttpError } from '../http-error.ts';
import { type Identity, SESSION_COOKIE } from '../identity.ts';
import type { OpenRoute } from '../router.ts';

const SETTINGS_PATH = '/settings/security/support-access';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

export function pageRoutes(deps: {
  readonly database: DatabaseSync;
  readonly identity: Identity;
}): readonly OpenRoute[] {
  return [...staticRoutes(), ...loginRoutes(deps)];
}

function staticRoutes(): readonly OpenRoute[] {
  const assets = ['helpdesk.css', 'support-access.js', 'elements.js', 'wording.js'].map((name) =>
    open('GET', `/assets/${name}`, filePage(name)),
  );
  const settings = filePage('support-access.html');
  return [
    ...assets,
    open('GET', '/', ({ response }) => redirect(response, SETTINGS_PATH)),
    open('GET', SETTINGS_PATH, (context) => {
      if (context.actor === null) redirect(context.response, '/login');
      else settings(context);
    }),
  ];
}

function loginRoutes({ database, identity }: Parameters<typeof pageRoutes>[0]): readonly OpenRoute[] {
  const tenant = database.prepare('SELECT name FROM tenants WHERE id = ?');
  const users = database.prepare('SELECT id, name, role FROM users WHERE tenant = ? ORDER BY role, name');
  const template = fileText('login.html');
  return [
    open('GET', '/login', ({ response, tenant: id }) => {
      const choices = users.all(id).map((user) => {
        return `<button name="user" value="${user['id']}"><b>${user['name']}</b> <span>${user['role']}</span></button>`;
      });
      const page = template
        .replaceAll('{tenant}', String(tenant.get(id)?.['name']))
        .replace('{users}', choices.join('\n'));
      send(response, 'html', page);
    }),
    open('POST', '/login', async ({ request, response, tenant: id }) => {
      const user = (await readForm(request)).get('user');
      const known = users.all(id).some((one) => one['id'] === user);
      if (user === null || !known) throw new HttpError(403, 'No such user.');
      setSession(response, identity.openSession(user));
      redirect(response, SETTINGS_PATH);
    }),
    open('POST', '/logout', ({ request, response }) => {
      identity.closeSession(request);
      setSession(response, '; Max-Age=0');
      redirect(response, '/login');
    }),
  ];
}

function open(method: string, path: string, handle: OpenRoute['handle']): OpenRoute {
  return { open: true, method, path, handle };
}

function filePage(name: string): OpenRoute['handle'] {
  const text = fileText(name);
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return ({ response }) => send(response, extension, text);
}

function fileText(name: string): string {
  return readFileSync(new URL(`../pages/${name}`, import.meta.url), 'utf8');
}

function send(response: ServerResponse, extension: string, text: string): void {
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    'content-type': TYPES[extension],
    'cache-control': 'no-store',
  });
  response.end(text);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end();
}

function setSession(response: ServerResponse, value: string): void {
  response.setHeader('set-cookie', `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict`);
}
