// The text of a configuration file, or what is wrong with the file itself. Cold, at start only. Guarantees: at most 1 MiB
// is read, never throws.
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import type { Problem } from './problem.ts';
import { MAX_SOURCE_BYTES } from './yaml-source.ts';

/** The text, or the end of the sentence "the file …". */
export function readSource(file: string): string | { readonly failure: string } {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return { failure: 'is not a file' };
    if (stats.size > MAX_SOURCE_BYTES) return { failure: 'is larger than 1 MiB' };
    const bytes = readFileSync(file);
    return isUtf8(bytes) ? bytes.toString('utf8') : { failure: 'is not UTF-8 text' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { failure: code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown error'})` };
  }
}

export function fileProblem(file: string, failure: string): Problem {
  return { file, line: 1, column: 1, pointer: '', message: `the file ${failure}`, excerpt: null };
}
