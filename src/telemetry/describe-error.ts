// What an error may say in the operational log: our own code and message, and of a cause its code alone,
// since the text of other people's errors holds addresses, tokens and statements.
import { PosternError } from '#model/fault.ts';

export interface ErrorDescription {
  /** The fault's code, a library's code such as `ECONNREFUSED`, or the error's name. */
  readonly code: string;
  /** Only of our own faults: they are written to hold no secret and no personal value. */
  readonly message?: string;
  readonly cause?: string;
  /** Where an unexpected error came from: function and file of the first frame that is not Node's. */
  readonly at?: string;
}

export function describeError(error: unknown): ErrorDescription {
  if (error instanceof PosternError) {
    const { code, message, cause } = error;
    return cause === undefined ? { code, message } : { code, message, cause: codeOf(cause) };
  }
  const at = error instanceof Error ? placeOf(error) : undefined;
  return at === undefined ? { code: codeOf(error) } : { code: codeOf(error), at };
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code;
  return typeof name === 'string' && /^[A-Za-z]{1,64}$/.test(name) ? name : 'Error';
}

/** `src/audit/x.ts:12:3`: the place, without this machine's directories. */
function placeOf(error: Error): string | undefined {
  const frame = /(?:src|dist|node_modules)\/[\w@./-]+:\d+:\d+/.exec(error.stack ?? '');
  return frame?.[0];
}
