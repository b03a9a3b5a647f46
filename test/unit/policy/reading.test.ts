// P6: every reading of a path that an application behind the gate may have, segment by segment.
import { describe, expect, it, vi } from 'vitest';
import { MAX_ALTERNATIVES, readDecoded, readNarrow, Reading, readWide } from '#policy/reading.ts';

function told(reading: Reading): readonly (readonly string[])[] {
  return Array.from({ length: reading.length }, (_, i) => {
    const start = i * MAX_ALTERNATIVES;
    return reading.alternatives.slice(start, start + (reading.counts[i] as number));
  });
}

function wide(path: string): readonly (readonly string[])[] {
  const reading = new Reading();
  expect(readWide(path, reading)).toBe(true);
  expect(reading.present.slice(0, reading.length).every(Boolean)).toBe(true);
  return told(reading);
}

function skippable(path: string): readonly boolean[] {
  const reading = new Reading();
  readWide(path, reading);
  return reading.skippable.slice(0, reading.length);
}

describe('the wide reading of a path', () => {
  it('holds each segment once, and no empty ones', () => {
    expect(wide('/a/b/c')).toEqual([['a'], ['b'], ['c']]);
    expect(wide('/a//b/')).toEqual([['a'], ['b']]);
    expect(wide('/')).toEqual([]);
    expect(wide('//')).toEqual([]);
    expect(wide('/a')).toEqual([['a']]);
  });

  it('folds case, escapes and width, in any segment', () => {
    expect(wide('/AZ/a')).toEqual([['az'], ['a']]);
    expect(wide('/A')).toEqual([['a']]);
    expect(wide('/Z')).toEqual([['z']]);
    expect(wide('/@[/`{')).toEqual([['@['], ['`{']]);
    expect(wide('/%41%C3%89/x')).toEqual([['aé'], ['x']]);
    expect(wide('/x/%EF%BD%81')).toEqual([['x'], ['a']]);
    expect(wide('/x/ａ')).toEqual([['x'], ['a']]);
    expect(wide('/a%2Fb/c')).toEqual([['a/b'], ['c']]);
    expect(wide('/a~b/c')).toEqual([['a~b'], ['c']]);
  });

  it('refuses what does not decode, in any segment', () => {
    const reading = new Reading();
    for (const path of ['/%C1%A5', '/a/%FF', '/%zz/a', '/a%'])
      expect(readWide(path, reading), path).toBe(false);
  });

  it('takes parameters off besides, from the first semicolon on', () => {
    expect(wide('/a;x/b')).toEqual([['a;x', 'a'], ['b']]);
    expect(wide('/a;x;y/b')).toEqual([['a;x;y', 'a'], ['b']]);
    expect(wide('/a%3Bx/b')).toEqual([['a;x', 'a'], ['b']]);
    expect(wide('/a;/b')).toEqual([['a;', 'a'], ['b']]);
  });

  it('takes trailing dots and spaces off besides, before and after the parameters', () => {
    expect(wide('/a./b')).toEqual([['a.', 'a'], ['b']]);
    expect(wide('/a.%20%20./b')).toEqual([['a.  .', 'a'], ['b']]);
    expect(wide('/a%20/b')).toEqual([['a ', 'a'], ['b']]);
    expect(wide('/a.;x./b')).toEqual([['a.;x.', 'a.;x', 'a.', 'a'], ['b']]);
    expect(wide('/a..')).toEqual([['a..', 'a']]);
    expect(wide('/.a/b')).toEqual([['.a'], ['b']]);
    expect(wide('/a-/b')).toEqual([['a-'], ['b']]);
  });

  it('takes a format suffix off the last segment besides: a dot and whatever is behind it', () => {
    expect(wide('/a.csv')).toEqual([['a.csv', 'a']]);
    expect(wide('/a.c')).toEqual([['a.c', 'a']]);
    expect(wide('/a.json1234')).toEqual([['a.json1234', 'a']]);
    expect(wide('/a.json12345')).toEqual([['a.json12345', 'a']]);
    expect(wide('/a.c%20v')).toEqual([['a.c v', 'a']]);
    expect(wide('/a.c%20')).toEqual([['a.c ', 'a.c', 'a']]);
    expect(wide('/a.%20')).toEqual([['a. ', 'a']]);
    expect(wide('/a.tar.gz')).toEqual([['a.tar.gz', 'a.tar']]);
    expect(wide('/a..csv')).toEqual([['a..csv', 'a.', 'a']]);
    expect(wide('/a.csv.')).toEqual([['a.csv.', 'a.csv', 'a']]);
    expect(wide('/a.csv;x')).toEqual([['a.csv;x', 'a.csv', 'a']]);
    expect(wide('/ab')).toEqual([['ab']]);
    expect(wide('/12345678')).toEqual([['12345678']]);
  });

  it('takes a suffix of any characters (Rails: `[^/.?]+`), and none off a segment that others follow', () => {
    for (const text of [
      '/a.c-v',
      '/a.c_v',
      '/a.c:v',
      '/a.c@v',
      '/a.c{v',
      '/a.c`v',
      '/a.%C3%A9',
      '/a.c%2Fv',
    ]) {
      expect(wide(text)[0]?.[1], text).toBe('a');
    }
    // The dot that folding makes is none to who does not fold, or looks before (found by `npm run fuzz`).
    expect(wide('/a.b%EF%BC%8Ec')).toEqual([['a.b.c', 'a.b', 'a']]);
    expect(wide('/%E2%80%8B%E2%80%8Ba.b%EF%BC%8Ec')).toEqual([['a.b.c', 'a.b', 'a']]);
    expect(wide('/a.b%EF%BC%8Ec/d')).toEqual([['a.b.c'], ['d']]);
    expect(wide('/a.b;c.d')).toEqual([['a.b;c.d', 'a.b', 'a.b;c', 'a']]);
    expect(wide('/.')).toEqual([['.']]);
    for (const suffix of ['0', '9', 'a', 'z', 'A', 'Z', '0a9z']) {
      expect(wide(`/x.${suffix}`)[0], suffix).toContain('x');
    }
    expect(wide('/a.csv/b')).toEqual([['a.csv'], ['b']]);
    expect(wide('/a.csv/b.csv')).toEqual([['a.csv'], ['b.csv', 'b']]);
  });

  it('takes a suffix off each segment after which an application may see nothing', () => {
    expect(wide('/a.csv/;x')).toEqual([['a.csv', 'a'], [';x']]);
    // A format suffix alone is a segment nobody may see, but it is the one suffix that is taken off.
    expect(wide('/a.csv/.json')).toEqual([['a.csv'], ['.json']]);
    expect(wide('/a.csv/b.csv/;x')).toEqual([['a.csv'], ['b.csv', 'b'], [';x']]);
    expect(wide('/a.csv/;x/%20')).toEqual([['a.csv', 'a'], [';x'], [' ']]);
  });

  it('knows which segments an application may not see at all', () => {
    expect(skippable('/a/;x/b')).toEqual([false, true, false]);
    expect(skippable('/%20/.../a;')).toEqual([true, true, false]);
    expect(skippable('/%E2%80%8B/a')).toEqual([true, false]);
    expect(skippable('/a.')).toEqual([false]);
    expect(skippable('/.json')).toEqual([true]);
    expect(skippable('/.json/a')).toEqual([false, false]);
  });

  it('has no more alternatives than there is room for', () => {
    expect(wide('/a.b.;c.d.')[0]).toEqual(['a.b.;c.d.', 'a.b.;c.d', 'a.b.', 'a.b', 'a.b.;c', 'a']);
    expect(wide('/a.b..c.;d..e.').at(0)?.length).toBeLessThanOrEqual(MAX_ALTERNATIVES);
  });

  it('forgets the path before', () => {
    const reading = new Reading();
    expect(reading.length).toBe(0);
    readWide('/;x/b;y/c', reading);
    readWide('/a', reading);
    expect(told(reading)).toEqual([['a']]);
    expect(reading.skippable[0]).toBe(false);
    readDecoded(['b'], reading);
    expect(told(reading)).toEqual([['b']]);
    readNarrow('/c', reading);
    expect(told(reading)).toEqual([['c']]);
  });

  it('does no Unicode work for a plain path, and lowers it only where there is something to lower', () => {
    const normalize = vi.spyOn(String.prototype, 'normalize');
    const lower = vi.spyOn(String.prototype, 'toLowerCase');
    const reading = new Reading();
    try {
      readWide('/exports/2026-01_a~b/@[`{.csv', reading);
      expect(lower).not.toHaveBeenCalled();
      readWide('/Exports', reading);
      expect(normalize).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe('the reading of segments that were decoded elsewhere', () => {
  it('folds them and gives them the same alternatives', () => {
    const reading = new Reading();
    readDecoded(['A%41', 'É;x', 'B.csv'], reading);
    expect(told(reading)).toEqual([['a%41'], ['é;x', 'é'], ['b.csv', 'b']]);
    readDecoded([], reading);
    expect(told(reading)).toEqual([]);
  });
});

describe('the narrow reading of a path', () => {
  it('holds the bytes of each segment, and nothing else', () => {
    const reading = new Reading();
    readNarrow('/A/b%2Fc;x/d.csv', reading);
    expect(told(reading)).toEqual([['A'], ['b%2Fc;x'], ['d.csv']]);
    expect(reading.skippable.slice(0, 3)).toEqual([false, false, false]);
    expect(reading.present.slice(0, 3)).toEqual([true, true, true]);
  });

  it('has a last, empty segment for a trailing slash, which is there for no wildcard', () => {
    const reading = new Reading();
    readNarrow('/a/', reading);
    expect(told(reading)).toEqual([['a'], ['']]);
    expect(reading.present.slice(0, 2)).toEqual([true, false]);
    readNarrow('/', reading);
    expect(told(reading)).toEqual([['']]);
    expect(reading.present[0]).toBe(false);
  });

  it('forgets what a wide reading left', () => {
    const reading = new Reading();
    readWide('/;x/b;y', reading);
    readNarrow('/a/b', reading);
    expect(told(reading)).toEqual([['a'], ['b']]);
    expect(reading.skippable.slice(0, 2)).toEqual([false, false]);
    readNarrow('/', reading);
    readWide('/a', reading);
    expect(reading.present[0]).toBe(true);
  });
});
