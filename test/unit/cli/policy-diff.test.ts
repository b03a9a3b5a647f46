// `postern policy diff`: what differs between two directories, and what of it a test or an operation shows.
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import { diffPolicies } from '#cli/policy-diff.ts';
import { createPolicyPrinter } from '#cli/policy-print.ts';
import { createTestDirectory, type TestDirectory } from '../../support/policy-directory.ts';
import { rulesText } from '../../support/policy-sets.ts';

const TESTS = `apiVersion: postern/v1
kind: PolicyTest
metadata: { name: cases }
spec:
  now: 2026-01-15T09:00:00Z
  cases:
    - { name: exports, requests: ["GET /exports/1", "GET /tickets"], expect: allow }
`;
const API = JSON.stringify({
  openapi: '3.1.0',
  paths: { '/exports/{id}': { get: {}, post: {} }, '/tickets': { get: {} } },
});

async function diff(before: TestDirectory, after: TestDirectory, openApi: string | null = null) {
  const lines: string[] = [];
  const stream = { write: (text: string) => void lines.push(text) };
  const printer = createPolicyPrinter({ stdout: stream, stderr: stream, isTerminal: false });
  const named = { before: before.path, after: after.path, packs: [], defaultEffect: 'allow' } as const;
  const options = { ...named, openApi, host: '' };
  const code = await diffPolicies({ ...options, json: true }, { printer, parseTarget });
  const json = JSON.parse(lines.splice(0).join('')) as Record<string, unknown>;
  await diffPolicies({ ...options, json: false }, { printer, parseTarget });
  return { code, json, text: lines.join('') };
}

const rule = (id: string, path: string) => rulesText([{ id, match: `{ paths: ["${path}"] }` }]);

describe('the difference between two directories', () => {
  it('is none between copies, whatever their files are called', async () => {
    await using before = await createTestDirectory({ 'a.yaml': rule('r', '/x'), 'tests/t.yaml': TESTS });
    await using after = await createTestDirectory({ 'b.yaml': rule('r', '/x') });
    const { code, json, text } = await diff(before, after);
    expect(code).toBe(0);
    expect(json).toMatchObject({ ok: true, requests: 2, decisions: [] });
    expect(text).toContain('0 of 2 requests are decided differently');
  });

  it('names rules that came, went and changed, and the requests they decide', async () => {
    await using before = await createTestDirectory({
      'a.yaml': rule('gone', '/y') + '---\n' + rule('r', '/x'),
      'tests/t.yaml': TESTS,
    });
    await using after = await createTestDirectory({
      'a.yaml': rule('r', '/exports/**') + '---\n' + rule('came', '/z'),
      'tests/t.yaml': TESTS,
      'api.json': API,
    });
    const { code, json, text } = await diff(before, after, `${after.path}/api.json`);
    expect(code).toBe(1);
    expect(json).toMatchObject({
      ok: false,
      rules: { added: ['came'], removed: ['gone'], changed: ['r'] },
    });
    const decisions = json['decisions'] as { source: string; request: string; after: string }[];
    expect(decisions.map(({ source, request }) => `${source} | ${request}`)).toEqual(
      expect.arrayContaining([
        'cases: exports | GET /exports/1',
        'operation GET /exports/{id} | GET /exports/qzx7',
      ]),
    );
    expect(new Set(decisions.map((one) => one.after))).toEqual(new Set(['deny by r']));
    expect(text).toContain('- rule gone\n+ rule came\n~ rule r\n');
    expect(text).toContain('GET /exports/1  cases: exports\n    allow → deny by r\n');
  });

  it('is told even where no request shows it', async () => {
    await using before = await createTestDirectory({ 'a.yaml': rule('r', '/x'), 'tests/t.yaml': TESTS });
    await using after = await createTestDirectory({ 'a.yaml': rule('r', '/never-tested') });
    const { code, text } = await diff(before, after);
    expect(code).toBe(1);
    expect(text).toContain('the sets differ in what no test and no operation shows');
  });

  it('cannot be asked of a directory with problems', async () => {
    await using before = await createTestDirectory({ 'a.yaml': rule('r', '/x') });
    await using after = await createTestDirectory({ 'a.yaml': 'kind: [' });
    const { code, json } = await diff(before, after);
    expect(code).toBe(2);
    expect(json['ok']).toBe(false);
  });
});
