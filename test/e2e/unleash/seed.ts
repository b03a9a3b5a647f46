// Fills Unleash, behind the gate's back, with what a customer has: flags, users, integrations, tokens. So that
// reads through the gate answer with content, and so that an answer which shows a secret can be recognised.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpClient } from './http.ts';
import type { Unleash } from './start-unleash.ts';

const EVENT_WITHIN_MS = 15_000;
const POLL_MS = 200;

export interface Seed extends AsyncDisposable {
  /** By name; none of them may ever be seen through the gate. */
  readonly secrets: ReadonlyMap<string, string>;
  /** A path of the OpenAPI document with its parameters filled in by things that exist. */
  pathOf(template: string): string;
}

type Caller = (method: string, path: string, json?: unknown) => Promise<unknown>;

function createCaller(http: HttpClient, unleash: Unleash): Caller {
  const port = Number(new URL(unleash.url).port);
  return async (method, path, json) => {
    const headers = { authorization: unleash.adminToken };
    const answer = await http.send({ port, method, path, headers, json });
    if (answer.status >= 300) throw new Error(`seeding: ${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text.startsWith('{') || answer.text.startsWith('[') ? JSON.parse(answer.text) : null;
  };
}

/** Stands for the customer's chat: something that a webhook of theirs can be sent to. */
async function startHookReceiver(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function seedFlags(call: Caller): Promise<string> {
  const flags = '/api/admin/projects/default/features';
  const development = `${flags}/seeded/environments/development`;
  await call('POST', flags, { name: 'seeded', type: 'release' });
  await call('POST', flags, { name: 'seeded-parent', type: 'release' });
  const strategy = await call('POST', `${development}/strategies`, {
    name: 'flexibleRollout',
    parameters: { rollout: '100', stickiness: 'default', groupId: 'seeded' },
    constraints: [],
  });
  await call('POST', `${development}/on`);
  await call('POST', '/api/admin/features/seeded/tags', { type: 'simple', value: 'seeded' });
  await call('POST', '/api/admin/context', { name: 'region', legalValues: [{ value: 'eu' }] });
  await call('POST', '/api/admin/strategies', { name: 'custom', parameters: [] });
  await call('POST', '/api/admin/metrics/applications/shop', { description: 'The shop' });
  return (strategy as { id: string }).id;
}

async function seedUsers(call: Caller): Promise<{ readonly id: number; readonly invitation: string }> {
  const user = (await call('POST', '/api/admin/user-admin', {
    name: 'Grace',
    username: 'grace',
    email: 'grace@acme.example.com',
    rootRole: 3,
    sendEmail: false,
  })) as { id: number; inviteLink: string };
  const invitation = new URL(user.inviteLink).searchParams.get('token');
  if (invitation === null) throw new Error('seeding: the new user has no invitation');
  return { id: user.id, invitation };
}

async function seedTokens(call: Caller): Promise<{ readonly api: string; readonly invite: string }> {
  const api = (await call('POST', '/api/admin/api-tokens', {
    tokenName: 'seeded',
    type: 'backend',
    environment: 'development',
    projects: ['default'],
  })) as { secret: string };
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const invite = (await call('POST', '/api/admin/invite-link/tokens', { name: 'seeded', expiresAt })) as {
    secret: string;
  };
  return { api: api.secret, invite: invite.secret };
}

/** An integration that has been called once, so that its log has an entry. */
async function seedIntegration(call: Caller, hookUrl: string): Promise<number> {
  const addon = (await call('POST', '/api/admin/addons', {
    provider: 'webhook',
    enabled: true,
    description: 'the chat',
    projects: [],
    environments: [],
    parameters: { url: hookUrl },
    events: ['feature-created'],
  })) as { id: number };
  await call('POST', '/api/admin/projects/default/features', { name: 'announced', type: 'release' });
  const deadline = performance.now() + EVENT_WITHIN_MS;
  while (performance.now() < deadline) {
    const log = (await call('GET', `/api/admin/addons/${addon.id}/events`)) as {
      integrationEvents: unknown[];
    };
    if (log.integrationEvents.length > 0) return addon.id;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error('seeding: the integration was not called');
}

/** `{name}`, `{id}` and `{token}` mean something else on each path. Longest prefix first. */
const EXAMPLES_BY_PREFIX = (ids: {
  readonly user: number;
  readonly addon: number;
  readonly segment: number;
}): readonly (readonly [string, string])[] => [
  ['/api/admin/strategies/', 'custom'],
  ['/api/admin/environments/', 'development'],
  ['/api/admin/tag-types/', 'simple'],
  ['/api/admin/client-metrics/', 'seeded'],
  ['/api/admin/api-tokens/', 'seeded'],
  ['/api/admin/feature-types/', 'release'],
  ['/api/admin/user-admin/', String(ids.user)],
  ['/api/admin/addons/', String(ids.addon)],
  ['/api/admin/segments/', String(ids.segment)],
  ['/api/admin/', '1'],
];

export async function seedUnleash(http: HttpClient, unleash: Unleash): Promise<Seed> {
  const call = createCaller(http, unleash);
  const receiver = await startHookReceiver();
  const hookPath = `/hook/${randomBytes(12).toString('hex')}`;
  // First: the list of integrations is remembered for a minute from the first event on.
  const addon = await seedIntegration(call, receiver.url + hookPath);
  const strategyId = await seedFlags(call);
  const user = await seedUsers(call);
  const tokens = await seedTokens(call);
  const segment = (await call('POST', '/api/admin/segments', { name: 'seeded', constraints: [] })) as {
    id: number;
  };

  const examples = EXAMPLES_BY_PREFIX({ user: user.id, addon, segment: segment.id });
  const fixed: Readonly<Record<string, string>> = {
    featureName: 'seeded',
    projectId: 'default',
    environment: 'development',
    child: 'seeded',
    parent: 'seeded-parent',
    type: 'simple',
    value: 'seeded',
    contextField: 'region',
    legalValue: 'eu',
    appName: 'shop',
    strategyName: 'custom',
    strategyId,
    linkId: 'none',
    token: tokens.invite,
  };
  return {
    secrets: new Map([
      ['the injected admin token', unleash.adminToken],
      ['an API token', tokens.api],
      ['an invite link', tokens.invite],
      ['the invitation of a user', user.invitation],
      ['the address of an integration', hookPath],
    ]),
    pathOf: (template) =>
      template.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
        const value = fixed[name] ?? examples.find(([prefix]) => template.startsWith(prefix))?.[1];
        if (value === undefined) throw new Error(`no example for {${name}} in ${template}`);
        return encodeURIComponent(value);
      }),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}
