import { describe, expect, it } from 'vitest';
import { parseDuration } from '#model/duration.ts';

describe('durations', () => {
  it.each([
    ['0s', 0],
    ['30s', 30_000],
    ['15m', 900_000],
    ['8h', 28_800_000],
    ['14d', 1_209_600_000],
    ['4w', 2_419_200_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    '30',
    's',
    '1.5h',
    '-1h',
    '+1h',
    ' 1h',
    '1h ',
    '1 h',
    '1H',
    '01h',
    '1h30m',
    '1mo',
    '5y',
    '1h\n',
    '9999999999w',
    '１h',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});
