import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWatchdog, type Watched } from '#upstream/watchdog.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function watched(): Watched & { heard: number[] } {
  const heard: number[] = [];
  return { previous: null, next: null, progressAt: 0, stalled: (ms) => void heard.push(ms), heard };
}

describe('the watchdog', () => {
  it('says how long nothing has moved, never more than has passed', () => {
    const dog = createWatchdog(100);
    vi.advanceTimersByTime(150);
    const one = watched();
    dog.add(one);
    vi.advanceTimersByTime(60);
    expect(one.heard).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(one.heard).toEqual([100]);
    one.progressAt = dog.tick;
    vi.advanceTimersByTime(300);
    expect(one.heard).toEqual([100, 100, 200]);
    dog.close();
  });

  it('forgets what is removed, in any order and from within its own call', () => {
    const dog = createWatchdog(100);
    const [first, second, third, last] = [watched(), watched(), watched(), watched()];
    for (const one of [first, second, third, last]) dog.add(one);
    dog.remove(second);
    dog.remove(second);
    third.stalled = () => dog.remove(third);
    vi.advanceTimersByTime(300);
    expect(dog.size).toBe(2);
    dog.remove(last);
    dog.remove(first);
    expect(dog.size).toBe(0);
    expect(second.heard).toEqual([]);
    dog.close();
  });
});
