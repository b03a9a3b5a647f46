// 5. Account access, as SYSTEMS.md tells it.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import {
  ALMA,
  askForSession,
  DAY_MS,
  grantIds,
  HOUR_MS,
  mailTo,
  monitor,
  monthsAfter,
  opened,
  SECOND_MS,
  session,
  statusOf,
  switchTo,
  TICKETS,
  until,
  wordsOf,
  writes,
} from './account-steps.ts';
import { describeStory, type Steps } from './story.ts';
import { ADA, type Answer, LEA, SAM, type World } from './world.ts';

const NOTICE = { version: '1' };
/** A field that the application shows to whoever asks for it by name. */
const SECRET_FIELD = `${TICKETS}/1?reveal=body`;

const typeOf = ({ status, body }: Answer) => [status, body['type']];
const problem = (status: number, name: string) => [status, `urn:postern:problem:${name}`];

function grantFor(world: World, draft: object): Promise<Answer> {
  const all = { audience: { org: 'vendor' }, notice: NOTICE, ...draft };
  return world.control(ADA, 'POST', '/v1/tenants/acme/grants', all);
}

function leave(world: World, id: string, note?: string): Promise<Answer> {
  return world.control(SAM, 'POST', `/v1/sessions/${id}/end`, note === undefined ? {} : { note });
}

/** Listed once its report is there. */
function listed(world: World, id: string): Promise<Record<string, unknown>> {
  return until('the report of a session', async () => {
    const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/sessions');
    const found = (body['items'] as Record<string, unknown>[]).find((one) => one['id'] === id);
    return found?.['hasWrites'] === undefined ? null : found;
  });
}

const switchSteps: Steps = {
  async 'A switch in the customer’s security settings; once on, it shows the date and time until which support may enter and make changes.'(
    world,
  ) {
    expect(await statusOf(world, ADA)).toEqual({ open: false, openUntil: null, access: null });
    expect(typeOf(await askForSession(world, SAM, { access: 'read' }))).toEqual(
      problem(403, 'session_not_covered'),
    );
    const { expiresAt, createdAt } = await opened(world, ADA, { notice: NOTICE });
    expect(Date.parse(String(expiresAt)) - Date.parse(createdAt)).toBe(3 * DAY_MS);
    expect(await statusOf(world, ADA)).toEqual({ open: true, openUntil: expiresAt, access: 'write' });
    await session(world, SAM);
    expect((await world.request(SAM, 'GET', TICKETS)).status).toBe(200);
    expect((await writes(world, SAM)).status).toBe(201);
    const mail = await mailTo(world, 'ada@acme.example', 'was given', 'Ada Admin');
    expect(wordsOf(mail)).toContain('reading and making changes');
  },

  'It is on for an hour at least and for a month at most, never without an end.': limits,

  async 'It is switched off by hand.'(world) {
    await opened(world, ADA, { duration: '1w', notice: NOTICE });
    await session(world, SAM);
    const screen = await monitor(world, SAM);
    expect((await switchTo(world, ALMA, { open: false })).body['status']).toMatchObject({ open: false });
    await screen.ended;
    await world.direct('acme-rita', 'POST', TICKETS, { subject: 'After the end', body: 'Not for support.' });
    expect(screen.text()).not.toContain('After the end');
    expect(screen.text()).toContain('"reason":"revoked"');
    expect((await world.request(SAM, 'GET', TICKETS)).status).toBe(403);
    const mail = await mailTo(world, 'ada@acme.example', 'was revoked by Alma Admin');
    expect(wordsOf(mail)).toContain('It ended at once');
  },

  async 'Or it runs out.'(world) {
    const { id } = await opened(world, ADA, { duration: '1h', notice: NOTICE });
    await session(world, SAM);
    world.travel(HOUR_MS / 2 - SECOND_MS);
    expect((await writes(world, SAM)).status).toBe(201);
    world.travel(HOUR_MS / 2 - 9 * SECOND_MS);
    expect((await writes(world, SAM)).status).toBe(201);
    world.travel(10 * SECOND_MS);
    expect((await writes(world, SAM)).status).toBe(403);
    expect(typeOf(await askForSession(world, SAM))).toEqual(problem(403, 'session_not_covered'));
    expect((await world.control(ADA, 'GET', `/v1/grants/${id}`)).body).toMatchObject({ status: 'expired' });
    expect(await statusOf(world, ADA)).toMatchObject({ open: false });
    // Whatever is done next makes what has ended by itself known.
    await opened(world, ADA, { notice: NOTICE });
    expect(wordsOf(await mailTo(world, 'ada@acme.example', 'has run out', id))).toContain(
      'It ended by itself',
    );
  },
};

