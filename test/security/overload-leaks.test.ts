// What a client leaves behind: requests that waited for their turn when the connection went, bodies of exchanges that were
// cut. Attack: each keeps its room in the counts of the overload bounds though nobody is there any more, until the gate
// refuses everybody and not one connection is open.
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { ShedCause } from '#model/shed-cause.ts';
import { rawConnect } from '../support/raw-client.ts';
import { AS_ALICE, openAcme, startSessionGate } from '../support/session-gate.ts';

const OWN_PAGE = ['Origin: https://acme.app.test', 'Content-Type: application/x-www-form-urlencoded'];

describe('requests that wait behind another one', () => {
  it('leave the count of those in progress with their connection, whatever body they announced', async () => {
    const sheds: ShedCause[] = [];
    await using gate = await startSessionGate({
      overload: { inFlight: 4 },
      metrics: { shed: (cause) => void sheds.push(cause) },
      respond: ({ target }, socket) => {
        if (target !== '/slow') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      },
    });
    openAcme(gate.held);
    const client = await rawConnect(gate.port);
    const entering = gate.bytes('POST /-/postern/enter', OWN_PAGE, 'launch=x'.repeat(8));
    // None of these needs a credential but the first, and the last one's body never comes.
    const waiting = [gate.bytes('GET /refused'), gate.bytes('GET /refused'), entering.slice(0, -8)];
    client.write(gate.bytes('GET /slow', [AS_ALICE]) + waiting.join(''));
    await expect.poll(() => gate.upstream.requests.length, { timeout: 10_000 }).toBe(1);
    client.socket.resetAndDestroy();
    await client.closed;
    await expect.poll(() => gate.records.length, { timeout: 10_000 }).toBe(4);
    expect(gate.records.slice(1).map(({ reason, endedBy }) => [reason, endedBy])).toEqual(
      Array.from({ length: 3 }, () => ['client_closed', 'client']),
    );
    const four = await Promise.all(Array.from({ length: 4 }, () => gate.ask('GET /after', [AS_ALICE])));
    expect(four.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(sheds).toEqual([]);
  });
});

const READS_JOBS = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: jobs }
spec:
  rules:
    - { id: jobs.export, category: export, match: [ { paths: ["/jobs"], json: { "/type": [export] } } ] }
`;

describe('a body that still comes when its exchange was cut', () => {
  it('takes no more room, for nobody would give it back', async () => {
    await using gate = await startSessionGate({ overload: { heldBodyBytes: 3000 }, policy: READS_JOBS });
    const grant = openAcme(gate.held);
    const body = JSON.stringify({ type: 'import', note: 'n'.repeat(2000) });
    const job = gate.bytes('POST /jobs', [AS_ALICE, 'Content-Type: application/json'], body);
    await using client = await rawConnect(gate.port);
    client.write(job.slice(0, -1000));
    await expect.poll(() => gate.gateway.inFlight, { timeout: 10_000 }).toBe(1);
    await gate.gateway.grantRevoked(grant);
    await client.waitFor('grant_revoked');
    // Whatever the connection had read by then, however it comes.
    const { req } = gate.records[0] as unknown as { readonly req: IncomingMessage };
    for (let piece = 0; piece < 5; piece++) req.emit('data', Buffer.alloc(1000));
    openAcme(gate.held);
    const again = await gate.ask('POST /jobs', [AS_ALICE, 'Content-Type: application/json'], body);
    expect(again.status).toBe(200);
  });
});
