// Addresses in configuration, read by the WHATWG URL parser and then held to what is meant.
// Guarantees: one spelling of an origin, without user information. Pure and cold.

/** The origin of `http(s)://host[:port]` with at most a slash after it; null for anything else. */
export function httpOrigin(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !isHttp(url) || hasUserInfo(url)) return null;
  // The parser forgives white space, backslashes and dot segments; a person who wrote them meant something else.
  if (!/^https?:\/\/[^/\\?#\s@]+\/?$/i.test(text)) return null;
  return url.origin;
}

/** Why keys may not be fetched from there; null when they may. The address itself is not repeated. */
export function keyUrlProblem(text: string, allowHttp: boolean): string | null {
  const url = URL.parse(text);
  if (url === null || !isHttp(url) || /\s/.test(text)) return 'is not an https:// address';
  if (hasUserInfo(url)) return 'must not hold a user name or password';
  if (url.protocol === 'https:' || allowHttp || isLoopback(url.hostname)) return null;
  return 'must be https, except on this machine';
}

/** Why records may not be posted there; null when they may. The address itself is not repeated: it may hold a token. */
export function postUrlProblem(text: string, isPlainAllowed: boolean): string | null {
  const url = URL.parse(text);
  if (url === null || !isHttp(url) || /\s/.test(text)) return 'is not an https:// address';
  if (hasUserInfo(url)) return 'must not hold a user name or password: tokens stand in headers';
  if (url.hash !== '') return 'must have no fragment';
  if (url.protocol === 'https:' || isPlainAllowed || isLoopback(url.hostname)) return null;
  return 'must be https, except on this machine';
}

function isHttp(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}

function hasUserInfo(url: URL): boolean {
  return url.username !== '' || url.password !== '';
}

/** RFC 6761 section 6.3 lets `localhost` stand for this machine; the parser brings IPv4 to its one form. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname === '::1' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}
