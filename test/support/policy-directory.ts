// A policy directory of its own for one test, removed at the end.
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TestDirectory extends AsyncDisposable {
  readonly path: string;
  write(name: string, text: string | Uint8Array): Promise<void>;
  /** Complete or not at all, as an editor or a mount does it. */
  replace(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export async function createTestDirectory(
  files: Readonly<Record<string, string>> = {},
): Promise<TestDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'postern-policy-'));
  const directory: TestDirectory = {
    path,
    async write(name, text) {
      await mkdir(dirname(join(path, name)), { recursive: true });
      await writeFile(join(path, name), text);
    },
    async replace(name, text) {
      await writeFile(join(path, `.${name}.tmp`), text);
      await rename(join(path, `.${name}.tmp`), join(path, name));
    },
    remove: (name) => rm(join(path, name), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
  for (const [name, text] of Object.entries(files)) await directory.write(name, text);
  return directory;
}
