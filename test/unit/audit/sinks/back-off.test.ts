import { describe, expect, it } from 'vitest';
import { backOffMs, codeOf } from '#audit/sinks/back-off.ts';
import { DeliveryError, retryAfterOf } from '#audit/sinks/http-post.ts';

describe('the pause after a failure', () => {
  it('lies anywhere up to a ceiling that doubles and ends at 30 s', () => {
    const error = new Error('planted');
    for (const [failures, ceiling] of [
      [1, 50],
      [2, 100],
      [5, 800],
      [10, 25_600],
      [11, 30_000],
      [5000, 30_000],
    ] as const) {
      expect(backOffMs(failures, error, () => 0)).toBe(1);
      expect(backOffMs(failures, error, () => 1 - Number.EPSILON)).toBe(ceiling);
    }
  });

  it('comes on top of what the receiver asked for, which counts up to five minutes', () => {
    expect(backOffMs(1, new DeliveryError('http_429', 7000), () => 0.5)).toBe(7025);
    expect(backOffMs(1, new DeliveryError('http_429', 1e9), () => 0.5)).toBe(300_025);
    expect(backOffMs(1, { retryAfterMs: Number.NaN }, () => 0.5)).toBe(25);
    expect(backOffMs(1, null, () => 0.5)).toBe(25);
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['1.5', null],
    ['99999999999', null],
    ['Thu, never', null],
    [undefined, null],
  ])('of %j is %j', (value, expected) => {
    expect(retryAfterOf(value, now)).toBe(expected);
  });
});

describe('the code of an error', () => {
  it.each([
    [{ code: 'ECONNREFUSED' }, 'ECONNREFUSED'],
    [{ code: 'http_503' }, 'http_503'],
    [{ code: 'https://u:p@siem.example' }, 'unknown'],
    [{ code: 'A'.repeat(65) }, 'unknown'],
    [{ code: 5 }, 'unknown'],
    [{}, 'unknown'],
    [null, 'unknown'],
    ['text', 'unknown'],
  ])('%j is the word %s', (error, expected) => {
    expect(codeOf(error)).toBe(expected);
  });
});
