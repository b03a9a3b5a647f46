// Each reading against what its product does: facts of its documentation, its specification's examples or its own code.
import { parse } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { READINGS } from './readings.ts';

/** By reading: targets, and the path that the product makes of each; null where it refuses. */
const FACTS: Readonly<Record<string, readonly (readonly [string, string | null])[]>> = {
  // URL Standard, "path state": the backslash, single-dot and double-dot segments with their encoded forms; tabs go.
  whatwg: [
    ['/a\\b', '/a/b'],
    ['/a/%2E%2e/exports', '/exports'],
    ['/a/.%2e/exports?x=/y', '/exports'],
    ['/exports#x', '/exports'],
    ['/ex\tports', '/exports'],
    ['/a//b/', '/a//b/'],
    ['/%65xports', '/exports'],
    ['/exports;x=1', '/exports;x=1'],
  ],
  'node-legacy': [
    ['/a\\b?c\\d', '/a/b'],
    ['/a/../exports', '/a/../exports'],
    ['/exports#x', '/exports'],
    ['//a/b', '//a/b'],
    ['/%65xports', '/exports'],
  ],
  // net/url unescape fails on a bad escape; path.Clean drops the trailing slash and every empty segment.
  go: [
    ['/a/../exports', '/exports'],
    ['/a//b/./c/', '/a/b/c'],
    ['//exports', '/exports'],
    ['/a%2f..%2fexports', '/exports'],
    ['/../exports', '/exports'],
    ['/%zz', null],
    ['/exports#x', '/exports#x'],
    ['/a+b', '/a+b'],
    ['/', '/'],
  ],
  // POSIX leaves two leading slashes to the implementation, so normpath keeps exactly two.
  python: [
    ['//exports', '//exports'],
    ['///exports', '/exports'],
    ['/a/b/../../exports/', '/exports'],
    ['/%zz', '/%zz'],
    ['/a%2f..%2fexports', '/exports'],
  ],
  // Jakarta Servlet 6.0, section 3.5.2: parameters off, then decoded, then dot segments removed.
  servlet: [
    ['/exports;jsessionid=1', '/exports'],
    ['/a/..;x=1/exports', '/exports'],
    ['/;/exports', '/exports'],
    ['/exports%3bx', '/exports;x'],
    ['/%2e%2e;/exports', '/exports'],
    ['/exports;a=b/1', '/exports/1'],
    ['/%zz', null],
  ],
  iis: [
    ['/EXPORTS\\1', '/exports/1'],
    ['/exports.', '/exports'],
    ['/exports%20/1', '/exports/1'],
    ['/exports. .', '/exports'],
    ['/a%5c..%5cexports', '/exports'],
    ['/exports...', '/exports'],
    ['/exports::$DATA', '/exports::$data'],
  ],
  // $uri: decoded, "." and ".." resolved, adjacent slashes made one; a NUL or a way out is 400.
  nginx: [
    ['/a///b/../../c', '/c'],
    ['//exports', '/exports'],
    ['/a%2f%2e%2e/exports', '/exports'],
    ['/exports#x', '/exports'],
    ['/exports/', '/exports/'],
    ['/../exports', null],
    ['/exports%00', null],
    ['/%zz', null],
  ],
  'decode-once': [
    ['/%65xports', '/exports'],
    ['/%2565xports', '/%65xports'],
    ['/a/../exports', '/a/../exports'],
    ['/%c3%a9', '/é'],
  ],
  'decode-twice': [
    ['/%2565xports', '/exports'],
    ['/%25%36%35xports', '/exports'],
    ['/exports%252f1', '/exports/1'],
    ['/%c3%a9', '/é'],
  ],
  // Journey: slashes merged, no trailing one, and the optional format is whatever holds no dot, slash or question mark.
  rails: [
    ['/exports.json', '/exports'],
    ['/exports.a-much-longer-format', '/exports'],
    ['/exports.tar.gz', '/exports.tar'],
    ['//exports///1.csv', '/exports/1'],
    ['/exports/', '/exports'],
    ['/.json', '/.json'],
    ['/exports.', '/exports.'],
  ],
  // UAX 15: compatibility forms; UTS 36 for what nobody sees.
  nfkc: [
    ['/%EF%BD%85xports', '/exports'],
    ['/a%EF%BC%8Fb', '/a/b'],
    ['/ex%E2%80%8Bports', '/exports'],
    ['/%EF%BC%8E%EF%BC%8E/exports', '/exports'],
    ['/e%CC%81xports', '/éxports'],
    ['/expor%C5%A3s', '/exporţs'],
  ],
};

describe('the eleven readings', () => {
  it('are all held against facts', () => {
    expect(READINGS.map(({ name }) => name)).toEqual(Object.keys(FACTS));
    expect(READINGS).toHaveLength(11);
  });

  describe.each(READINGS)('$name', ({ name, read }) => {
    it.each(FACTS[name] ?? [])('makes of %j the path %j', (target, path) => {
      expect(read(target)).toBe(path);
    });

    it('reads the path only, and a plain one as it is', () => {
      expect(read('/exports/1?path=/../billing')).toBe('/exports/1');
    });
  });

  it('reads as the parser of Node does that it stands for', () => {
    // It is deprecated, which is why applications that still call it are worth a reading.
    process.noDeprecation = true;
    onTestFinished(() => {
      process.noDeprecation = false;
    });
    const legacy = READINGS.find(({ name }) => name === 'node-legacy');
    for (const target of ['/a\\b', '/a/../b?c#d', '//a/b', '/a;b=1/c', '/a#b?c', '/a?b\\c'])
      expect(legacy?.read(target)).toBe(parse(target).pathname);
  });
});
