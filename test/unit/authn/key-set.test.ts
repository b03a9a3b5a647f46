// The life of one issuer's keys: refreshed, rotated, withdrawn, kept while the provider is down, and let go.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PosternError } from '#model/fault.ts';
import { createKeySet, type KeySet, type KeySetOptions, type KeysRefreshed } from '#authn/key-set.ts';
import { type ControlledSource, controlledSource } from '../../support/authn-bench.ts';
import { type ManualClock, manualClock } from '../../support/authn-clock.ts';
import { keySetOf, makeKey } from '../../support/authn-keys.ts';

interface Rig extends Disposable {
  readonly clock: ManualClock;
  readonly source: ControlledSource;
  readonly keys: KeySet;
  readonly events: KeysRefreshed[];
  readonly withdrawn: string[];
  find(kid: string | null): Promise<string>;
}

const first = makeKey('ES256', 'first');
const second = makeKey('ES256', 'second');

async function rig(options?: KeySetOptions, source = controlledSource(keySetOf(first))): Promise<Rig> {
  const clock = manualClock();
  const events: KeysRefreshed[] = [];
  const withdrawn: string[] = [];
  const keys = createKeySet({
    name: 'workforce',
    algorithms: ['ES256'],
    source,
    clock,
    options,
    onRefreshed: (event) => events.push(event),
  });
  keys.onWithdrawn((keyId) => withdrawn.push(keyId));
  if (source.gate === null) await keys.started;
  return {
    clock,
    source,
    keys,
    events,
    withdrawn,
    async find(kid) {
      const found = await keys.lookUp('ES256', kid);
      return 'reason' in found ? found.reason : found.keyId;
    },
    [Symbol.dispose]: () => keys.close(),
  };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Lets a timer fire and the load that it begins end. */
async function pass(rig: Rig, ms: number): Promise<void> {
  rig.clock.advance(ms);
  await vi.advanceTimersByTimeAsync(ms);
  await rig.keys.refresh();
}

describe('refreshing', () => {
  test('loads at once and again after each interval', async () => {
    using it = await rig({ refreshMs: 60_000 });
    expect(it.source.loads).toBe(1);
    it.clock.advance(60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(it.source.loads).toBe(2);
  });

  test('says of every attempt how it went, under the name of the issuer', async () => {
    using it = await rig();
    it.source.failure = new PosternError('KEYS_UNAVAILABLE', 'the answer has status 500');
    await it.keys.refresh();
    const atMs = it.clock.now();
    expect(it.events).toEqual([
      { issuer: 'workforce', result: 'ok', atMs, keys: 1, note: null },
      { issuer: 'workforce', result: 'error', atMs, keys: 1, note: 'the answer has status 500' },
    ]);
  });

  test('tells nothing of what an unknown error says', async () => {
    using it = await rig();
    it.source.failure = new Error('connect to 10.0.0.1 failed');
    await it.keys.refresh();
    expect(it.events.at(-1)?.note).toBe('the keys could not be read');
  });

  test('shares one load among all who ask meanwhile', async () => {
    using it = await rig();
    await Promise.all([it.keys.refresh(), it.keys.refresh(), it.find('unknown'), it.find('other')]);
    expect(it.source.loads).toBe(2 + 1);
  });

  test('tries again soon after a failure, later and later, and recovers by itself', async () => {
    using it = await rig();
    it.source.failure = new Error('down');
    await it.keys.refresh();
    const after = async (ms: number): Promise<number> => {
      await vi.advanceTimersByTimeAsync(ms);
      return it.source.loads;
    };
    expect(await after(999)).toBe(2);
    expect(await after(1)).toBe(3);
    expect(await after(1999)).toBe(3);
    expect(await after(1)).toBe(4);
    it.source.failure = null;
    it.source.document = keySetOf(first, second);
    expect(await after(4000)).toBe(5);
    expect(await it.find('second')).toBe('second');
  });

  test('does not let a late older answer replace a newer one', async () => {
    using it = await rig();
    const gate = Promise.withResolvers<void>();
    it.source.gate = gate.promise;
    const older = it.keys.refresh();
    it.source.gate = null;
    it.source.document = keySetOf(second);
    it.source.change();
    await it.keys.refresh();
    expect(it.withdrawn).toEqual(['first']);
    gate.resolve();
    await older;
    expect(it.withdrawn).toEqual(['first']);
    expect(await it.find('second')).toBe('second');
    expect(await it.find('first')).toBe('credential_invalid');
  });

  test('loads at once when told of a change', async () => {
    using it = await rig();
    it.source.document = keySetOf(second);
    it.source.change();
    await it.keys.refresh();
    expect(await it.find('second')).toBe('second');
  });

  test('leaves no timer and no watch behind when it is closed', async () => {
    using it = await rig();
    it.keys.close();
    it.source.change();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(it.source.loads).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('withdrawal', () => {
  test('drops a key before anybody is told of it', async () => {
    using it = await rig();
    const heldWhenTold: boolean[] = [];
    const key = await it.keys.lookUp('ES256', 'first');
    if ('reason' in key) throw new Error('not found');
    it.keys.onWithdrawn(() => heldWhenTold.push(it.keys.holds(key)));
    it.source.document = keySetOf(second);
    await it.keys.refresh();
    expect(heldWhenTold).toEqual([false]);
  });

  test('takes an empty set for what it says: every key is withdrawn', async () => {
    using it = await rig();
    it.source.document = { keys: [] };
    await it.keys.refresh();
    expect(it.withdrawn).toEqual(['first']);
    expect(await it.find('first')).toBe('credential_invalid');
  });

  test('takes other material under the same id for the withdrawal of the old', async () => {
    using it = await rig();
    it.source.document = keySetOf(makeKey('ES256', 'first'));
    await it.keys.refresh();
    expect(it.withdrawn).toEqual(['first']);
    expect(await it.find('first')).toBe('first');
  });

  test('keeps the same key object, and tells nothing, when the set did not change', async () => {
    using it = await rig();
    const before = await it.keys.lookUp('ES256', 'first');
    const { version } = it.keys;
    await it.keys.refresh();
    expect(it.keys.lookUp('ES256', 'first')).toBe(before);
    expect(it.keys.version).toBe(version);
    expect(it.withdrawn).toEqual([]);
  });

  test('counts a new version when a key is added', async () => {
    using it = await rig();
    const { version } = it.keys;
    it.source.document = keySetOf(first, second);
    await it.keys.refresh();
    expect(it.keys.version).toBe(version + 1);
  });

  test('takes a document that is no key set for a failure, not for a withdrawal', async () => {
    using it = await rig();
    for (const document of [null, [], {}, { keys: {} }, 'keys', { keys: Array(101).fill(first.jwk) }]) {
      it.source.document = document;
      await it.keys.refresh();
      expect(it.events.at(-1)?.result).toBe('error');
    }
    expect(await it.find('first')).toBe('first');
    expect(it.withdrawn).toEqual([]);
  });
});

describe('provider down', () => {
  test('serves the last known keys for a bounded time, then drops and announces them', async () => {
    using it = await rig({ lastKnownGoodMs: 100_000, refreshMs: 50_000 });
    it.source.failure = new Error('down');
    await pass(it, 99_999);
    expect(await it.find('first')).toBe('first');
    await pass(it, 1);
    expect(it.withdrawn).toEqual(['first']);
    expect(await it.find('first')).toBe('keys_unavailable');
  });

  test('counts the bounded time from the last success', async () => {
    using it = await rig({ lastKnownGoodMs: 100_000, refreshMs: 50_000 });
    it.clock.advance(90_000);
    await it.keys.refresh();
    it.source.failure = new Error('down');
    it.clock.advance(99_999);
    await it.keys.refresh();
    expect(await it.find('first')).toBe('first');
  });

  test('cannot say that a key id is unknown while the provider does not answer', async () => {
    using it = await rig();
    it.source.failure = new Error('down');
    expect(await it.find('second')).toBe('keys_unavailable');
    expect(await it.find('first')).toBe('first');
  });
});

describe('keys that went stale while the machine slept, whose timers slept too', () => {
  test('are asked for by the first token, and serve it', async () => {
    using it = await rig({ lastKnownGoodMs: 100_000, refreshMs: 50_000 });
    it.clock.advance(100_001);
    expect(await it.find('first')).toBe('first');
    expect(it.source.loads).toBe(2);
  });

  test('stay gone while they cannot be had, and nobody asks more often than for unknown ones', async () => {
    using it = await rig({ lastKnownGoodMs: 100_000, refreshMs: 50_000, unknownKeyIntervalMs: 30_000 });
    it.source.failure = new Error('down');
    it.clock.advance(100_001);
    for (let i = 0; i < 20; i++) expect(await it.find('first')).toBe('keys_unavailable');
    expect(it.source.loads).toBe(2);
  });

  test('that were withdrawn meanwhile are not believed', async () => {
    using it = await rig({ lastKnownGoodMs: 100_000, refreshMs: 50_000 });
    it.source.document = keySetOf(second);
    it.clock.advance(100_001);
    expect(await it.find('first')).toBe('credential_invalid');
  });
});

describe('unknown key ids', () => {
  test('cause one fetch per interval, however many and however different', async () => {
    using it = await rig({ unknownKeyIntervalMs: 30_000 });
    const flood = async (): Promise<Set<string>> =>
      new Set(await Promise.all(Array.from({ length: 200 }, (_, i) => it.find(`unknown-${i}`))));
    expect(await flood()).toEqual(new Set(['credential_invalid']));
    await flood();
    expect(it.source.loads).toBe(2);
    it.clock.advance(29_999);
    await flood();
    expect(it.source.loads).toBe(2);
    it.clock.advance(1);
    await flood();
    expect(it.source.loads).toBe(3);
  });

  test('find a key that was published since', async () => {
    using it = await rig();
    it.source.document = keySetOf(first, second);
    expect(await it.find('second')).toBe('second');
  });

  test('count their interval by a clock that does not jump', async () => {
    using it = await rig();
    await it.find('unknown');
    it.clock.jump(3_600_000);
    await it.find('unknown');
    expect(it.source.loads).toBe(2);
  });

  test('cause no fetch where the keys are fixed', async () => {
    const source = Object.assign(controlledSource(keySetOf(first)), { fixed: true });
    using it = await rig(undefined, source);
    expect(await it.find('unknown')).toBe('credential_invalid');
    it.clock.advance(10 * 86_400_000);
    expect(await it.find('first')).toBe('first');
    expect(source.loads).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a listener that throws', () => {
  test('keeps neither the others from hearing nor the next load from coming', async () => {
    using it = await rig();
    const uncaught: unknown[] = [];
    const kept = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => uncaught.push(error));
    const heard = vi.fn();
    it.keys.onWithdrawn(() => {
      throw new Error('a listener failed');
    });
    it.keys.onWithdrawn(heard);
    it.source.document = { keys: [] };
    await it.keys.refresh();
    await new Promise((resolve) => setImmediate(resolve));
    for (const listener of kept) process.on('uncaughtException', listener);
    expect(heard).toHaveBeenCalledWith('first');
    expect(uncaught).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(1);
  });
});

test.each<[KeySetOptions, RegExp]>([
  [{ refreshMs: 0 }, /refreshMs/],
  [{ refreshMs: Number.NaN }, /refreshMs/],
  [{ lastKnownGoodMs: 86_400_001 }, /lastKnownGoodMs/],
  [{ unknownKeyIntervalMs: 1.5 }, /unknownKeyIntervalMs/],
  [{ refreshMs: 2000, lastKnownGoodMs: 2000 }, /less than lastKnownGoodMs/],
])('refuses the options %j', (options, message) => {
  const deps = { name: 'x', algorithms: [], source: controlledSource({}), clock: manualClock(), options };
  expect(() => createKeySet(deps)).toThrow(message);
});
