// Patterns as they are compiled: the segments of each width, and the one clause that says what is wrong with a text.
import { describe, expect, it } from 'vitest';
import { compilePattern, type Segment, type Width } from '#policy/pattern.ts';

/** Literals as they are, `{}` for any, `{name}`, globs by their pieces in brackets, `**`. A string when it is refused. */
function told(text: string, width: Width = 'wide'): string | readonly string[] {
  const pattern = compilePattern(text, width);
  return typeof pattern === 'string' ? pattern : pattern.segments.map(tell);
}

function tell(segment: Segment): string {
  if (segment.kind === 'literal') return segment.text;
  if (segment.kind === 'deep') return '**';
  if (segment.kind === 'any') return `{${segment.name ?? ''}}`;
  expect(segment.kind).toBe('glob');
  return `(${[segment.glob.prefix, ...segment.glob.middle, segment.glob.suffix].join('*')})`;
}

describe('a wide pattern', () => {
  it('is decoded and folded, segment by segment', () => {
    expect(told('/Caf%C3%A9/A%3Ab/x')).toEqual(['café', 'a:b', 'x']);
    expect(told('/a%2FB')).toEqual(['a/b']);
    expect(told('/ＡＢ')).toEqual(['ab']);
    expect(told('/a.csv/b;c.')).toEqual(['a.csv', 'b;c.']);
  });

  it('knows wildcards, names and globs', () => {
    expect(told('/*/{id}/**/A*b/*c*')).toEqual(['{}', '{id}', '**', '(a*b)', '(*c*)']);
    expect(told('/{a}/{B_9}/{a1}')).toEqual(['{a}', '{B_9}', '{a1}']);
    expect(told('/%41*%42')).toEqual(['(a*b)']);
    expect(told('/*/*')).toEqual(['{}', '{}']);
  });

  it('takes `**` after `**` for one', () => {
    expect(told('/**/**/a/**')).toEqual(['**', 'a', '**']);
    expect(told('/**/a/**/**')).toEqual(['**', 'a', '**']);
    expect(told('/**/*/**')).toEqual(['**', '{}', '**']);
  });

  it('ignores its own trailing slash', () => {
    expect(told('/a/')).toEqual(['a']);
    expect(told('/')).toEqual([]);
    expect(told('/**/')).toEqual(['**']);
  });

  it('keeps what the author wrote, and is frozen', () => {
    const pattern = compilePattern('/A/{id}', 'wide');
    expect(pattern).toMatchObject({ text: '/A/{id}' });
    expect(Object.isFrozen(pattern)).toBe(true);
    expect(typeof pattern !== 'string' && Object.isFrozen(pattern.segments)).toBe(true);
    const deep = compilePattern('/**', 'wide');
    expect(typeof deep !== 'string' && Object.isFrozen(deep.segments[0])).toBe(true);
  });
});

describe('a narrow pattern', () => {
  it('becomes the exact bytes of the canonical form', () => {
    expect(told('/A/%7Ea/%41', 'narrow')).toEqual(['A', '~a', 'A']);
    expect(told('/é/%c3%a9/[b]/x%2fy/%3a', 'narrow')).toEqual([
      '%C3%A9',
      '%C3%A9',
      '%5Bb%5D',
      'x%2Fy',
      '%3A',
    ]);
    expect(told("/-._~!$&'()+,;=:@09azAZ", 'narrow')).toEqual(["-._~!$&'()+,;=:@09azAZ"]);
    expect(told('/a|b%25/%20x', 'narrow')).toEqual(['a%7Cb%25', '%20x']);
    expect(told('/%2d%2E%5f%30%39%61%7a%5A%21%60%7B', 'narrow')).toEqual(['-._09azZ%21%60%7B']);
    expect(told('/😀', 'narrow')).toEqual(['%F0%9F%98%80']);
    expect(told('/%e2%80%8b', 'narrow')).toEqual(['%E2%80%8B']);
  });

  it('keeps the case and the bytes of the pieces of a glob', () => {
    expect(told('/%7EA*é*x%3a', 'narrow')).toEqual(['(~A*%C3%A9*x%3A)']);
  });

  it('has a last, empty segment where it ends in a slash, except for the root', () => {
    expect(told('/a/', 'narrow')).toEqual(['a', '']);
    expect(told('/a/**/', 'narrow')).toEqual(['a', '**', '']);
    expect(told('/', 'narrow')).toEqual(['']);
    expect(told('/a', 'narrow')).toEqual(['a']);
  });
});

