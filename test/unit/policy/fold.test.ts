import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAgain, decodeStrict, foldText, gainsStructure, isDotSegment } from '#policy/fold.ts';

describe('foldText', () => {
  it('leaves lower-case ASCII as it is', () => {
    expect(foldText('exports-2026_a~b')).toBe('exports-2026_a~b');
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
  });
});

describe('segments that no server reads alike', () => {
  it('are dot segments in any spelling', () => {
    for (const text of ['.', '..', '..;x=1', '.;', '．．', '‥']) expect(isDotSegment(text), text).toBe(true);
    for (const text of ['...', '.a', 'a..', ';..']) expect(isDotSegment(text), text).toBe(false);
  });

  it('gain structure by NFKC', () => {
    for (const text of ['a／b', '％65', 'a；b', 'a？', '＃']) expect(gainsStructure(text), text).toBe(true);
    for (const text of ['a/b', 'é', 'a.b']) expect(gainsStructure(text), text).toBe(false);
  });
});
