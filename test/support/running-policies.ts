// A policy directory that is in force and watched by nobody: one good rule on /a, and whatever a test puts beside it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPolicyReloader, type PolicyReloader } from '#policy/policy-reloader.ts';
import { rulesText } from './policy-sets.ts';

/** One rule, `good`, on /a. */
export const GOOD_POLICY = rulesText([{ id: 'good', match: '{ paths: ["/a"] }' }]);

export interface RunningPolicies extends AsyncDisposable {
  readonly path: string;
  readonly reloader: PolicyReloader;
}

/** With one good file, `a.yaml`, loaded. Whoever asks disposes of it. */
export async function runningPolicies(): Promise<RunningPolicies> {
  const path = mkdtempSync(join(tmpdir(), 'postern-hostile-'));
  writeFileSync(join(path, 'a.yaml'), GOOD_POLICY);
  const reloader = createPolicyReloader({
    packs: [],
    dangerouslyAllowEmpty: false,
    defaultEffect: 'allow',
    directory: path,
    pollMs: 60_000,
    onReload: () => undefined,
  });
  await reloader.reload();
  return {
    path,
    reloader,
    async [Symbol.asyncDispose]() {
      await reloader.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}