/** Exactly the limits pass; a millisecond beyond is refused and changes nothing. */
async function limits(world: World): Promise<void> {
  await switchTo(world, ADA, { open: false });
  const before = await grantIds(world, ADA);
  const start = world.clock.now() + DAY_MS;
  const draft = (end: number) => ({
    startsAt: new Date(start).toISOString(),
    expiresAt: new Date(end).toISOString(),
  });
  const month = monthsAfter(start, 1);
  for (const [wish, type] of [
    [draft(start + HOUR_MS - 1), 'too_short'],
    [draft(month + 1), 'too_long'],
    [{ expiresAt: null }, 'indefinite_not_allowed'],
    [{ ...draft(month), notice: { version: '0' } }, 'notice_not_current'],
  ] as const) {
    expect(typeOf(await grantFor(world, wish))).toEqual(problem(422, type));
  }
  expect(typeOf(await switchTo(world, ADA, { open: true, duration: '59m', notice: NOTICE }))).toEqual(
    problem(422, 'too_short'),
  );
  expect(await grantIds(world, ADA)).toEqual(before);
  for (const end of [start + HOUR_MS, month]) {
    const made = await grantFor(world, draft(end));
    expect(made.status).toBe(201);
    await world.control(ADA, 'POST', `/v1/grants/${String(made.body['id'])}/revoke`);
  }
}

const sessionSteps: Steps = {
  async 'Support always states a reason for entering, so a session is always required here.'(world) {
    expect((await world.request(LEA, 'GET', TICKETS)).body).toMatchObject({ reason: 'session_required' });
    const open = { tenant: 'acme', access: 'write' };
    for (const [wish, status] of [
      [open, 400],
      [{ ...open, reason: { type: 'customer_initiated_support', detail: '   ' } }, 422],
    ] as const) {
      expect((await world.control(LEA, 'POST', '/v1/sessions', wish)).status).toBe(status);
    }
    expect((await world.request(LEA, 'GET', TICKETS)).body).toMatchObject({ reason: 'session_required' });
    const path = '/v1/tenants/acme/settings';
    const { headers } = await world.control(ADA, 'GET', path);
    const match = { 'if-match': String(headers['etag']) };
    const looser = await world.control(ADA, 'PUT', path, { sessionsRequired: false }, match);
    expect(typeOf(looser)).toEqual(problem(422, 'settings_looser'));
    await session(world, LEA);
    expect((await world.request(LEA, 'GET', TICKETS)).status).toBe(200);
  },

  async 'The customer sees the history: who and why.'(world) {
    const detail = 'The budget of a project is wrong.';
    const id = await session(world, SAM, { detail });
    expect((await world.request(SAM, 'GET', TICKETS)).status).toBe(200);
    const visit = await until('the visit', async () => {
      const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/access-history');
      return (body['items'] as Record<string, unknown>[]).find((one) => one['session'] === id) ?? null;
    });
    expect(visit).toMatchObject({
      principal: { id: 'sam', email: 'sam@vendor.test', org: 'vendor' },
      reason: { type: 'customer_initiated_support', detail },
    });
    expect(wordsOf(await mailTo(world, 'ada@acme.example', 'has entered acme', id))).toContain(detail);
  },

  async 'All sessions are recorded and listed for the customer; those with writes are marked.'(world) {
    const reading = await session(world, SAM);
    expect((await world.request(SAM, 'GET', TICKETS)).status).toBe(200);
    const writing = await session(world, SAM);
    expect((await writes(world, SAM)).status).toBe(201);
    await leave(world, writing);
    expect(await listed(world, reading)).toMatchObject({ endedBy: 'replaced', hasWrites: false });
    expect(await listed(world, writing)).toMatchObject({ endedBy: 'left', hasWrites: true });
    const records = await world.recorded(
      (one) => one['event'] === 'session.ended' && JSON.stringify(one).includes(writing),
    );
    expect(records).toHaveLength(1);
  },

  'When the work is done the customer is told that the session has ended and which steps were taken.': steps,
};

async function steps(world: World): Promise<void> {
  const id = await session(world, SAM, { detail: 'Invoices arrive twice.' });
  const made = await writes(world, SAM);
  const ticket = `${TICKETS}/${String(made.body['id'])}`;
  await world.request(SAM, 'PATCH', ticket, { body: { status: 'solved' } });
  await world.request(SAM, 'GET', ticket);
  await world.request(SAM, 'POST', '/api/v1/exports');
  const note = 'Removed the second subscriber.';
  expect((await leave(world, id, note)).status).toBe(200);
  for (const address of ['ada@acme.example', 'alma@acme.example']) {
    const words = wordsOf(await mailTo(world, address, 'The session of sam', 'has ended', id));
    for (const part of [note, 'Changes were made.', '1 reading, 2 writing, 1 refused']) {
      expect(words).toContain(part);
    }
    // What was written to, whatever the note says.
    expect(words).toContain(`${TICKETS}: 1 reading, 2 writing`);
  }
  const { body } = await world.control(ADA, 'GET', `/v1/sessions/${id}/report`);
  expect(body).toMatchObject({
    principal: { id: 'sam' },
    reason: { detail: 'Invoices arrive twice.' },
    note,
    complete: true,
    requests: 4,
    reads: 1,
    writes: 2,
    denied: 1,
    endedBy: 'left',
    resources: [{ resource: TICKETS, reads: 1, writes: 2, methods: expect.anything() }],
    denials: [{ reasonCode: 'rule_denied', rule: { category: 'export' }, count: 1 }],
  });
}

