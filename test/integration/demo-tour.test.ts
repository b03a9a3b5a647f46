// The demo's tour as a user runs it: every step of the story holds, the exit code says so, and nothing stays behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

/** Runs the demo with a temporary folder of its own, so that what it leaves there can be seen. */
async function runDemo(...options: string[]): Promise<{ code: unknown; output: string; left: string[] }> {
  const temporary = mkdtempSync(join(tmpdir(), 'postern-demo-test-'));
  try {
    const child = spawn(process.execPath, ['--conditions=source', MAIN, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: temporary },
      timeout: 60_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [code] = await once(child, 'close');
    return { code, output, left: readdirSync(temporary) };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

test('the tour holds from the first refusal to the last record, and leaves nothing behind', async () => {
  const { code, output, left } = await runDemo('--tour');
  expect(output).toContain('Every step held.');
  expect(output).not.toContain('✗');
  expect(code).toBe(0);
  expect(left).toEqual([]);
}, 70_000);

test('an unknown option is refused before anything starts', async () => {
  const { code, left } = await runDemo('--tuor');
  expect(code).toBe(2);
  expect(left).toEqual([]);
});
