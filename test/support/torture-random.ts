// Random numbers that come again for the same seed: a run that failed can be asked for once more.

export interface Random {
  /** From 0 up to but excluding 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number;
  /** One of them. */
  pick<T>(these: readonly T[]): T;
  /** A stream of its own, so that what one part draws does not move the other. */
  fork(): Random;
}

/** The generator mulberry32: enough for choosing instants, and nothing else. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    pick: (these) => these[whole(0, these.length - 1)] as (typeof these)[number],
    fork: () => randomFrom(Math.floor(next() * 4294967296)),
  };
}
