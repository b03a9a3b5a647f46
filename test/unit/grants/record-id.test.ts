import { describe, expect, it } from 'vitest';
import { createIdSource, isGrantId, isRecordId } from '#grants/record-id.ts';
import { at } from '../../support/grants-fixtures.ts';

describe('grant ids', () => {
  it('have their documented form', () => {
    expect(createIdSource().next('grt', at(0))).toMatch(/^grt_[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('sort by creation, within a millisecond too and when the clock goes back', () => {
    const source = createIdSource();
    const times = [0, 0, 0, 1, 1, 5, 2, 2, 6];
    const ids = times.map((ms) => source.next('grt', at(ms)));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are not mistaken for anything else', () => {
    const id = createIdSource().next('grt', at(0));
    expect(isGrantId(id)).toBe(true);
    expect(isRecordId('ses', id)).toBe(false);
    expect(isRecordId('ses', createIdSource().next('ses', at(0)))).toBe(true);
    for (const other of [
      id.toLowerCase(),
      `${id}A`,
      id.slice(0, -1),
      `${id}\n`,
      `x${id}`,
      'grt_',
      '__proto__',
    ]) {
      expect(isGrantId(other), other).toBe(false);
    }
  });
});
