// Checks and rewrites what the upstream answers to a WebSocket handshake (RFC 6455 section 4.1).
// Guarantees: a 101 is relayed only if it is one, answers this very key, and carries no hop-by-hop header but ours.
import { createHash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { ResponseHead } from './response-headers.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The key is the client's `Sec-WebSocket-Key`. */
export function acceptKeyOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** Null: it is a valid answer to `key`. Else a short code for the record. `fields`: as spelled. */
export function handshakeFault(fields: readonly string[], key: string): string | null {
  const upgrade = onlyLine(fields, 'upgrade');
  const connection = onlyLine(fields, 'connection');
  if (upgrade?.toLowerCase() !== 'websocket') return 'BAD_UPGRADE';
  if (connection === null || !/(^|,)\s*upgrade\s*(,|$)/i.test(connection)) return 'BAD_UPGRADE';
  if (onlyLine(fields, 'sec-websocket-accept') !== acceptKeyOf(key)) return 'BAD_ACCEPT';
  return null;
}

/** Null where there is none, or more than one. */
function onlyLine(fields: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if ((fields[i] as string).toLowerCase() !== name) continue;
    if (found !== null) return null;
    found = fields[i + 1] as string;
  }
  return found;
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
