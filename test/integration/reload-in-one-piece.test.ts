// Files are read one after the other, and a mount may be swapped between two of them: half of the old set and half of
// the new one is a policy that nobody wrote, and could deny less than either.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPolicyReloader, type PolicyReloader, type ReloadOutcome } from '#policy/policy-reloader.ts';
import { mountConfigMap } from '../support/config-map.ts';
import { denying } from '../support/policy-changes.ts';

const FILES = 12;

/** Every file of a version has one rule of that version. */
function version(n: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`f${i}.yaml`, denying(`/v${n}/f${i}`)]));
}

function versionsIn({ current }: PolicyReloader): Set<string> {
  return new Set(current?.contents.rules.map(({ id }) => /v(\d+)f/.exec(id)?.[1] ?? ''));
}

function folder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'postern-reload-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function reloaderOf(
  directory: string,
  onReload: (outcome: ReloadOutcome) => void,
  settleMs = 20,
): PolicyReloader {
  const fixed = { packs: [], dangerouslyAllowEmpty: false, defaultEffect: 'allow', pollMs: 60_000 } as const;
  return createPolicyReloader({ ...fixed, directory, settleMs, onReload });
}

describe('a set that is read while it is swapped', () => {
  it('is never half of the old one and half of the new one, however often it is asked for', async () => {
    using parent = folder();
    const map = mountConfigMap(join(parent.path, 'policies'), version(0));
    const mixed: string[] = [];
    let swaps = 0;
    await using reloader = reloaderOf(map.path, () => {
      const versions = versionsIn(reloader);
      if (versions.size !== 1) mixed.push([...versions].join());
    });
    reloader.onSwap(() => (swaps += 1));
    await reloader.start();
    for (let n = 1; n <= 60; n++) {
      const asked = reloader.reload();
      // Each time a few turns later, so that the swap falls between other files.
      for (let turns = 0; turns < (n * 7) % 40; turns++) await turn();
      map.update(version(n));
      expect(await asked).toMatchObject({ ok: true, ruleCount: FILES });
    }
    await expect.poll(() => [...versionsIn(reloader)], { timeout: 10_000 }).toEqual(['60']);
    expect(mixed).toEqual([]);
    expect(swaps).toBeGreaterThan(30);
  });
});

describe('a directory that somebody writes without a pause', () => {
  it('keeps the last good set and says so once; when it calms down, what it holds then is loaded', async () => {
    using parent = folder();
    const file = join(parent.path, 'a.yaml');
    writeFileSync(file, denying('/v0/f0'));
    const outcomes: ReloadOutcome[] = [];
    await using reloader = reloaderOf(parent.path, (outcome) => outcomes.push(outcome), 100);
    await reloader.start();
    const { digest } = outcomes[0] as ReloadOutcome;
    let n = 0;
    let whole = '';
    // A hundred times a second, and half of them halves.
    const writer = setInterval(() => {
      n += 1;
      whole = denying(`/v${n}/f0`, `/v${n}/f1`);
      writeFileSync(file, n % 2 === 0 ? whole.slice(0, whole.length >> 1) : whole);
    }, 10);
    await expect.poll(() => outcomes.length, { timeout: 10_000 }).toBe(2);
    expect(outcomes[1]).toMatchObject({ ok: false, changed: false, digest, ruleCount: 1 });
    expect(outcomes[1]?.problems[0]?.message).toMatch(/without a pause/);
    await expect.poll(() => n, { timeout: 10_000 }).toBeGreaterThan(150);
    clearInterval(writer);
    writeFileSync(file, whole);
    await expect.poll(() => outcomes.at(-1), { timeout: 10_000 }).toMatchObject({ ok: true, ruleCount: 2 });
    expect([...versionsIn(reloader)]).toEqual([String(n)]);
    // Nothing in between was in force.
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(2);
  });

  it('is told to be good again when it calms down to what it was', async () => {
    using parent = folder();
    const file = join(parent.path, 'a.yaml');
    const other = join(parent.path, 'b.yaml');
    writeFileSync(file, denying('/v0/f0'));
    const outcomes: ReloadOutcome[] = [];
    await using reloader = reloaderOf(parent.path, (outcome) => outcomes.push(outcome), 60);
    await reloader.start();
    let n = 0;
    const writer = setInterval(() => writeFileSync(other, `# ${'x'.repeat(n++)}`), 3);
    await expect.poll(() => outcomes.length, { timeout: 10_000 }).toBe(2);
    clearInterval(writer);
    rmSync(other);
    await expect.poll(() => outcomes.at(-1), { timeout: 10_000 }).toMatchObject({ ok: true, changed: false });
  });
});
