import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createLog } from '#telemetry/log.ts';
import { createOpsServer, type OpsServerDeps } from '#telemetry/ops-server.ts';

interface Running extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

async function running(deps: Partial<OpsServerDeps> = {}): Promise<Running> {
  const server = createOpsServer({
    readiness: () => ({ ready: true, reasons: [] }),
    started: () => true,
    metrics: {
      expose: () => Promise.resolve('postern_build_info 1\n'),
      contentType: 'text/plain; version=0.0.4',
    },
    log: createLog({ level: 'silent', instance: 'test' }),
    ...deps,
  });
  const { port } = (await server.listen({ host: '127.0.0.1', port: 0 })) as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.close() };
}

describe('the ops listener', () => {
  it('serves the metrics with their media type', async () => {
    await using ops = await running();
    const response = await fetch(`${ops.url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('postern_build_info 1\n');
  });

  it('says why it is not ready', async () => {
    let ready = true;
    await using ops = await running({
      readiness: () =>
        ready ? { ready, reasons: [] } : { ready, reasons: ['draining', 'audit_unavailable'] },
    });
    expect((await fetch(`${ops.url}/readyz`)).status).toBe(200);
    ready = false;
    const response = await fetch(`${ops.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, reasons: ['draining', 'audit_unavailable'] });
    expect((await fetch(`${ops.url}/livez`)).status).toBe(200);
  });

  it('has not started before the data listener is open', async () => {
    let started = false;
    await using ops = await running({ started: () => started });
    expect((await fetch(`${ops.url}/startupz`)).status).toBe(503);
    started = true;
    expect((await fetch(`${ops.url}/startupz`)).status).toBe(200);
  });

  it('answers HEAD without a body, other methods 405, other paths 404', async () => {
    await using ops = await running();
    const head = await fetch(`${ops.url}/metrics`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await fetch(`${ops.url}/metrics`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    for (const path of ['/', '/metrics/', '/METRICS', '/readyz/..', '/v1/grants']) {
      expect((await fetch(ops.url + path)).status).toBe(404);
    }
    expect((await fetch(`${ops.url}/livez?verbose`)).status).toBe(200);
  });

  it('answers 500 and stays up when the metrics cannot be read', async () => {
    await using ops = await running({
      metrics: { expose: () => Promise.reject(new Error('planted')), contentType: 'text/plain' },
    });
    const response = await fetch(`${ops.url}/metrics`);
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
    expect((await fetch(`${ops.url}/livez`)).status).toBe(200);
  });

  it('closes a connection that does not speak HTTP, and stays up', async () => {
    await using ops = await running();
    const socket = connect(ops.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('\u0000\u0001nonsense\r\n\r\n');
    await once(socket, 'close');
    expect((await fetch(`${ops.url}/livez`)).status).toBe(200);
  });

  it('rejects an address that is taken', async () => {
    await using ops = await running();
    const second = createOpsServer({
      readiness: () => ({ ready: true, reasons: [] }),
      started: () => true,
      metrics: { expose: () => Promise.resolve(''), contentType: 'text/plain' },
      log: createLog({ level: 'silent', instance: 'test' }),
    });
    await expect(second.listen({ host: '127.0.0.1', port: ops.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
