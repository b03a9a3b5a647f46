// The real process: SIGTERM while a request runs lets it finish, exits 0, and nobody's secrets are in what it said.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gateFiles } from '../support/gate.ts';
import { startProcess } from '../support/gate-process.ts';
import { answerOn, HELLO } from '../support/gate-traffic.ts';
import { openClient, startRawUpstream } from '../support/upstream-wire.ts';

describe('the process', () => {
  it('ends with 0 on SIGTERM when the running request has ended, its record on disk', async () => {
    await using upstream = await startRawUpstream();
    const files = await gateFiles({ upstreamPort: upstream.port, config: { log: { level: 'trace' } } });
    const { child, exited, log, dataPort, controlPort } = await startProcess(files.folder);
    try {
      const admin = await files.saas.sign({
        sub: 'u-ada',
        org_id: 'acme',
        is_admin: true,
        email: 'ada@acme.test',
      });
      const created = await fetch(`http://127.0.0.1:${controlPort}/v1/tenants/acme/grants`, {
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
      using client = await openClient(dataPort);
      client.send(
        `GET /running?key=query-secret HTTP/1.1\r\nHost: acme.app.test\r\nCookie: sid=cookie-secret\r\n` +
          `Authorization: Bearer ${token}\r\n\r\n`,
      );
      const wire = await upstream.next();
      await wire.seen('/running');
      child.kill('SIGTERM');
      await expect.poll(log, { timeout: 10_000 }).toContain('"message":"draining"');
      wire.send(HELLO);
      expect(await answerOn(client)).toMatchObject({ status: 200, body: 'hello' });
      expect(await exited).toEqual([0, null]);
      const journal = readFileSync(join(files.folder, 'audit', 'journal-000000000001.ndjson'), 'utf8');
      expect(journal).toMatch(/"k":"done",.*"status":200/);
      expect(journal).toMatch(/"event":"gateway\.stopped"/);
      for (const secret of [token, admin, 'query-secret', 'cookie-secret']) {
        expect(log()).not.toContain(secret);
        expect(journal).not.toContain(secret);
      }
    } finally {
      child.kill('SIGKILL');
      rmSync(files.folder, { recursive: true, force: true });
    }
  });
});
