// The whole runner against a real process: it passes as the gate is, and fails once the gate forgets a rule.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CORPUS_POLICY } from '../support/corpus-gate.ts';
import { naivelyDenied } from './naive-gate.ts';
import { withoutRule } from './plant.ts';
import type { Result } from './report.ts';
import { fatalLines, openTargetGate } from './target-gate.ts';

async function runCorpus(...args: string[]): Promise<{ code: number; output: string; result: Result }> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-corpus-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'result.json');
  const main = join(import.meta.dirname, 'run.ts');
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string }>();
  execFile(process.execPath, ['--conditions=source', main, '--json', file, ...args], (error, output) => {
    resolve({ code: Number(error?.code ?? 0), output });
  });
  const ended = await promise;
  return { ...ended, result: JSON.parse(readFileSync(file, 'utf8')) as Result };
}

describe('npm run corpus', { timeout: 60_000 }, () => {
  it('passes as the gate is, and shows what the naive gate leaks', async () => {
    const { code, output, result } = await runCorpus('--only', 'encoded-letters');
    expect(result.failures).toEqual([]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ cases: 0, leaks: 0, overBlocks: 0, crashes: 0 });
    expect(result.requests).toBeGreaterThan(100);
    expect(result.upstreamRequests).toBeGreaterThan(0);
    expect(result.judgedRequests).toBe(result.upstreamRequests);
    expect(result.control.leaks).toBeGreaterThan(0);
    expect(output).toContain(`the naive gate: ${result.control.leaks} leaks`);
  });

  it('fails by the id of each request once the gate forgets a rule', async () => {
    const { code, result } = await runCorpus('--only', 'encoded-letters', '--plant', 'd3');
    expect(code).toBe(1);
    expect(result.leaks).toBeGreaterThan(10);
    const leak = result.failures.find(({ kind }) => kind === 'leak');
    expect(leak?.id).toMatch(/^encoded-letters-\d+$/);
    expect(leak?.why).toContain('denied by d3');
  });

  it('fails a hand-written case too', async () => {
    const { code, result } = await runCorpus('--only', 'PA01.2', '--plant', 'd1');
    expect(code).toBe(1);
    expect(result).toMatchObject({ cases: 1, requests: 1, leaks: 1 });
    expect(new Set(result.failures.map(({ id }) => id))).toEqual(new Set(['PA01.2']));
  });
});

const denied = (method: string, url: string) => naivelyDenied({ method, url });

describe('the parts of the runner', () => {
  it('takes one rule away, and none that is not there', () => {
    expect(withoutRule(CORPUS_POLICY, 'd3')).not.toContain('/billing');
    expect(withoutRule(CORPUS_POLICY, 'd3')).toContain('/exports/**');
    expect(() => withoutRule(CORPUS_POLICY, 'd9')).toThrow('d9');
  });

  it('compares with a gate that denies every route as it is plainly written', () => {
    expect(
      denied('GET', '/exports/1') && denied('GET', '/billing') && denied('GET', '/reports?format=csv'),
    ).toBe(true);
    expect(denied('POST', '/api/v1/emails/send') && denied('DELETE', '/records/7')).toBe(true);
    expect(denied('GET', '/%65xports') || denied('GET', '/records/7') || denied('GET', '/reports')).toBe(
      false,
    );
  });

  it('tells of a process that ended by itself, and not of one that was asked to', async () => {
    await using well = await openTargetGate(CORPUS_POLICY);
    expect(await well.finish()).toEqual([]);
    await using crashed = await openTargetGate(CORPUS_POLICY);
    process.kill(crashed.pid, 'SIGKILL');
    await vi.waitFor(async () => expect(() => process.kill(crashed.pid, 0)).toThrow('ESRCH'));
    expect(await crashed.finish()).toEqual(['the process ended by itself: code null, signal SIGKILL']);
  });

  it('finds what a process says of its end', () => {
    expect(fatalLines('{"level":"info","message":"started"}\n{"level":"warn"}')).toEqual([]);
    expect(fatalLines('{"level":"fatal"}\nUncaught TypeError')).toHaveLength(2);
  });
});
