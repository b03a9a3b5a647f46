// What a tenant's settings allow of a grant, at both edges: exactly the limit passes, a millisecond more does not.
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import { GrantRefusal, type GrantRefusalCode } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { after, endOfDate } from '#grants/calendar.ts';
import type { CasePeriod } from '#grants/grant-limits.ts';
import type { GrantDraft, GrantPatch } from '#grants/grant-store.ts';
import { changedGrant, createdGrant } from '#grants/lifecycle.ts';
import { admin, at, DAY, draft, grant, HOUR, settingsWith, START } from '../../support/grants-fixtures.ts';

interface Given {
  readonly settings?: TenantSettings;
  readonly by?: Actor;
  readonly now?: EpochMs;
  readonly ofCase?: readonly CasePeriod[];
}

function context({ settings = settingsWith(), by = admin, now = START, ofCase = [] }: Given) {
  return { now, settings, by, ofCase: () => ofCase };
}

function create(over: Partial<GrantDraft>, given: Given = {}): Grant {
  return createdGrant('grt_01JHNM9N00000000000000000B' as GrantId, draft(over), context(given));
}

function change(patch: GrantPatch, over: Partial<Grant>, given: Given = {}): Grant {
  return changedGrant(grant(over), patch, context({ now: at(HOUR), ...given }));
}

function outcome(run: () => unknown): GrantRefusalCode | 'allowed' {
  try {
    run();
    return 'allowed';
  } catch (error) {
    if (!(error instanceof GrantRefusal)) throw error;
    expect(error.message).toMatch(/^[A-Z].+\.$/);
    return error.code;
  }
}

const BERLIN = 'Europe/Berlin';

describe('the longest and the shortest period', () => {
  const durations = { min: '1d', max: '1y', default: '1w' };
  const settings = settingsWith({ timeZone: BERLIN, durations });
  const longest = after(START, '1y', BERLIN);

  it.each<[string, EpochMs, GrantRefusalCode | 'allowed']>([
    ['a year', longest, 'allowed'],
    ['a year and a millisecond', (longest + 1) as EpochMs, 'too_long'],
    ['a day', at(DAY), 'allowed'],
    ['a day less a millisecond', at(DAY - 1), 'too_short'],
  ])('%s', (_name, expiresAt, expected) => {
    expect(outcome(() => create({ expiresAt }, { settings }))).toBe(expected);
  });

  it('counts a month in the tenant’s zone, not in UTC', () => {
    const monthly = settingsWith({ timeZone: BERLIN, durations: { max: '1mo' } });
    // From 12:00 in winter to 12:00 in summer time it is an hour less.
    const startsAt = Date.UTC(2030, 2, 15, 11) as EpochMs;
    const given = { settings: monthly, now: startsAt };
    const noon = Date.UTC(2030, 3, 15, 10) as EpochMs;
    expect(outcome(() => create({ startsAt, expiresAt: noon }, given))).toBe('allowed');
    expect(outcome(() => create({ startsAt, expiresAt: (noon + 1) as EpochMs }, given))).toBe('too_long');
  });

  it('reads what was written in the zone that holds at the commit', () => {
    const wish = { expiresAt: { written: '2030-01-20' } };
    expect(create(wish, { settings }).expiresAt).toBe(endOfDate('2030-01-20', BERLIN));
    const moved = settingsWith({ timeZone: 'Asia/Tokyo', durations });
    expect(create(wish, { settings: moved }).expiresAt).toBe(endOfDate('2030-01-20', 'Asia/Tokyo'));
    expect(create({ expiresAt: { written: null } }, { settings }).expiresAt).toBe(at(7 * DAY));
  });

  it('leaves a grant’s end where it was when the tenant moves to another zone', () => {
    const end = endOfDate('2030-01-20', BERLIN) as EpochMs;
    const moved = settingsWith({ timeZone: 'Pacific/Auckland', durations });
    const narrower = change(
      { expiresAt: { written: '2030-01-18' } },
      { expiresAt: end },
      { settings: moved },
    );
    expect(narrower.expiresAt).toBe(endOfDate('2030-01-18', 'Pacific/Auckland'));
    expect(
      change({ access: 'read' }, { expiresAt: end, access: 'write' }, { settings: moved }).expiresAt,
    ).toBe(end);
  });
});

