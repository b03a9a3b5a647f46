// One JSON document over HTTP(S) from an identity provider: no redirect is followed, size and time are bounded,
// every failure is KEYS_UNAVAILABLE with a message that names no address. Assumes a checked URL. Cold.
import { PosternError } from '#model/fault.ts';

/** Key sets and discovery documents are a few KiB. Counted after decompression. */
const MAX_BODY_BYTES = 512 * 1024;
const TIMEOUT_MS = 5000;

/** `signal` ends the request early. Throws PosternError KEYS_UNAVAILABLE. */
export async function fetchJson(url: URL, signal: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(url, {
      // A redirect could lead anywhere, to plain HTTP or into the inner network.
      redirect: 'manual',
      headers: { accept: 'application/json, application/jwk-set+json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw unavailable(`the answer has status ${response.status}`);
    }
    return parseJson(await readBody(response), 'answer');
  } catch (error) {
    if (error instanceof PosternError) throw error;
    throw unavailable(`the request failed (${codeOf(error)})`, error);
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop by a throw cancels the rest of the body.
    if (size > MAX_BODY_BYTES) throw unavailable('the answer is larger than 512 KiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The JSON value in `text`, which is called `what` in the fault. Throws PosternError KEYS_UNAVAILABLE. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the text, so it goes no further than the cause.
    throw unavailable(`the ${what} is not JSON`, error);
  }
}

export function unavailable(message: string, cause?: unknown): PosternError {
  return new PosternError('KEYS_UNAVAILABLE', message, cause);
}

/** A code from the closed sets of Node, OpenSSL and undici, or the error's class: never text from the other side. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const inner: unknown = error.cause;
  const code = inner instanceof Error && 'code' in inner ? inner.code : (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : error.name;
}
