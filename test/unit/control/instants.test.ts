import { describe, expect, it } from 'vitest';
import { formatInstant, parseInstant } from '#control/instants.ts';

describe('instants', () => {
  it.each([
    ['2030-01-31T12:00:00Z', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31t12:00:00.123456789z', '2030-01-31T12:00:00.123Z'],
    ['2030-01-31T12:00:00+02:00', '2030-01-31T10:00:00.000Z'],
    ['2028-02-29T23:59:59-00:30', '2028-03-01T00:29:59.000Z'],
  ])('reads %s', (text, same) => {
    expect(formatInstant(parseInstant(text) ?? (0 as never))).toBe(same);
  });

  it.each([
    '2030-02-30T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-31T24:00:00Z',
    '2030-01-31T23:59:60Z',
    '2030-01-31T12:00:00',
    '2030-01-31 12:00:00Z',
    '2030-01-31T12:00Z',
    '2030-01-31',
    '1893499200000',
    '+002030-01-31T12:00:00Z',
    'tomorrow',
    '',
    '2030-01-31T12:00:00Z\n',
  ])('refuses %j', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});
