// P6: the widest reading of a piece of text, so that no spelling of a denied name slips by.
// Requests and patterns go through the same function; nothing is stripped here. Hot: ASCII text skips the
// Unicode work and is returned as it came when there is nothing to lower.

/** One character class, so linear. */
const DEFAULT_IGNORABLE = /\p{Default_Ignorable_Code_Point}+/gu;

const PERCENT = 0x25;

/**
 * NFKC, invisible characters removed, lower-cased, NFKC again. `text` is percent-decoded.
 * The final sigma becomes the plain one: which of the two lower-casing makes depends on what follows.
 */
export function foldText(text: string): string {
  if (isAscii(text)) return hasUpperCase(text) ? text.toLowerCase() : text;
  return text
    .normalize('NFKC')
    .replace(DEFAULT_IGNORABLE, '')
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function hasUpperCase(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return true;
  }
  return false;
}

/** Percent-decodes once; null where a `%` is malformed or the bytes are not UTF-8 (overlong forms included). */
export function decodeStrict(text: string): string | null {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Percent-decodes once and leaves a `%` that encodes nothing as it is; null where the bytes are not UTF-8. */
export function decodeAgain(text: string): string | null {
  let prepared = text;
  for (let i = text.indexOf('%'); i !== -1; i = text.indexOf('%', i + 1)) {
    if (!isHexDigit(text.charCodeAt(i + 1)) || !isHexDigit(text.charCodeAt(i + 2))) {
      prepared = text.replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25');
      break;
    }
  }
  return decodeStrict(prepared);
}

/** Whether a further decoding would change the text. */
export function hasEncodedOctet(text: string): boolean {
  for (let i = 0; i + 2 < text.length; i++) {
    if (text.charCodeAt(i) !== PERCENT) continue;
    if (isHexDigit(text.charCodeAt(i + 1)) && isHexDigit(text.charCodeAt(i + 2))) return true;
  }
  return false;
}

function isHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}

/** C0, DEL and C1: P2 refuses them in a decoded path, so no pattern can need one. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

/** P4: a segment that is `.` or `..`, its parameters taken off, whether as it stands or folded. */
export function isDotSegment(segment: string): boolean {
  return isDots(withoutParameters(segment)) || isDots(withoutParameters(foldText(segment)));
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}

function withoutParameters(segment: string): string {
  const at = segment.indexOf(';');
  return at === -1 ? segment : segment.slice(0, at);
}

const STRUCTURE = ['/', '\\', '?', '#', '%', ';'];

/** P4: whether NFKC makes structure that was not there, as a fullwidth solidus does. */
export function gainsStructure(segment: string): boolean {
  const normalized = segment.normalize('NFKC');
  return (
    normalized !== segment && STRUCTURE.some((mark) => normalized.includes(mark) && !segment.includes(mark))
  );
}
