// Lengths of time, days and instants in the zones of tenants. Every expected instant is written as its UTC text, worked
// out from the zone's published rules, not by the code under test.
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import {
  after,
  describeLength,
  endOf,
  endOfDate,
  endOfDayAfter,
  isDayEnd,
  LAST_INSTANT,
} from '#grants/calendar.ts';

const utc = (text: string): EpochMs => Date.parse(text) as EpochMs;
const shown = (at: EpochMs | null): string | null => (at === null ? null : new Date(at).toISOString());

describe('a length of time', () => {
  it.each([
    ['30s', '2030-01-15T12:00:30.000Z'],
    ['15m', '2030-01-15T12:15:00.000Z'],
    ['8h', '2030-01-15T20:00:00.000Z'],
    ['14d', '2030-01-29T12:00:00.000Z'],
    ['4w', '2030-02-12T12:00:00.000Z'],
    ['1mo', '2030-02-15T12:00:00.000Z'],
    ['5y', '2035-01-15T12:00:00.000Z'],
    ['18mo', '2031-07-15T12:00:00.000Z'],
  ])('%s after noon of 15 January is %s', (text, expected) => {
    expect(shown(after(utc('2030-01-15T12:00:00Z'), text, 'UTC'))).toBe(expected);
  });

  it.each([
    // Month ends: the last day where the month has no such day, counted in the zone and not in UTC.
    ['2030-01-31T12:00:00Z', '1mo', 'UTC', '2030-02-28T12:00:00.000Z'],
    ['2028-01-31T12:00:00Z', '1mo', 'UTC', '2028-02-29T12:00:00.000Z'],
    ['2028-02-29T12:00:00Z', '1y', 'UTC', '2029-02-28T12:00:00.000Z'],
    ['2028-02-29T12:00:00Z', '4y', 'UTC', '2032-02-29T12:00:00.000Z'],
    ['2030-03-31T12:00:00Z', '1mo', 'UTC', '2030-04-30T12:00:00.000Z'],
    ['2030-01-31T20:00:00Z', '1mo', 'Asia/Tokyo', '2030-02-28T20:00:00.000Z'],
    // It is 1 February in Tokyo already, so a month later is 1 March there: 28 February in UTC.
    ['2030-01-31T15:00:00Z', '1mo', 'Asia/Tokyo', '2030-02-28T15:00:00.000Z'],
    ['2030-01-31T14:59:59Z', '1mo', 'Asia/Tokyo', '2030-02-28T14:59:59.000Z'],
    // The same wall clock after a change of the clocks: 671 and 673 hours of 672.
    ['2030-03-15T12:00:00Z', '1mo', 'Europe/Berlin', '2030-04-15T11:00:00.000Z'],
    ['2030-10-15T12:00:00Z', '1mo', 'Europe/Berlin', '2030-11-15T13:00:00.000Z'],
    ['2030-02-15T12:00:00Z', '1mo', 'America/New_York', '2030-03-15T11:00:00.000Z'],
    ['2030-03-15T01:00:00Z', '1mo', 'Australia/Lord_Howe', '2030-04-15T01:30:00.000Z'],
    // 02:30 that Berlin skips on 31 March 2030: the clock shows 03:30 then.
    ['2030-02-28T01:30:00Z', '1mo', 'Europe/Berlin', '2030-03-28T01:30:00.000Z'],
    ['2030-01-31T01:30:00Z', '2mo', 'Europe/Berlin', '2030-03-31T01:30:00.000Z'],
    // 02:30 that Berlin shows twice on 27 October 2030: the first one, still summer time.
    ['2030-09-27T00:30:00Z', '1mo', 'Europe/Berlin', '2030-10-27T00:30:00.000Z'],
    // Fixed lengths know no clock: a day is 24 hours, whatever the zone does meanwhile.
    ['2030-03-30T12:00:00Z', '1d', 'Europe/Berlin', '2030-03-31T12:00:00.000Z'],
    ['2030-10-26T12:00:00Z', '1w', 'Europe/Berlin', '2030-11-02T12:00:00.000Z'],
  ])('%s and %s in %s is %s', (at, text, timeZone, expected) => {
    expect(shown(after(utc(at), text, timeZone))).toBe(expected);
  });

  it('never leads beyond the last instant that can be written', () => {
    expect(after(utc('9950-01-01T00:00:00Z'), '100y', 'UTC')).toBe(LAST_INSTANT);
    expect(endOfDayAfter(utc('9950-01-01T00:00:00Z'), '100y', 'Asia/Tokyo')).toBe(LAST_INSTANT);
  });

  it('is said in words', () => {
    expect(['1d', '14d', '1mo', '5y', '30s'].map(describeLength)).toEqual([
      '1 day',
      '14 days',
      '1 month',
      '5 years',
      '30 seconds',
    ]);
    expect(() => describeLength('soon')).toThrow(RangeError);
  });
});

