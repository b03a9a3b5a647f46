// Numbers the requests of one generator, so that a failure is found again by its id. Pure; ids are stable for a seed.
import type { GeneratedRequest } from '../generated-request.ts';

/** What a generator says of one request. */
export interface Made {
  readonly class: number;
  readonly about: string;
  readonly bytes: string;
  /** 1 unless it says otherwise. */
  readonly mostRequests?: number;
  /** A control that must reach the upstream. */
  readonly mustForward?: boolean;
}

/** Makes requests under `name` and a number from 1 on; null for bytes that were made before. */
export function makerOf(name: string): (made: Made) => GeneratedRequest | null {
  const seen = new Set<string>();
  return (made) => {
    if (seen.has(made.bytes)) return null;
    seen.add(made.bytes);
    return { mostRequests: 1, ...made, id: `${name}-${seen.size}` };
  };
}

/** Those of `all` that are distinct, numbered. */
export function* numbered(name: string, all: Iterable<Made>): Generator<GeneratedRequest> {
  const make = makerOf(name);
  for (const made of all) {
    const request = make(made);
    if (request !== null) yield request;
  }
}

/** The UTF-8 bytes of `text`, one character each, as `GeneratedRequest.bytes` holds them. */
export function utf8Of(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The UTF-8 bytes of `text`, each as an escape in capitals. */
export function escapedUtf8(text: string): string {
  return escapedBytes(utf8Of(text));
}

/** Each byte of `text` as an escape in capitals. */
export function escapedBytes(text: string): string {
  return Array.from(
    text,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

/** The letters of ASCII in capitals; any other byte of UTF-8 would become another one, or none (`\xb5`, `\xff`). */
export function capitals(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
}
