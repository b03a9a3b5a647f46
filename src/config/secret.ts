// A value that must not be printed: every way of turning it into text says `[secret]`, but for `reveal()`.
// Guarantees nothing about copies: whoever reveals one keeps it out of logs, errors, metrics and answers.
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';

const mask = (): string => '[secret]';
/** Larger than any key, certificate chain or token; a wrong path to a log or an image is found out. */
const MAX_SECRET_BYTES = 1024 * 1024;

export interface Secret {
  /** The value itself; never empty. */
  reveal(): string;
  /** Absolute path it was read from, for whoever watches it; null when it came from the environment. */
  readonly file: string | null;
}

/** Wraps a value. Frozen; prints as `[secret]` in JSON, templates, logs and inspection. */
export function secretOf(value: string, file: string | null): Secret {
  // Not enumerable: a spread or a clone of the wrapper carries the path at most.
  const hidden = { reveal: () => value, toJSON: mask, toString: mask, [inspect.custom]: mask };
  const secret = Object.create(null, {
    file: { value: file, enumerable: true },
    ...Object.fromEntries(Reflect.ownKeys(hidden).map((key) => [key, { value: Reflect.get(hidden, key) }])),
  }) as Secret;
  return Object.freeze(secret);
}

/** Why a file gave no secret; the words follow its path in a message. */
export type SecretFileFailure =
  | 'does not exist'
  | 'cannot be read'
  | 'is not a regular file'
  | 'is not UTF-8 text'
  | 'is empty'
  | 'is larger than 1 MiB';

/**
 * Reads a secret, for the first time or again after its file changed. One line ending at the end of the file is
 * not part of the value: editors and orchestrators add it. Never throws.
 */
export function readSecretFile(path: string): Secret | SecretFileFailure {
  let bytes: Buffer;
  try {
    // A pipe would block the start for ever, a device would never end.
    const stats = statSync(path);
    if (!stats.isFile()) return 'is not a regular file';
    if (stats.size > MAX_SECRET_BYTES) return 'is larger than 1 MiB';
    bytes = readFileSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
  }
  if (!isUtf8(bytes)) return 'is not UTF-8 text';
  const value = bytes.toString('utf8').replace(/\r?\n$/, '');
  return value === '' ? 'is empty' : secretOf(value, path);
}
