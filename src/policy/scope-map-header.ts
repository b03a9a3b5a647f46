// The lines of a request header as a ScopeMap reads them: exact but for the white space around them. Assumes what the
// parser of the gate let through. Hot where a map names a header.

/** RFC 9110 section 7.6.1: a header that Connection names is not forwarded. */
export function isNominated(name: string, lines: readonly string[]): boolean {
  for (let i = 0; i < lines.length; i++) {
    for (const option of (lines[i] as string).split(',')) {
      if (withoutOws(option).toLowerCase() === name) return true;
    }
  }
  return false;
}

/** RFC 9110 section 5.6.3: spaces and tabs only; `trim` would take more. */
export function withoutOws(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && isOws(line.charCodeAt(start))) start++;
  while (end > start && isOws(line.charCodeAt(end - 1))) end--;
  return start === 0 && end === line.length ? line : line.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
