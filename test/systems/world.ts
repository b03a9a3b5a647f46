// Where a system's story happens: the demo's help desk as the application, the whole gate before it with a shipped profile,
// real tokens of people of both sides, a mail server and a webhook receiver, and a clock that can be moved on.
import { hash } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, type HttpAnswer } from '../../demo/http.ts';
import { choosePorts } from '../../demo/ports.ts';
import { type Helpdesk, startHelpdesk } from '../../demo/saas/server.ts';
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { untilPublished } from '../support/gate-traffic.ts';
import { type MailReceiver, startMailReceiver } from '../support/mail-receiver.ts';
import { type TestIssuer, testIssuer } from '../support/signing.ts';

export interface WorldOptions {
  /** A file of config/profiles/, without its ending. */
  readonly profile: string;
  /** Files of policies/packs/, without their ending. */
  readonly packs?: readonly string[];
  /** YAML of a policy file of its own. */
  readonly policy?: string;
  /** Merged over the top-level keys of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Merged over `upstream`, beside its address and the assertion. */
  readonly upstream?: Readonly<Record<string, unknown>>;
  /** Merged over `grants`, beside store and profile. */
  readonly grants?: Readonly<Record<string, unknown>>;
}

/** Somebody with tokens: of the vendor's staff, of a partner, or of a customer. Claims go into the token as they are. */
export interface Person {
  readonly side: 'staff' | 'partner' | 'customer';
  readonly claims: Readonly<Record<string, unknown>>;
}

export const staff = (id: string, groups: readonly string[] = ['support'], more: object = {}): Person => ({
  side: 'staff',
  claims: { sub: id, email: `${id}@vendor.test`, name: id, groups, ...more },
});

/** Of an issuer of its own, which is pinned to the organisation `acme-partners` whatever its tokens claim. */
export const partner = (id: string, more: object = {}): Person => ({
  side: 'partner',
  claims: { sub: id, email: `${id}@partner.test`, name: id, ...more },
});

export const customer = (id: string, more: object = {}): Person => ({
  side: 'customer',
  claims: { sub: id, org_id: 'acme', is_admin: false, email: `${id}@acme.example`, name: id, ...more },
});

export const ADA = customer('acme-ada', { is_admin: true, email: 'ada@acme.example', name: 'Ada Admin' });
export const SAM = staff('sam');
export const LEA = staff('lea', ['support', 'support-leads']);
export const SVEN = staff('sven', ['support', 'security']);

