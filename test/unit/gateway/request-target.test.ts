// P1 to P5, P7 and the query's bytes, case by case as the corpus lists them (PA, QP, RL): refused, or one canonical form.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequestTarget, parseTarget } from '../../../src/gateway/request-target.ts';

function pathOf(raw: string): string {
  const target = parseTarget(raw);
  return 'reason' in target ? target.reason : target.path;
}

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'PA03 dot segments': [
    '/a/../exports',
    '/a/b/../../exports',
    '/../exports',
    '/exports/../exports',
    '/./exports',
    '/exports/.',
    '/exports/..',
    '/a/..',
    '/..',
    '/.',
  ],
  'PA04 encoded dots': [
    '/a/%2e%2e/exports',
    '/a/%2E./exports',
    '/a/.%2e/exports',
    '/%2e/exports',
    '/exports/%2e',
  ],
  'PA06 backslashes': ['/a\\..\\exports', '\\exports', '/\\exports', '/exports\\', '/a/..\\exports'],
  'PA08 malformed double encoding': ['/%%36%35xports'],
  'PA10 overlong UTF-8': [
    '/%C0%AFexports',
    '/%c0%ae%c0%ae/exports',
    '/%E0%80%AFexports',
    '/%C1%A5xports',
    '/%F8%80%80%80%AF',
  ],
  'PA11 not UTF-8': ['/%ed%a0%80exports', '/exports%ff', '/%u0065xports', '/\xc3\xa9'],
  'PA12 NUL': ['/exports%00', '/exports%00.css', '/%00/exports', '/ex\x00ports'],
  'PA13 control characters': [
    '/exports%09',
    '/exports%0a',
    '/exports%0d%0aX:1',
    '/exports%7f',
    '/a\tb',
    '/%C2%85',
  ],
  'PA15 leading slashes': [
    '//exports',
    '///exports',
    '//app.test/exports',
    '//evil.test/exports',
    '/\\/exports',
  ],
  'PA18 parameters on dot segments': [
    '/..;/exports',
    '/a/..;x=1/exports',
    '/a/.;/exports',
    '/exports/..;/',
    '/%2e%2e;/exports',
    '/a/..%3b/exports',
    '/a/..%3Bx/exports',
  ],
  'PA24 fragments': ['/exports#', '/public#/../exports', '/exports?x#frag'],
  'PA28 not origin-form': ['*', 'exports', 'exports/1', '?x', '', '/ exports'],
  'PA30 malformed percent': ['/%', '/%2', '/%zz', '/exports%', '/exports%g0'],
  'PA31 bytes that no path holds': ['/a"b', '/a<b', '/a>b', '/{exports}', '/a^b', '/a`b', '/a}b'],
  'dot segments for file systems that drop trailing dots and spaces': [
    '/a/..%20/exports',
    '/a/.../b',
    '/a/.%20',
  ],
  'compatibility forms of dots': [
    '/a/%EF%BC%8E%EF%BC%8E/exports',
    '/a/%E2%80%A5/exports',
    '/a/.%E2%80%8B./exports',
  ],
  'compatibility forms that make structure': [
    '/a%EF%BC%8Fb',
    '/a%EF%BC%BCb',
    '/a%EF%BC%85b',
    '/a%EF%BC%9Bb',
    '/a%EF%BC%9Fb',
  ],
  'dot segments between encoded separators, opted in or not': [
    '/a%2f..%2fexports',
    '/a/..%2Fexports',
    '/a%5c..%5cexports',
  ],
  'dot segments under double encoding': ['/%252e%252e/exports'],
  'query bytes': ['/a?x\x80', '/a?x y', '/a?x%00', '/a?format%00=csv', '/a?#'],
};

const CANONICAL: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'leaves a plain path as it is': {
    '/': '/',
    '/exports': '/exports',
    '/exports/': '/exports/',
    '/my/exports': '/my/exports',
    "/a'b!$&()*+,;=:@": "/a'b!$&()*+,;=:@",
    '/.well-known/jwks.json': '/.well-known/jwks.json',
    '/a/..b/c': '/a/..b/c',
    '/exports...': '/exports...',
  },
  'decodes unreserved characters (PA09)': {
    '/%65xports': '/exports',
    '/%65%78%70%6f%72%74%73': '/exports',
    '/expor%74s/1': '/exports/1',
    '/exports%2e': '/exports.',
    '/%7Ea%5F%2d': '/~a_-',
  },
  'encodes what servers disagree about (PA31) and uppercases hex': {
    '/a|b': '/a%7Cb',
    '/a[b]': '/a%5Bb%5D',
    '/v1/x%3aexport': '/v1/x%3Aexport',
    '/%c3%a9': '/%C3%A9',
    '/exports%20': '/exports%20',
  },
  'merges empty inner segments and keeps one trailing slash (PA16)': {
    '/a//b': '/a/b',
    '/a///b': '/a/b',
    '/exports//1': '/exports/1',
    '/a//': '/a/',
  },
};

