import { describe, expect, it } from 'vitest';
import { compilePattern, type Width } from '#policy/pattern.ts';
import { decide, denyPaths } from '../../support/policy-sets.ts';

function flawOf(text: string, width: Width = 'wide'): string {
  const pattern = compilePattern(text, width);
  return typeof pattern === 'string' ? pattern : 'none';
}

function matches(pattern: string, path: string): boolean {
  return decide(denyPaths(pattern), path) === 'r';
}

function literals(text: string): string | readonly string[] {
  const pattern = compilePattern(text, 'narrow');
  if (typeof pattern === 'string') return pattern;
  return pattern.segments.map((one) => (one.kind === 'literal' ? one.text : one.kind));
}

describe('a path pattern', () => {
  it('matches literal segments whatever their case and encoding', () => {
    expect(matches('/Caf%C3%A9/a%3Ab', '/CAF%C3%89/A:B')).toBe(true);
    expect(matches('/Café', '/caf%C3%A9')).toBe(true);
    expect(matches('/a', '/b')).toBe(false);
    expect(matches('/a', '/a/b')).toBe(false);
  });

  it('matches one segment by `*` and by a name, never none and never two', () => {
    for (const pattern of ['/a/*/b', '/a/{id}/b']) {
      expect(matches(pattern, '/a/x/b')).toBe(true);
      expect(matches(pattern, '/a/b')).toBe(false);
      expect(matches(pattern, '/a/x/y/b')).toBe(false);
    }
  });

  it('matches within a segment by `*`', () => {
    expect(matches('/report-*.csv', '/report-2026.csv')).toBe(true);
    expect(matches('/*:export', '/customers:export')).toBe(true);
    expect(matches('/a*b*c', '/aXbYbZc')).toBe(true);
    expect(matches('/a*b*c', '/abc')).toBe(true);
    expect(matches('/ab*bc', '/abc')).toBe(false);
    expect(matches('/a*bc*cd', '/abcd')).toBe(false);
    expect(matches('/a*bc*cd', '/abccd')).toBe(true);
    expect(matches('/a*', '/b/a')).toBe(false);
  });

  it('matches zero or more segments by `**`', () => {
    expect(matches('/a/**', '/a')).toBe(true);
    expect(matches('/a/**', '/a/b/c')).toBe(true);
    expect(matches('/**/z', '/z')).toBe(true);
    expect(matches('/a/**/m/**/z', '/a/b/m/n/o/z')).toBe(true);
    expect(matches('/a/**/m/**/z', '/a/b/n/o/z')).toBe(false);
    expect(matches('/**/**/a', '/b/a')).toBe(true);
    expect(matches('/**', '/')).toBe(true);
    expect(matches('/', '/')).toBe(true);
    expect(matches('/', '/a')).toBe(false);
  });

  it('strips nothing: a rule on /issues.csv does not deny /issues', () => {
    expect(matches('/issues.csv', '/issues.csv')).toBe(true);
    expect(matches('/issues.csv', '/issues')).toBe(false);
    expect(matches('/issues.csv', '/issues.csv.json')).toBe(true);
    expect(matches('/a;b', '/a;b')).toBe(true);
    expect(matches('/a;b', '/a')).toBe(false);
    expect(matches('/a.', '/a')).toBe(false);
  });

  it('ignores its own trailing slash', () => {
    expect(matches('/a/', '/a')).toBe(true);
  });

  it('is refused when no request could match it', () => {
    expect(flawOf('a')).toBe('must start with `/`');
    expect(flawOf('/a/../b')).toContain('dot segment');
    expect(flawOf('/a/%2e%2E;x/b')).toContain('dot segment');
    expect(flawOf('/a//b')).toContain('empty segment');
    expect(flawOf('/a?b')).toContain('query');
    expect(flawOf('/a b')).toContain('percent-encoded');
    expect(flawOf('/a"')).toContain('percent-encoded');
    expect(flawOf('/a\\b')).toContain('percent-encoded');
    expect(flawOf('/a#b')).toContain('percent-encoded');
    expect(flawOf('/a%zz')).toContain('malformed');
    expect(flawOf('/a%C1%A5')).toContain('UTF-8');
    expect(flawOf('/a%00')).toContain('control character');
    expect(flawOf('/a*%0A')).toContain('control character');
    expect(flawOf('/a／b')).toContain('NFKC');
    expect(flawOf('/a/\u200B')).toContain('invisible');
    expect(flawOf('/a\uD800')).toContain('Unicode');
    expect(flawOf(`/${'a/'.repeat(70)}`)).toContain('segments');
    expect(flawOf(`/${'a'.repeat(3000)}`)).toContain('longer');
  });

  it('is refused when it uses a wildcard that does not exist', () => {
    expect(flawOf('/a**')).toContain('whole segments');
    expect(flawOf('/a{id}')).toContain('braces');
    expect(flawOf('/{1}')).toContain('braces');
    expect(flawOf('/{id}/{id}')).toContain('twice');
    expect(flawOf('/(a+)+$')).toBe('none');
  });

  it('becomes the exact canonical bytes when it is narrow', () => {
    expect(literals('/%7Ea/é/[b]/x%2fy/%3a')).toEqual(['~a', '%C3%A9', '%5Bb%5D', 'x%2Fy', '%3A']);
    expect(literals('/A/b/')).toEqual(['A', 'b', '']);
    expect(literals('/')).toEqual(['']);
  });
});
