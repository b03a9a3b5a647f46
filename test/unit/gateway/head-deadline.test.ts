// Who is late with the head of a request: told once, in the order of their beginnings, and nobody else; against a plain
// model under random beginnings and ends.
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientConnection } from '../../../src/gateway/client-connection.ts';
import { watchHeads } from '../../../src/gateway/head-deadline.ts';

const TIMEOUT_MS = 1000;
/** Those who are late within so long end together. */
const LATEST_MS = TIMEOUT_MS + 20;

const newConnection = (): ClientConnection => {
  const socket = { remoteAddress: '127.0.0.1' } as ClientConnection['socket'];
  return new ClientConnection(socket, socket, false, () => undefined);
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the deadline of heads', () => {
  it('tells of each that is late, once, in the order of their beginnings', () => {
    const late: ClientConnection[] = [];
    const heads = watchHeads(TIMEOUT_MS, (connection) => late.push(connection));
    const [first, second, third] = [newConnection(), newConnection(), newConnection()];
    heads.begin(first);
    vi.advanceTimersByTime(500);
    heads.begin(second);
    heads.begin(third);
    vi.advanceTimersByTime(499);
    expect(late).toEqual([]);
    vi.advanceTimersByTime(21);
    expect(late).toEqual([first]);
    vi.advanceTimersByTime(10_000);
    expect(late).toEqual([first, second, third]);
  });

  it('begins anew with each head, and is over when it is whole', () => {
    const late: ClientConnection[] = [];
    const heads = watchHeads(TIMEOUT_MS, (connection) => late.push(connection));
    const [slow, quick] = [newConnection(), newConnection()];
    heads.begin(slow);
    heads.begin(quick);
    vi.advanceTimersByTime(900);
    heads.begin(slow);
    heads.end(quick);
    heads.end(quick);
    vi.advanceTimersByTime(999);
    expect(late).toEqual([]);
    vi.advanceTimersByTime(21);
    expect(late).toEqual([slow]);
  });

  it('bears that the end of one ends others, or begins one', () => {
    const late: ClientConnection[] = [];
    const [first, second, third] = [newConnection(), newConnection(), newConnection()];
    const heads = watchHeads(TIMEOUT_MS, (connection) => {
      late.push(connection);
      heads.end(second);
      if (connection === first) heads.begin(first);
    });
    for (const connection of [first, second, third]) heads.begin(connection);
    vi.advanceTimersByTime(LATEST_MS);
    expect(late).toEqual([first, third]);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(LATEST_MS);
    expect(late).toEqual([first, third, first]);
  });

  it('has no timer while nobody has a head to send', () => {
    const heads = watchHeads(TIMEOUT_MS, () => undefined);
    const connection = newConnection();
    heads.begin(connection);
    heads.end(connection);
    vi.advanceTimersByTime(LATEST_MS);
    expect(vi.getTimerCount()).toBe(0);
    heads.begin(connection);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('agrees with a plain model', () => {
    const step = fc.record({
      what: fc.constantFrom('begin' as const, 'end' as const),
      who: fc.nat(9),
      thenMs: fc.constantFrom(0, 1, 7, 150, 999, 1000, 1001, 2500),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const connections = Array.from({ length: 10 }, newConnection);
        const since = new Map<number, number>();
        const heads = watchHeads(TIMEOUT_MS, (connection) => {
          const who = connections.indexOf(connection);
          const age = performance.now() - (since.get(who) ?? Number.NaN);
          expect(age).toBeGreaterThanOrEqual(TIMEOUT_MS);
          expect(age).toBeLessThanOrEqual(LATEST_MS);
          since.delete(who);
        });
        for (const { what, who, thenMs } of steps) {
          heads[what](connections[who] as ClientConnection);
          if (what === 'begin') since.set(who, performance.now());
          else since.delete(who);
          vi.advanceTimersByTime(thenMs);
          for (const at of since.values()) expect(performance.now() - at).toBeLessThanOrEqual(LATEST_MS);
        }
        vi.advanceTimersByTime(LATEST_MS);
        expect(since.size).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
