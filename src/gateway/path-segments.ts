// Which path segments no server may be trusted to read as we do (P4): dot segments in any disguise.
// Guarantees: a path that passes has no segment that is, or folds to, `.` or `..`, and none whose compatibility
// form makes structure. Assumes canonical percent-encoding. Off the fast path: only odd paths get here.

const DEFAULT_IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const STRUCTURE = ['/', '\\', '?', '#', '%', ';'];

/** Every segment of a canonical path. False also for what does not decode to UTF-8 (overlong forms, surrogates). */
export function checkSegments(path: string): boolean {
  let start = 1;
  while (start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    if (!segmentIsSafe(path.slice(start, end))) return false;
    start = end + 1;
  }
  return true;
}

function segmentIsSafe(segment: string): boolean {
  if (!segment.includes('%')) return !isDotSegment(segment);
  const decoded = decodeUtf8(segment);
  if (decoded === null || holdsC1Control(decoded) || isDotSegment(decoded)) return false;
  const folded = foldedForm(decoded);
  return !isDotSegment(folded) && !gainsStructure(decoded, folded);
}

/** Invisible characters go first: some servers drop them, and `.` ZWSP `.` would then climb. */
function foldedForm(decoded: string): string {
  return decoded.replace(DEFAULT_IGNORABLE, '').normalize('NFKC').replace(DEFAULT_IGNORABLE, '');
}

/** `.` or `..` once parameters, and the trailing dots and spaces that some file systems ignore, are taken off. */
function isDotSegment(decoded: string): boolean {
  const semicolon = decoded.indexOf(';');
  const end = semicolon < 0 ? decoded.length : semicolon;
  if (end === 0 || decoded.charCodeAt(0) !== 0x2e) return false;
  for (let i = 0; i < end; i++) {
    const code = decoded.charCodeAt(i);
    if (code !== 0x2e && code !== 0x20) return false;
  }
  return true;
}

/** Fullwidth solidus, percent and the like: a compatibility form that is structure where the original was not. */
function gainsStructure(decoded: string, folded: string): boolean {
  return STRUCTURE.some((char) => folded.split(char).length > decoded.split(char).length);
}

function holdsC1Control(decoded: string): boolean {
  for (let i = 0; i < decoded.length; i++) {
    const code = decoded.charCodeAt(i);
    if (code >= 0x80 && code < 0xa0) return true;
  }
  return false;
}

/**
 * For routes that opt in to `%2F` or `%25XX` (P3): the path as a server sees it that decodes once or twice more
 * must not climb either, whatever the rules then say of it.
 */
export function readingIsSafe(path: string): boolean {
  let reading: string | null = path;
  for (let round = 0; round < 2; round++) {
    reading = decodeUtf8(reading);
    // A second decoding that does not work is not a reading anybody has.
    if (reading === null) return true;
    for (const segment of reading.replaceAll('\\', '/').split('/')) {
      if (isDotSegment(segment) || isDotSegment(foldedForm(segment)) || holdsControl(segment)) return false;
    }
  }
  return true;
}

function holdsControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function decodeUtf8(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}