describe('the end of a day', () => {
  it.each([
    ['2030-01-31', 'UTC', '2030-02-01T00:00:00.000Z'],
    ['2030-01-31', 'Asia/Tokyo', '2030-01-31T15:00:00.000Z'],
    ['2030-01-31', 'America/Los_Angeles', '2030-02-01T08:00:00.000Z'],
    ['2030-01-31', 'Asia/Kathmandu', '2030-01-31T18:15:00.000Z'],
    ['2030-01-31', 'Pacific/Kiritimati', '2030-01-31T10:00:00.000Z'],
    ['2028-02-29', 'UTC', '2028-03-01T00:00:00.000Z'],
    ['2030-12-31', 'Europe/Berlin', '2030-12-31T23:00:00.000Z'],
    // 23 hours, then 25.
    ['2030-03-30', 'Europe/Berlin', '2030-03-30T23:00:00.000Z'],
    ['2030-03-31', 'Europe/Berlin', '2030-03-31T22:00:00.000Z'],
    ['2030-10-27', 'Europe/Berlin', '2030-10-27T23:00:00.000Z'],
    ['2030-03-10', 'America/New_York', '2030-03-11T04:00:00.000Z'],
    // Lord Howe moves its clocks by half an hour.
    ['2030-10-06', 'Australia/Lord_Howe', '2030-10-06T13:00:00.000Z'],
    // A midnight that does not exist: São Paulo began summer time at it, so the day before ended at 01:00.
    ['2018-11-03', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    // A midnight shown twice: Havana ends summer time at 01:00; the day begins with the first.
    ['2019-11-02', 'America/Havana', '2019-11-03T04:00:00.000Z'],
    // A day that does not exist: Samoa crossed the date line, and 29 December 2011 was followed by the 31st.
    ['2011-12-29', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
    // The same day in a zone whose offset has moved for good: Volgograd left Moscow's time and came back.
    ['2019-06-01', 'Europe/Volgograd', '2019-06-01T20:00:00.000Z'],
    ['2021-06-01', 'Europe/Volgograd', '2021-06-01T21:00:00.000Z'],
  ])('%s in %s is %s', (date, timeZone, expected) => {
    const end = endOfDate(date, timeZone) as EpochMs;
    expect(shown(end)).toBe(expected);
    expect(isDayEnd(end, timeZone)).toBe(true);
    expect(isDayEnd((end - 1) as EpochMs, timeZone)).toBe(false);
    expect(isDayEnd((end + 1) as EpochMs, timeZone)).toBe(false);
  });

  it.each([
    '2030-02-30',
    '2030-02-29',
    '2030-13-01',
    '2030-00-10',
    '2030-01-00',
    '2030-04-31',
    '30-01-01',
    '2030-1-1',
    '2030-01-31[u-ca=hebrew]',
    '2030-01-31 ',
    '+002030-01-31',
    '２０３０-01-31',
  ])('there is none of %j', (date) => {
    expect(endOfDate(date, 'UTC')).toBeNull();
  });

  it.each([
    ['1d', '2030-01-16T23:00:00.000Z'],
    ['1w', '2030-01-22T23:00:00.000Z'],
    ['1mo', '2030-02-15T23:00:00.000Z'],
    ['5y', '2035-01-15T23:00:00.000Z'],
    ['30s', '2030-01-15T23:00:00.000Z'],
    // From noon to the midnight in Berlin it is eleven hours: twelve reach into the next day, eleven fill this one.
    ['11h', '2030-01-15T23:00:00.000Z'],
    ['12h', '2030-01-16T23:00:00.000Z'],
  ])('lies %s after noon (UTC) of 15 January in Berlin: %s', (text, expected) => {
    expect(shown(endOfDayAfter(utc('2030-01-15T12:00:00Z'), text, 'Europe/Berlin'))).toBe(expected);
  });
});

describe('an end as somebody wrote it', () => {
  const startsAt = utc('2030-01-31T12:00:00Z');
  const read = (text: string, wholeDays = false, timeZone = 'Europe/Berlin') =>
    shown(endOf({ text, startsAt, timeZone, wholeDays }));

  it.each([
    ['8h', '2030-01-31T20:00:00.000Z'],
    ['1mo', '2030-02-28T12:00:00.000Z'],
    ['2030-02-28', '2030-02-28T23:00:00.000Z'],
    ['2030-02-28T10:00:00+02:00', '2030-02-28T08:00:00.000Z'],
    ['2030-02-28t10:00:00.123456z', '2030-02-28T10:00:00.123Z'],
  ])('%s', (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it('is a whole day where the tenant’s ends are', () => {
    expect(read('1w', true)).toBe('2030-02-07T23:00:00.000Z');
    expect(read('2030-02-07', true)).toBe('2030-02-07T23:00:00.000Z');
  });

  it.each([
    ['2030-02-30', 'date_invalid'],
    ['2030-02-30T00:00:00Z', 'date_invalid'],
    ['2029-02-29', 'date_invalid'],
    ['2030-2-3', 'date_invalid'],
    ['2030-02-03T24:00:00Z', 'instant_invalid'],
    ['2030-02-03T23:59:60Z', 'instant_invalid'],
    ['2030-02-03T10:00:00', 'instant_invalid'],
    ['2030-02-03T10:00:00[Europe/Berlin]', 'instant_invalid'],
    ['', 'duration_invalid'],
    ['0d', 'duration_invalid'],
    ['30', 'duration_invalid'],
    ['1.5h', 'duration_invalid'],
    ['-1d', 'duration_invalid'],
    ['1h30m', 'duration_invalid'],
    ['1M', 'duration_invalid'],
    ['101y', 'duration_invalid'],
    ['999999999y', 'duration_invalid'],
    ['P1M', 'duration_invalid'],
    ['tomorrow', 'duration_invalid'],
    ['1d\n', 'duration_invalid'],
  ])('%j is refused as %s, and the sentence repeats nothing of it', (text, code) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof GrantRefusal)) throw new Error('was not refused', { cause: thrown });
    expect(thrown.code).toBe(code);
    expect(thrown.message).toMatch(/^[A-Z].+\.$/);
    if (text.length > 3) expect(thrown.message).not.toContain(text);
  });
});
