// Whether a browser sent this request from a page of the very same origin (cross-site request forgery, cross-site WebSocket
// hijacking). Assumes a well-formed Host. Guarantees: what does not say where it comes from does not pass.
import type { Exchange } from './exchange.ts';

/**
 * By `Origin`, which browsers send with every request that is not GET or HEAD; without one by `Sec-Fetch-Site` (W3C Fetch
 * Metadata), which no page can set.
 */
export function isSameOrigin(x: Exchange): boolean {
  if (x.head.origin !== '') return isOwnOrigin(x.head.origin.toLowerCase(), x);
  const sites = x.headerValues('sec-fetch-site');
  return sites.length === 1 && sites[0] === 'same-origin';
}

/**
 * The scheme is https, also where TLS ends before us: a `Secure` cookie came over nothing else, and a page of the plain
 * host is whoever sits on the wire. Browsers take their own machine for secure, so there it is the listener's.
 */
export function isOwnOrigin(origin: string, x: Pick<Exchange, 'host' | 'hostName' | 'secure'>): boolean {
  const host = x.host.endsWith(':443') ? x.host.slice(0, -4) : x.host;
  if (origin === `https://${host}`) return true;
  return !x.secure && isLoopback(x.hostName) && origin === `http://${x.host}`;
}

function isLoopback(hostName: string): boolean {
  return (
    hostName === 'localhost' ||
    hostName === '127.0.0.1' ||
    hostName === '[::1]' ||
    hostName.endsWith('.localhost')
  );
}
