// Tokens whose key nobody knows are free to make: a flood of them must not become a flood at the provider, nor keep out whoever
// has a good one. A real gate, a real key server that counts.
import { describe, expect, it } from 'vitest';
import { base64url, makeKey, signToken } from '../support/authn-keys.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { manualClock } from '../support/manual-clock.ts';
import { keysFrom, slowKeyServer } from '../support/slow-key-server.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const AT_ONCE = 40;
/** Of src/authn/key-set.ts: one fetch for unknown keys in this time. */
const INTERVAL_MS = 30_000;

const nobody = makeKey('ES256', null);

/** In everything but the key a good token. */
function unknownToken(gate: Gate, kid: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: gate.workforce.issuer, aud: 'postern', sub: 'sam', iat: now, exp: now + 300 };
  return signToken(nobody, claims, { alg: 'ES256', kid });
}

/** One good token to ten of nobody's. */
async function flood(gate: Gate, name: string, unknown: number): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < (unknown / 10) * 11; i = next++) {
      const isGood = i % 11 === 0;
      const token = isGood
        ? await gate.staffToken({ jti: `${name}-${i}` })
        : unknownToken(gate, `${name}-${base64url(String(i))}`);
      const { status, reason } = await ask(gate, 'GET /', [], token);
      const answer = `${isGood ? 'good' : 'unknown'} ${status} ${reason}`.trim();
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return answers;
}

/** A gate that has fetched its provider's one key, and let somebody in by it. */
async function startTrusting() {
  await using opened = new AsyncDisposableStack();
  const upstream = opened.use(await startAnswering(HELLO));
  const keys = opened.use(await slowKeyServer());
  const clock = manualClock(Date.now());
  const gate = opened.use(await startGate({ upstreamPort: upstream.port, support: keysFrom(keys), clock }));
  await gate.grant({});
  keys.keys = [gate.workforce.publicJwk];
  expect(await ask(gate, 'GET /')).toMatchObject({ status: 200 });
  const all = opened.move();
  return { gate, keys, clock, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

describe('a flood of unknown key ids', () => {
  it('is one fetch in an interval, and good tokens that nobody has seen before pass meanwhile', async () => {
    await using t = await startTrusting();
    const { gate, keys, clock } = t;
    for (const [round, unknown] of [
      ['first', 1000],
      ['second', 90],
    ] as const) {
      clock.advance(INTERVAL_MS);
      const before = keys.asks;
      expect(await flood(gate, round, unknown)).toEqual(
        new Map([
          ['good 200', unknown / 10],
          ['unknown 401 credential_invalid', unknown],
        ]),
      );
      expect(keys.asks - before).toBe(1);
    }
  });

  it('does not wait in the way of good tokens while the provider does not answer', async () => {
    await using t = await startTrusting();
    const { gate, keys, clock } = t;
    clock.advance(INTERVAL_MS);
    keys.hold = true;
    const before = keys.asks;
    const unknown = Array.from({ length: 100 }, (_, i) =>
      ask(gate, 'GET /', [], unknownToken(gate, `kid-${i}`)),
    );
    await keys.asked();
    for (let i = 0; i < 20; i++) {
      const token = await gate.staffToken({ jti: String(i) });
      expect(await ask(gate, 'GET /', [], token)).toMatchObject({ status: 200 });
    }
    keys.release();
    for (const { status, reason } of await Promise.all(unknown))
      expect([status, reason]).toEqual([401, 'credential_invalid']);
    expect(keys.asks - before).toBe(1);
  });
});
