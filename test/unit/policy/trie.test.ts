// Matching stays linear: no pattern and no path makes the walk blow up (a policy's own denial of service).
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { compilePattern, type PathPattern, type Segment } from '#policy/pattern.ts';
import { readNarrow, Reading, readWide } from '#policy/reading.ts';
import { Hits, Trie } from '#policy/trie.ts';

function pattern(text: string, width: 'wide' | 'narrow' = 'wide'): PathPattern {
  const compiled = compilePattern(text, width);
  if (typeof compiled === 'string') throw new Error(`${text} ${compiled}`);
  return compiled;
}

function trieOf(patterns: readonly string[], width: 'wide' | 'narrow' = 'wide'): Trie {
  const trie = new Trie();
  patterns.forEach((text, i) => trie.add(pattern(text, width).segments, i));
  return trie;
}

const reading = new Reading();
const hits = new Hits();

const MAX_STAMP = 0x3fff_0000;

function stampOf(trie: Trie): number {
  return Number(Reflect.get(trie, 'stamp'));
}

/** How many nodes the last step of a walk led to. */
function liveIn(trie: Trie): number {
  return Number(Reflect.get(trie, 'liveCount'));
}

function found(
  trie: Trie,
  path: string,
  read: (path: string, into: Reading) => unknown = readWide,
): number[] {
  read(path, reading);
  trie.walk(reading, hits);
  return hits.payloads.slice(0, hits.length).toSorted((a, b) => a - b);
}

/** By recursion over patterns and segments, as the definition says it; slow and obviously right. */
function matchesByDefinition(segments: readonly Segment[], path: readonly string[]): boolean {
  const [first, ...rest] = segments;
  if (first === undefined) return path.length === 0;
  if (first.kind === 'deep') {
    return (
      matchesByDefinition(rest, path) || (path.length > 0 && matchesByDefinition(segments, path.slice(1)))
    );
  }
  const [head, ...tail] = path;
  if (head === undefined) return false;
  if (first.kind === 'literal' && first.text !== head) return false;
  return first.kind !== 'glob' && matchesByDefinition(rest, tail);
}

