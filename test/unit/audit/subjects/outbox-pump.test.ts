import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LifecycleEvent } from '#audit/journal.ts';
import { startOutboxPump } from '#audit/subjects/outbox-pump.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { temporaryFolder } from '../../../support/grants-fixtures.ts';

const READ: LifecycleEvent = {
  event: 'audit.read',
  tenant: 'acme',
  grant: null,
  actor: null,
  details: { call: 'query', count: 2 },
};
const SECOND = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function pumping() {
  const folder = temporaryFolder();
  const closing = new DisposableStack();
  closing.use(folder);
  const open = () => closing.adopt(openSubjectStore({ directory: folder.path }), (store) => store.close());
  const store = open();
  const log = { errors: 0, info() {}, warn() {}, error: () => void (log.errors += 1) };
  const state = { available: true, erased: 0 };
  const events: LifecycleEvent[] = [];
  return {
    store,
    /** As another process has it. */
    other: open(),
    log,
    state,
    events,
    start: () =>
      closing.use(
        startOutboxPump({
          store,
          available: () => state.available,
          onEvent: (event) => void events.push(event),
          onErased: () => void (state.erased += 1),
          log,
        }),
      ),
    [Symbol.dispose]: () => closing.dispose(),
  };
}

describe('the outbox', () => {
  test('is journalled at the start and within a second, each event once, and then taken', () => {
    using p = pumping();
    p.other.post(JSON.stringify(READ));
    p.start();
    expect(p.events).toEqual([READ]);
    p.other.post(JSON.stringify({ ...READ, tenant: 'globex' }));
    vi.advanceTimersByTime(SECOND);
    expect(p.events.map(({ tenant }) => tenant)).toEqual(['acme', 'globex']);
    vi.advanceTimersByTime(5 * SECOND);
    expect(p.events).toHaveLength(2);
    expect(p.other.outbox(10)).toEqual([]);
  });

  test('keeps an event until a whole turn has passed after it was handed over', () => {
    using p = pumping();
    const pump = p.start();
    vi.advanceTimersByTime(SECOND - 1);
    p.store.post(JSON.stringify(READ));
    pump.poke();
    expect(p.events).toEqual([READ]);
    vi.advanceTimersByTime(1);
    expect(p.other.outbox(10)).toHaveLength(1);
    vi.advanceTimersByTime(SECOND);
    expect(p.other.outbox(10)).toEqual([]);
    expect(p.events).toHaveLength(1);
  });

  test('waits while the journal is away, and hands over again what may have been lost with it', () => {
    using p = pumping();
    p.other.post(JSON.stringify(READ));
    p.start();
    p.state.available = false;
    p.other.post(JSON.stringify({ ...READ, tenant: 'globex' }));
    vi.advanceTimersByTime(3 * SECOND);
    expect(p.events).toHaveLength(1);
    expect(p.other.outbox(10)).toHaveLength(2);
    p.state.available = true;
    vi.advanceTimersByTime(SECOND);
    expect(p.events.map(({ tenant }) => tenant)).toEqual(['acme', 'acme', 'globex']);
    vi.advanceTimersByTime(2 * SECOND);
    expect(p.other.outbox(10)).toEqual([]);
    expect(p.events).toHaveLength(3);
  });

  test('empties itself batch by batch', () => {
    using p = pumping();
    for (let count = 0; count < 450; count += 1)
      p.other.post(JSON.stringify({ ...READ, details: { count } }));
    p.start();
    vi.advanceTimersByTime(10 * SECOND);
    expect(p.events.map(({ details }) => details['count'])).toEqual(Array.from({ length: 450 }, (_, i) => i));
    expect(p.other.outbox(10)).toEqual([]);
  });

  test('drops what is no event, and says so', () => {
    using p = pumping();
    for (const text of ['{', 'null', '{"event":"toString"}', '"x"']) p.other.post(text);
    p.other.post(JSON.stringify(READ));
    p.start();
    expect(p.events).toEqual([READ]);
    expect(p.log.errors).toBe(4);
    vi.advanceTimersByTime(2 * SECOND);
    expect(p.other.outbox(10)).toEqual([]);
  });

  test('is asked again after the store was away, which is said once', () => {
    using p = pumping();
    p.start();
    p.store.close();
    vi.advanceTimersByTime(3 * SECOND);
    expect(p.log.errors).toBe(1);
  });
});

describe('an erasure', () => {
  const SAM = { kind: 'principal', id: 'sam', issuer: 'i', org: null, email: null, name: null } as const;

  test('of another process is told to the writer within a second, and journalled', () => {
    using p = pumping();
    const { id } = p.store.of(SAM);
    p.start();
    p.other.erase(id, 1);
    expect(p.state.erased).toBe(0);
    vi.advanceTimersByTime(SECOND);
    expect(p.state.erased).toBe(1);
    expect(p.events).toEqual([
      expect.objectContaining({ event: 'subject.erased', details: { subject: id } }),
    ]);
    vi.advanceTimersByTime(5 * SECOND);
    expect(p.state.erased).toBe(1);
  });

  test('of this process is told at a poke', () => {
    using p = pumping();
    const { id } = p.store.of(SAM);
    const pump = p.start();
    p.store.erase(id, 1);
    pump.poke();
    expect(p.state.erased).toBe(1);
    expect(p.events).toHaveLength(1);
  });

  test('is told while the journal is away', () => {
    using p = pumping();
    const { id } = p.store.of(SAM);
    p.start();
    p.state.available = false;
    p.other.erase(id, 1);
    vi.advanceTimersByTime(SECOND);
    expect(p.state.erased).toBe(1);
    expect(p.events).toEqual([]);
  });
});
