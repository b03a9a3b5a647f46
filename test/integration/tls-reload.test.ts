// Certificates are replaced without a restart: new connections get the new one, and a pair that does not load leaves
// the old one in place.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { overTls, writeTlsPair } from '../support/gate-tls.ts';
import { answerOn, dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

async function fingerprint(gate: Gate): Promise<string> {
  using client = await dial(gate, true);
  return (client.socket as TLSSocket).getPeerCertificate().fingerprint256;
}

describe('the certificate of the data listener', () => {
  it('is replaced while it runs; open connections go on; a bad pair changes nothing', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate(overTls(upstream.port));
    await gate.grant({});
    const first = await fingerprint(gate);
    using open = await dial(gate, true);
    writeTlsPair(gate.folder);
    await expect.poll(() => fingerprint(gate), { timeout: 10_000 }).not.toBe(first);
    const second = await fingerprint(gate);
    open.send(await headFor(gate, 'GET /'));
    expect(await answerOn(open)).toMatchObject({ status: 200 });
    writeFileSync(join(gate.folder, 'tls.key'), 'not a key');
    await expect
      .poll(() => gate.metrics(), { timeout: 10_000 })
      .toContain('postern_config_last_reload_successful 0');
    expect(await fingerprint(gate)).toBe(second);
    writeTlsPair(gate.folder);
    await expect.poll(() => fingerprint(gate), { timeout: 10_000 }).not.toBe(second);
    expect(await gate.metrics()).toContain('postern_config_last_reload_successful 1');
  });
});