describe('ends that are dates', () => {
  const durations = { wholeDays: 1, min: '1d', max: '5y', default: '1w' };
  const settings = settingsWith({ timeZone: BERLIN, durations });
  const on = (date: string, over: Partial<GrantDraft> = {}) =>
    outcome(() => create({ expiresAt: { written: date }, ...over }, { settings }));

  it.each([
    ['2030-01-15', 'too_short'],
    ['2030-01-16', 'allowed'],
    ['2035-01-15', 'allowed'],
    ['2035-01-16', 'too_long'],
    ['2030-01-14', 'end_in_past'],
  ])('%s is %s', (date, expected) => {
    expect(on(date)).toBe(expected);
  });

  it('count the day from the activation, also where the next day has 23 hours', () => {
    const startsAt = Date.UTC(2030, 2, 30, 22, 30) as EpochMs;
    const given = { settings, now: startsAt };
    const nextDay = () => create({ startsAt, expiresAt: { written: '2030-03-31' } }, given);
    expect((nextDay().expiresAt as number) - startsAt).toBeLessThan(DAY);
    const sameDay = () => create({ startsAt, expiresAt: { written: '2030-03-30' } }, given);
    expect(outcome(sameDay)).toBe('too_short');
  });

  it('are refused as instants within a day, and taken as the instant a day ends', () => {
    const end = endOfDate('2030-01-20', BERLIN) as EpochMs;
    expect(outcome(() => create({ expiresAt: end }, { settings }))).toBe('allowed');
    expect(outcome(() => create({ expiresAt: (end - 1) as EpochMs }, { settings }))).toBe('whole_days');
    expect(outcome(() => create({ expiresAt: (end + 1) as EpochMs }, { settings }))).toBe('whole_days');
  });
});

describe('periods on offer', () => {
  const durations = { presets: ['1d', '1w', '1mo', '1y'], min: '1d', max: '1y', indefinite: true };
  const settings = settingsWith({ timeZone: BERLIN, durations });

  it.each<[string, Partial<GrantDraft>, GrantRefusalCode | 'allowed']>([
    ['one of them', { expiresAt: { written: '1mo' } }, 'allowed'],
    ['the same length otherwise written', { expiresAt: at(7 * DAY) }, 'allowed'],
    ['no end, where that is on offer', { expiresAt: null }, 'allowed'],
    ['another', { expiresAt: { written: '3d' } }, 'not_a_preset'],
    ['a millisecond more', { expiresAt: at(7 * DAY + 1) }, 'not_a_preset'],
    ['another, asked for by support', { expiresAt: { written: '3d' }, source: 'request' }, 'allowed'],
  ])('%s', (_name, over, expected) => {
    expect(outcome(() => create(over, { settings }))).toBe(expected);
  });

  it('may be changed later to anything within the limits, from the start or chosen anew from now', () => {
    const now = at(2 * DAY);
    const old = { expiresAt: at(7 * DAY) };
    expect(outcome(() => change({ expiresAt: { written: '2030-02-01' } }, old, { settings, now }))).toBe(
      'allowed',
    );
    const year = { expiresAt: { written: '1y' } };
    expect(change(year, old, { settings, now }).expiresAt).toBe(after(START, '1y', BERLIN));
    expect(change({ ...year, periodFrom: now }, old, { settings, now }).expiresAt).toBe(
      after(now, '1y', BERLIN),
    );
    const past = () => change({ ...year, periodFrom: START }, old, { settings, now });
    expect(past).toThrow(RangeError);
  });
});

