// Reading request bodies, bounded. Too long a body and malformed JSON end as an HttpError, which the server answers.
import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

const MAX_TEXT_BYTES = 64 * 1024;

export async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new HttpError(413, 'The body is too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A JSON object; an empty body counts as an empty object. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = (await readBytes(request, MAX_TEXT_BYTES)).toString('utf8');
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Answered below, like JSON that is not an object.
  }
  throw new HttpError(400, 'The body must be a JSON object.');
}

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBytes(request, MAX_TEXT_BYTES)).toString('utf8'));
}

/** A required, non-empty string of at most `maxLength` characters. */
export function textOf(body: Record<string, unknown>, name: string, maxLength = 2000): string {
  const value = body[name];
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength) {
    throw new HttpError(422, `"${name}" must be a text of 1 to ${maxLength} characters.`);
  }
  return value.trim();
}
