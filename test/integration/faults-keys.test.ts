// An issuer whose keys cannot be had: 503, since nobody can say whether the credential is good; then it recovers.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { keysFrom, slowKeyServer } from '../support/slow-key-server.ts';
import { startAnswering } from '../support/upstream-wire.ts';

describe('the keys of an issuer', () => {
  it('that were never had are 503 keys_unavailable, and nothing is forwarded', async () => {
    await using upstream = await startAnswering(HELLO);
    const gone = await slowKeyServer();
    await gone[Symbol.asyncDispose]();
    await using gate = await startGate({ upstreamPort: upstream.port, support: keysFrom(gone) });
    await gate.grant({});
    expect(await ask(gate, 'GET /')).toMatchObject({ status: 503, reason: 'keys_unavailable' });
    const ready = await fetch(`http://127.0.0.1:${gate.opsPort}/readyz`);
    expect(await ready.json()).toMatchObject({ ready: false, reasons: ['keys_unavailable'] });
    expect(upstream.wires).toEqual([]);
  });

  it('that were had once go on serving while the issuer is away', async () => {
    await using upstream = await startAnswering(HELLO);
    const keys = await slowKeyServer();
    keys.keys = [];
    const options = { upstreamPort: upstream.port, support: keysFrom(keys) };
    await using gate = await startGate(options);
    await gate.grant({});
    keys.keys = [gate.workforce.publicJwk];
    expect(await ask(gate, 'GET /first')).toMatchObject({ status: 200 });
    await keys[Symbol.asyncDispose]();
    const another = await gate.staffToken({ sub: 'lena', email: 'lena@vendor.test' });
    expect(await ask(gate, 'GET /second', [], another)).toMatchObject({ status: 200 });
  });
});