const CLAUSES: readonly (readonly [string, string])[] = [
  ['', 'must start with `/`'],
  ['a/', 'must start with `/`'],
  ['/a\uD800', 'is not well-formed Unicode'],
  ['/a?b=c', 'holds a `?`: query parameters are named under `query`'],
  ['/a//b', 'can never be canonical: it holds an empty segment'],
  ['//', 'can never be canonical: it holds an empty segment'],
  ['/a b', 'can never be canonical: " " must be percent-encoded'],
  ['/a\tb', 'can never be canonical: "\\t" must be percent-encoded'],
  ['/a\u0085b', 'can never be canonical: "\u0085" must be percent-encoded'],
  ['/a\u00a0b', 'can never be canonical: "\u00a0" must be percent-encoded'],
  ['/a\\b', 'can never be canonical: "\\\\" must be percent-encoded'],
  ['/a"b', 'can never be canonical: "\\"" must be percent-encoded'],
  ['/a<b', 'can never be canonical: "<" must be percent-encoded'],
  ['/a>b', 'can never be canonical: ">" must be percent-encoded'],
  ['/a^b', 'can never be canonical: "^" must be percent-encoded'],
  ['/a#b', 'can never be canonical: "#" must be percent-encoded'],
  ['/a`b', 'can never be canonical: "`" must be percent-encoded'],
  ['/a/../b', 'can never be canonical: it holds a dot segment'],
  ['/a/%2e;x', 'can never be canonical: it holds a dot segment'],
  ['/a%00', 'can never be canonical: it holds a control character'],
  ['/a%C2%9F', 'can never be canonical: it holds a control character'],
  ['/a／b', 'can never be canonical: its NFKC form holds a separator'],
  ['/a%EF%BC%8Fb', 'can never be canonical: its NFKC form holds a separator'],
  ['/x*%0A', 'can never be canonical: it holds a control character'],
  ['/x*％', 'can never be canonical: its NFKC form holds a separator'],
  ['/a%zz', 'holds a malformed `%` or bytes that are not UTF-8'],
  ['/a%C1%A5', 'holds a malformed `%` or bytes that are not UTF-8'],
  ['/x*%', 'holds a malformed `%` or bytes that are not UTF-8'],
  ['/a**', 'uses `**` within a segment: it stands for whole segments'],
  ['/a/***', 'uses `**` within a segment: it stands for whole segments'],
  ['/a{id}', 'uses braces other than as a whole segment such as {id}'],
  ['/{id}a', 'uses braces other than as a whole segment such as {id}'],
  ['/{}', 'uses braces other than as a whole segment such as {id}'],
  ['/{1a}', 'uses braces other than as a whole segment such as {id}'],
  ['/{a-b}', 'uses braces other than as a whole segment such as {id}'],
  ['/{a', 'uses braces other than as a whole segment such as {id}'],
  ['/a}', 'uses braces other than as a whole segment such as {id}'],
  ['/{a*}', 'uses braces other than as a whole segment such as {id}'],
  ['/{id}/x/{id}', 'names {id} twice'],
];

describe('a pattern that no request can match', () => {
  it.each(CLAUSES)('is refused with one clause, whatever its width: %j', (text, clause) => {
    expect(told(text)).toBe(clause);
    expect(told(text, 'narrow')).toBe(clause);
  });

  it('is refused when a wide segment would fold to nothing', () => {
    const clause = 'can never match: a segment holds invisible characters only';
    expect(told('/a/\u200B')).toBe(clause);
    expect(told('/%E2%80%8B/b')).toBe(clause);
    expect(told('/a/\u200B', 'narrow')).toEqual(['a', '%E2%80%8B']);
  });

  it('is refused beyond 2,048 characters and 64 segments, and not at them', () => {
    expect(told(`/${'a'.repeat(2047)}`)).toEqual(['a'.repeat(2047)]);
    expect(told(`/${'a'.repeat(2048)}`)).toBe('is longer than 2048 characters');
    expect(told('/a'.repeat(64))).toHaveLength(64);
    expect(told(`${'/a'.repeat(64)}/`)).toHaveLength(64);
    expect(told('/a'.repeat(65))).toBe('has more than 64 segments');
    expect(told('/**'.repeat(65))).toBe('has more than 64 segments');
  });
});
