// What the stories of account assumption and account access have in common: sessions, monitor screens, mails, settings.
import type { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import { open } from '../../demo/http.ts';
import { partOf, type ReceivedMail } from '../support/mail-receiver.ts';
import { type Answer, customer, type Person, type World } from './world.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Another admin of acme, beside Ada. */
export const ALMA = customer('acme-alma', {
  is_admin: true,
  email: 'alma@acme.example',
  name: 'Alma Admin',
});

export const TICKETS = '/api/v1/tickets';
export const TEST_TICKET = { subject: 'A test ticket', body: 'Made by support.' };

const PATIENCE_MS = 20_000;
const POLL_MS = 20;

/** As the calendar of UTC has it; the last day of a month that is shorter. */
export function monthsAfter(at: number, months: number): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, days));
  return date.getTime();
}

export async function seen(world: World, who: Person): Promise<number> {
  return (await world.request(who, 'GET', TICKETS)).status;
}

/** Makes a ticket. */
export function writes(world: World, who: Person, tenant = 'acme'): Promise<Answer> {
  return world.request(who, 'POST', TICKETS, { tenant, body: TEST_TICKET });
}

/** Of a refusal of the data listener. */
export function reasonOf({ body }: Answer): unknown {
  return body['reason'];
}

export async function statusOf(world: World, by: Person, tenant = 'acme'): Promise<Answer['body']> {
  return (await world.control(by, 'GET', `/v1/tenants/${tenant}/status`)).body;
}

/** The first answer that is not null; rejects after twenty seconds. */
export async function until<T>(what: string, look: () => Promise<T | null> | T | null): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export interface Wish {
  readonly tenant?: string;
  readonly access?: 'read' | 'write';
  readonly grantId?: string;
  readonly caseRef?: string;
  readonly detail?: string;
}

export function askForSession(world: World, who: Person, wish: Wish = {}): Promise<Answer> {
  const { tenant = 'acme', access = 'write', detail = 'The invoices arrive twice.', ...more } = wish;
  const reason = { type: 'customer_initiated_support', detail };
  return world.control(who, 'POST', '/v1/sessions', { tenant, access, reason, ...more });
}

/** Its id. Throws where it was refused. */
export async function session(world: World, who: Person, wish: Wish = {}): Promise<string> {
  const opened = await askForSession(world, who, wish);
  if (opened.status !== 201) throw new Error(`no session: ${opened.text}`);
  return String((opened.body['session'] as { id: string }).id);
}

export function switchTo(world: World, by: Person, wish: object, tenant = 'acme'): Promise<Answer> {
  return world.control(by, 'PUT', `/v1/tenants/${tenant}/access`, wish);
}

/** The grant that the switch has opened. Throws where it was refused. */
export async function opened(world: World, by: Person, wish: object = {}, tenant = 'acme') {
  const answer = await switchTo(world, by, { open: true, ...wish }, tenant);
  if (answer.status !== 200) throw new Error(`not opened: ${answer.text}`);
  return answer.body['grant'] as {
    id: string;
    startsAt: string;
    expiresAt: string | null;
    createdAt: string;
  };
}

export async function grantIds(world: World, by: Person, tenant = 'acme'): Promise<string[]> {
  const { body } = await world.control(by, 'GET', `/v1/tenants/${tenant}/grants?limit=200`);
  return (body['items'] as { id: string }[]).map(({ id }) => id);
}

/** Of the vendor's part, by its provisioning service. */
export async function settle(world: World, tenant: string, settings: object): Promise<Answer> {
  const path = `/v1/tenants/${tenant}/settings`;
  const { headers } = await world.service('GET', path);
  return world.service('PUT', path, settings, { 'if-match': String(headers['etag']) });
}

/** What a mail says, subject and text, for whom it was. */
export function wordsOf(mail: ReceivedMail): string {
  return `${mail.headers.get('subject') ?? ''}\n${partOf(mail, 'text/plain')}`;
}

/** The first mail to this address whose words hold all of these. */
export function mailTo(world: World, address: string, ...words: readonly string[]): Promise<ReceivedMail> {
  return until(`a mail to ${address} with ${words.join(', ')}`, () => {
    const found = world.mail.mails.find(
      (mail) => mail.to.includes(address) && words.every((word) => wordsOf(mail).includes(word)),
    );
    return found ?? null;
  });
}

/** A screen that shows what happens in the help desk, as it happens. */
export interface Monitor {
  /** All that came so far. */
  readonly text: () => string;
  /** Resolves when the text has come; rejects when it does not. */
  shows(text: string): Promise<void>;
  /** Resolves when the gate has ended it. */
  readonly ended: Promise<void>;
  close(): void;
}

const HOURS_S = 7200;

/** Over the event stream, with a token good for two hours. */
export async function monitor(world: World, who: Person, tenant = 'acme'): Promise<Monitor> {
  const stop = new AbortController();
  const headers = {
    host: `${tenant}.helpdesk.localhost`,
    authorization: `Bearer ${await world.token(who, HOURS_S)}`,
  };
  const response = await open({ port: world.gate.dataPort, path: '/api/v1/events', headers }, stop.signal);
  if (response.statusCode !== 200) throw new Error(`no stream: ${response.statusCode}`);
  let seen = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    seen += text;
  });
  // A cut is an error here, and what is waited for.
  response.on('error', () => undefined);
  const screen = screenOf(
    () => seen,
    closeOf(response),
    () => stop.abort(),
  );
  await screen.shows('welcome');
  return screen;
}

/** The same over a WebSocket. */
export async function liveSocket(world: World, who: Person, tenant = 'acme'): Promise<Monitor> {
  const socket = new WebSocket(`ws://127.0.0.1:${world.gate.dataPort}/ws`, {
    headers: {
      host: `${tenant}.helpdesk.localhost`,
      authorization: `Bearer ${await world.token(who, HOURS_S)}`,
    },
  });
  let seen = '';
  socket.on('message', (data: Buffer) => {
    seen += data.toString('utf8');
  });
  socket.on('error', () => undefined);
  const screen = screenOf(
    () => seen,
    closeOf(socket),
    () => socket.terminate(),
  );
  await screen.shows('welcome');
  return screen;
}

function closeOf(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    emitter.once('close', () => resolve());
  });
}

function screenOf(text: () => string, ended: Promise<void>, close: () => void): Monitor {
  return {
    text,
    ended,
    close,
    shows: (part) =>
      until(`“${part}” on the screen`, () => (text().includes(part) ? true : null)).then(() => undefined),
  };
}
