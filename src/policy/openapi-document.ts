// The bytes of an OpenAPI document, JSON or YAML, → one plain value. Guarantees: bounded size and nesting, no aliases
// or tags, and no prototype that a key could reach, since readers ask for own members only. The file is somebody
// else's: every flaw is a problem with its place, never a throw. Cold.
import { open, stat } from 'node:fs/promises';
import { type PolicyProblem, problemOfFile, sortProblems } from './problem.ts';
import { WIDE_BOUNDS } from './yaml-bounds.ts';
import { createFileReader, readDocuments, report } from './yaml-document.ts';
import { plainValue } from './openapi-yaml.ts';

export const MAX_OPENAPI_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 100;

export type RawDocument =
  | { readonly value: unknown; readonly problems: null }
  | { readonly value: null; readonly problems: readonly PolicyProblem[] };

/** The bytes, or why there are none, as a clause. Size and kind are looked at before a byte is read. */
export async function readOpenApiFile(file: string): Promise<Uint8Array | string> {
  try {
    // Opening a named pipe would wait for its writer.
    const found = await stat(file);
    if (!found.isFile()) return 'this is not a regular file';
    if (found.size > MAX_OPENAPI_BYTES) return tooLarge(found.size);
    await using handle = await open(file, 'r');
    const bytes = await handle.readFile();
    return bytes.byteLength > MAX_OPENAPI_BYTES ? tooLarge(bytes.byteLength) : bytes;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`;
  }
}

/** `file` is the name that problems carry. */
export function parseOpenApi(file: string, bytes: Uint8Array): RawDocument {
  if (bytes.byteLength > MAX_OPENAPI_BYTES) return refused(file, tooLarge(bytes.byteLength));
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused(file, 'the file is not UTF-8');
  }
  if (/^\s*\{/.test(text)) {
    if (isTooDeep(text)) return refused(file, `nested more than ${MAX_DEPTH} deep`);
    try {
      return { value: JSON.parse(text) as unknown, problems: null };
    } catch {
      // JSON is YAML too, whose parser tells where a flaw lies.
    }
  }
  return parseYaml(file, text);
}

function parseYaml(file: string, text: string): RawDocument {
  const reader = createFileReader(file, text);
  const roots = readDocuments(reader, text, WIDE_BOUNDS);
  if (roots.length > 1) report(reader, roots[1]?.range[0] ?? 0, 'one file holds one OpenAPI document');
  if (reader.problems.length > 0) return { value: null, problems: sortProblems(reader.problems) };
  const [root] = roots;
  const plain = root === undefined ? undefined : plainValue(root, MAX_DEPTH);
  if (plain === undefined) return refused(file, `nested more than ${MAX_DEPTH} deep, or empty`);
  return { value: plain, problems: null };
}

/** Brackets outside strings, counted before a parser that recurses sees them. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function refused(file: string, message: string): RawDocument {
  return { value: null, problems: [problemOfFile(file, message)] };
}

function tooLarge(bytes: number): string {
  return `the file has ${bytes} bytes, more than the limit of ${MAX_OPENAPI_BYTES}`;
}
