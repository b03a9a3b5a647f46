// The folder of seeds and found cases: one file is one input, byte for byte. `found-…` are inputs that once broke a
// law and must not again; `seed-…` are others worth starting from.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KeptFile {
  readonly file: string;
  readonly input: string;
}

export function folderOf(target: string): string {
  return join(import.meta.dirname, 'seeds', target);
}

export function keptFiles(target: string): readonly KeptFile[] {
  const folder = folderOf(target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .toSorted()
    .map((name) => ({ file: name, input: readFileSync(join(folder, name), 'latin1') }));
}

/** The path of the file. */
export function keep(folder: string, kind: 'found' | 'seed', input: string): string {
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(input, 'latin1').digest('hex').slice(0, 12);
  const file = join(folder, `${kind}-${name}.txt`);
  writeFileSync(file, input, 'latin1');
  return file;
}
