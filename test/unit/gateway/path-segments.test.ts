// P4 and P3, segment by segment: dot segments in any disguise, structure that only appears in another form, bytes that
// are no text. The attack behind all of them: a path that the gate reads as one place and the application as another.
import { describe, expect, it } from 'vitest';
import { checkSegments, isHex, readingIsSafe } from '../../../src/gateway/path-segments.ts';

function escaped(code: number): string {
  return encodeURIComponent(String.fromCodePoint(code));
}

/** Every code point of the first plane that text may hold. */
function codePoints(): number[] {
  const codes: number[] = [];
  for (let code = 0; code < 0x10000; code++) if (code < 0xd800 || code > 0xdfff) codes.push(code);
  return codes;
}

describe('the segments of a canonical path', () => {
  it('pass where they are ordinary', () => {
    for (const path of [
      '/',
      '/a',
      '/a/b/',
      '/a%20b',
      '/%C3%A9',
      '/a..b',
      '/...a',
      '/a/%25/b',
      '/%F0%9F%98%80',
    ]) {
      expect(checkSegments(path), path).toBe(true);
    }
  });

  it('do not pass where one is a dot segment, first, last or between', () => {
    for (const dots of ['.', '..', '...', '..;', '.;x', '..;x;y', '..%20', '.%20.', '..%3Bx', '%EF%BC%8E.']) {
      for (const path of [`/${dots}`, `/${dots}/a`, `/a/${dots}`, `/a/${dots}/b`, `/a/${dots}/`]) {
        expect(checkSegments(path), path).toBe(false);
      }
    }
  });

  it('pass with dots that stand beside other characters', () => {
    for (const path of ['/.a', '/a.', '/a;..', '/;..', '/.-', '/%20..', '/.%2F', '/..%21', '/.!']) {
      expect(checkSegments(path), path).toBe(true);
    }
  });

  it('do not pass where a byte sequence is not UTF-8', () => {
    for (const path of ['/%C1%A5', '/a/%FF', '/%ED%A0%80/b', '/a%80'])
      expect(checkSegments(path), path).toBe(false);
  });

  it('do not pass with an invisible character among dots, nor one that only a compatibility form shows', () => {
    for (const path of ['/.%E2%80%8B.', '/%C2%AD..', '/%EF%BC%8E%E2%80%8D', '/%EF%BE%A0.', '/a/.%EF%B8%8F']) {
      expect(checkSegments(path), path).toBe(false);
    }
    expect(checkSegments(`/.${'%E2%80%8B'.repeat(4)}.`)).toBe(false);
  });

  it('leave the control characters of ASCII to the scan of bytes that comes before', () => {
    expect(checkSegments('/a%7Fb')).toBe(true);
    expect(checkSegments('/a%C2%80b')).toBe(false);
  });

  it('refuse exactly C1 controls, lone dots and hidden structure, for every character by itself', () => {
    const structure = ['/', '\\', '?', '#', '%', ';'];
    const wrong: string[] = [];
    for (const code of codePoints()) {
      if (code < 0x80) continue;
      const char = String.fromCodePoint(code);
      const form = char.normalize('NFKC');
      const refused =
        code < 0xa0 || /^[. ]*\.[. ]*$/.test(form) || structure.some((mark) => form.includes(mark));
      if (checkSegments(`/${escaped(code)}`) === refused) wrong.push(code.toString(16));
      if (
        checkSegments(`/x/a${escaped(code)}b`) !==
        !(code < 0xa0 || structure.some((mark) => form.includes(mark)))
      )
        wrong.push(`a${code.toString(16)}b`);
    }
    expect(wrong).toEqual([]);
  });

  it('refuse structure that is gained beside structure that was there', () => {
    for (const mark of ['%2F', '%5C', '%3F', '%23', '%25', '%3B']) {
      expect(checkSegments(`/a${mark}b`), mark).toBe(true);
      expect(checkSegments(`/%C3%A9${mark}b`), mark).toBe(true);
    }
    expect(checkSegments('/a%2Fb%EF%BC%8Fc')).toBe(false);
    expect(checkSegments('/a%3Bb%EF%BC%9Bc')).toBe(false);
  });
});

describe('the readings of a path that is decoded once or twice more', () => {
  it('are safe where nothing climbs and nothing is a control character', () => {
    for (const path of [
      '/',
      '/a/b',
      '/a%2Fb',
      '/a%252Fb',
      '/a%5Cb',
      '/100%25',
      '/a%2F..b',
      '/%2525252E',
      '/a%20',
    ]) {
      expect(readingIsSafe(path), path).toBe(true);
    }
  });

  it('are not safe where one climbs, whichever separator and however often it is encoded', () => {
    for (const path of [
      '/a%2F..%2Fb',
      '/a%2F.',
      '/..%2Fa',
      '/a%5C..%5Cb',
      '/a%5C.%5Cb%5Cc',
      '/%252E%252E/a',
      '/a%252F..%252Fb',
      '/a%255C..',
      '/a%2F..%3Bx%2Fb',
      '/a%2F..%C2%AD%2Fb',
      '/a%2F%EF%BC%8E%EF%BC%8E%2Fb',
      '/a%2F..%20',
    ]) {
      expect(readingIsSafe(path), path).toBe(false);
    }
  });

  it('are not safe with a control character in either decoding', () => {
    for (const byte of ['00', '0A', '1F', '7F']) {
      expect(readingIsSafe(`/a%2Fb%${byte}c`), byte).toBe(false);
      expect(readingIsSafe(`/a%25${byte}`), byte).toBe(false);
      expect(readingIsSafe(`/%25${byte}/a`), byte).toBe(false);
    }
    for (const byte of ['20', '7E', '21']) expect(readingIsSafe(`/a%2Fb%${byte}c`), byte).toBe(true);
  });

  it('end where a second decoding does not work: nobody reads the path that way', () => {
    expect(readingIsSafe('/100%25/a%2Fb')).toBe(true);
    expect(readingIsSafe('/100%25/a%2F..')).toBe(false);
    expect(readingIsSafe('/100%25/%252E%252E')).toBe(true);
    expect(readingIsSafe('/%FF/..')).toBe(true);
  });

  it('are two at most', () => {
    expect(readingIsSafe('/%25252E%25252E')).toBe(true);
  });
});

describe('a hex digit', () => {
  it('is one of ten digits and six letters in either case', () => {
    const digits = new Set([...'0123456789abcdefABCDEF'].map((char) => char.charCodeAt(0)));
    for (let code = 0; code < 0x100; code++) expect(isHex(code), String(code)).toBe(digits.has(code));
    expect(isHex(Number.NaN)).toBe(false);
  });
});
