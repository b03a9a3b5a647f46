// The people of the story of login access, and what each of them does again and again in it: grant, verify, enter.
import { expect, vi } from 'vitest';
import { open } from '../../demo/http.ts';
import { partOf, type ReceivedMail } from '../support/mail-receiver.ts';
import { type Answer, customer, LEA, partner, type Person, staff, type World } from './world.ts';

export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
export const FOURTEEN_DAYS_MS = 14 * DAY_MS;

const LICENSED = { licences: ['backup'] };
export const ADA = customer('acme-ada', {
  ...LICENSED,
  is_admin: true,
  email: 'ada@acme.example',
  name: 'Ada Admin',
});
export const ALAN = customer('acme-alan', { ...LICENSED, email: 'alan@acme.example', name: 'Alan Agent' });
/** Holds a licence of something else. */
export const RITA = customer('acme-rita', { licences: ['crm'], name: 'Rita Requester' });
/** Admin of the other customer. */
export const GUS = customer('globex-gus', {
  ...LICENSED,
  org_id: 'globex',
  is_admin: true,
  email: 'gus@globex.example',
  name: 'Gus Admin',
});
export const TOM = staff('tom');
export const LENA = staff('lena', ['support', 'support-leads']);
/** Of another line of the vendor's, with an identity provider of its own. */
export const PIA = partner('pia');
export const PAT = partner('pat', { groups: ['support-leads'] });

export const SAM_ALONE = { org: 'vendor', principals: [{ issuer: 'https://idp.test', id: 'sam' }] };
export const PIA_ALONE = {
  org: 'acme-partners',
  principals: [{ issuer: 'https://idp.partner.test', id: 'pia' }],
};
export const REASON = { type: 'customer_initiated_support', detail: 'The nightly backup stops.' };

export function idOf({ claims }: Person): string {
  return String(claims['sub']);
}

/** Status and the problem's own name. */
export function refusal({ status, body }: Answer): string {
  return `${status} ${String(body['type'])}`.replace('urn:postern:problem:', '');
}

export interface GrantWish {
  readonly by: Person;
  readonly caseRef: string;
  readonly tenant?: string;
  readonly more?: object;
}

/** The user's own login, for Sam, for a week, as they would ask for it. */
export function grant(world: World, { by, caseRef, tenant = 'acme', more }: GrantWish): Promise<Answer> {
  return world.control(by, 'POST', `/v1/tenants/${tenant}/grants`, {
    audience: SAM_ALONE,
    actAs: idOf(by),
    caseRef,
    reason: REASON,
    duration: '7d',
    ...more,
  });
}

/** Pending. */
export async function granted(world: World, wish: GrantWish): Promise<string> {
  const answer = await grant(world, wish);
  expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"pending"')]);
  return String(answer.body['id']);
}

export async function verify(world: World, id: string, by: Person = LEA): Promise<Answer> {
  return world.control(by, 'POST', `/v1/grants/${id}/verify`);
}

/** Active. */
export async function verifiedGrant(world: World, wish: GrantWish): Promise<string> {
  const id = await granted(world, wish);
  expect((await verify(world, id)).body).toMatchObject({ status: 'active' });
  return id;
}

export function enter(world: World, by: Person, more: object): Promise<Answer> {
  return world.control(by, 'POST', '/v1/sessions', {
    tenant: 'acme',
    reason: REASON,
    browser: false,
    ...more,
  });
}

/** The session. */
export async function entered(world: World, by: Person, more: object): Promise<Record<string, unknown>> {
  const { status, text, body } = await enter(world, by, more);
  expect([status, text]).toEqual([201, expect.anything()]);
  return body['session'] as Record<string, unknown>;
}

/** `2xx` or the reason. */
export async function reach(world: World, by: Person, path = '/api/v1/me/tickets', tenant = 'acme') {
  const { status, body } = await world.request(by, 'GET', path, { tenant });
  return status === 200 ? 'ok' : String(body['reason']);
}

export async function revoke(world: World, by: Person, id: string): Promise<void> {
  const { status, body } = await world.control(by, 'POST', `/v1/grants/${id}/revoke`);
  expect([status, body['status']]).toEqual([200, 'revoked']);
}

/** Ends whatever of acme still holds, so that the next part of the story begins alone. */
export async function clear(world: World): Promise<void> {
  const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/grants?limit=200');
  for (const { id, status } of body['items'] as { id: string; status: string }[]) {
    if (status !== 'revoked' && status !== 'expired') await revoke(world, ADA, id);
  }
}

/** The ids and revisions of all grants of acme: the same after what changed nothing. */
export async function allGrants(world: World): Promise<unknown> {
  const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/grants?limit=200');
  return (body['items'] as { id: string; revision: number }[]).map(({ id, revision }) => [id, revision]);
}

export interface Mailed {
  readonly to: string;
  readonly subject: string;
  /** Anywhere in the plain text. */
  readonly says?: string;
}

/** Waits for it, ten seconds. */
export async function mailed(world: World, { to, subject, says = '' }: Mailed): Promise<void> {
  const { mails } = world.mail;
  const isIt = (one: ReceivedMail) =>
    one.to.includes(to) &&
    one.headers.get('subject')?.includes(subject) === true &&
    partOf(one, 'text/plain').includes(says);
  await vi
    .waitUntil(() => mails.some(isIt), { timeout: 10_000, interval: 10 })
    .catch(() => {
      const had = mails.map((one) => `${one.to.join(' ')}: ${one.headers.get('subject')}`);
      throw new Error(`no mail to ${to} of ${subject} with ${says} among\n${had.join('\n')}`);
    });
}

export interface Watched {
  /** Resolves when the stream is cut; rejects where it ends as if it were whole. */
  readonly cut: Promise<void>;
}

/** A monitor screen on the customer's host: resolves when its first event has come. */
export async function watchEvents(world: World, by: Person, tenant = 'acme'): Promise<Watched> {
  const headers = {
    host: `${tenant}.helpdesk.localhost`,
    authorization: `Bearer ${await world.token(by)}`,
  };
  const stream = await open(
    { port: world.gate.dataPort, path: '/api/v1/events', headers },
    AbortSignal.timeout(30_000),
  );
  expect(stream.statusCode).toBe(200);
  const cut = new Promise<void>((resolve, reject) => {
    stream.on('end', () => reject(new Error('the stream ended as if it were whole')));
    stream.on('error', () => resolve());
  });
  await new Promise((resolve) => stream.once('data', resolve));
  return { cut };
}
