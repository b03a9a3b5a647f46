// What the story of manage access needs beside the world: a policy of the operator's own (where a request names its
// workspace, which roles may write and delete), a credential per role, and a look at what reaches the help desk.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, type JWTPayload } from 'jose';
import { expect } from 'vitest';
import { call, type HttpAnswer, type HttpCall } from '../../demo/http.ts';
import { partOf } from '../support/mail-receiver.ts';
import type { Answer, Person, World, WorldOptions } from './world.ts';

export const HOST = 'acme.helpdesk.localhost';
export const DAY_MS = 86_400_000;

/** Roles for which the application has a credential. */
export const ROLES = ['viewer', 'agent', 'administrator'] as const;
export const credentialFor = (role: string): string => `Bearer key-of-${role}`;

const OWN_POLICY = `
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: workspaces }
spec:
  scopes:
    - { paths: ["/api/v1/tickets", "/api/v1/tickets/**"], workspace: { query: workspace }, required: true }
    - { paths: ["/api/v1/workspaces/{workspace}/**"], workspace: { path: workspace } }
---
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: roles }
spec:
  rules:
    - id: roles.write
      category: destructive
      when: { none: { roles: [agent, administrator], workspaceRoles: [agent] } }
      match: [ { methods: [POST, PUT, PATCH], paths: ["/api/v1/tickets", "/api/v1/tickets/**"] } ]
      message: Only agents change tickets.
    - id: roles.delete
      category: destructive
      when: { none: { roles: [administrator] } }
      match: [ { methods: [DELETE], paths: ["/api/v1/tickets/**"] } ]
      message: Only administrators delete tickets.
`;

