// Break glass through the whole gate: two people of the security team, a grant that only the asker uses, and a customer
// who can end it at any moment.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '#model/clock.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import { chunk, dial, EVENT_STREAM, headFor } from '../support/gate-traffic.ts';
import { type SecurityGate, startSecurityGate } from '../support/security-gate.ts';
import { startRawUpstream } from '../support/upstream-wire.ts';

const ASK = {
  tenant: 'acme',
  reason: { type: 'production_alert', detail: 'Invoices are sent twice.' },
  access: 'write',
};

const DECIDERS = `SELECT document ->> 'event', document ->> 'deciders' FROM notices ORDER BY id`;

/** As the vendor settles it for acme, before the gate starts. */
async function allowBreakGlass(folder: string): Promise<void> {
  const core = createStoreCore({ path: join(folder, 'postern.db'), clock: systemClock });
  const document = JSON.stringify({ vendor: { breakGlass: true, sessionsRequired: false }, own: {} });
  try {
    await core.write(({ statements }) =>
      statements
        .sql('INSERT INTO tenant_settings (tenant, revision, changed_at, document) VALUES (?, 1, 0, ?)')
        .run('acme', document),
    );
  } finally {
    await core.close();
  }
}

async function setUp() {
  const upstream = await startRawUpstream(async (wire) => {
    await wire.seen('\r\n\r\n');
    wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
  });
  let allowed: Promise<void> = Promise.resolve();
  let store = '';
  const gate = await startSecurityGate({
    upstreamPort: upstream.port,
    prepare(folder) {
      store = join(folder, 'postern.db');
      allowed = allowBreakGlass(folder);
    },
  });
  await allowed;
  return {
    gate,
    /** Whom the notices name as having to decide, event by event. */
    async deciders() {
      const core = createStoreCore({ path: store, clock: systemClock });
      try {
        return await core.read(({ sql }) => sql(DECIDERS).all().map(Object.values));
      } finally {
        await core.close();
      }
    },
    /** Opens a stream as this person; resolves with what came first. */
    async enter(id: string) {
      const client = await dial(gate);
      const token = await gate.staffToken({ sub: id, email: `${id}@vendor.test` });
      client.send(await headFor(gate, 'POST /repair', ['Content-Length: 0'], token));
      await client.until(() => client.text.includes('data: 1') || client.text.includes('"reason"'));
      return client;
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

async function second(gate: SecurityGate, id: unknown, who: string, claims: Record<string, unknown> = {}) {
  const token = await gate.controlToken(who, claims);
  return gate.security('POST', `/v1/break-glass/${String(id)}/second`, undefined, token);
}

describe('break glass', () => {
  it('lets the asker in once another person has confirmed, and nobody else', async () => {
    await using t = await setUp();
    const { body } = await t.gate.security('POST', '/v1/break-glass', ASK);
    using before = await t.enter('quinn');
    expect(before.text).toContain('no_grant');
    expect((await second(t.gate, body['id'], 'quinn')).status).toBe(403);
    expect((await second(t.gate, body['id'], 'q-2', { email: 'QUINN@vendor.test' })).status).toBe(403);
    expect((await second(t.gate, body['id'], 'rita')).status).toBe(200);
    using quinn = await t.enter('quinn');
    expect(quinn.text).toContain('data: 1');
    for (const who of ['rita', 'sam']) {
      using other = await t.enter(who);
      expect(other.text).toContain('no_grant');
    }
  });

  it('is told to the security team’s groups of the gateway’s file, which must agree in time', async () => {
    await using t = await setUp();
    const { body } = await t.gate.security('POST', '/v1/break-glass', ASK);
    await second(t.gate, body['id'], 'rita');
    expect(await t.deciders()).toEqual([
      ['break_glass.asked', '["security"]'],
      ['break_glass.used', null],
    ]);
  });

  it('is ended by the customer at any moment, and made longer by nobody', async () => {
    await using t = await setUp();
    const { body } = await t.gate.security('POST', '/v1/break-glass', ASK);
    const confirmed = await second(t.gate, body['id'], 'rita');
    const grant = `/v1/grants/${String(confirmed.body['grantId'])}`;
    using quinn = await t.enter('quinn');
    const longer = { expiresAt: new Date(Date.now() + 7_200_000).toISOString() };
    expect(await t.gate.control('PATCH', grant, longer)).toMatchObject({
      status: 403,
      body: { type: 'urn:postern:problem:break_glass_fixed' },
    });
    expect((await t.gate.control('POST', `${grant}/revoke`)).status).toBe(200);
    expect(await quinn.closed).toBe('reset');
    using again = await t.enter('quinn');
    expect(again.text).toContain('no_grant');
  });

  it('is stopped by a lock, before the confirmation and after it', async () => {
    await using t = await setUp();
    const { body } = await t.gate.security('POST', '/v1/break-glass', ASK);
    const id = await t.gate.lock({ kind: 'tenant', tenant: 'acme' });
    expect(await second(t.gate, body['id'], 'rita')).toMatchObject({
      status: 403,
      body: { type: 'urn:postern:problem:break_glass_locked' },
    });
    await t.gate.lift(id);
    expect((await second(t.gate, body['id'], 'rita')).status).toBe(200);
    using quinn = await t.enter('quinn');
    await t.gate.lock({ kind: 'principal', issuer: 'https://idp.test', id: 'quinn' });
    expect(await quinn.closed).toBe('reset');
    using again = await t.enter('quinn');
    expect(again.text).toContain('"locked"');
  });

  it('is in the journal, both steps, with the grant and without a personal value', async () => {
    await using t = await setUp();
    const { body } = await t.gate.security('POST', '/v1/break-glass', ASK);
    const confirmed = await second(t.gate, body['id'], 'rita');
    const steps = () =>
      t.gate.journal().filter((line) => String(line['event'] ?? '').startsWith('break_glass.'));
    await expect.poll(() => steps().length, { timeout: 10_000 }).toBe(2);
    expect(steps()).toMatchObject([
      { event: 'break_glass.asked', tenant: 'acme', grant: null },
      { event: 'break_glass.used', tenant: 'acme', grant: { id: confirmed.body['grantId'], revision: 1 } },
    ]);
    expect(JSON.stringify(steps())).not.toMatch(/vendor\.test|quinn|rita|Invoices/);
  });
});
