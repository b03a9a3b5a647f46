// P3: the further readings of an opted-in path, one by one: what each holds, in which order, and which path has none.
import { describe, expect, it } from 'vitest';
import { secondReadings } from '#policy/second-reading.ts';

/** Segments joined by ` | `, since a segment may hold a slash; then the query. */
function readings(path: string): readonly string[] | null {
  const found = secondReadings(path);
  return found === null ? null : found.map(({ segments, query }) => `${segments.join(' | ')} ? ${query}`);
}

describe('the further readings', () => {
  it('are none for a path that is read one way only', () => {
    for (const path of ['/', '/a', '/a/b%20c', '/100%25', '/a//b/', '/%C3%A9']) {
      expect(readings(path), path).toEqual([]);
    }
  });

  it('split at every encoded separator, with the segments around', () => {
    expect(readings('/x/a%2Fb/y')).toEqual(['x | a | b | y ? ']);
    expect(readings('/x/a%5Cb/y')).toEqual(['x | a | b | y ? ', 'x | a\\b | y ? ']);
    expect(readings('/a%2F%5Cb%2F')).toEqual(['a | b ? ', 'a | \\b ? ']);
  });

  it('take parameters off before they decode as well, as servlet containers do', () => {
    expect(readings('/a%2Fb;%2Fc/d')).toEqual(['a | b; | c | d ? ', 'a | b | d ? ']);
  });

  it('end the path at an encoded question mark, and both at an encoded hash', () => {
    expect(readings('/a%3Fb%3Dc/d')?.[0]).toBe('a ? b=c/d');
    expect(readings('/a%3Fb%3Fc')?.[0]).toBe('a ? b?c');
    expect(readings('/a%23b%3Fc')?.[0]).toBe('a ? ');
    expect(readings('/a%3Fb%23c%23d')?.[0]).toBe('a ? b');
    expect(readings('/%3Fa')?.[0]).toBe(' ? a');
    expect(readings('/%23a')?.[0]).toBe(' ? ');
    expect(readings('/a%23b%23c')?.[0]).toBe('a ? ');
  });

  it('take each of the marks as a letter as well: `/a%3Fb%2Fexports` is below `a?b` to some', () => {
    expect(readings('/a%3Fb%2Fc')).toEqual(['a ? b/c', 'a?b | c ? ']);
    expect(readings('/a%23b%2Fc')).toEqual(['a ? ', 'a#b | c ? ']);
    expect(readings('/a%3Fb%23c')).toEqual(['a ? b', 'a ? b#c', 'a?b ? ', 'a?b#c ? ']);
    expect(readings('/a%5Cb%2Fc')).toEqual(['a | b | c ? ', 'a\\b | c ? ']);
  });

  it('undo each layer of encoding in turn, each with its separators as they stand and as structure', () => {
    expect(readings('/%2561/b')).toEqual(['a | b ? ']);
    expect(readings('/%252561')).toEqual(['%61 ? ', 'a ? ']);
    expect(readings('/a%252Fb/c')).toEqual(['a/b | c ? ', 'a | b | c ? ']);
    expect(readings('/a%2Fb/%2561')).toEqual(['a | b | %61 ? ', 'a/b | a ? ', 'a | b | a ? ']);
    expect(readings('/a%253Fb')).toEqual(['a?b ? ', 'a ? b', 'a?b ? ']);
    expect(readings('/%2561//b/')).toEqual(['a | b ? ']);
  });

  it('leave a percent sign that encodes nothing as it is', () => {
    expect(readings('/%2561/100%25')).toEqual(['a | 100% ? ']);
  });

  it('go three layers deep beyond the first, and no further', () => {
    expect(readings('/%25252561')).toEqual(['%2561 ? ', '%61 ? ', 'a ? ']);
    expect(readings('/%2525252561')).toBeNull();
  });
});

describe('a path has no further reading and is refused', () => {
  it('when its bytes are not UTF-8 in any layer', () => {
    for (const path of ['/%FF', '/%C1%A5/a', '/a/%25FF', '/%25C1%25A5', '/%2525FF']) {
      expect(readings(path), path).toBeNull();
    }
  });

  it.each([
    ['a dot segment between separators', '/a%2F..%2Fb'],
    ['a dot segment after a backslash', '/a%5C.%5Cb'],
    ['a dot segment with parameters', '/a%2F..;x%2Fb'],
    ['a dot segment before a question mark', '/a%2F..%3Fb'],
    ['a dot segment, decoded twice', '/%252E%252E/a'],
    ['a dot segment, decoded twice and split', '/a%252F%252E%252E%252Fb'],
    ['a dot segment in the last segment', '/a/%252E'],
    ['a control character, decoded twice', '/a%2500'],
    ['a control character, decoded twice, in a later segment', '/a/b%250Ac'],
    ['a compatibility form of a separator, decoded twice', '/a%25EF%25BC%258Fb'],
    ['a compatibility form of a separator, after a split', '/a%2Fb%EF%BC%8Fc'],
  ])('for %s', (_, path) => {
    expect(readings(path)).toBeNull();
  });

  it('not for what only a query or fragment of that reading holds', () => {
    expect(readings('/a%3F..')?.[0]).toBe('a ? ..');
    expect(readings('/a%23..')?.[0]).toBe('a ? ');
  });
});
