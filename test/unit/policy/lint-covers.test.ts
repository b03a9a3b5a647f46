import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathCovers } from '#policy/lint/covers.ts';
import { compilePattern, type PathPattern } from '#policy/pattern.ts';
import { readDecoded, Reading } from '#policy/reading.ts';
import { Hits, Trie } from '#policy/trie.ts';

function pattern(text: string): PathPattern {
  const compiled = compilePattern(text, 'wide');
  if (typeof compiled === 'string') throw new Error(compiled);
  return compiled;
}

function matches(path: PathPattern, segments: readonly string[]): boolean {
  const trie = new Trie();
  trie.add(path.segments, 0);
  const reading = new Reading();
  readDecoded(segments, reading);
  const hits = new Hits();
  trie.walk(reading, hits);
  return hits.length > 0;
}

const segment = constantFrom('a', 'b', 'ab', 'ab.csv', 'b;x', '*', '**', '{id}', 'a*', '*b', 'a*b', '*.csv');
const patterns = array(segment, { minLength: 1, maxLength: 4 }).map((parts) => {
  const [first = 'a', ...rest] = parts.map((part, i) => (part === '{id}' ? `{id${i}}` : part));
  return pattern(`/${[first, ...rest].join('/')}`);
});
const request = array(constantFrom('a', 'b', 'ab', 'aab', 'ab.csv', 'c', 'b;x', 'a.', ';x'), {
  maxLength: 5,
});

describe('a pattern that covers another', () => {
  it('matches every request that the other matches', () => {
    let compared = 0;
    const requests = array(request, { minLength: 20, maxLength: 20 });
    assert(
      property(patterns, patterns, requests, (wide, narrow, list) => {
        if (!pathCovers(wide.segments, narrow.segments)) return;
        for (const segments of list.filter((one) => matches(narrow, one))) {
          compared++;
          expect(matches(wide, segments)).toBe(true);
        }
      }),
      { numRuns: 5000 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it.each([
    ['/**', '/'],
    ['/**/b', '/a/b'],
    ['/**/b/**', '/a/**/b'],
    ['/*/b', '/{id}/b'],
    ['/a*', '/ab*c'],
    ['/a/**', '/a'],
  ])('is seen: %s covers %s', (wide, narrow) => {
    expect(pathCovers(pattern(wide).segments, pattern(narrow).segments)).toBe(true);
  });

  it.each([
    ['/a', '/a/**'],
    ['/*', '/**'],
    ['/a/*', '/a/**'],
    ['/**/a', '/**'],
    ['/a*b', '/a*'],
  ])('is not claimed: %s and %s', (wide, narrow) => {
    expect(pathCovers(pattern(wide).segments, pattern(narrow).segments)).toBe(false);
  });
});
