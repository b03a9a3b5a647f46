// Patterns for case references: what may be configured, and that nothing that may be is slow.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseRefMatcher, isCaseRef, MAX_CASE_REF_CHARS } from '#model/case-pattern.ts';

describe('a pattern for case references', () => {
  it.each([
    ['[0-9]{5,8}', '123456', 'x123456'],
    [String.raw`CASE-\d+`, 'CASE-7', 'CASE-7 '],
    [String.raw`[A-Z]{2,4}-[0-9]{1,6}|INC\d{7}`, 'INC1234567', 'AB-1INC1234567'],
    [String.raw`[A-Z0-9_.-]+`, 'A.1-b'.toUpperCase(), 'a'],
    [String.raw`a\.b`, 'a.b', 'axb'],
  ])('%s matches a whole text or nothing', (pattern, good, bad) => {
    const matcher = caseRefMatcher(pattern);
    expect(matcher?.test(good)).toBe(true);
    expect(matcher?.test(bad)).toBe(false);
  });

  it.each([
    ['a group that repeats what repeats', '(a+)+'],
    ['alternatives in a group', '(?:a|a)*'],
    ['look-ahead', '(?=a)a'],
    ['a reference back', String.raw`([0-9])\1`],
    ['anything at all', '.*'],
    ['a class of everything else', '[^a]'],
    ['many open repeats in a row', '[0-9]*[0-9]*[0-9]*[0-9]*'],
    ['a repeat of a repeat', 'a{2}{3}'],
    ['an anchor', '^a$'],
    ['a range that runs backwards', '[z-a]'],
    ['more at least than at most', 'a{3,1}'],
    ['an empty alternative', 'a|'],
    ['nothing', ''],
    ['a long one', 'a'.repeat(129)],
    ['many alternatives', Array.from({ length: 9 }, () => 'a').join('|')],
  ])('is refused with %s', (_what, pattern) => {
    expect(caseRefMatcher(pattern)).toBeNull();
  });

  it('is never run on a longer text than a reference may be', () => {
    const matcher = caseRefMatcher('a+') as RegExp;
    expect(isCaseRef(matcher, 'a'.repeat(MAX_CASE_REF_CHARS))).toBe(true);
    expect(isCaseRef(matcher, 'a'.repeat(MAX_CASE_REF_CHARS + 1))).toBe(false);
  });

  it('never throws, and what it accepts has at most three repeats without a fixed length', () => {
    const pieces = fc.constantFrom(
      'a',
      '[0-9]',
      '[a-z-]',
      '\\d',
      '\\.',
      '(',
      ')',
      '|',
      '^',
      '.',
      '*',
      '+',
      '?',
      '{2}',
      '{1,9}',
      '[',
      ']',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (chosen) => {
        const pattern = chosen.join('');
        const matcher = caseRefMatcher(pattern);
        if (matcher === null) return;
        for (const one of pattern.split('|')) {
          const literal = one.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
          expect((literal.match(/[*+?]|\{\d+,\d*\}/g) ?? []).length).toBeLessThanOrEqual(3);
          expect(literal).not.toMatch(/[().^$]/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
