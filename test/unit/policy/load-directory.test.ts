import { execFileSync } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicyDirectory } from '#policy/load-directory.ts';
import { createTestDirectory, type TestDirectory } from '../../support/policy-directory.ts';
import { decide, rulesText } from '../../support/policy-sets.ts';

const rule = (id: string, path = '/**') => rulesText([{ id, match: `{ paths: ["${path}"] }` }]);

function load(directory: TestDirectory, packs: readonly string[] = [], dangerouslyAllowEmpty = false) {
  return loadPolicyDirectory({
    directory: directory.path,
    packs,
    dangerouslyAllowEmpty,
    defaultEffect: 'allow',
  });
}

async function messages(directory: TestDirectory, packs: readonly string[] = []) {
  const { policy, problems } = await load(directory, packs);
  expect(policy).toBeNull();
  return problems.map(({ file, line, message }) => `${file.slice(directory.path.length)}:${line} ${message}`);
}

describe('a policy directory', () => {
  it('is loaded by name, then the packs in the order of the configuration', async () => {
    await using directory = await createTestDirectory({
      'b.yaml': rule('b'),
      'a.yaml': `${rule('a2', '/x')}---\n${rule('a1')}`,
      'packs/z.yaml': rule('z', '/z'),
      'packs/unused.yaml': 'not: loaded',
      'tests/t.yaml': 'not: loaded',
      'notes.txt': 'not loaded',
      '.hidden.yaml': 'not: loaded',
    });
    const { policy, problems } = await load(directory, ['z', 'z']);
    expect(problems).toEqual([]);
    expect(policy?.ruleCount).toBe(4);
    if (policy === null) throw new Error('no policy');
    expect(decide(policy, '/x')).toBe('a2');
    expect(decide(policy, '/z')).toBe('a1');
  });

  it('shows every problem of every file at once', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': 'x: 1',
      'b.yml': rule('b'),
      'c.YAML': rule('c'),
      'd.yaml': '[',
    });
    await symlink('/nowhere/at/all', join(directory.path, 'e.yaml'));
    await directory.write('f.yaml/inner', 'x');
    await directory.write('g.yaml', Buffer.alloc(3 * 1024 * 1024, '#'));
    expect(await messages(directory, ['absent', '../a'])).toEqual([
      ':1 "../a" is no name of a pack',
      expect.stringContaining('/a.yaml:1 a policy document needs'),
      expect.stringContaining('/a.yaml:1 unknown key "x"'),
      '/b.yml:1 a policy file must end in .yaml',
      '/c.YAML:1 a policy file must end in .yaml',
      expect.stringContaining('/d.yaml:1'),
      '/e.yaml:1 there is no such file',
      '/f.yaml:1 this is not a regular file',
      '/g.yaml:1 the file has 3145728 bytes, more than the limit of 65536: split it into several',
      '/packs/absent.yaml:1 there is no such file',
    ]);
  });

  it('does not wait for a named pipe', async () => {
    await using directory = await createTestDirectory();
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory.path, 'p.yaml')]);
    expect(await messages(directory)).toEqual(['/p.yaml:1 this is not a regular file']);
  });

  it('must exist and hold a deny rule, unless the configuration says loudly that it need not', async () => {
    await using directory = await createTestDirectory();
    expect(await messages(directory)).toEqual([':1 the set holds no deny rule']);
    const { policy } = await load(directory, [], true);
    expect(policy?.ruleCount).toBe(0);
    await directory.remove('.');
    expect(await messages(directory)).toEqual([':1 there is no such directory']);
  });

  it('must not name a rule twice, packs included', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': rule('r'), 'packs/p.yaml': rule('r') });
    expect(await messages(directory, ['p'])).toEqual([
      `/packs/p.yaml:6 rule id r stands at ${directory.path}/a.yaml:6 already`,
    ]);
  });
});
