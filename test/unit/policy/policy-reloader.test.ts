// Reload: swapped atomically, last good kept, a half-written file not taken for a short one.
import { mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPolicyReloader, type ReloadOutcome } from '#policy/policy-reloader.ts';
import { createTestDirectory, type TestDirectory } from '../../support/policy-directory.ts';
import { rulesText } from '../../support/policy-sets.ts';

const rule = (id: string) => rulesText([{ id, match: '{ paths: ["/a"] }' }]);

function reloaderOf(
  directory: TestDirectory,
  more: { pollMs?: number; settleMs?: number; path?: string } = {},
) {
  const outcomes: ReloadOutcome[] = [];
  let wake: (() => void) | null = null;
  const reloader = createPolicyReloader({
    directory: more.path ?? directory.path,
    packs: [],
    dangerouslyAllowEmpty: false,
    defaultEffect: 'allow',
    settleMs: more.settleMs ?? 20,
    pollMs: more.pollMs ?? 60_000,
    onReload: (outcome) => {
      outcomes.push(outcome);
      wake?.();
    },
  });
  /** The n-th load, when it has happened. */
  const outcome = async (n: number): Promise<ReloadOutcome> => {
    while (outcomes.length < n) await new Promise<void>((resolve) => (wake = resolve));
    return outcomes[n - 1] as ReloadOutcome;
  };
  return { reloader, outcome, outcomes };
}

function make(times: { readonly settleMs?: number; readonly pollMs?: number }) {
  const fixed = {
    directory: 'x',
    packs: [],
    dangerouslyAllowEmpty: false,
    defaultEffect: 'allow',
    onReload: () => undefined,
  } as const;
  return () => createPolicyReloader({ ...fixed, ...times });
}

describe('the policy in force', () => {
  it('is null before the first load and after a bad one', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': 'x: 1' });
    const { reloader } = reloaderOf(directory);
    await using _ = reloader;
    expect(reloader.current).toBeNull();
    const first = await reloader.start();
    expect(first).toMatchObject({ ok: false, digest: null, changed: false });
    expect(first.problems.length).toBeGreaterThan(0);
    expect(reloader.current).toBeNull();
  });

  it('is replaced when a file is, and listeners hear of it after it is in force', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('one') });
    const { reloader, outcome } = reloaderOf(directory);
    await using _ = reloader;
    const swaps: boolean[] = [];
    const listening = reloader.onSwap((next) => swaps.push(next === reloader.current));
    await reloader.start();
    const before = reloader.current;
    await directory.replace('a.yaml', rule('two'));
    expect(await outcome(2)).toMatchObject({ ok: true, changed: true, problems: [] });
    expect(reloader.current?.digest).not.toBe(before?.digest);
    expect(swaps).toEqual([true, true]);
    listening[Symbol.dispose]();
    await directory.replace('b.yaml', rule('three'));
    expect(await outcome(3)).toMatchObject({ ok: true, ruleCount: 2 });
    expect(swaps).toHaveLength(2);
  });

  it('misses none of many replacements, though their events come while it looks', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('r0') });
    const { reloader, outcome } = reloaderOf(directory, { settleMs: 1 });
    await using _ = reloader;
    await reloader.start();
    for (let n = 1; n <= 60; n++) {
      await directory.replace('a.yaml', rule(`r${n}`));
      expect(await outcome(n + 1)).toMatchObject({ ok: true, changed: true });
    }
  });

  it('stays when what replaces it is bad, and says so once', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('one') });
    const { reloader, outcome, outcomes } = reloaderOf(directory);
    await using _ = reloader;
    await reloader.start();
    const good = reloader.current;
    await directory.replace('a.yaml', '['.repeat(5000));
    expect(await outcome(2)).toMatchObject({ ok: false, changed: false, digest: good?.digest });
    expect(reloader.current).toBe(good);
    await directory.replace('a.yaml', rule('two'));
    expect(await outcome(3)).toMatchObject({ ok: true, changed: true });
    expect(outcomes).toHaveLength(3);
  });

  it('stays when every rule is deleted', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('one') });
    const { reloader, outcome } = reloaderOf(directory);
    await using _ = reloader;
    await reloader.start();
    await directory.remove('a.yaml');
    expect(await outcome(2)).toMatchObject({ ok: false });
    expect(reloader.current?.ruleCount).toBe(1);
  });

  it('stays the same object when nothing but a comment changed', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('one') });
    const { reloader, outcome } = reloaderOf(directory);
    await using _ = reloader;
    await reloader.start();
    const before = reloader.current;
    await directory.replace('a.yaml', `# a comment\n${rule('one')}`);
    expect(await outcome(2)).toMatchObject({ ok: true, changed: false });
    expect(reloader.current).toBe(before);
  });

  it('follows a swapped symbolic link, as Kubernetes mounts a ConfigMap, by events or by polling', async () => {
    await using directory = await createTestDirectory();
    const swap = async (version: string): Promise<void> => {
      await mkdir(join(directory.path, version));
      await directory.write(`${version}/a.yaml`, rule(version));
      await symlink(version, join(directory.path, `..tmp-${version}`));
      await rename(join(directory.path, `..tmp-${version}`), join(directory.path, '..data'));
    };
    await swap('v1');
    await symlink('..data/a.yaml', join(directory.path, 'a.yaml'));
    const { reloader, outcome } = reloaderOf(directory, { pollMs: 50 });
    await using _ = reloader;
    await reloader.start();
    const before = reloader.current?.digest;
    await swap('v2');
    expect(await outcome(2)).toMatchObject({ ok: true, changed: true });
    expect(reloader.current?.digest).not.toBe(before);
  });

  it('is not read while a file is still being written: half a file would be a shorter policy', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('one') });
    const { reloader, outcome } = reloaderOf(directory, { settleMs: 1500 });
    await using _ = reloader;
    await reloader.start();
    const parts = Array.from({ length: 80 }, (_unused, i) => rule(`r${i}`));
    for (let written = 1; written <= parts.length; written++) {
      await directory.write('a.yaml', parts.slice(0, written).join('---\n'));
      await delay(10);
    }
    expect(await outcome(2)).toMatchObject({ ok: true, ruleCount: parts.length });
  });

  it('is found by polling when the directory appears later', async () => {
    await using directory = await createTestDirectory();
    const { reloader, outcome } = reloaderOf(directory, { pollMs: 20, path: join(directory.path, 'later') });
    await using _ = reloader;
    expect(await reloader.start()).toMatchObject({ ok: false });
    await directory.write('later/a.yaml', rule('one'));
    let n = 2;
    while (!(await outcome(n)).ok) n++;
    expect(reloader.current?.ruleCount).toBe(1);
  });

  it('is loaded again on request, changed or not, and one load after the other', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('one') });
    const { reloader } = reloaderOf(directory);
    await using _ = reloader;
    await reloader.start();
    const both = await Promise.all([reloader.reload(), reloader.reload()]);
    expect(both.map(({ ok, changed }) => [ok, changed])).toEqual([
      [true, false],
      [true, false],
    ]);
  });

  it('refuses times that make no sense when it is made', () => {
    expect(make({ pollMs: 0 })).toThrow(RangeError);
    expect(make({ settleMs: Number.NaN })).toThrow(RangeError);
  });
});