export interface Answer {
  readonly status: number;
  readonly headers: HttpAnswer['headers'];
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export interface World extends AsyncDisposable {
  readonly gate: Gate;
  readonly helpdesk: Helpdesk;
  readonly mail: MailReceiver;
  /** Of the gate; both its readings move with `travel`. Timers do not fire: the clock is asked at each use. */
  readonly clock: Clock;
  travel(ms: number): void;
  /** A call of the control API. */
  control(by: Person, method: string, path: string, body?: object, headers?: object): Promise<Answer>;
  /** The same by a service key with every duty. */
  service(method: string, path: string, body?: object, headers?: object): Promise<Answer>;
  /** Good for five minutes of the gate's own time, or for as long as it says. */
  token(by: Person, lifetimeSeconds?: number): Promise<string>;
  /** A request through the gate to the tenant's host. */
  request(by: Person, method: string, path: string, more?: RequestMore): Promise<Answer>;
  /** Straight to the help desk, as its own user, around the gate: what customers do all day. */
  direct(userId: string, method: string, path: string, body?: object): Promise<Answer>;
  /** The help desk's list of acme's users, and how many there are. */
  usersAndSeats(): Promise<unknown>;
  /** The published records that match, once there is at least one; rejects after ten seconds. */
  recorded(matches: (record: Record<string, unknown>) => boolean): Promise<Record<string, unknown>[]>;
}

export interface RequestMore {
  /** Default `acme`. */
  readonly tenant?: string;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const SERVICE_KEY = 'psk_story-service-key-0123456789abcdef';

export async function openWorld(options: WorldOptions): Promise<World> {
  await using opened = new AsyncDisposableStack();
  const ports = await choosePorts({ wellKnown: false });
  const mail = opened.use(await startMailReceiver({ tls: 'none' }));
  const helpdesk = opened.use(await startHelpdesk(helpdeskOptions(ports)));
  const clock = movableClock();
  const partners = await testIssuer(PARTNER_ISSUER, 'postern', 'p1');
  const gate = opened.use(
    await startGate({
      upstreamPort: helpdesk.port,
      policy: options.policy ?? EMPTY_POLICY,
      published: true,
      clock,
      prepare: (folder) => {
        prepare(folder, options.packs ?? [], mail.port);
        partners.writeKeySet(join(folder, 'partner.jwks.json'));
      },
      identity: IDENTITY,
      config: configOf(options, ports.data, helpdesk.port),
    }),
  );
  return worldOf({ gate, helpdesk, mail, clock, partners, stack: opened.move() });
}

const EMPTY_POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: story }
spec:
  rules:
    - { id: story.export, category: export, match: [ { paths: ["/api/v1/exports/**"] } ], message: No exports. }
`;

const PARTNER_ISSUER = 'https://idp.partner.test';

function supportIssuer(name: string, issuer: string, org: string): object {
  return {
    name,
    issuer,
    audience: 'postern',
    controlAudience: 'postern-staff-control',
    algorithms: ['ES256'],
    jwks: { fromFile: `${name}.jwks.json` },
    org: { value: org },
  };
}

/**
 * As test/support/gate.ts has it, with a partner beside the vendor's own staff, what a customer's token may say besides, and
 * the vendor's duties.
 */
const IDENTITY = {
  support: [
    supportIssuer('workforce', 'https://idp.test', 'vendor'),
    supportIssuer('partner', PARTNER_ISSUER, 'acme-partners'),
  ],
  customers: [
    {
      name: 'saas',
      issuer: 'https://saas.test',
      audience: 'postern-control',
      jwks: { fromFile: 'saas.jwks.json' },
      algorithms: ['ES256'],
      claims: { tenant: 'org_id', admin: 'is_admin', permissions: 'perms', products: 'licences' },
    },
  ],
  services: [
    { name: 'provisioning', keyHash: { fromFile: 'service-key.sha256' }, may: ['tenants', 'grants'] },
  ],
  roles: { lead: { groups: ['support-leads'] }, security: { groups: ['security'] } },
};

const ASSERTION = {
  audience: 'helpdesk',
  issuer: 'https://gate.test',
  key: { fromFile: 'keys/assertion.pem' },
};

function configOf(
  { profile, config, grants, upstream }: WorldOptions,
  dataPort: number,
  helpdeskPort: number,
): Readonly<Record<string, unknown>> {
  return {
    listen: {
      data: { address: `127.0.0.1:${dataPort}` },
      control: { address: '127.0.0.1:0' },
      ops: { address: '127.0.0.1:0' },
    },
    tenancy: { from: 'host', pattern: '{tenant}.helpdesk.localhost' },
    upstream: {
      url: `http://127.0.0.1:${helpdeskPort}`,
      preserveHost: true,
      assertion: ASSERTION,
      ...upstream,
    },
    grants: { store: { sqlite: { path: 'postern.db' } }, profile, ...grants },
    sessions: {},
    notify: {
      smtp: {
        url: { fromFile: 'smtp-url' },
        from: 'support-access@vendor.test',
        dangerouslyAllowPlaintextSmtp: true,
      },
    },
    ...config,
  };
}

function prepare(folder: string, packs: readonly string[], mailPort: number): void {
  for (const pack of packs) {
    const source = new URL(`../../policies/packs/${pack}.yaml`, import.meta.url);
    copyFileSync(source, join(folder, 'policies', `${pack}.yaml`));
  }
  writeFileSync(join(folder, 'smtp-url'), `smtp://127.0.0.1:${mailPort}`);
  writeFileSync(join(folder, 'service-key.sha256'), hash('sha256', SERVICE_KEY, 'hex'));
}

function helpdeskOptions(
  ports: Awaited<ReturnType<typeof choosePorts>>,
): Parameters<typeof startHelpdesk>[0] {
  return {
    port: 0,
    databasePath: ':memory:',
    postern: {
      dataPort: ports.data,
      controlPort: ports.control,
      assertionIssuer: ASSERTION.issuer,
      assertionAudience: ASSERTION.audience,
      controlAudience: 'postern-control',
      vendorOrg: 'vendor',
    },
  };
}

interface MovableClock extends Clock {
  travel(ms: number): void;
}

