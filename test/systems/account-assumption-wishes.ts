// What the customers of account assumption asked for and did not get, as steps of its story.
import { expect } from 'vitest';
import { publicKeyPath } from '#audit/chain/signing-key.ts';
import { runAudit } from '../support/audit-command.ts';
import {
  ALMA,
  askForSession,
  liveSocket,
  mailTo,
  MINUTE_MS,
  monitor,
  opened,
  reasonOf,
  seen,
  session,
  settle,
  switchTo,
  TICKETS,
  until,
  wordsOf,
  writes,
} from './account-steps.ts';
import type { Steps } from './story.ts';
import { ADA, LEA, partner, type Person, SAM, staff, SVEN, type World } from './world.ts';

const PAULA = partner('paula', { org: 'vendor' });

export const wishSteps: Steps = {
  async 'wish: see why access was granted and for which incident'(world) {
    const reason = { type: 'customer_initiated_support', detail: 'Invoices arrive twice.' };
    const { id } = await opened(world, ADA, { duration: '1w', caseRef: 'INC-4711', reason });
    const { body } = await world.control(ALMA, 'GET', '/v1/tenants/acme/access');
    const found = (body['items'] as { grant: { id: string } }[]).find(({ grant }) => grant.id === id);
    expect(found).toMatchObject({
      grant: { caseRef: 'INC-4711', reason, grantedBy: { name: 'Ada Admin', email: 'ada@acme.example' } },
    });
    const mail = await mailTo(world, 'alma@acme.example', 'was changed', 'INC-4711');
    expect(wordsOf(mail)).toContain('Invoices arrive twice.');
  },

  async 'wish: see, without asking, who was in and when'(world) {
    const id = await session(world, LEA, { caseRef: 'INC-4711', detail: 'Looking for the second invoice.' });
    expect(await seen(world, LEA)).toBe(200);
    for (const address of ['ada@acme.example', 'alma@acme.example']) {
      const mail = await mailTo(world, address, 'lea (lea@vendor.test) has entered acme', id);
      expect(wordsOf(mail)).toContain('Looking for the second invoice.');
    }
    await world.control(LEA, 'POST', `/v1/sessions/${id}/end`, { note: 'Found the duplicate.' });
    const visit = await until('the visit', async () => {
      const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/access-history');
      const visits = body['items'] as Record<string, unknown>[];
      return visits.find((one) => one['session'] === id) ?? null;
    });
    expect(visit).toMatchObject({
      principal: { id: 'lea', email: 'lea@vendor.test' },
      caseRef: 'INC-4711',
      reason: { detail: 'Looking for the second invoice.' },
      reads: 1,
      writes: 0,
    });
    expect(Math.abs(Date.parse(String(visit['lastAt'])) - world.clock.now())).toBeLessThan(MINUTE_MS);
  },

  async 'wish: the name of the admin who granted it in the email to all admins'(world) {
    await switchTo(world, ADA, { open: false });
    const { id } = await opened(world, ALMA, { duration: '1w' });
    for (const address of ['ada@acme.example', 'alma@acme.example']) {
      const mail = await mailTo(world, address, id, 'was given');
      expect(mail.headers.get('subject')).toContain('Alma Admin');
      expect(wordsOf(mail)).toMatch(/Granted by:? +Alma Admin/);
      expect(mail.to).toEqual([address]);
    }
  },

  'wish: grant it to a trusted third party, whose organisation is pinned to its issuer and never taken from a free claim':
    toPartner,
  'wish: a long-running monitor screen that does not get cut off by the gate': longRunning,
  'wish: GDPR answers (what is kept, how long, export, erasure)': privacy,
};

/** Paula's tokens claim to be of the vendor, Mallory's to be of the partner: neither is believed. */
async function toPartner(world: World): Promise<void> {
  const mallory = staff('mallory', ['support'], { org: 'acme-partners' });
  expect((await askForSession(world, PAULA, { access: 'read' })).status).toBe(403);
  const made = await world.control(ADA, 'POST', '/v1/tenants/acme/grants', {
    audience: { org: 'acme-partners' },
    duration: '1w',
    caseRef: 'ROLLOUT-1',
  });
  expect([made.status, made.body['audience']]).toMatchObject([201, { org: 'acme-partners' }]);
  const grantId = String(made.body['id']);
  const refused = await askForSession(world, mallory, { grantId, caseRef: 'ROLLOUT-1' });
  expect([refused.status, refused.body['type']]).toEqual([403, 'urn:postern:problem:session_not_covered']);
  await session(world, PAULA, { caseRef: 'ROLLOUT-1' });
  expect((await writes(world, PAULA)).status).toBe(201);
  const { body } = await world.request(PAULA, 'GET', '/api/v1/me');
  expect(body['actingAs']).toMatchObject({ id: 'paula', org: 'acme-partners' });
  await world.control(ADA, 'POST', `/v1/grants/${grantId}/revoke`);
  expect((await writes(world, PAULA)).status).toBe(403);
  // The switch is on for the vendor, and not for her.
  expect((await askForSession(world, PAULA)).status).toBe(403);
}

