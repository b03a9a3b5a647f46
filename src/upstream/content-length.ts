// A `Content-Length` of the upstream as a number. Guarantees: nothing but one run of at most 15 digits is taken
// (RFC 9110 section 8.6), so that no two readers disagree on it. Hot: a loop costs less than a pattern (npm run bench).

const ZERO = 0x30;
const MAX_DIGITS = 15;

/** -1 for anything that is no plain number. */
export function contentLengthOf(text: string): number {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