/** The world of the profile, with the packs that its head names. `folder` keeps the secrets: the caller removes it. */
export function manageAccessWorld(): { readonly world: WorldOptions } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'postern-story-'));
  const upstreamTokens: Record<string, object> = {};
  for (const role of ROLES) {
    const fromFile = join(folder, role);
    writeFileSync(fromFile, `key-of-${role}`);
    upstreamTokens[role] = { fromFile };
  }
  const exportsPack = readFileSync(new URL('../../policies/exports.yaml', import.meta.url), 'utf8');
  const inject = {
    Authorization: 'Bearer {secret:upstreamTokens[{grant.role}]}',
    'X-Support-User': '{principal.email}',
    'X-Support-Roles': '{grant.roles}',
    'X-Support-Workspaces': '{grant.workspaces}',
    'X-Support-Workspace': '{workspace}',
    'X-Support-Workspace-Role': '{workspace.role}',
    'X-Support-Acts-As': '{grant.actAs}',
  };
  return {
    world: {
      profile: 'manage-access',
      packs: ['user-admin', 'permissions', 'credentials', 'self-grant'],
      policy: `${exportsPack}\n---\n${OWN_POLICY}`,
      config: { secrets: { upstreamTokens } },
      upstream: { inject },
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface Arrivals extends Disposable {
  readonly requests: readonly IncomingMessage[];
  /** A header of the latest request; undefined where it has none. */
  header(name: string): string | undefined;
  /** Of the latest request's assertion, once it has been verified against the gate's key set. */
  claims(): Promise<JWTPayload>;
}

/** Everything that reaches the help desk from now on. */
export function arrivalsAt(world: World): Arrivals {
  const { helpdesk, clock } = world;
  const requests: IncomingMessage[] = [];
  const note = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (request.socket.localPort === helpdesk.port) requests.push(request);
  };
  const header = (name: string) => requests.at(-1)?.headers[name]?.toString();
  subscribe('http.server.request.start', note);
  return {
    requests,
    header,
    async claims() {
      const keys = await atHost(world, { path: '/-/postern/jwks.json' });
      const keySet = createLocalJWKSet(JSON.parse(keys.text) as JSONWebKeySet);
      const expected = { issuer: 'https://gate.test', audience: 'helpdesk', typ: 'postern-assertion+jwt' };
      const currentDate = new Date(clock.now());
      const token = header('x-support-assertion') ?? '';
      return (await jwtVerify(token, keySet, { ...expected, currentDate })).payload;
    },
    [Symbol.dispose]: () => void unsubscribe('http.server.request.start', note),
  };
}

/** The problem type of a refusal, which is always of this status. */
export function refusedAs(type: string, status: number): object {
  return {
    status,
    body: expect.objectContaining({ type: expect.stringMatching(new RegExp(`[:/#]${type}$`)) }),
  };
}

/** As the audience of a grant names somebody. */
export function named({ gate }: World, ...people: readonly Person[]): object {
  const { issuer } = gate.workforce;
  return { principals: people.map(({ claims }) => ({ issuer, id: claims['sub'] })) };
}

export interface GrantJson {
  readonly id: string;
  readonly revision: number;
  readonly status: string;
  readonly startsAt: string;
  readonly expiresAt: string;
  readonly roles: readonly string[];
  readonly workspaces: readonly object[];
}

/** A grant of the manager's; throws with what the gate said where it is refused. */
export async function give(world: World, by: Person, draft: object): Promise<GrantJson> {
  return grantIn(await world.control(by, 'POST', '/v1/tenants/acme/grants', draft), 201);
}

export function grantIn({ status, body, text }: Answer, expected: number): GrantJson {
  if (status !== expected) throw new Error(`${status}: ${text}`);
  return body as unknown as GrantJson;
}

export function openSession(world: World, by: Person, more: object = {}): Promise<Answer> {
  const reason = { type: 'customer_initiated_support', detail: 'The report page is empty.' };
  return world.control(by, 'POST', '/v1/sessions', { tenant: 'acme', access: 'write', reason, ...more });
}

export async function enter(world: World, by: Person, more: object = {}): Promise<string> {
  const { status, body, text } = await openSession(world, by, more);
  if (status !== 201) throw new Error(`${status}: ${text}`);
  return (body['session'] as { readonly id: string }).id;
}

/** Straight to the data listener, as a browser that is not signed in anywhere. */
export function atHost(
  { gate }: World,
  sent: Pick<HttpCall, 'path' | 'method' | 'body' | 'headers'>,
): Promise<HttpAnswer> {
  return call({ ...sent, port: gate.dataPort, headers: { host: HOST, ...sent.headers } });
}

/** Path and query of the one-time link of a new session. */
export async function launchLink(world: World, by: Person): Promise<string> {
  const { body, text } = await openSession(world, by);
  const launch = body['launch'] as { readonly url: string } | undefined;
  if (launch === undefined) throw new Error(`no launch link: ${text}`);
  const { pathname, search } = new URL(launch.url);
  return pathname + search;
}

/** What the form of the link's own page sends. */
export function postLaunch(world: World, link: string): Promise<HttpAnswer> {
  const { pathname, search } = new URL(link, `http://${HOST}`);
  return atHost(world, {
    method: 'POST',
    path: pathname,
    body: search.slice(1),
    headers: { origin: `http://${HOST}`, 'content-type': 'application/x-www-form-urlencoded' },
  });
}

/** Enters by a launch link; what it fetches then it fetches by its cookie alone. */
export async function enterWithBrowser(
  world: World,
  by: Person,
): Promise<{ get(path: string): Promise<HttpAnswer> }> {
  const answer = await postLaunch(world, await launchLink(world, by));
  const [cookie = ''] = (answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0] ?? '');
  if (cookie === '') throw new Error(`${answer.status}: no cookie`);
  return { get: (path) => atHost(world, { path, headers: { cookie } }) };
}

/** The text of the mail to this address about this grant, once it has come. */
export async function mailAbout(world: World, to: string, grantId: string, subject: RegExp): Promise<string> {
  const { mail } = world;
  for (;;) {
    const found = mail.mails.find(
      (one) =>
        one.to.includes(to) &&
        subject.test(one.headers.get('subject') ?? '') &&
        partOf(one, 'text/plain').includes(grantId),
    );
    if (found !== undefined) return partOf(found, 'text/plain');
    await mail.took(mail.mails.length + 1);
  }
}

/** The same instant one calendar month later, on its last day where there is no such day. */
export function monthAfter(instant: number): number {
  const start = new Date(instant);
  const lastDay = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 2, 0)).getUTCDate();
  const end = new Date(instant);
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + 1);
  end.setUTCDate(Math.min(start.getUTCDate(), lastDay));
  return end.getTime();
}

export const instantText = (at: number): string => new Date(at).toISOString();
