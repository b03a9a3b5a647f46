// Every byte of a target by itself, against the grammar written down once more; and what a refusal says of its cause.
// RFC 3986 section 3.3 and 3.4, RFC 9112 section 3.2.
import { describe, expect, it, vi } from 'vitest';
import { parseRequestTarget, parseTarget } from '../../../src/gateway/request-target.ts';

const UNRESERVED = /^[A-Za-z0-9._~-]$/;
const PCHAR = /^[A-Za-z0-9._~!$&'()*+,;=:@-]$/;

function bytes(): readonly (readonly [number, string])[] {
  return Array.from({ length: 256 }, (_, code) => [code, String.fromCharCode(code)] as const);
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(2, '0');
}

/** The path, or why it was refused. */
function told(raw: string): string {
  const target = parseTarget(raw);
  return 'reason' in target ? String(target.note) : target.path;
}

const NOT_ORIGIN = 'not an origin-form path with one leading slash';
const BAD_BYTE = 'a byte the path may not hold';
const BAD_QUERY_BYTE = 'a byte the query may not hold';
const AMBIGUOUS = 'a segment that servers read differently';

describe('a byte of the path', () => {
  it('stays, is encoded, is structure or is refused, wherever it stands', () => {
    for (const [code, char] of bytes()) {
      if ('/?%'.includes(char)) continue;
      const encoded = '|[]'.includes(char) ? `%${hex(code)}` : null;
      const expected = PCHAR.test(char) ? char : encoded;
      for (const [before, after] of [
        ['x', 'y'],
        ['', 'y'],
        ['x', ''],
      ]) {
        const path = expected === null ? BAD_BYTE : `/${before}${expected}${after}`;
        expect(told(`/${before}${char}${after}`), hex(code)).toBe(path);
      }
    }
    expect(told('/x\u{100}y')).toBe(BAD_BYTE);
    expect(told('/x\u{2603}')).toBe(BAD_BYTE);
  });

  it('that is encoded is decoded when it is unreserved, kept in upper case or refused', () => {
    for (const [code, char] of bytes()) {
      const raw = hex(code).toLowerCase();
      const kept = UNRESERVED.test(char) ? char : `%${hex(code)}`;
      const refused = code < 0x20 || code >= 0x7f;
      expect(told(`/x%${raw}y`), raw).toBe(refused ? AMBIGUOUS : `/x${kept}y`);
      expect(told(`/x%${raw.toUpperCase()}y`), raw).toBe(refused ? AMBIGUOUS : `/x${kept}y`);
    }
  });

  it('marks the target when it is an encoded separator, and only then', () => {
    for (const [code] of bytes()) {
      if (code < 0x20 || code >= 0x7f) continue;
      const expected = [0x2f, 0x5c, 0x3f, 0x23].includes(code);
      const marks = { encodedSlash: expected, encodedPercent: false, query: '', hasQuery: false };
      expect(parseTarget(`/x%${hex(code)}y`), hex(code)).toMatchObject(marks);
    }
    expect(parseTarget('/plain')).toMatchObject({ encodedSlash: false, encodedPercent: false });
    expect(parseTarget('/a%2Fb%41')).toMatchObject({ encodedSlash: true });
  });

  it('is malformed when a percent sign is not followed by two hex digits', () => {
    for (const [code, char] of bytes()) {
      if (/^[0-9A-Fa-f]$/.test(char) || !PCHAR.test(char)) continue;
      expect(told(`/x%${char}0`), hex(code)).toBe(AMBIGUOUS);
      expect(told(`/x%4${char}`), hex(code)).toBe(AMBIGUOUS);
    }
    for (const path of ['/%', '/%4', '/x%', '/x%4', '/%/41', '/%4/1'])
      expect(told(path), path).toBe(AMBIGUOUS);
  });
});

describe('a doubly encoded byte', () => {
  it('marks the target wherever it stands, when what follows is two hex digits', () => {
    for (const path of [
      '/%2541',
      '/x%25ff',
      '/x%25zz%2541',
      '/x%2541%25zz',
      '/%25%2541',
      '/%252541',
      '/a%25%34%31',
    ]) {
      expect(parseTarget(path), path).toMatchObject({ encodedPercent: true, encodedSlash: false });
    }
    for (const path of [
      '/100%25',
      '/%25',
      '/%25z',
      '/%25zz',
      '/%254',
      '/%254z',
      '/%25z4',
      '/41%2',
      '/a%25/41',
    ]) {
      const target = parseTarget(path);
      if (!('reason' in target)) expect(target.encodedPercent, path).toBe(false);
    }
    expect(told('/a%25/41')).toBe('/a%25/41');
  });

  it('is refused where it hides what climbs or ends a string', () => {
    for (const path of ['/%252e%252E', '/a/%2500', '/a%252F..', '/a%255C..%255Cb', '/a%250D%250A']) {
      expect(told(path), path).toBe(AMBIGUOUS);
    }
  });
});

describe('slashes', () => {
  it('are merged within the path, and a trailing one is kept', () => {
    expect(told('/a//b')).toBe('/a/b');
    expect(told('/a////')).toBe('/a/');
    expect(told('/a/%41//b/')).toBe('/a/A/b/');
    expect(told('/a/.b')).toBe('/a/.b');
    expect(told('/a.b/c.')).toBe('/a.b/c.');
  });

  it('may not stand twice at the start, where a browser would read a host', () => {
    for (const raw of ['', '*', 'a', '//', '//a', '///', '?', ' /a']) expect(told(raw), raw).toBe(NOT_ORIGIN);
    expect(told('/')).toBe('/');
    expect(told('/?x')).toBe('/');
    expect(told('/.')).toBe(AMBIGUOUS);
  });
});

describe('a plain path', () => {
  it('is scanned once and copied never: nothing is cut, searched or put together', () => {
    const spies = [
      vi.spyOn(String.prototype, 'slice'),
      vi.spyOn(String.prototype, 'indexOf'),
      vi.spyOn(String, 'fromCharCode'),
    ];
    try {
      for (const path of ['/', '/exports', '/a.b/c-d_e~f/g..', "/!$&'()*+,;=:@/9AZaz/"]) parseTarget(path);
      for (const spy of spies) expect(spy).not.toHaveBeenCalled();
      parseTarget('/a.b?c');
      expect(spies[0]).toHaveBeenCalledTimes(2);
      expect(spies[1]).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe('a byte of the query', () => {
  it('is kept as it is when it is visible ASCII but `#`, and refused otherwise', () => {
    for (const [code, char] of bytes()) {
      const fine = code > 0x20 && code < 0x7f && char !== '#';
      for (const query of [char, `a${char}`, `${char}b`]) {
        const target = parseTarget(`/x?${query}`);
        if (fine) expect(target, hex(code)).toMatchObject({ path: '/x', query, hasQuery: true });
        else expect(target, hex(code)).toMatchObject({ reason: 'bad_request_target', note: BAD_QUERY_BYTE });
      }
    }
  });

  it('is refused when it is an encoded NUL, in names and values', () => {
    for (const query of ['%00', 'a%00', 'a=%00b', 'a=b&c%00=d'])
      expect(told(`/x?${query}`), query).toBe(BAD_QUERY_BYTE);
    for (const query of ['%01', '%10', '%30', '%', '%0', '0%0', '%a00', '00', '!00']) {
      expect(told(`/x?${query}`), query).toBe('/x');
    }
  });

  it('is looked at on a path that needs rewriting too, and does not hide a bad path', () => {
    expect(parseTarget('/%41?b=%63')).toMatchObject({ path: '/A', query: 'b=%63', hasQuery: true });
    expect(parseTarget('/%41?')).toMatchObject({ path: '/A', query: '', hasQuery: true });
    expect(told('/..?a')).toBe(AMBIGUOUS);
    expect(told('/%41? ')).toBe(BAD_QUERY_BYTE);
  });
});

function absolute(raw: string, host = 'app.test'): string {
  const target = parseRequestTarget(raw, host);
  return 'reason' in target ? String(target.note) : `${target.path}?${target.query}`;
}

describe('the absolute form', () => {
  const NEITHER = 'neither origin-form nor absolute-form';
  const OTHER_HOST = 'the authority is not the Host';

  it('counts as its origin-form, the path untouched by the comparison of hosts', () => {
    expect(absolute('/A?b')).toBe('/A?b');
    expect(absolute('HTTPS://App.Test/A?B')).toBe('/A?B');
    expect(absolute('http://app.test')).toBe('/?');
    expect(absolute('http://app.test/')).toBe('/?');
    expect(absolute('https://app.test/a/b')).toBe('/a/b?');
    expect(absolute('http://app.test//a')).toBe(NOT_ORIGIN);
    expect(absolute('http://app.test/../a')).toBe(AMBIGUOUS);
  });

  it('takes the port of its scheme for none, on either side, and no other port', () => {
    expect(absolute('http://app.test:80/a', 'app.test')).toBe('/a?');
    expect(absolute('http://app.test/a', 'app.test:80')).toBe('/a?');
    expect(absolute('https://app.test:443/a', 'app.test')).toBe('/a?');
    expect(absolute('https://app.test/a', 'app.test:443')).toBe('/a?');
    expect(absolute('http://app.test:8080/a', 'app.test:8080')).toBe('/a?');
    expect(absolute('http://app.test:443/a', 'app.test')).toBe(OTHER_HOST);
    expect(absolute('https://app.test:80/a', 'app.test')).toBe(OTHER_HOST);
    expect(absolute('http://app.test/a', 'app.test:443')).toBe(OTHER_HOST);
    expect(absolute('http://app.test:8/a', 'app.test')).toBe(OTHER_HOST);
    expect(absolute('http://:80app.test/a', 'app.test')).toBe(OTHER_HOST);
  });

  it('is refused for another host and for none', () => {
    expect(absolute('http://evil.test/a')).toBe(OTHER_HOST);
    expect(absolute('http:///a', '')).toBe(OTHER_HOST);
    expect(absolute('http://', '')).toBe(OTHER_HOST);
    expect(absolute('https:///a', '')).toBe(OTHER_HOST);
    expect(absolute('http://app.test?a')).toBe(OTHER_HOST);
  });

  it('is refused for anything that is no http or https address', () => {
    const others = [
      '',
      '*',
      'a',
      'ftp://app.test/',
      'http:/app.test',
      'http:app.test',
      'https:/app.test/',
      'app.test:80',
    ];
    for (const raw of [
      ...others,
      'httpx://app.test/',
      'xhttp://app.test/',
      'https//app.test',
      'ws://app.test/',
    ]) {
      expect(absolute(raw), raw).toBe(NEITHER);
    }
  });
});
