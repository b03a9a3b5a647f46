// Ways to write one character of a path or a query so that one server or another reads it as the plain one: escapes,
// layers of escapes, overlong forms, compatibility forms, and characters that nobody sees. Pure.
import { escapedBytes, escapedUtf8, utf8Of } from './maker.ts';

/** Characters whose compatibility form, or lower case, is the letter of ASCII. */
const LOOKALIKES: Readonly<Record<string, readonly string[]>> = {
  a: ['\u00aa', '\u1d43'],
  c: ['\u217d', '\u{1d6a2}'.normalize('NFC')],
  d: ['\u217e'],
  e: ['\u2147', '\u212f'],
  i: ['\u2170', '\u2139', '\u2071'],
  k: ['\u212a'],
  l: ['\u2113', '\u217c'],
  m: ['\u217f'],
  n: ['\u207f'],
  o: ['\u2134', '\u00ba'],
  r: ['\u211b', '\u1d63'],
  s: ['\u017f', '\u209b'],
  t: ['\u209c'],
  v: ['\u2174'],
  x: ['\u2179', '\u2093'],
};

/** Default_Ignorable_Code_Point: zero width space and joiners, soft hyphen, variation selectors, tags, fillers. */
export const INVISIBLE: readonly string[] = [
  '\u00ad',
  '\u034f',
  '\u061c',
  '\u115f',
  '\u17b4',
  '\u180b',
  '\u180e',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\u2060',
  '\u2064',
  '\u206a',
  '\u3164',
  '\ufe00',
  '\ufe0f',
  '\ufeff',
  '\uffa0',
  '\u{1bca0}',
  '\u{1d173}',
  '\u{e0001}',
  '\u{e0061}',
  '\u{e0100}',
];

/** Spellings of a character, with the class that each is of. */
export interface SpelledCharacter {
  readonly class: number;
  readonly about: string;
  readonly text: string;
}

/** Escaped once: what every server reads as the character. */
export function* escapesOf(char: string): Generator<SpelledCharacter> {
  const hex = char.charCodeAt(0).toString(16).padStart(2, '0');
  const spellings = new Set([hex, hex.toUpperCase(), mixedCase(hex)]);
  for (const one of spellings) yield { class: 4, about: 'escaped', text: `%${one}` };
}

/** Escaped twice and more, or in ways that only some products know. */
export function* layersOf(char: string): Generator<SpelledCharacter> {
  const hex = char.charCodeAt(0).toString(16).padStart(2, '0');
  const layers = [
    `%25${hex}`,
    `%25${hex.toUpperCase()}`,
    `%2525${hex}`,
    `%25${escapedBytes(hex)}`,
    `%${escapedBytes(hex)}`,
    `%%${hex}`,
    `%25%${hex}`,
    `%u00${hex}`,
    `%U00${hex}`,
    `\\x${hex}`,
    `&#${char.charCodeAt(0)};`,
    `&#x${hex};`,
    `%26%23${char.charCodeAt(0)}%3b`,
    `=${hex.toUpperCase()}`,
  ];
  for (const text of layers) yield { class: 4, about: 'escaped in layers', text };
}

/** UTF-8 of two, three and four bytes for what needs one, and UTF-7. */
export function* overlongOf(char: string): Generator<SpelledCharacter> {
  const code = char.charCodeAt(0);
  const tail = 0x80 | (code & 0x3f);
  const forms = [
    [0xc0 | (code >> 6), tail],
    [0xe0, 0x80 | (code >> 6), tail],
    [0xf0, 0x80, 0x80 | (code >> 6), tail],
    [0xf8, 0x80, 0x80, 0x80 | (code >> 6), tail],
  ].map((bytes) => String.fromCharCode(...bytes));
  for (const bytes of forms) {
    yield { class: 4, about: 'overlong', text: escapedBytes(bytes) };
    yield { class: 4, about: 'overlong', text: escapedBytes(bytes).toLowerCase() };
    yield { class: 4, about: 'overlong, bare', text: bytes };
  }
}

/** Fullwidth, mathematical, circled and otherwise compatible, escaped and bare. */
export function* compatibleOf(char: string): Generator<SpelledCharacter> {
  const code = char.charCodeAt(0);
  const forms = [String.fromCodePoint(code + 0xfee0), ...(LOOKALIKES[char] ?? [])];
  if (char >= 'a' && char <= 'z') {
    const index = code - 0x61;
    // Mathematical bold, sans-serif and monospace letters, and circled ones; with capitals of two of them.
    for (const start of [0x1d41a, 0x1d5ba, 0x1d68a, 0x24d0, 0x1d400, 0xff21])
      forms.push(String.fromCodePoint(start + index));
  }
  for (const form of forms) {
    yield { class: 4, about: 'compatible', text: escapedUtf8(form) };
    yield { class: 4, about: 'compatible', text: escapedUtf8(form).toLowerCase() };
    yield { class: 4, about: 'compatible, bare', text: utf8Of(form) };
  }
}

function mixedCase(hex: string): string {
  return hex[0] + (hex[1] ?? '').toUpperCase();
}
