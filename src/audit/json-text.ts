// Text of JSON strings in which nothing can hide: pure ASCII, one line, capped. Control, bidirectional and all
// other characters outside printable ASCII become JSON escapes, so a line's length is its size in bytes.
// Hot: several calls per record; almost every string takes the first branch.

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const SPECIAL = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;
const NOT_ASCII = /[^\x20-\x7e]/g;
const ELLIPSIS = '\u2026';

/** `value` as a JSON string, quotes included. Beyond `cap` UTF-16 units it is cut and ends in an ellipsis. */
export function quoted(value: string, cap: number): string {
  if (value.length <= cap && PLAIN.test(value)) return `"${value}"`;
  return `"${capped(value, cap).replace(SPECIAL, escapeUnit)}"`;
}

/** Cut at `cap` units, never through a surrogate pair, with an ellipsis that shows the cut. */
export function capped(value: string, cap: number): string {
  if (value.length <= cap) return value;
  const last = value.charCodeAt(cap - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? cap - 1 : cap;
  return value.slice(0, end) + ELLIPSIS;
}

/** Any JSON value as ASCII text on one line. Not hot. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(NOT_ASCII, escapeUnit);
}

/** What a published record shows as an escape although it could stand as UTF-8: it would not be seen, or mislead. */
const INVISIBLE = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u;
const EVERY_INVISIBLE = new RegExp(INVISIBLE.source, 'gu');

/** A published record as one line of UTF-8 JSON, without its newline. */
export function visibleJson(value: unknown): string {
  const text = JSON.stringify(value);
  return INVISIBLE.test(text) ? text.replace(EVERY_INVISIBLE, escapeUnits) : text;
}

/** A character beyond U+FFFF is two units, and two escapes. */
function escapeUnits(character: string): string {
  let text = '';
  for (let index = 0; index < character.length; index++) text += escapeUnit(character.charAt(index));
  return text;
}

function escapeUnit(unit: string): string {
  if (unit === '"') return '\\"';
  if (unit === '\\') return '\\\\';
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
