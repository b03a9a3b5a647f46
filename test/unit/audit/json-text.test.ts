import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiJson, quoted, visibleJson } from '#audit/json-text.ts';

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
const CAP = 10_000;

describe('a quoted string', () => {
  it('parses back to what it was', () => {
    fc.assert(fc.property(anyText, (text) => void expect(JSON.parse(quoted(text, CAP))).toBe(text)));
  });

  it('is printable ASCII on one line, whatever it holds', () => {
    fc.assert(fc.property(anyText, (text) => void expect(quoted(text, CAP)).toMatch(/^[\x20-\x7e]*$/)));
  });

  it('parses back when it is made of any 16-bit units, lone surrogates too', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));
    fc.assert(fc.property(units, (text) => void expect(JSON.parse(quoted(text, CAP))).toBe(text)));
  });

  it('is cut at its cap with an ellipsis, and never through a surrogate pair', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 20 }), (text, cap) => {
        const kept = JSON.parse(quoted(text, cap)) as string;
        if (text.length <= cap) {
          expect(kept).toBe(text);
          return;
        }
        expect(kept.endsWith('…')).toBe(true);
        expect(text.startsWith(kept.slice(0, -1))).toBe(true);
        expect(kept.length).toBeLessThanOrEqual(cap + 1);
      }),
    );
    expect(JSON.parse(quoted('ab😀', 3))).toBe('ab…');
  });
});

describe('a published line', () => {
  it('parses back, and is one line', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const line = visibleJson(value);
        expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(line).not.toMatch(/[\n\r\u2028\u2029]/);
      }),
    );
  });

  it.each([
    ['a right-to-left override', '\u202e'],
    ['an isolate', '\u2066'],
    ['a zero-width space', '\u200b'],
    ['a byte order mark', '\ufeff'],
    ['an escape character', '\u001b'],
    ['a C1 control', '\u009b'],
    ['DEL', '\u007f'],
    ['a tag character beyond U+FFFF', '\u{e0041}'],
  ])('shows %s as an escape', (_name, character) => {
    const line = visibleJson({ text: `a${character}b` });
    expect(line).not.toContain(character);
    expect(line).toMatch(/\\u[0-9a-f]{4}/);
    expect(JSON.parse(line)).toEqual({ text: `a${character}b` });
  });

  it('leaves names as people write them', () => {
    expect(visibleJson({ name: 'Zoë 😀 李' })).toBe('{"name":"Zoë 😀 李"}');
  });
});

it('any JSON value becomes printable ASCII that parses back', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = asciiJson(value);
      expect(text).toMatch(/^[\x20-\x7e]*$/);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
