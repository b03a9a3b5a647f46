// The head of the upstream request as one string: request line, the prepared headers, our framing.
// Guarantees: no value ends its line, whatever was checked before; exactly one framing, ours. Hot.
import { PosternError } from '#model/fault.ts';
import { isSafeValue } from './field-value.ts';
import type { OutgoingRequest } from './origin-connection.ts';

const UNSAFE_TARGET = /[^\x21-\x7e]/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Of these a server waits to be told that there is no body (RFC 9110 section 8.6). */
const EXPECT_BODY = new Set(['POST', 'PUT', 'PATCH', 'QUERY']);

/** `bodyLength`: 0 for none, -1 in chunks. Throws a fault when something is left that could end a line. */
export function requestHead(request: OutgoingRequest, bodyLength: number): string {
  const { method, upstreamPath, upstreamHeaders } = request;
  if (UNSAFE_TARGET.test(upstreamPath) || (method !== 'GET' && !TOKEN.test(method))) throw unsafe();
  let text = `${method} ${upstreamPath} HTTP/1.1\r\n`;
  for (let i = 0; i < upstreamHeaders.length; i += 2) {
    const value = upstreamHeaders[i + 1] as string;
    if (!isSafeValue(value)) throw unsafe();
    text += `${upstreamHeaders[i]}: ${value}\r\n`;
    // Behind Host, which comes first.
    if (i === 0) text += 'connection: keep-alive\r\n';
  }
  if (bodyLength > 0) return `${text}content-length: ${bodyLength}\r\n\r\n`;
  if (bodyLength < 0) return `${text}transfer-encoding: chunked\r\n\r\n`;
  if (method !== 'GET' && EXPECT_BODY.has(method)) return `${text}content-length: 0\r\n\r\n`;
  return `${text}\r\n`;
}

function unsafe(): PosternError {
  return new PosternError('INTERNAL', 'the prepared request holds a character that may not be sent');
}
