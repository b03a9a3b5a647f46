// P10 per principal: concurrency and rate, whatever token or connection is used; 429 says when to come again.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { answerOn, ask, dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const limits = (perPrincipal: object) => ({ limits: { perPrincipal } });

describe('a principal', () => {
  it('has so many requests at once, over all connections and tokens; what ends makes room', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: limits({ concurrent: 2, perSecond: 'off' }),
    });
    await gate.grant({});
    using first = await dial(gate);
    using second = await dial(gate);
    first.send(await headFor(gate, 'GET /first'));
    second.send(await headFor(gate, 'GET /second', [], await gate.staffToken({ jti: 'another' })));
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    await (await upstream.next()).seen('\r\n\r\n');
    const refused = await ask(gate, 'GET /third');
    expect(refused).toMatchObject({ status: 429, reason: 'rate_limited' });
    expect(refused.head).toMatch(/\r\nRetry-After: 1\b/i);
    // Somebody else has a share of their own.
    using other = await dial(gate);
    other.send(await headFor(gate, 'GET /other', [], await gate.staffToken({ sub: 'lena' })));
    await (await upstream.next()).seen('/other');
    wire.send(HELLO);
    await Promise.race([answerOn(first), answerOn(second)]);
    using fourth = await dial(gate);
    fourth.send(await headFor(gate, 'GET /fourth'));
    await wire.seen('/fourth');
    expect(upstream.wires.map((one) => one.text).join('')).not.toContain('/third');
  });

  it('has so many requests a second; refused ones cost no upstream request', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: limits({ concurrent: 'off', perSecond: 3 }),
    });
    await gate.grant({});
    const token = await gate.staffToken();
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(gate, 'GET /', [], token)));
    const seconds = (performance.now() - startedAt) / 1000;
    const allowed = answers.filter(({ status }) => status === 200).length;
    expect(allowed).toBeGreaterThanOrEqual(3);
    expect(allowed).toBeLessThanOrEqual(3 + Math.ceil(3 * seconds));
    expect(answers.filter(({ reason }) => reason === 'rate_limited')).toHaveLength(20 - allowed);
    expect(
      upstream.wires
        .map((wire) => wire.text)
        .join('')
        .match(/GET \//g),
    ).toHaveLength(allowed);
    await expect
      .poll(async () => (await ask(gate, 'GET /', [], token)).status, { timeout: 10_000 })
      .toBe(200);
  });
});
