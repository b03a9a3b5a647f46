// A whole gate with an http sink in its configuration file: over TLS, with secrets from files, down at first.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/audit-journal.ts';
import { startReceiver } from '../support/audit-receivers.ts';
import { recordProblems } from '../support/audit-schema.ts';
import { startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { selfSigned } from '../support/upstream-certificate.ts';
import { startRawUpstream } from '../support/upstream-wire.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const TOKEN = 'Bearer t0ken-of-the-siem';

describe('a gate with an http sink', () => {
  it('goes on while the receiver is down, and then ships who did what, signed', async () => {
    const tls = selfSigned();
    await using receiver = await startReceiver({ secret: SECRET, tls });
    await receiver.stop();
    await using upstream = await startRawUpstream((wire) => {
      wire.socket.on('data', () => wire.send(HELLO));
    });
    const http = {
      name: 'siem',
      url: receiver.url,
      secret: { fromFile: 'siem-secret' },
      headers: { Authorization: { fromFile: 'siem-token' } },
      tls: { ca: { fromFile: 'siem-ca.pem' } },
    };
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { audit: { sinks: [{ http }] } },
      prepare(folder) {
        writeFileSync(join(folder, 'siem-secret'), `${SECRET}\n`);
        writeFileSync(join(folder, 'siem-token'), TOKEN);
        writeFileSync(join(folder, 'siem-ca.pem'), tls.cert);
      },
    });
    await gate.grant({ access: 'read' });
    for (let count = 0; count < 5; count++)
      expect(await ask(gate, `GET /tickets/${count}`)).toMatchObject({ status: 200 });
    let metrics = '';
    const isFailing = /^postern_audit_sink_errors_total\{sink="siem"\} [1-9]/m;
    for (let tries = 0; tries < 100 && !isFailing.test(metrics); tries++) metrics = await gate.metrics();
    expect(metrics).toMatch(isFailing);
    expect(metrics).toMatch(/^postern_audit_sink_lag_records\{sink="siem"\} [1-9]/m);
    expect(metrics).not.toMatch(/t0ken|whsec_/);
    await receiver.start();
    const requests = (): Record<string, unknown>[] =>
      receiver.taken.flatMap(({ records }) => records).filter(({ http: part }) => part !== undefined);
    await until(() => requests().length === 5);
    expect(requests().flatMap(recordProblems)).toEqual([]);
    expect(requests().map((record) => [record['event'], (record['actor'] as { id: string }).id])).toEqual(
      Array.from({ length: 5 }, () => ['request.allowed', 'sam']),
    );
    expect(
      receiver.taken.every(({ isSigned, headers }) => isSigned && headers['authorization'] === TOKEN),
    ).toBe(true);
  });
});