const dataSteps: Steps = {
  async 'No copying of data: exports are denied, by any name that is known of them.'(world) {
    await session(world, SAM);
    for (const [method, path] of [
      ['POST', '/api/v1/exports'],
      ['GET', '/api/v1/tickets.csv'],
      ['GET', `${TICKETS}?format=csv`],
      ['GET', '/api/v1/reports/1/export'],
    ] as const) {
      const { body } = await world.request(SAM, method, path);
      expect([path, body]).toMatchObject([path, { reason: 'rule_denied', rule: { category: 'export' } }]);
    }
    expect(typeOf(await grantFor(world, { duration: '1d', lifts: ['export'], reason: WHY }))).toEqual(
      problem(422, 'lift_not_allowed'),
    );
  },

  async 'No copying of data: response guards stop a file full of records whichever route it comes by.'(
    world,
  ) {
    await session(world, SAM);
    const file = `${TICKETS}/1/files`;
    const saved = await world.direct('acme-rita', 'POST', `${file}/customers.csv`, { all: 'of them' });
    expect(saved.status).toBe(201);
    const path = `${file}/${String(saved.body['id'])}`;
    expect((await world.direct('acme-rita', 'GET', path)).text).toContain('of them');
    const guarded = await world.request(SAM, 'GET', path);
    expect([guarded.status, guarded.body]).toMatchObject([403, { reason: 'response_guarded' }]);
    expect(guarded.text).not.toContain('of them');
  },

  async 'Sensitive information only if the question needs it: payroll, cards, health, secret fields are denied, liftable with a reason.'(
    world,
  ) {
    await session(world, SAM);
    for (const path of [
      '/api/v1/payroll/runs',
      '/api/v1/payment-cards/1',
      '/api/v1/health-records/1',
      SECRET_FIELD,
    ]) {
      const { body } = await world.request(SAM, 'GET', path);
      expect([path, body]).toMatchObject([path, { reason: 'rule_denied', rule: { category: 'sensitive' } }]);
    }
    const wish = { duration: '1d', lifts: ['sensitive'] };
    expect(typeOf(await grantFor(world, wish))).toEqual(problem(422, 'reason_required'));
    const lifted = await grantFor(world, { ...wish, reason: WHY });
    expect([lifted.status, lifted.body['lifts']]).toEqual([201, ['sensitive']]);
    const grantId = String(lifted.body['id']);
    await session(world, LEA, { grantId });
    expect((await world.request(LEA, 'GET', SECRET_FIELD)).status).toBe(200);
    // Nothing else with it, and for nobody else.
    const denied = await world.request(LEA, 'GET', '/api/v1/tickets.csv');
    expect(denied.body).toMatchObject({ reason: 'rule_denied', rule: { category: 'export' } });
    expect((await world.request(SAM, 'GET', SECRET_FIELD)).body).toMatchObject({ reason: 'rule_denied' });
    expect(wordsOf(await mailTo(world, 'alma@acme.example', 'was given', grantId))).toContain(WHY.detail);
    await world.control(ADA, 'POST', `/v1/grants/${grantId}/revoke`);
    expect((await world.request(LEA, 'GET', SECRET_FIELD)).status).toBe(403);
  },

  async 'What cannot be stopped, such as reading a screen, is said plainly.'(world) {
    const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/settings');
    expect(body['effective']).toMatchObject({
      notice: {
        version: '1',
        text: expect.stringMatching(/screen can remember what stands on it: that cannot be prevented/),
      },
    });
    await switchTo(world, ADA, { open: false });
    expect(await opened(world, ADA, { notice: NOTICE })).toMatchObject({ notice: NOTICE });
  },
};

const WHY = { type: 'customer_initiated_support', detail: 'The question is about pay.' };

describeStory({
  system: 'account access',
  world: {
    profile: 'account-access',
    packs: ['response-guards', 'sensitive', 'self-grant', 'user-admin', 'permissions', 'credentials'],
    policy: readFileSync(new URL('../../policies/exports.yaml', import.meta.url), 'utf8'),
  },
  sentences: [
    'A switch in the customer’s security settings; once on, it shows the date and time until which support may enter and make changes.',
    'It is on for an hour at least and for a month at most, never without an end.',
    'It is switched off by hand.',
    'Or it runs out.',
    'Support always states a reason for entering, so a session is always required here.',
    'The customer sees the history: who and why.',
    'All sessions are recorded and listed for the customer; those with writes are marked.',
    'When the work is done the customer is told that the session has ended and which steps were taken.',
    'No copying of data: exports are denied, by any name that is known of them.',
    'No copying of data: response guards stop a file full of records whichever route it comes by.',
    'Sensitive information only if the question needs it: payroll, cards, health, secret fields are denied, liftable with a reason.',
    'What cannot be stopped, such as reading a screen, is said plainly.',
  ],
  steps: { ...switchSteps, ...sessionSteps, ...dataSteps },
});
