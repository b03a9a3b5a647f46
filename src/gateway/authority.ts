// The Host header (RFC 9110 section 7.2): well-formed or refused, in lower case, its port apart.
// Guarantees: one spelling per host for tenancy, the known-hosts check and the records. Hot: no RegExp.

const MAX_HOST_LENGTH = 253 + 6;

/** The host without its port, in lower case; null when the authority is malformed. A trailing dot stays. */
export function hostNameOf(authority: string): string | null {
  if (authority === '' || authority.length > MAX_HOST_LENGTH) return null;
  const end = authority.charCodeAt(0) === 0x5b ? endOfLiteral(authority) : endOfName(authority);
  if (end <= 0 || !portIsValid(authority, end)) return null;
  return authority.slice(0, end).toLowerCase();
}

/** Letters, digits, `-`, `_` and `.`; user information, lists and paths are not hosts. */
function endOfName(authority: string): number {
  let i = 0;
  for (; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    const named =
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x30 && code <= 0x39) ||
      code === 0x2d ||
      code === 0x2e ||
      code === 0x5f;
    if (!named) break;
  }
  return i;
}

/** An IPv6 literal in brackets (RFC 3986 section 3.2.2), zone identifiers excluded; -1 when it is not one. */
function endOfLiteral(authority: string): number {
  for (let i = 1; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    if (code === 0x5d) return i === 1 ? -1 : i + 1;
    const hexOrColon =
      (code >= 0x30 && code <= 0x3a) ||
      (code >= 0x41 && code <= 0x46) ||
      (code >= 0x61 && code <= 0x66) ||
      code === 0x2e;
    if (!hexOrColon) return -1;
  }
  return -1;
}

function portIsValid(authority: string, at: number): boolean {
  if (at === authority.length) return true;
  if (authority.charCodeAt(at) !== 0x3a) return false;
  const digits = authority.length - at - 1;
  if (digits < 1 || digits > 5) return false;
  for (let i = at + 1; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  const port = Number(authority.slice(at + 1));
  return port > 0 && port <= 65535;
}
