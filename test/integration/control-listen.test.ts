// Where the control API listens: a port or a Unix socket, and how it stops.
import { existsSync, renameSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createControlServer } from '#control/control-server.ts';
import { unusedAudit } from '../support/control-audit.ts';
import { clockAtStart, temporaryFolder } from '../support/grants-fixtures.ts';

function unused(): never {
  throw new TypeError('not asked for here');
}

function control() {
  return createControlServer({
    authority: { create: unused, change: unused, revoke: unused, verify: unused },
    store: { get: unused, list: unused, revisions: unused },
    views: { tenantView: unused },
    authenticator: { authenticate: unused },
    policies: { current: null },
    clock: clockAtStart(),
    impactOf: unused,
    audit: unusedAudit,
    nextRequestId: () => 'r',
    log: { debug() {}, info() {}, warn() {}, error() {} },
    tls: null,
  });
}

function statusOver(socketPath: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const asked = request({ socketPath, path: '/openapi.json' }, (response) => {
    response.resume();
    response.once('end', () => resolve(response.statusCode));
  });
  asked.once('error', reject);
  asked.end();
  return promise;
}

describe('the control listener', () => {
  it('listens on a Unix socket, replaces one that a killed process left, and says where it is', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'control.sock');
    const stale = createServer();
    await new Promise<void>((resolve) => stale.listen(path, resolve));
    {
      await using busy = await control();
      await expect(busy.listen({ kind: 'unix', path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      expect(busy.address).toBeNull();
    }
    // A killed process removes nothing; a closed server removes its file, so it is hidden from it.
    renameSync(path, `${path}.kept`);
    await new Promise((resolve) => stale.close(resolve));
    renameSync(`${path}.kept`, path);
    await using server = await control();
    await server.listen({ kind: 'unix', path });
    expect(server.address).toEqual({ kind: 'unix', path });
    expect(await statusOver(path)).toBe(200);
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('rejects when the port is taken, and frees it when closed', async () => {
    await using first = await control();
    await first.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const taken = first.address;
    if (taken?.kind !== 'tcp') throw new TypeError('no port');
    {
      await using second = await control();
      await expect(second.listen(taken)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    }
    await first.close();
    await using third = await control();
    await third.listen(taken);
    expect(third.address).toEqual(taken);
  });
});