describe('the trie', () => {
  it('finds every pattern that matches, each once', () => {
    const trie = trieOf(['/a/b', '/a/*', '/**', '/a/**/b', '/a/b/**', '/x', '/*/b', '/a/b*']);
    expect(found(trie, '/a/b')).toEqual([0, 1, 2, 3, 4, 6, 7]);
    expect(found(trie, '/x')).toEqual([2, 5]);
    expect(found(trie, '/')).toEqual([2]);
  });

  it('agrees with the definition on random patterns and paths', () => {
    const part = fc.constantFrom('a', 'b', '*', '**');
    const patterns = fc.array(fc.array(part, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 });
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 });
    fc.assert(
      fc.property(patterns, path, (parts, segments) => {
        const texts = parts.map((one) => `/${one.join('/')}`);
        const expected = texts.flatMap((text, i) =>
          matchesByDefinition(pattern(text).segments, segments) ? [i] : [],
        );
        expect(found(trieOf(texts), `/${segments.join('/')}`)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('takes any combination of the alternatives of the segments', () => {
    const trie = trieOf(['/a/b/c', '/a/c', '/a;x/b/c.json', '/a/b.']);
    expect(found(trie, '/a;x/b;y./c.json')).toEqual([0, 2]);
    expect(found(trie, '/a;x/;/c')).toEqual([1]);
    expect(found(trie, '/a/b.')).toEqual([3]);
  });

  it('takes a format suffix off the segment that may be the last, and no other', () => {
    const trie = trieOf(['/a/b', '/a']);
    expect(found(trie, '/a.json')).toEqual([1]);
    expect(found(trie, '/a.json/;')).toEqual([1]);
    expect(found(trie, '/a.json/b')).toEqual([]);
    expect(found(trie, '/a.1234-56789')).toEqual([1]);
    expect(found(trie, '/ab.123456789')).toEqual([]);
    expect(found(trie, '/a.')).toEqual([1]);
    expect(found(trie, '/a..json')).toEqual([1]);
    expect(found(trie, '/a/.json')).toEqual([1]);
  });

  it('matches narrow paths by their bytes, a trailing slash included', () => {
    const trie = trieOf(['/a/', '/a', '/a/*', '/a/**', '/A'], 'narrow');
    expect(found(trie, '/a', readNarrow)).toEqual([1, 3]);
    expect(found(trie, '/a/', readNarrow)).toEqual([0, 3]);
    expect(found(trie, '/a/b;c', readNarrow)).toEqual([2, 3]);
    expect(found(trie, '/A', readNarrow)).toEqual([4]);
  });

  it('walks thousands of nested `**` over the longest path in bounded steps', () => {
    const nested = Array.from({ length: 500 }, (_, i) => `/**/a/**/b${i}/**/a/**/a/**/a/**/never`);
    const trie = trieOf([...nested, '/**/a*a*a*a*a*a*b']);
    const path = `/${'a/'.repeat(4000)}${'a'.repeat(190)}`;
    expect(found(trie, path)).toEqual([]);
  });

  it('matches globs beside literals and alone, below any node', () => {
    expect(found(trieOf(['/a*']), '/ab')).toEqual([0]);
    expect(found(trieOf(['/a*']), '/ab/c')).toEqual([]);
    expect(found(trieOf(['/a*', '/a*', '/*b', '/ab']), '/ab')).toEqual([0, 1, 2, 3]);
    expect(found(trieOf(['/a*/x', '/a*/y', '/b*/x']), '/ab/y')).toEqual([1]);
    expect(found(trieOf(['/**/a*']), '/x/y/ab')).toEqual([0]);
    expect(found(trieOf(['/**', '/**/a*']), '/x/ab')).toEqual([0, 1]);
  });

  it('tries a glob once, however many patterns hold it', () => {
    const trie = trieOf(Array.from({ length: 100 }, (_, i) => `/a*/${i}`));
    const tried = vi.spyOn(String.prototype, 'startsWith');
    try {
      found(trie, '/ab/7');
      expect(tried).toHaveBeenCalledTimes(1);
    } finally {
      vi.restoreAllMocks();
    }
    expect(found(trie, '/ab/7')).toEqual([7]);
  });

  it('goes on past segments that nothing could follow, and misses none that has another reading', () => {
    const trie = trieOf(['/**/abc/z']);
    expect(found(trie, '/x/abc;y/z')).toEqual([0]);
    expect(found(trie, '/x/y/ABC./z')).toEqual([0]);
    expect(found(trie, '/x/abc/z')).toEqual([0]);
    expect(found(trie, '/x/abcd/z/abc/z')).toEqual([0]);
    expect(found(trieOf(['/**/b*/z']), '/x/yy/bc/z')).toEqual([0]);
    expect(found(trieOf(['/**/*/z']), '/x/yy/bc/z')).toEqual([0]);
    const start = stampOf(trie);
    expect(found(trie, `${'/y'.repeat(100)}/abc/z`)).toEqual([0]);
    expect(stampOf(trie)).toBeLessThan(start + 6);
  });

  it('counts a pattern once, however often it was added and however the walk gets there', () => {
    const trie = new Trie();
    const { segments } = pattern('/a');
    for (const payload of [3, 5, 7, 7, 8]) trie.add(segments, payload);
    expect(found(trie, '/a')).toEqual([3, 5, 7, 8]);
    expect(found(trieOf(['/**']), '/;x/%20')).toEqual([0]);
    expect(found(trieOf(['/**/a', '/*/**']), '/;/a/;')).toEqual([0, 1]);
  });

  it('takes `**` after `**` for one', () => {
    const trie = new Trie();
    const deep: Segment = { kind: 'deep' };
    trie.add([deep, deep, { kind: 'literal', text: 'a' }], 0);
    trie.add([deep], 1);
    expect(found(trie, '/x/y/a')).toEqual([0, 1]);
    expect(found(trie, '/x')).toEqual([1]);
  });

  it('holds no node twice at once, so that nested `**` do not multiply', () => {
    const trie = trieOf([`${'/**/a'.repeat(12)}/b`, '/**/a*/**/*a/**/a/**/*']);
    expect(found(trie, `/${'a/'.repeat(400)}a`)).toEqual([1]);
    expect(liveIn(trie)).toBeLessThan(50);
    const globs = trieOf(['/a*'.repeat(12), '/**/a*;x']);
    expect(found(globs, '/a;x'.repeat(12))).toEqual([0, 1]);
    expect(liveIn(globs)).toBeLessThan(20);
    const skipped = trieOf(['/**/a/**/b']);
    expect(found(skipped, `/a${'/;'.repeat(40)}/b`)).toEqual([0]);
    expect(liveIn(skipped)).toBeLessThan(6);
  });

  it('looks literals up by their text, of whatever length, and only where one of that length stands', () => {
    const texts = [1, 2, 30, 31, 32, 33, 63, 64, 200].map((length) => 'a'.repeat(length));
    const trie = trieOf(texts.map((text) => `/${text}`));
    texts.forEach((text, i) => expect(found(trie, `/${text}`), text).toEqual([i]));
    expect(found(trie, `/${'b'.repeat(33)}`)).toEqual([]);
    const single = trieOf([`/${'a'.repeat(31)}`]);
    const lookups = vi.spyOn(Map.prototype, 'get');
    try {
      for (const length of [3, 29]) found(trie, `/${'a'.repeat(length)}`);
      found(single, `/${'a'.repeat(30)}`);
      expect(lookups).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('forgets all marks when it starts counting again', () => {
    const trie = trieOf(['/a/b', '/a/**', '/**', '/*/b*']);
    expect(found(trie, '/a/b')).toEqual([0, 1, 2, 3]);
    const start = stampOf(trie);
    Object.assign(trie, { stamp: MAX_STAMP });
    // Counted as the first walk was: no mark of that one may be taken for this one's.
    expect(found(trie, '/a/b')).toEqual([0, 1, 2, 3]);
    expect(stampOf(trie)).toBe(start);
    expect(found(trie, '/a/b')).toEqual([0, 1, 2, 3]);
    expect(stampOf(trie)).toBeGreaterThan(start);
    // Marks made just below the limit are larger than any that follow.
    Object.assign(trie, { stamp: MAX_STAMP - 6 });
    for (let i = 0; i < 3; i++) expect(found(trie, '/a/b')).toEqual([0, 1, 2, 3]);
    expect(stampOf(trie)).toBeLessThan(MAX_STAMP - 6);
  });

  it('keeps its marks apart over very many walks', () => {
    const trie = trieOf(['/a/**', '/b']);
    Object.assign(trie, { stamp: 0x3fff_0000 - 3 });
    for (let i = 0; i < 10; i++) {
      expect(found(trie, '/a/x/y')).toEqual([0]);
      expect(found(trie, '/b')).toEqual([1]);
    }
  });
});