/**
 * Sessions idle out after 30 minutes here, and the gate waits a second at most between two pieces of an ordinary answer.
 * Neither ends an open screen on which nothing happens: whatever is under way is a use of its session, noted every second.
 */
async function longRunning(world: World): Promise<void> {
  const id = await session(world, SAM, { detail: 'Watching the queue.' });
  const screens = [await monitor(world, SAM), await liveSocket(world, SAM)];
  for (let minutes = 0; minutes < 80; minutes += 20) {
    world.travel(20 * MINUTE_MS);
    const since = world.clock.now();
    await until('a use', async () => {
      const { body } = await world.control(SAM, 'GET', `/v1/sessions/${id}`);
      return Date.parse(String(body['lastUsedAt'])) >= since ? true : null;
    });
  }
  await world.direct('acme-rita', 'POST', TICKETS, { subject: 'After eighty minutes', body: 'Still there?' });
  for (const screen of screens) {
    await screen.shows('After eighty minutes');
    screen.close();
  }
  expect(await seen(world, SAM)).toBe(200);
  // Without a screen the same session idles out.
  const { body } = await world.control(SAM, 'GET', `/v1/sessions/${id}`);
  await until('no stream', async () => {
    const impact = await world.control(ADA, 'GET', `/v1/grants/${String(body['grantId'])}/impact`);
    return impact.body['streams'] === 0 ? true : null;
  });
  world.travel(31 * MINUTE_MS);
  expect(reasonOf(await world.request(SAM, 'GET', TICKETS))).toBe('session_ended');
}

/** What the records call somebody, once they have come; and where the customer reads what they did. */
async function subjectOf(world: World, who: Person): Promise<{ subject: string; path: string }> {
  const id = await session(world, who, { access: 'read' });
  expect(await seen(world, who)).toBe(200);
  const path = `/v1/tenants/acme/records?session=${id}`;
  const actor = await until('the record', async () => {
    const { body } = await world.control(ADA, 'GET', path);
    const [first] = body['items'] as { actor: Record<string, unknown> }[];
    return first?.actor ?? null;
  });
  const { sub: known, email } = who.claims;
  expect(actor).toMatchObject({ id: known, email });
  return { subject: String(actor['subject']), path };
}

async function privacy(world: World): Promise<void> {
  const georg = staff('georg');
  await settle(world, 'acme', { auditRetention: '30d' });
  const kept = await world.control(ADA, 'GET', '/v1/tenants/acme/settings');
  expect(kept.body['effective']).toMatchObject({ auditRetention: '30d' });
  const { subject, path } = await subjectOf(world, georg);
  await exportsBundle(world.gate.folder, 'georg@vendor.test');
  // Neither somebody without the duty, nor anybody themselves.
  const sven = await subjectOf(world, SVEN);
  for (const [by, whom, type] of [
    [georg, sven.subject, 'security_only'],
    [SVEN, sven.subject, 'own_subject'],
  ] as const) {
    const refused = await world.control(by, 'DELETE', `/v1/subjects/${whom}`);
    expect([refused.status, refused.body['type']]).toEqual([403, `urn:postern:problem:${type}`]);
  }
  expect((await world.control(SVEN, 'DELETE', `/v1/subjects/${subject}`)).status).toBe(200);
  const after = await world.control(ADA, 'GET', path);
  expect(after.body['items']).toMatchObject([{ actor: { subject, id: null, email: null, name: null } }]);
}

/** Everything of one customer, verified with nothing but the bundle and the public key. */
async function exportsBundle(folder: string, who: string): Promise<void> {
  const key = `${folder}/data/keys/audit.pem`;
  const bundle = `${folder}/acme.ndjson`;
  const records = await until('records that are signed', async () => {
    const from = ['--journal', `${folder}/audit`, '--key', key];
    const made = await runAudit('export', ...from, '--tenant', 'acme', '--out', bundle);
    expect([made.code, made.out]).toEqual([0, expect.any(String)]);
    const read = await runAudit('verify-bundle', bundle, '--records', '--public-key', publicKeyPath(key));
    expect(read.code).toBe(0);
    return read.out.includes(who) ? read.out : null;
  });
  expect(records).toContain('"tenant":"acme"');
  expect(records).not.toContain('globex');
}
