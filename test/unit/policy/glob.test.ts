// `*` within a segment: held against a slow matcher that tries every way, and against what a deny rule must not miss.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob, globMatches, sameGlob } from '#policy/glob.ts';

function matches(glob: string, segment: string): boolean {
  return globMatches(compileGlob(glob.split('*')), segment);
}

/** By trying every length for each star. */
function matchesByDefinition(glob: string, segment: string): boolean {
  if (glob === '') return segment === '';
  if (!glob.startsWith('*')) {
    return segment !== '' && glob[0] === segment[0] && matchesByDefinition(glob.slice(1), segment.slice(1));
  }
  for (let taken = 0; taken <= segment.length; taken++) {
    if (matchesByDefinition(glob.slice(1), segment.slice(taken))) return true;
  }
  return false;
}

function same(a: string, b: string): boolean {
  return sameGlob(compileGlob(a.split('*')), compileGlob(b.split('*')));
}

describe('a glob', () => {
  it('matches what stands before, between and after its stars', () => {
    expect(matches('report-*.csv', 'report-2026.csv')).toBe(true);
    expect(matches('report-*.csv', 'report-.csv')).toBe(true);
    expect(matches('*:export', 'customers:export')).toBe(true);
    expect(matches('a*', 'a')).toBe(true);
    expect(matches('*b*', 'abc')).toBe(true);
    expect(matches('**', '')).toBe(true);
  });

  it('does not match where a piece is missing, out of order or at the wrong end', () => {
    expect(matches('report-*.csv', 'xreport-1.csv')).toBe(false);
    expect(matches('report-*.csv', 'report-1.csvx')).toBe(false);
    expect(matches('a*b*c*d', 'acbd')).toBe(false);
    expect(matches('a*b*c', 'ac')).toBe(false);
    expect(matches('*b*', 'ac')).toBe(false);
  });

  it('never uses a character of the segment twice', () => {
    expect(matches('ab*bc', 'abc')).toBe(false);
    expect(matches('a*bc*cd', 'abcd')).toBe(false);
    expect(matches('a*bc*cd', 'abccd')).toBe(true);
    expect(matches('*ab*ba*', 'aba')).toBe(false);
    expect(matches('*ab*ba*', 'abba')).toBe(true);
  });

  it('agrees with a matcher that tries every way', () => {
    const glob = fc
      .array(fc.constantFrom('a', 'b', '*', 'ab', '**'), { minLength: 1, maxLength: 7 })
      .map((parts) => parts.join(''))
      .filter((text) => text.includes('*'));
    const segment = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(glob, segment, (one, other) => {
        expect(matches(one, other)).toBe(matchesByDefinition(one, other));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes stars side by side for one, and is frozen throughout', () => {
    const glob = compileGlob(['a', '', 'b', '', '', 'c']);
    expect(glob).toEqual({ prefix: 'a', middle: ['b'], suffix: 'c' });
    expect(Object.isFrozen(glob) && Object.isFrozen(glob.middle)).toBe(true);
  });
});

describe('two globs', () => {
  it('are the same when all their pieces are', () => {
    expect(same('a*b*c*d', 'a*b*c*d')).toBe(true);
    expect(same('a*b', 'a**b')).toBe(true);
    expect(same('*', '*')).toBe(true);
  });

  it('are not the same when one piece differs, or one has more', () => {
    for (const other of ['x*b*c*d', 'a*b*c*x', 'a*x*c*d', 'a*b*x*d', 'a*b*d', 'a*b*c*e*d', 'a*d']) {
      expect(same('a*b*c*d', other), other).toBe(false);
      expect(same(other, 'a*b*c*d'), other).toBe(false);
    }
  });
});
