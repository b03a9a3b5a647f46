// A provider that rotates its key and withdraws the old one while 200 requests a second run through the gate: nobody with a
// good token is refused, nothing of the withdrawn key passes once its withdrawal was read, and its streams are cut.
import { describe, expect, it } from 'vitest';
import { call } from '../../demo/http.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { manualClock } from '../support/manual-clock.ts';
import { testIssuer } from '../support/signing.ts';
import { keysFrom, slowKeyServer } from '../support/slow-key-server.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const EVERY_MS = 5;
/** Of src/authn/key-set.ts: one fetch for unknown keys in this time. */
const INTERVAL_MS = 30_000;
const STREAMS = 8;

interface Shot {
  readonly key: 'old' | 'new';
  readonly startedAt: number;
  readonly status: number;
}

/** 200 requests a second, in turn of each of the `keys`, until it is stopped. */
function startLoad(gate: Gate, tokenOf: (key: Shot['key'], serial: number) => Promise<string>) {
  const shots: Promise<Shot>[] = [];
  const load = { keys: ['old'] as readonly Shot['key'][], shots, stop: () => clearInterval(timer) };
  const shoot = async (key: Shot['key'], serial: number): Promise<Shot> => {
    const authorization = `Bearer ${await tokenOf(key, serial)}`;
    const startedAt = performance.now();
    const headers = { host: gate.host, authorization };
    const { status } = await call({ port: gate.dataPort, method: 'GET', path: `/${key}/${serial}`, headers });
    return { key, startedAt, status };
  };
  const timer = setInterval(() => {
    shots.push(shoot(load.keys[shots.length % load.keys.length] ?? 'old', shots.length));
  }, EVERY_MS);
  return load;
}

const person = (id: string) => ({ sub: id, email: `${id}@vendor.test`, groups: ['support'] });

function statuses(shots: readonly Shot[]): readonly number[] {
  return [...new Set(shots.map(({ status }) => status))].toSorted();
}

async function untilShots(load: { readonly shots: readonly unknown[] }, more: number): Promise<void> {
  const wanted = load.shots.length + more;
  await expect
    .poll(() => load.shots.length, { timeout: 20_000, interval: 10 })
    .toBeGreaterThanOrEqual(wanted);
}

describe('keys that are rotated under load', () => {
  it('refuse nobody who is good, and let nothing pass of the one that was withdrawn', async () => {
    await using upstream = await startAnswering((head) =>
      head.includes('/events') ? `${EVENT_STREAM}${chunk('data: 1\n\n')}` : HELLO,
    );
    await using keys = await slowKeyServer();
    const clock = manualClock(Date.now());
    await using gate = await startGate({ upstreamPort: upstream.port, support: keysFrom(keys), clock });
    await gate.grant({});
    const successor = await testIssuer(gate.workforce.issuer, 'postern', 'k2');
    keys.keys = [gate.workforce.publicJwk];
    const sign = (key: Shot['key'], jti: string) =>
      (key === 'old' ? gate.workforce : successor).sign({ ...person(key), jti });
    // Half of them are tokens that the gate remembers, half are ones that it meets for the first time.
    const known = { old: await sign('old', 'known'), new: await sign('new', 'known') };
    const tokenOf = async (key: Shot['key'], serial: number) =>
      serial % 4 < 2 ? known[key] : sign(key, String(serial));

    const load = startLoad(gate, tokenOf);
    await untilShots(load, 60);
    // The provider rotates: it publishes both, and signs with either for a while.
    keys.keys = [gate.workforce.publicJwk, successor.publicJwk];
    clock.advance(INTERVAL_MS);
    load.keys = ['old', 'new'];
    await untilShots(load, 60);
    using stack = new DisposableStack();
    const streams = [];
    for (let i = 0; i < 2 * STREAMS; i++) {
      const key = i % 2 === 0 ? ('old' as const) : ('new' as const);
      const client = stack.use(await dial(gate));
      client.send(await headFor(gate, 'GET /events', [], await tokenOf(key, 1_000_000 + i)));
      await client.seen('data: 1');
      streams.push({ key, client });
    }
    const rotated = await Promise.all(load.shots.slice());
    // It withdraws the old one; the next unknown key makes the gate look.
    keys.keys = [successor.publicJwk];
    clock.advance(INTERVAL_MS);
    const stranger = await testIssuer(gate.workforce.issuer, 'postern', 'k3');
    const strange = `Bearer ${await stranger.sign(person('eve'))}`;
    const { status } = await call({
      port: gate.dataPort,
      path: '/',
      headers: { host: gate.host, authorization: strange },
    });
    expect(status).toBe(401);
    // Whoever was told that a key is unknown was told so out of the new set: the withdrawal has been read.
    const readAt = performance.now();
    await untilShots(load, 120);
    load.stop();
    const shots = await Promise.all(load.shots);

    expect(statuses(rotated)).toEqual([200]);
    expect(statuses(shots.filter(({ key }) => key === 'new'))).toEqual([200]);
    const after = shots.filter(({ key, startedAt }) => key === 'old' && startedAt > readAt);
    expect(after.length).toBeGreaterThan(20);
    expect(statuses(after)).toEqual([401]);

    for (const { key, client } of streams.filter((one) => one.key === 'old')) {
      expect([key, await client.closed]).toEqual(['old', 'reset']);
      expect(client.text).toContain('data: {"reason":"credential_expired"}');
    }
    expect(streams.filter(({ key, client }) => key === 'new' && client.ending !== null)).toEqual([]);

    const lines = gate.journal();
    const told = lines.findIndex((line) => line['event'] === 'keys.withdrawn');
    expect(told).toBeGreaterThan(0);
    const late = lines
      .slice(told)
      .filter(({ k, path }) => k === 'intent' && String(path).startsWith('/old/'));
    expect(late).toEqual([]);
  }, 60_000);
});
