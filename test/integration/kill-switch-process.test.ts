// The real process is told to stop by a signal: with the store's file gone and no identity provider to be asked, what is
// in flight is cut, nothing more is forwarded, and readiness and metrics say so until the file that it made is removed.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gateFiles } from '../support/gate.ts';
import { type GateProcess, startProcess } from '../support/gate-process.ts';
import { answerOn, chunk, EVENT_STREAM } from '../support/gate-traffic.ts';
import { openClient, startRawUpstream } from '../support/upstream-wire.ts';

async function startStreaming() {
  const upstream = await startRawUpstream(async (wire) => {
    await wire.seen('\r\n\r\n');
    wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
  });
  const files = await gateFiles({ upstreamPort: upstream.port, config: { log: { level: 'info' } } });
  const gate = await startProcess(files.folder);
  const admin = await files.saas.sign({
    sub: 'u-ada',
    org_id: 'acme',
    is_admin: true,
    email: 'ada@acme.test',
  });
  const created = await fetch(`http://127.0.0.1:${gate.controlPort}/v1/tenants/acme/grants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      audience: { org: 'vendor' },
      duration: '1h',
      caseRef: 'CASE-1',
      reason: { type: 'customer_initiated_support', detail: 'the import fails' },
    }),
  });
  expect(created.status).toBe(201);
  const token = await files.workforce.sign({ sub: 'sam', email: 'sam@vendor.test', groups: ['support'] });
  const open = async (path: string) => {
    const client = await openClient(gate.dataPort);
    client.send(`GET ${path} HTTP/1.1\r\nHost: acme.app.test\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    return client;
  };
  return {
    upstream,
    folder: files.folder,
    gate,
    open,
    async [Symbol.asyncDispose]() {
      gate.child.kill('SIGKILL');
      await gate.exited;
      await upstream[Symbol.asyncDispose]();
      rmSync(files.folder, { recursive: true, force: true });
    },
  };
}

const opsOf = async ({ opsPort }: GateProcess, path: string) => {
  const response = await fetch(`http://127.0.0.1:${opsPort}${path}`);
  return { status: response.status, text: await response.text() };
};

const isStopped = async (gate: GateProcess) =>
  (await opsOf(gate, '/metrics')).text.includes('\npostern_stopped 1\n');

describe('SIGUSR2', () => {
  it('cuts what is in flight and stops everything, without a store or an identity provider', async () => {
    await using t = await startStreaming();
    using client = await t.open('/events');
    await client.seen('data: 1');
    for (const file of ['postern.db', 'postern.db-wal', 'postern.db-shm']) {
      if (existsSync(join(t.folder, file))) renameSync(join(t.folder, file), join(t.folder, `${file}.away`));
    }
    rmSync(join(t.folder, 'workforce.jwks.json'));
    t.gate.child.kill('SIGUSR2');
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('event: postern.ended');
    expect(await (await t.upstream.next()).closed).toBe('reset');
    using refused = await t.open('/more');
    expect(await answerOn(refused)).toMatchObject({ status: 503, reason: 'stopped' });
    expect(t.upstream.wires).toHaveLength(1);
    const { status, text } = await opsOf(t.gate, '/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ ready: false, reasons: expect.arrayContaining(['stopped']) });
    const metrics = (await opsOf(t.gate, '/metrics')).text;
    expect(metrics).toContain('\npostern_stopped 1\n');
    expect(metrics).toContain('\npostern_locks_held{kind="everything"} 0\n');
  });

  it('is no toggle, holds in another process on the same files, and ends with the file it made', async () => {
    await using t = await startStreaming();
    t.gate.child.kill('SIGUSR2');
    await expect.poll(() => isStopped(t.gate), { timeout: 10_000 }).toBe(true);
    const stop = join(t.folder, 'STOP');
    await expect.poll(() => existsSync(stop), { timeout: 10_000 }).toBe(true);
    t.gate.child.kill('SIGUSR2');
    t.gate.child.kill('SIGTERM');
    expect(await t.gate.exited).toEqual([0, null]);
    const again = await startProcess(t.folder);
    try {
      expect(await isStopped(again)).toBe(true);
      rmSync(stop);
      await expect.poll(() => isStopped(again), { timeout: 10_000 }).toBe(false);
      expect((await opsOf(again, '/readyz')).text).not.toContain('stopped');
    } finally {
      again.child.kill('SIGKILL');
      await again.exited;
    }
  });
});
