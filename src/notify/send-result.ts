// How one attempt to deliver ended. A failure is a value: expected, counted, and tried again by the notifier. Cold.
// `problem` is a short word that may be logged and kept: never an address, or anything that the other side sent.

export type SendResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly problem: string;
      /** Trying again cannot help: the recipient is gone. */
      readonly isFinal: boolean;
      /** What the receiver asked to be given. */
      readonly retryAfterMs: number | null;
    };

export const SENT: SendResult = Object.freeze({ ok: true });

export function failedWith(
  problem: string,
  more: { isFinal?: boolean; retryAfterMs?: number | null } = {},
): SendResult {
  return { ok: false, problem, isFinal: more.isFinal ?? false, retryAfterMs: more.retryAfterMs ?? null };
}

/** The code of an error, where it is a word of Node's or a library's own; `failed` for whatever is none. */
export function problemOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (name === 'TimeoutError' || name === 'AbortError') return 'timeout';
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : 'failed';
}
