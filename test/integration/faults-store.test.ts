// A store that cannot be read is 503 and never 403: "no grant" and "cannot find out" are different answers.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const FILES = ['postern.db', 'postern.db-wal', 'postern.db-shm'];

function takeAway(gate: Gate): void {
  for (const name of FILES) renameSync(join(gate.folder, name), join(gate.folder, `${name}.away`));
}

function bringBack(gate: Gate): void {
  for (const name of FILES) {
    try {
      renameSync(join(gate.folder, `${name}.away`), join(gate.folder, name));
    } catch {
      // SQLite removed its side file when it closed.
    }
  }
}

const SHORT_CACHE = { store: { sqlite: { path: 'postern.db' } }, cache: { ttl: '1s' } };

describe('a store', () => {
  it.each([
    ['is gone', takeAway],
    [
      'is no database any more',
      (gate: Gate) => {
        takeAway(gate);
        writeFileSync(join(gate.folder, 'postern.db'), 'not a database'.repeat(1000));
      },
    ],
  ])('that %s is 503 store_unavailable, and comes back by itself', async (_what, breakIt) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, config: { grants: SHORT_CACHE } });
    await gate.grant({});
    expect(await ask(gate, 'GET /before')).toMatchObject({ status: 200 });
    breakIt(gate);
    await expect.poll(async () => (await ask(gate, 'GET /cached')).status, { timeout: 10_000 }).not.toBe(200);
    expect(await ask(gate, 'GET /during')).toMatchObject({ status: 503, reason: 'store_unavailable' });
    expect((await gate.control('GET', '/v1/tenants/acme/grants')).status).toBe(503);
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${gate.opsPort}/readyz`)).json(), { timeout: 10_000 })
      .toMatchObject({ reasons: ['store_unavailable'] });
    bringBack(gate);
    await expect.poll(async () => (await ask(gate, 'GET /after')).status, { timeout: 10_000 }).toBe(200);
    expect(upstream.wires.map((wire) => wire.text).join('')).not.toContain('/during');
  });

  it('that cannot be synced fails a revoke loudly, and what is committed is enforced without another call', async () => {
    await using upstream = await startAnswering(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    rmSync(join(gate.folder, 'postern.db-wal'));
    expect(await gate.control('POST', `/v1/grants/${grant.id}/revoke`)).toMatchObject({ status: 503 });
    expect(await client.closed).toBe('reset');
    expect((await ask(gate, 'GET /after')).status).toBe(403);
  });

  it('that is gone fails a revoke loudly, and the revoke holds once it is said again', async () => {
    await using upstream = await startAnswering(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    takeAway(gate);
    expect(await gate.control('POST', `/v1/grants/${grant.id}/revoke`)).toMatchObject({ status: 503 });
    bringBack(gate);
    await gate.revoke(grant.id);
    expect(await client.closed).toBe('reset');
  });
});
