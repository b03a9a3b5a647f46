import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchYoungGeneration } from '#gateway/young-generation.ts';

function watched() {
  const overload = { connections: 0 };
  const flags: string[] = [];
  const watch = watchYoungGeneration(overload, (flag) => flags.push(flag));
  /** A look at so many; what was set by it. */
  function at(connections: number): string[] {
    overload.connections = connections;
    flags.length = 0;
    vi.advanceTimersByTime(1000);
    return [...flags];
  }
  return { at, flags, watch };
}

describe('how often the young generation is collected', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const FEW = '--minor-gc-task-trigger=40';
  const MANY = '--minor-gc-task-trigger=20';

  it('is set at once, oftener with many connections, and as before when they are gone', () => {
    const { at, flags } = watched();
    expect(flags).toEqual([FEW]);
    expect(at(511)).toEqual([]);
    expect(at(512)).toEqual([MANY]);
    expect(at(10_000)).toEqual([]);
    expect(at(257)).toEqual([]);
    expect(at(256)).toEqual([FEW]);
    expect(at(511)).toEqual([]);
  });

  it('is not looked at any more when it is disposed of', () => {
    const { at, watch } = watched();
    watch[Symbol.dispose]();
    expect(at(10_000)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
