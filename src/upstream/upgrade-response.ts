// Checks and rewrites what the upstream answers to a WebSocket handshake (RFC 6455 section 4.1).
// Guarantees: a 101 is relayed only if it is one, answers this very key, and carries no hop-by-hop header but ours.
import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ResponseHead, ResponseHeaders } from './response-headers.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The key is the client's `Sec-WebSocket-Key`. */
export function acceptKeyOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** Node's flat list as undici would hand it over: lower-case names, several lines of one name as an array. */
export function headersOf(rawHeaders: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = rawHeaders[i + 1] as string;
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (typeof known === 'string') headers[name] = [known, value];
    else known.push(value);
  }
  return headers;
}

/** Null: it is a valid answer to `key`. Else a short code for the record. */
export function handshakeFault(headers: ResponseHeaders, key: string): string | null {
  const { upgrade, connection } = headers;
  if (typeof upgrade !== 'string' || upgrade.toLowerCase() !== 'websocket') return 'BAD_UPGRADE';
  if (typeof connection !== 'string' || !/(^|,)\s*upgrade\s*(,|$)/i.test(connection)) return 'BAD_UPGRADE';
  if (headers['sec-websocket-accept'] !== acceptKeyOf(key)) return 'BAD_ACCEPT';
  return null;
}

export function switchingHead(head: ResponseHead): string {
  return headText(101, head, 'Connection: Upgrade\r\nUpgrade: websocket\r\n');
}

/** An answer that is no 101; the connection ends with it. */
export function plainHead(status: number, head: ResponseHead): string {
  return headText(status, head, 'Connection: close\r\n');
}

function headText(status: number, head: ResponseHead, own: string): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${own}`;
  for (let i = 0; i < head.fields.length; i += 2) {
    // A 101 has no body (RFC 9110 section 15.2.2).
    if (status === 101 && head.fields[i] === 'content-length') continue;
    text += `${head.fields[i]}: ${head.fields[i + 1]}\r\n`;
  }
  return `${text}\r\n`;
}