function movableClock(): MovableClock {
  let offset = 0;
  return {
    now: () => (Date.now() + offset) as EpochMs,
    monotonic: () => (performance.now() + offset) as MonotonicMs,
    travel(ms) {
      offset += ms;
    },
  };
}

interface Parts {
  readonly gate: Gate;
  readonly helpdesk: Helpdesk;
  readonly mail: MailReceiver;
  readonly clock: MovableClock;
  readonly partners: TestIssuer;
  readonly stack: AsyncDisposableStack;
}

function worldOf({ gate, helpdesk, mail, clock, partners, stack }: Parts): World {
  let keysRead: Promise<void> = Promise.resolve();

  /** Keys that nobody confirmed for a day are believed no more: their files are written anew, and read within a second. */
  async function renewKeys(): Promise<void> {
    gate.workforce.writeKeySet(join(gate.folder, 'workforce.jwks.json'));
    gate.saas.writeKeySet(join(gate.folder, 'saas.jwks.json'));
    partners.writeKeySet(join(gate.folder, 'partner.jwks.json'));
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const { text } = await call({ port: gate.opsPort, path: '/readyz' });
      if (!text.includes('keys_unavailable')) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('the gate has not read the keys again');
  }

  async function token(
    { side, claims }: Person,
    forControl: boolean,
    lifetimeSeconds = 300,
  ): Promise<string> {
    await keysRead;
    const iat = Math.floor(clock.now() / 1000);
    const times = { iat, exp: iat + lifetimeSeconds };
    if (side === 'customer') return gate.saas.sign({ ...claims, ...times });
    const audience = forControl ? { aud: 'postern-staff-control' } : {};
    const issuer = side === 'partner' ? partners : gate.workforce;
    return issuer.sign({ ...claims, ...times, ...audience });
  }

  async function controlWith(bearer: string, method: string, path: string, sent: Sent): Promise<Answer> {
    const headers = { authorization: `Bearer ${bearer}`, ...sent.headers };
    const ask = () => call({ port: gate.controlPort, method, path, headers, ...bodyOf(sent.body) });
    const answer = await ask();
    // A story tells in seconds what takes its people months: it waits where it is told to, as a client should.
    if (answer.status !== 429) return answerOf(answer);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(answer.headers['retry-after'])));
    return answerOf(await ask());
  }

  async function direct(userId: string, method: string, path: string, body?: object): Promise<Answer> {
    const tenant = userId.split('-')[0] ?? '';
    const headers = { host: hostOf(tenant), cookie: helpdesk.sessionCookie(userId) };
    return answerOf(await call({ port: helpdesk.port, method, path, headers, ...bodyOf(body) }));
  }

  return {
    gate,
    helpdesk,
    mail,
    clock,
    travel(ms) {
      clock.travel(ms);
      keysRead = renewKeys();
      // Whoever needs a token next hears of a failure.
      keysRead.catch(() => undefined);
    },
    token: (by, lifetimeSeconds) => token(by, false, lifetimeSeconds),
    async control(by, method, path, ...[body, headers]) {
      return controlWith(await token(by, true), method, path, { body, headers });
    },
    service: (method, path, body, headers) => controlWith(SERVICE_KEY, method, path, { body, headers }),
    async request(by, method, path, { tenant = 'acme', body, headers } = {}) {
      const sent = { host: hostOf(tenant), authorization: `Bearer ${await token(by, false)}`, ...headers };
      return answerOf(await call({ port: gate.dataPort, method, path, headers: sent, ...bodyOf(body) }));
    },
    direct,
    async usersAndSeats() {
      const { status, body } = await direct('acme-ada', 'GET', '/api/v1/users');
      const users = body['users'];
      if (status !== 200 || !Array.isArray(users)) throw new Error(`no users: ${status}`);
      return { users, seats: users.length };
    },
    async recorded(matches) {
      const records = await untilPublished(gate, (all) => all.some(matches));
      return records.filter(matches);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface Sent {
  readonly body?: object | undefined;
  readonly headers?: object | undefined;
}

function hostOf(tenant: string): string {
  return `${tenant}.helpdesk.localhost`;
}

function bodyOf(body: object | string | undefined): { readonly body?: object | string } {
  return body === undefined ? {} : { body };
}

function answerOf({ status, headers, text }: HttpAnswer): Answer {
  return { status, headers, text, body: jsonIn(text) };
}

/** Empty for what is no JSON object. */
function jsonIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
