// The main path: nobody without a grant, nobody to a denied route, everybody recorded, and a revoke that holds.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { rawRequest } from '../support/raw-client.ts';
import { recordingUpstream } from '../support/recording-upstream.ts';

describe('the gate', () => {
  it('lets a support principal in only under a grant, and never to a denied route', async () => {
    await using upstream = await recordingUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const authorization = `Bearer ${await gate.staffToken()}`;
    const get = (path: string) =>
      rawRequest(
        gate.dataPort,
        `GET ${path} HTTP/1.1\r\nHost: ${gate.host}\r\nAuthorization: ${authorization}\r\n\r\n`,
      );

    expect(await get('/tickets')).toMatchObject({ status: 403 });
    const grant = await gate.grant({});
    const allowed = await get('/tickets');
    expect(allowed).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect(JSON.parse((await get('/exports/1')).body)).toMatchObject({
      status: 403,
      reason: 'rule_denied',
      rule: { id: 'export.all', category: 'export', message: 'No exports.' },
    });
    await gate.revoke(grant.id);
    expect(JSON.parse((await get('/tickets')).body)).toMatchObject({ status: 403 });
    expect(upstream.requests.map(({ method, target }) => `${method} ${target}`)).toEqual(['GET /tickets']);
  });
});
