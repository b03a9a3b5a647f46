// A ConfigMap as kubelet keeps it on disk: each version in a directory of its own, `..data` a symbolic link to the
// current one that is replaced by a rename, and what users see links through `..data`.
// Source: the AtomicWriter of Kubernetes, pkg/volume/util/atomic_writer.go, its order of steps.
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ConfigMap {
  /** What is mounted. */
  readonly path: string;
  /** Names may hold a folder: `packs/a.yaml`. */
  update(files: Readonly<Record<string, string>>): void;
}

/** Takes the place of whatever is at `path`. */
export function mountConfigMap(path: string, files: Readonly<Record<string, string>>): ConfigMap {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  let version = 0;
  let current: string | null = null;
  function update(payload: Readonly<Record<string, string>>): void {
    version += 1;
    const name = `..2026_01_15_09_00_${String(version).padStart(2, '0')}.${process.hrtime.bigint()}`;
    for (const [file, text] of Object.entries(payload)) {
      mkdirSync(dirname(join(path, name, file)), { recursive: true });
      writeFileSync(join(path, name, file), text);
    }
    symlinkSync(name, join(path, '..data_tmp'));
    renameSync(join(path, '..data_tmp'), join(path, '..data'));
    link(path, new Set(Object.keys(payload).map((file) => file.split('/')[0] as string)));
    if (current !== null) rmSync(join(path, current), { recursive: true });
    current = name;
  }
  update(files);
  return { path, update };
}

function link(path: string, wanted: ReadonlySet<string>): void {
  const there = new Set(readdirSync(path).filter((name) => !name.startsWith('..')));
  for (const name of wanted) if (!there.has(name)) symlinkSync(join('..data', name), join(path, name));
  for (const name of there) if (!wanted.has(name)) unlinkSync(join(path, name));
}
