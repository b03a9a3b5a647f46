// `postern policy …` as a pipeline runs it: the program itself, its streams, its exit codes, and an interrupted watch.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTestDirectory } from '../support/policy-directory.ts';
import { rulesText } from '../support/policy-sets.ts';

const MAIN = ['--conditions=source', resolve('src/main.ts'), 'policy'];
const RULES = rulesText([{ id: 'r', match: '{ paths: ["/exports"] }' }]);
const TEST =
  'apiVersion: postern/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec: { now: "2026-01-15T09:00:00Z", cases: [{ name: n, requests: [GET /exports], expect: deny, rule: r }] }\n';

function postern(folder: string, ...argv: readonly string[]) {
  const env = { PATH: process.env['PATH'] ?? '' };
  const options = { cwd: folder, env, encoding: 'utf8', timeout: 30_000 } as const;
  return spawnSync(process.execPath, [...MAIN, ...argv], options);
}

function told(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  return new Promise((found) => {
    let seen = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      seen += chunk;
      if (seen.includes(text)) found();
    });
  });
}

describe('the program', () => {
  it('checks, tests and explains a directory', async () => {
    await using directory = await createTestDirectory({
      'policies/a.yaml': RULES,
      'policies/tests/t.yaml': TEST,
    });
    expect(postern(directory.path, 'check')).toMatchObject({ status: 0, stderr: '' });
    const tested = postern(directory.path, 'test', '--strict', '--junit', 'out.xml');
    expect(tested).toMatchObject({ status: 0, stderr: '' });
    expect(tested.stdout).toBe('policies: 1 of 1 request decided as expected, 1 case, 1 of 1 rule reached\n');
    expect(readFileSync(join(directory.path, 'out.xml'), 'utf8')).toContain('tests="1" failures="0"');
    const explained = postern(directory.path, 'explain', `curl 'https://h/Exports?a=b' -X POST`);
    expect(explained).toMatchObject({ status: 0, stderr: '' });
    expect(explained.stdout).toContain('decision   deny by r\n');
    await directory.write('policies/a.yaml', RULES.replace('/exports', '/else'));
    expect(postern(directory.path, 'test').status).toBe(1);
    expect(postern(directory.path, 'check', '--default-effect', 'maybe').status).toBe(2);
    await directory.write('policies/a.yaml', 'kind: x');
    expect(postern(directory.path, 'check').status).toBe(2);
  }, 60_000);

  it('watches until it is interrupted, and then answers', async () => {
    await using directory = await createTestDirectory({ 'policies/a.yaml': RULES });
    const child = spawn(process.execPath, [...MAIN, 'check', '--watch'], {
      cwd: directory.path,
      stdio: 'pipe',
    });
    await told(child.stderr, 'watching policies');
    await directory.write('policies/b.yaml', RULES);
    await told(child.stderr, 'rule id r stands at');
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(2);
  }, 30_000);
});
