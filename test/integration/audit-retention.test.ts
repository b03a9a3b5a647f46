// A tenant's audit retention on a whole gate, with a clock that travels: what its admins read ends there, to the
// millisecond; another tenant's has no say in it; none is longer than the journal is kept; a bundle that starts there holds.
import { renameSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { publicKeyPath } from '#audit/chain/signing-key.ts';
import { runAudit } from '../support/audit-command.ts';
import { HELLO } from '../support/gate-traffic.ts';
import { startTravelGate, type TravelGate } from '../support/travel-gate.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

type Items = readonly Readonly<Record<string, unknown>>[];

async function itemsOf(t: TravelGate, tenant: string, call: string): Promise<Items> {
  const { status, body } = await t.admin(tenant, 'GET', `/v1/tenants/${tenant}/${call}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body['items'] as Items;
}

async function paths(t: TravelGate, tenant: string, query = ''): Promise<string[]> {
  const records = await itemsOf(t, tenant, `records${query}`);
  return records.map((record) => (record['http'] as { readonly path: string }).path);
}

/** Reads, writes and the denied ones of each visit. */
async function visits(t: TravelGate, tenant: string): Promise<unknown[]> {
  const found = await itemsOf(t, tenant, 'access-history');
  return found.map(({ reads, writes, denied }) => [reads, writes, denied]);
}

async function lastActive(t: TravelGate, tenant: string): Promise<unknown> {
  const [first] = await itemsOf(t, tenant, 'access');
  return first?.['lastActiveAt'];
}

function after(start: number, ms: number): string {
  return new Date(start + ms).toISOString();
}

/** One visit of three requests, a minute apart each, and one ten days later. */
async function visited(t: TravelGate, tenant: string): Promise<number> {
  const start = t.clock.now();
  for (const line of ['GET /exports/first', 'GET /second', 'POST /third']) {
    expect((await t.visit(tenant, line)).status).toBe(line.includes('exports') ? 403 : 200);
    t.clock.advance(MINUTE);
  }
  t.clock.advance(start + 10 * DAY - t.clock.now());
  await t.visit(tenant, 'GET /later');
  return start;
}

const EXPORT = { what: 'export.all', count: 1 };

describe('the audit retention of a tenant', () => {
  it('is where its records, its visits and who was last active end, to the millisecond', async () => {
    await using upstream = await startAnswering(HELLO);
    await using t = await startTravelGate(upstream.port);
    const start = await visited(t, 'acme');
    expect((await t.settle('acme', { auditRetention: '30d' })).status).toBe(200);
    expect(await paths(t, 'acme')).toEqual(['/later', '/third', '/second', '/exports/first']);
    expect(await visits(t, 'acme')).toEqual([
      [1, 0, []],
      [1, 1, [EXPORT]],
    ]);

    t.clock.advance(start + 30 * DAY - t.clock.now());
    expect(await paths(t, 'acme')).toHaveLength(4);
    t.clock.advance(1);
    expect(await paths(t, 'acme')).toEqual(['/later', '/third', '/second']);
    expect(await paths(t, 'acme', `?since=${after(start, -DAY)}`)).toEqual(['/later', '/third', '/second']);
    expect(await paths(t, 'acme', '?effect=denied')).toEqual([]);
    expect(await visits(t, 'acme')).toEqual([
      [1, 0, []],
      [1, 1, []],
    ]);
    const [, before] = await itemsOf(t, 'acme', 'access-history');
    expect(before).toMatchObject({ firstAt: after(start, MINUTE), lastAt: after(start, 2 * MINUTE) });

    t.clock.advance(MINUTE);
    expect(await paths(t, 'acme')).toEqual(['/later', '/third']);
    expect(await visits(t, 'acme')).toEqual([
      [1, 0, []],
      [0, 1, []],
    ]);

    t.clock.advance(start + 40 * DAY - t.clock.now());
    expect(await paths(t, 'acme')).toEqual(['/later']);
    expect(await lastActive(t, 'acme')).toBe(after(start, 10 * DAY));
    t.clock.advance(1);
    expect(await paths(t, 'acme')).toEqual([]);
    expect(await visits(t, 'acme')).toEqual([]);
    expect(await lastActive(t, 'acme')).toBeNull();

    // Nothing was removed: segments hold many tenants' records.
    expect((await t.settle('acme', { auditRetention: '90d' })).status).toBe(200);
    expect(await paths(t, 'acme')).toHaveLength(4);
  });

  it('is nothing that another tenant can hide one’s records with', async () => {
    await using upstream = await startAnswering(HELLO);
    await using t = await startTravelGate(upstream.port);
    await visited(t, 'acme');
    await visited(t, 'globex');
    const settings = '/v1/tenants/acme/settings';
    const wish = { auditRetention: '1d' };
    expect(await t.admin('globex', 'PUT', settings, wish)).toMatchObject({
      status: 403,
      body: { reason: 'tenant_mismatch' },
    });
    // Not even its own admins, who may have been the ones who let somebody in.
    expect((await t.admin('acme', 'PUT', settings, wish)).body).toMatchObject({
      type: 'urn:postern:problem:settings_not_yours',
    });
    expect((await t.settle('globex', wish)).status).toBe(200);
    t.clock.advance(2 * DAY);
    expect(await paths(t, 'globex')).toEqual([]);
    expect(await visits(t, 'globex')).toEqual([]);
    expect(await lastActive(t, 'globex')).toBeNull();
    expect(await paths(t, 'acme')).toHaveLength(4);
    expect(await visits(t, 'acme')).toHaveLength(2);
    expect(await lastActive(t, 'acme')).not.toBeNull();
    expect((await t.admin('globex', 'GET', '/v1/tenants/acme/records')).status).toBe(403);
  });

  it('is refused where the journal is not kept for so long, with the longest there is', async () => {
    await using upstream = await startAnswering(HELLO);
    await using t = await startTravelGate(upstream.port);
    const refused = await t.settle('acme', { auditRetention: '401d', approvals: 2 });
    expect(refused).toMatchObject({
      status: 422,
      body: { type: 'urn:postern:problem:retention_too_long', detail: expect.stringContaining('400d') },
    });
    const { body } = await t.service('GET', '/v1/tenants/acme/settings');
    expect(body).toMatchObject({ revision: 0, effective: { auditRetention: null, approvals: 1 } });
    expect((await t.settle('acme', { auditRetention: '400d' })).status).toBe(200);
  });

  it('that cannot be read lets no record be read', async () => {
    await using upstream = await startAnswering(HELLO);
    await using t = await startTravelGate(upstream.port);
    await t.visit('acme', 'GET /first');
    await t.settle('acme', { auditRetention: '1d' });
    const file = path.join(t.gate.folder, 'postern.db');
    renameSync(file, `${file}.away`);
    for (const call of ['records', 'access-history', 'access']) {
      expect(await t.admin('acme', 'GET', `/v1/tenants/acme/${call}`)).toMatchObject({
        status: 503,
        body: { reason: 'store_unavailable' },
      });
    }
    renameSync(`${file}.away`, file);
    expect(await paths(t, 'acme')).toEqual(['/first']);
  });

  it('bounds a bundle that is made with --since, which starts at a later number and holds', async () => {
    await using upstream = await startAnswering(HELLO);
    await using t = await startTravelGate(upstream.port);
    const start = await visited(t, 'acme');
    const { folder } = t.gate;
    const key = path.join(folder, 'data/keys/audit.pem');
    const bundle = path.join(folder, 'acme.bundle');
    const journal = ['--journal', path.join(folder, 'audit'), '--key', key];
    const range = ['--tenant', 'acme', '--since', after(start, DAY)];
    const made = () => runAudit('export', ...journal, ...range, '--out', bundle);
    const verified = (...more: string[]) =>
      runAudit('verify-bundle', bundle, '--public-key', publicKeyPath(key), ...more);
    await expect
      .poll(async () => ((await made()).code === 0 ? (await verified('--records')).out : ''), {
        timeout: 10_000,
      })
      .toContain('/later');
    const records = await verified('--records');
    expect(records.code).toBe(0);
    expect(records.out).not.toContain('/third');
    const { first } = JSON.parse((await verified('--json')).out) as { readonly first: number };
    expect(first).toBeGreaterThan(3);
  });
});
