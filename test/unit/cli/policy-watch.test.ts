// `--watch`: runs again after every change, of tests and packs too, and ends when it is interrupted.
import { describe, expect, it } from 'vitest';
import { runPolicyWith } from '../../support/policy-command.ts';
import { createTestDirectory } from '../../support/policy-directory.ts';
import { rulesText } from '../../support/policy-sets.ts';

const RULES = rulesText([{ id: 'r', match: '{ paths: ["/a"] }' }]);
const TEST = (rule: string) =>
  `apiVersion: postern/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec: { now: "2026-01-15T09:00:00Z", cases: [{ name: n, requests: [GET /a], expect: deny, rule: ${rule} }] }\n`;

const CLEAR = '\u001B[2J';

/** A watched command whose output can be waited for. */
function watchOn(isTTY: boolean, ...argv: readonly string[]) {
  const controller = new AbortController();
  const folders = new Map<string, () => void>();
  const wanted: { readonly text: string; readonly resolve: () => void }[] = [];
  let out = '';
  let from = 0;
  const look = (): void => {
    const [next] = wanted;
    const at = next === undefined ? -1 : out.indexOf(next.text, from);
    if (next === undefined || at === -1) return;
    from = at + next.text.length;
    wanted.shift();
    next.resolve();
    look();
  };
  const write = (chunk: string): void => {
    out += chunk;
    look();
  };
  const done = runPolicyWith(
    {
      stdout: { isTTY, write },
      stderr: { write },
      interruption: () => controller.signal,
      watchDirectory: (path, onEvent) => {
        folders.set(path, onEvent);
        return { [Symbol.dispose]: () => void folders.delete(path) };
      },
    },
    ...argv,
  );
  return {
    folders,
    done,
    output: () => out,
    /** Resolves when the text has been written after what was waited for before. */
    until: (text: string) =>
      new Promise<void>((resolve) => {
        wanted.push({ text, resolve });
        look();
      }),
    ring: () => [...folders.values()].forEach((onEvent) => onEvent()),
    end: () => controller.abort(),
  };
}

const watch = (...argv: readonly string[]) => watchOn(false, ...argv);

describe('--watch', () => {
  it('checks again after a change, and answers as the last check did', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES });
    const watched = watch('check', directory.path, '--watch');
    await watched.until('1 rule, sha256:');
    await watched.until('watching');
    await directory.replace('a.yaml', RULES.replace('paths', 'path'));
    watched.ring();
    await watched.until('did you mean "paths"?');
    watched.end();
    expect((await watched.done).code).toBe(2);
    expect(watched.folders.size).toBe(0);
    expect(watched.output()).not.toContain('\u001B');
  });

  it('tests again when a test or a pack changes, that were not there before', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST('r') });
    const watched = watch('test', directory.path, '--watch');
    await watched.until('1 of 1 request decided');
    await watched.until('watching');
    await directory.write('tests/t.yaml', TEST('another'));
    watched.ring();
    await watched.until('0 of 1 request decided');
    await directory.write('packs/p.yaml', RULES);
    watched.ring();
    await watched.until('p.yaml: 0 of 0 requests');
    await directory.write('packs/tests/p.yaml', TEST('r'));
    watched.ring();
    await watched.until('p.yaml: 1 of 1 request decided');
    watched.end();
    expect((await watched.done).code).toBe(1);
  });

  it('does not run again where nothing changed', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES });
    const watched = watch('check', directory.path, '--watch');
    await watched.until('watching');
    watched.ring();
    await directory.write('a.yaml', `${RULES}\n# touched\n`);
    watched.ring();
    await watched.until('sha256:');
    watched.end();
    await watched.done;
    expect(watched.output().match(/1 rule, sha256:/g)).toHaveLength(2);
  });

  it('clears a terminal, and only a terminal, before it runs again', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES });
    const watched = watchOn(true, 'check', directory.path, '--watch');
    await watched.until('watching');
    expect(watched.output()).not.toContain(CLEAR);
    await directory.replace('a.yaml', RULES.replace('/a', '/b'));
    watched.ring();
    await watched.until(CLEAR);
    await watched.until('1 rule, sha256:');
    watched.end();
    expect((await watched.done).code).toBe(0);
  });

  it('ends at once when it was interrupted before it began to wait', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES });
    const watched = watch('check', directory.path, '--watch');
    watched.end();
    expect((await watched.done).code).toBe(0);
  });
});