describe('the request target', () => {
  for (const [name, targets] of Object.entries(REFUSED)) {
    it.each(targets)(`refuses %j (${name})`, (raw) => {
      expect(pathOf(raw)).toBe('bad_request_target');
    });
  }

  for (const [name, table] of Object.entries(CANONICAL)) {
    it.each(Object.entries(table))(`${name}: %s`, (raw, path) => {
      expect(pathOf(raw)).toBe(path);
    });
  }

  it.each(['/exports%2f1', '/%2fexports', '/a%5cb', '/exports%3f', '/exports%23'])(
    'marks an encoded separator, so that only a route that opts in may have it: %s',
    (raw) => {
      expect(parseTarget(raw)).toMatchObject({ encodedSlash: true });
    },
  );

  it.each(['/exports%252f1', '/%2565xports', '/%25%36%35xports', '/a%25%34%31'])(
    'marks a doubly encoded byte, however it is spelled: %s',
    (raw) => {
      expect(parseTarget(raw)).toMatchObject({ encodedPercent: true });
    },
  );

  it('does not take a percent sign before other characters for double encoding', () => {
    expect(parseTarget('/100%25')).toMatchObject({ path: '/100%25', encodedPercent: false });
    expect(parseTarget('/a%25zz')).toMatchObject({ encodedPercent: false });
  });

  it('keeps the query byte for byte, and whether there was one', () => {
    expect(parseTarget('/a?b=%63&c|d=[1]')).toMatchObject({
      path: '/a',
      query: 'b=%63&c|d=[1]',
      hasQuery: true,
    });
    expect(parseTarget('/a?')).toMatchObject({ query: '', hasQuery: true });
    expect(parseTarget('/a')).toMatchObject({ query: '', hasQuery: false });
    expect(parseTarget('/exports??x')).toMatchObject({ path: '/exports', query: '?x' });
    expect(parseTarget('/public?/../exports')).toMatchObject({ path: '/public', query: '/../exports' });
  });
});

describe('the absolute form', () => {
  it.each([
    'http://app.test/exports',
    'http://app.test:80/exports',
    'https://app.test/exports',
    'https://app.test:443/exports',
    'HTTP://APP.TEST/exports',
  ])('counts as its origin-form when its authority is the Host: %s (RL01)', (raw) => {
    expect(parseRequestTarget(raw, 'app.test')).toMatchObject({ path: '/exports' });
  });

  it.each([
    'http://evil.test/ok',
    'http://user@app.test/ok',
    'http://app.test@evil.test/',
    'http:///ok',
    '//app.test/ok',
    'http:/exports',
    'ftp://app.test/exports',
    'file:///x',
    'app.test:443',
    'http://app.test#x',
    'http://app.test/exports#x',
    'http://app.test:8080/ok',
    'https://app.test:80/ok',
    'http://app.test?x',
  ])('is refused otherwise: %s (RL02, RL03, PA24)', (raw) => {
    expect(parseRequestTarget(raw, 'app.test')).toMatchObject({ reason: 'bad_request_target' });
  });

  it('compares ports', () => {
    expect(parseRequestTarget('http://app.test:8080/a', 'app.test:8080')).toMatchObject({ path: '/a' });
    expect(parseRequestTarget('http://app.test', 'app.test')).toMatchObject({ path: '/' });
  });
});

describe('any target at all', () => {
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  const tricky = fc
    .array(
      fc.constantFrom(
        '/',
        '.',
        '..',
        '%2e',
        '%2F',
        '%25',
        '%',
        ';',
        '%3b',
        'a',
        'B',
        '|',
        '%c3%a9',
        '%EF%BC%8E',
        '?',
        '%5c',
        '65',
      ),
      { maxLength: 12 },
    )
    .map((parts) => `/${parts.join('')}`);

  it('is refused or stable: parsing the canonical form again changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(tricky, bytes), (raw) => {
        const target = parseTarget(raw);
        if ('reason' in target) return;
        expect(parseTarget(target.path)).toMatchObject({ path: target.path, query: '' });
      }),
      { numRuns: 3000 },
    );
  });

  it('never keeps a path that a URL parser would resolve to another one', () => {
    fc.assert(
      fc.property(tricky, (raw) => {
        const target = parseTarget(raw);
        if ('reason' in target) return;
        expect(new URL(`http://h${target.path}`).pathname).toBe(target.path);
      }),
      { numRuns: 3000 },
    );
  });
});