describe('a start', () => {
  const settings = settingsWith({ timeZone: BERLIN, durations: { maxStartDelay: '1mo' } });
  const latest = after(START, '1mo', BERLIN);
  it.each<[EpochMs, GrantRefusalCode | 'allowed']>([
    [latest, 'allowed'],
    [(latest + 1) as EpochMs, 'start_too_late'],
    [at(-60_000), 'allowed'],
    [at(-60_001), 'start_in_past'],
  ])('at %d', (startsAt, expected) => {
    const expiresAt = (startsAt + DAY) as EpochMs;
    expect(outcome(() => create({ startsAt, expiresAt }, { settings }))).toBe(expected);
  });
});

function other(over: Partial<CasePeriod>): CasePeriod {
  return {
    id: 'grt_01JHNM9N00000000000000000C' as GrantId,
    startsAt: START,
    expiresAt: at(DAY),
    revokedAt: null,
    ...over,
  };
}

describe('the time of a support case', () => {
  const settings = settingsWith({ durations: { maxPerCase: '14d', indefinite: true } });
  const now = at(10 * DAY);
  const until = (expiresAt: EpochMs, ofCase: readonly CasePeriod[], startsAt = now) =>
    outcome(() => create({ startsAt, expiresAt }, { settings, now, ofCase }));

  it.each<[string, Partial<CasePeriod>]>([
    ['one that has expired', {}],
    ['one that was revoked', { expiresAt: at(14 * DAY), revokedAt: at(HOUR) }],
    ['one that still holds', { expiresAt: at(12 * DAY) }],
  ])('counts from the start of %s, gaps or not', (_name, over) => {
    expect(until(at(14 * DAY), [other(over)])).toBe('allowed');
    expect(until(at(14 * DAY + 1), [other(over)])).toBe('case_limit');
  });

  it('counts the first of many, in whatever order', () => {
    const many = [other({ startsAt: at(5 * DAY) }), other({}), other({ startsAt: at(2 * DAY) })];
    expect(until(at(14 * DAY), many)).toBe('allowed');
    expect(until(at(14 * DAY + 1), many)).toBe('case_limit');
  });

  it('does not count what was revoked before it began', () => {
    const never = other({ startsAt: at(2 * DAY), expiresAt: at(3 * DAY), revokedAt: at(2 * DAY) });
    expect(until(at(24 * DAY), [never])).toBe('allowed');
    expect(until(at(24 * DAY + 1), [never])).toBe('too_long');
  });

  it('holds back what would make another grant of the case last too long', () => {
    const later = other({ startsAt: at(12 * DAY), expiresAt: at(25 * DAY) });
    expect(until(at(12 * DAY), [later], at(11 * DAY))).toBe('allowed');
    expect(until(at(12 * DAY), [later], (at(11 * DAY) - 1) as EpochMs)).toBe('case_limit');
  });

  it('asks for a case and an end', () => {
    const open = settingsWith({
      caseRefRequired: false,
      durations: { maxPerCase: '14d', indefinite: true },
    });
    expect(outcome(() => create({ caseRef: null }, { settings: open }))).toBe('case_ref_required');
    expect(outcome(() => create({ expiresAt: null }, { settings }))).toBe('indefinite_not_allowed');
  });

  it('is not forgotten by giving a grant that has started another case', () => {
    const patch = { caseRef: 'CASE-2' };
    expect(outcome(() => change(patch, {}, { settings }))).toBe('case_fixed');
    expect(outcome(() => change(patch, { startsAt: at(2 * HOUR) }, { settings }))).toBe('allowed');
    expect(outcome(() => change(patch, {}))).toBe('allowed');
  });

  it('is asked at an extension, and never of what is shortened', () => {
    const old = { startsAt: at(9 * DAY), expiresAt: at(20 * DAY) };
    const first = [other({}), other({ id: grant().id, startsAt: at(9 * DAY) })];
    expect(outcome(() => change({ expiresAt: at(21 * DAY) }, old, { settings, now, ofCase: first }))).toBe(
      'case_limit',
    );
    expect(outcome(() => change({ expiresAt: at(15 * DAY) }, old, { settings, now, ofCase: first }))).toBe(
      'allowed',
    );
  });
});
