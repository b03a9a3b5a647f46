// A folder for one run, gone at its end and also when the process ends early.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder extends Disposable {
  readonly path: string;
}

export function makeTempFolder(name: string): TempFolder {
  const path = mkdtempSync(join(tmpdir(), `postern-e2e-${name}-`));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, [Symbol.dispose]: remove };
}
