// A policy directory → one compiled set: its *.yaml by name, then the packs in the order the configuration names
// them. Guarantees: a file that cannot be read, is too large or is no regular file is a problem, never skipped.
// Cold; nothing is kept between loads.
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compilePolicy, type CompileOutcome, type DefaultEffect } from './compile.ts';
import { appendDocuments, emptyDocuments, type ParsedPolicyFile, parsePolicyFile } from './policy-file.ts';
import { compare, type PolicyProblem, problemOfFile, sortProblems } from './problem.ts';
import { MAX_FILE_BYTES, tooLarge } from './yaml-guard.ts';

export interface PolicyDirectory {
  /** As configured; problems name files below it. */
  readonly directory: string;
  /** Names of files in `packs/`, without `.yaml`. */
  readonly packs: readonly string[];
  readonly dangerouslyAllowEmpty: boolean;
  /** `deny`: an allow-list; what no RouteAllowance covers is refused. */
  readonly defaultEffect: DefaultEffect;
}

const PACK_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Every problem of every file at once; only a set without any is compiled. */
export async function loadPolicyDirectory(options: PolicyDirectory): Promise<CompileOutcome> {
  const { directory, dangerouslyAllowEmpty, defaultEffect } = options;
  const { documents, problems } = await readPolicyDirectory(options);
  if (problems.length > 0) return { policy: null, problems };
  return compilePolicy(documents, { source: directory, dangerouslyAllowEmpty, defaultEffect });
}

/** The documents themselves, for tools that look into them; what `loadPolicyDirectory` compiles. */
export async function readPolicyDirectory({
  directory,
  packs,
}: Pick<PolicyDirectory, 'directory' | 'packs'>): Promise<ParsedPolicyFile> {
  const listed = await listPolicyFiles(directory);
  const problems = [...listed.problems];
  const files = [...listed.files];
  for (const pack of new Set(packs)) {
    if (PACK_NAME.test(pack)) files.push(packFile(directory, pack));
    else problems.push(problemOfFile(directory, `${JSON.stringify(pack)} is no name of a pack`));
  }
  const parsed = await parseFiles(files);
  problems.push(...parsed.problems);
  return { documents: parsed.documents, problems: sortProblems(problems) };
}

function packFile(directory: string, pack: string): string {
  return join(directory, 'packs', `${pack}.yaml`);
}

export interface ListedFiles {
  /** Sorted by name, by code unit. */
  readonly files: readonly string[];
  readonly problems: readonly PolicyProblem[];
}

/** The policy files of a directory itself. Hidden files are not policies; `.yml` is refused, not overlooked. */
export async function listPolicyFiles(directory: string): Promise<ListedFiles> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    return { files: [], problems: [problemOfFile(directory, unreadable(error, 'directory'))] };
  }
  const visible = names.filter((name) => !name.startsWith('.')).toSorted(compare);
  const problems = visible
    .filter((name) => name.toLowerCase().endsWith('.yml') || /\.yaml$/i.test(name) !== name.endsWith('.yaml'))
    .map((name) => problemOfFile(join(directory, name), 'a policy file must end in .yaml'));
  const files = visible.filter((name) => name.endsWith('.yaml')).map((name) => join(directory, name));
  return { files, problems };
}

/** Like `listPolicyFiles`, and empty without a word when there is no such directory. */
export async function listOptional(directory: string): Promise<ListedFiles> {
  const exists = await lstat(directory).then(
    () => true,
    (error: unknown) => codeOf(error) !== 'ENOENT',
  );
  return exists ? listPolicyFiles(directory) : { files: [], problems: [] };
}

/** Ten thousand rules take some two; what is larger is refused before any of it is read. */
const MAX_SET_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 500;

/** Documents of all files in the order given. */
export async function parseFiles(files: readonly string[]): Promise<ParsedPolicyFile> {
  const documents = emptyDocuments();
  const tooMuch = await tooMuchTogether(files);
  if (tooMuch !== null) return { documents, problems: [tooMuch] };
  const problems: PolicyProblem[] = [];
  for (const file of files) {
    const bytes = await readPolicyFile(file);
    if (typeof bytes === 'string') {
      problems.push(problemOfFile(file, bytes));
      continue;
    }
    const parsed = parsePolicyFile(file, bytes);
    appendDocuments(documents, parsed.documents);
    problems.push(...parsed.problems);
  }
  return { documents, problems };
}

async function tooMuchTogether(files: readonly string[]): Promise<PolicyProblem | null> {
  const [first = ''] = files;
  if (files.length > MAX_FILES) {
    return problemOfFile(dirname(first), `${files.length} files are more than the limit of ${MAX_FILES}`);
  }
  let bytes = 0;
  for (const file of files) {
    // One that is too large by itself, or cannot be read, is told when its turn comes.
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    if (size <= MAX_FILE_BYTES) bytes += size;
  }
  if (bytes <= MAX_SET_BYTES) return null;
  const message = `the files have ${bytes} bytes together, more than the limit of ${MAX_SET_BYTES}`;
  return problemOfFile(dirname(first), message);
}

/** The bytes, or why there are none. Size and kind are looked at before a byte is read. */
export async function readPolicyFile(file: string): Promise<Uint8Array | string> {
  try {
    // Opening a named pipe would wait for its writer.
    const { size } = await statOfFile(file);
    if (size > MAX_FILE_BYTES) return tooLarge(size);
    await using handle = await open(file, 'r');
    // One byte more than there should be shows a file that is growing.
    const buffer = Buffer.alloc(size + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = (await handle.read(buffer, length, buffer.length - length, length)).bytesRead;
    }
    return length > size ? 'the file grew while it was read' : buffer.subarray(0, length);
  } catch (error) {
    return unreadable(error, 'file');
  }
}

class NotAFile extends Error {}

async function statOfFile(file: string): Promise<{ readonly size: number }> {
  const found = await stat(file);
  if (!found.isFile()) throw new NotAFile();
  return found;
}

function unreadable(error: unknown, what: 'file' | 'directory'): string {
  if (error instanceof NotAFile) return 'this is not a regular file';
  const code = codeOf(error);
  if (code === 'ENOENT') return `there is no such ${what}`;
  if (code === 'ENOTDIR') return 'this is not a directory';
  if (code === 'EACCES' || code === 'EPERM') return `the ${what} may not be read`;
  return `the ${what} cannot be read (${code})`;
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}

/**
 * What a directory looks like from outside: changes whenever a policy file was added, removed, replaced or written.
 * Follows symbolic links, so that a swapped mount of a ConfigMap shows.
 */
export async function fingerprintDirectory({
  directory,
  packs,
}: Pick<PolicyDirectory, 'directory' | 'packs'>): Promise<string> {
  const { files, problems } = await listPolicyFiles(directory);
  const all = [...files, ...packs.map((pack) => packFile(directory, pack))];
  // A file that is refused by its name, or a directory that is away, changes what a load would say.
  const marks: (readonly (string | number)[])[] = problems.map(({ file, message }) => [file, message]);
  // Too many are refused by their number.
  if (all.length > MAX_FILES) marks.push([all.length]);
  for (const file of all.length > MAX_FILES ? [] : all) {
    try {
      const { ino, dev, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      marks.push([file, String(dev), String(ino), String(size), String(mtimeNs), String(ctimeNs)]);
    } catch (error) {
      marks.push([file, codeOf(error)]);
    }
  }
  return JSON.stringify(marks);
}
