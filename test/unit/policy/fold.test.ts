import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  decodeAgain,
  decodeStrict,
  foldText,
  gainsStructure,
  hasControl,
  hasEncodedOctet,
  isDotSegment,
} from '#policy/fold.ts';

const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
const HEX = new Set('0123456789abcdefABCDEF');

describe('foldText', () => {
  it('leaves lower-case ASCII as it is', () => {
    expect(foldText('exports-2026_a~b')).toBe('exports-2026_a~b');
  });

  it('lowers every ASCII letter, the first and the last of the alphabet too, and nothing beside them', () => {
    for (const char of ASCII) {
      const letter = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(char);
      const expected = letter === -1 ? char : [...'abcdefghijklmnopqrstuvwxyz'][letter];
      expect(foldText(char), JSON.stringify(char)).toBe(expected);
      expect(foldText(`x${char}`), JSON.stringify(char)).toBe(`x${expected}`);
    }
  });

  it('does no Unicode work for ASCII text, and none at all where there is nothing to lower', () => {
    const normalize = vi.spyOn(String.prototype, 'normalize');
    const lower = vi.spyOn(String.prototype, 'toLowerCase');
    try {
      foldText(`exports-2026_a~b@[\`{${'\x7f'}`);
      expect(lower).not.toHaveBeenCalled();
      foldText('Exports');
      expect(lower).toHaveBeenCalledTimes(1);
      expect(normalize).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('ignores case, width, invisible characters and the form of the final sigma', () => {
    expect(foldText('EXPORTS')).toBe('exports');
    expect(foldText('ｅｘｐｏｒｔｓ')).toBe('exports');
    expect(foldText('ex\u200Bpo\u00ADrts\uFE0F')).toBe('exports');
    expect(foldText('℡')).toBe('tel');
    expect(foldText('ΟΔΟΣ')).toBe(foldText('οδοσ'));
    expect(foldText('ΟΔΟΣ')).toBe(foldText('οδος'));
  });

  it('composes what an invisible character held apart', () => {
    expect(foldText('e\u200D\u0301')).toBe('é');
  });

  it('does not make equal what is not: an accent, a cedilla, a dotless i', () => {
    expect(foldText('éxports')).not.toBe('exports');
    expect(foldText('exporţs')).not.toBe('exports');
    expect(foldText('ı')).not.toBe('i');
  });

  it('gives the same for a text and for its upper-case ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const shouted = text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
        expect(foldText(shouted)).toBe(foldText(text));
      }),
    );
  });
});

describe('decoding', () => {
  it('refuses malformed escapes, overlong forms, surrogates and stray bytes', () => {
    for (const text of ['%', '%2', '%zz', '%C0%AF', '%ED%A0%80', '%FF', '%F8%80%80%80%AF']) {
      expect(decodeStrict(text), text).toBeNull();
    }
    expect(decodeStrict('%C3%A9%2F')).toBe('é/');
  });

  it('decodes once more only what still encodes something', () => {
    expect(decodeAgain('100% %41%')).toBe('100% A%');
    expect(decodeAgain('%C1%A5')).toBeNull();
    expect(decodeAgain('%41%42')).toBe('AB');
    expect(decodeAgain('plain')).toBe('plain');
    // A malformed escape first, last, and of each kind, beside one that is well-formed.
    expect(decodeAgain('%zz%41')).toBe('%zzA');
    expect(decodeAgain('%41%')).toBe('A%');
    expect(decodeAgain('%4z%41')).toBe('%4zA');
    expect(decodeAgain('%z4%41')).toBe('%z4A');
    expect(decodeAgain('%41%4')).toBe('A%4');
    for (const text of ['a%zz', '%z4', 'a%z4', '%4z', 'ab%4z', 'ab%4z0'])
      expect(decodeAgain(text)).toBe(text);
    expect(decodeAgain('41%41')).toBe('41A');
    expect(decodeAgain('%%41')).toBe('%A');
    expect(decodeAgain('%C3%A9%')).toBe('é%');
    expect(decodeAgain('%c3%a9%%')).toBe('é%%');
  });

  it('knows whether a further decoding would change the text: a percent sign and two hex digits', () => {
    for (const char of ASCII) {
      const expected = HEX.has(char);
      expect(hasEncodedOctet(`%${char}0`), char).toBe(expected);
      expect(hasEncodedOctet(`a%0${char}b`), char).toBe(expected);
      expect(hasEncodedOctet(`${char}41`), char).toBe(char === '%');
      const decoded =
        Number.parseInt(char, 16) < 8 ? String.fromCharCode(Number.parseInt(`${char}0`, 16)) : null;
      expect(decodeAgain(`%${char}0%41`), char).toBe(expected ? decoded && `${decoded}A` : `%${char}0A`);
    }
    for (const text of ['', '%', '%4', 'a%4', '4%', '%g%', '100%', '%x41']) {
      expect(hasEncodedOctet(text), text).toBe(false);
    }
    for (const text of ['%41', '%%41', 'a%zz%41', 'ab%4f']) expect(hasEncodedOctet(text), text).toBe(true);
  });
});

describe('segments that no server reads alike', () => {
  it('are dot segments in any spelling', () => {
    for (const text of ['.', '..', '..;x=1', '.;', '．．', '‥']) expect(isDotSegment(text), text).toBe(true);
    for (const text of ['..;a;b', '．;', '..\u037E']) expect(isDotSegment(text), text).toBe(true);
    for (const text of ['...', '.a', 'a..', ';..', '', 'a;..']) expect(isDotSegment(text), text).toBe(false);
  });

  it('gain structure by NFKC', () => {
    for (const text of ['a／b', '％65', 'a；b', 'a？', '＃']) expect(gainsStructure(text), text).toBe(true);
    for (const text of ['＼', 'a/b＼', '℀']) expect(gainsStructure(text), text).toBe(true);
    for (const text of ['a/b', 'é', 'a.b', 'Ａ']) expect(gainsStructure(text), text).toBe(false);
    // A form that changes beside structure that was there before is no gain.
    for (const mark of ['/', '\\', '?', '#', '%', ';']) expect(gainsStructure(`Ａ${mark}`), mark).toBe(false);
  });

  it('hold a control character: C0, DEL or C1, wherever it stands', () => {
    for (let code = 0; code < 0x300; code++) {
      const char = String.fromCharCode(code);
      const expected = /\p{Cc}/u.test(char);
      expect(hasControl(char), code.toString(16)).toBe(expected);
      expect(hasControl(`ab${char}`), code.toString(16)).toBe(expected);
    }
    expect(hasControl('')).toBe(false);
  });
});
