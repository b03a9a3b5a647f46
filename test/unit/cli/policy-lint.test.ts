import { describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/cli.ts';
import { parseTarget } from '../../../src/gateway/request-target.ts';
import { DEFAULT_MIN_SCORE } from '#policy/lint/suspicion.ts';
import { createTestDirectory, type TestDirectory } from '../../support/policy-directory.ts';
import { policyText } from '../../support/lint-subject.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function lint(args: readonly string[], isTTY = false): Promise<Ran> {
  let out = '';
  let err = '';
  const stdout = { isTTY, write: (text: string) => (out += text) };
  const stderr = { isTTY, write: (text: string) => (err += text) };
  const deps = { version: '0', env: {}, stdout, stderr, serve: async () => 0, parseTarget };
  const code = await runCli(['policy', 'lint', ...args], deps);
  return { code, out, err };
}

const CORE = ['self-grant', 'user-admin', 'permissions', 'credentials', 'export', 'email', 'billing'];
const clean = policyText(
  ...CORE.map(
    (category) => `{ id: ${category}.all, category: ${category}, match: [{ paths: ["/${category}"] }] }`,
  ),
);
const API = `openapi: 3.1.0
info: { title: "A \\e[31mproduct\\u202e" }
paths:
  /tickets: { get: {} }
  /export: { post: { operationId: startExport } }
  /export/{id}: { get: { responses: { 200: { description: x, content: { text/csv: {} } } } } }
`;

async function directory(files: Readonly<Record<string, string>> = {}): Promise<TestDirectory> {
  return createTestDirectory({ 'a.yaml': clean, ...files });
}

describe('postern policy lint', () => {
  it('answers 0 where nothing is odd, and 1 at a warning with its place', async () => {
    await using dir = await directory();
    expect(await lint([dir.path])).toMatchObject({ code: 0 });
    await dir.write('b.yaml', policyText('{ id: again, category: email, match: [{ paths: ["/export/"] }] }'));
    const { code, out } = await lint([dir.path]);
    expect(code).toBe(1);
    expect(out).toContain(`${dir.path}/b.yaml:6:13: warning: the rule again never decides`);
    expect(out).toMatch(/\n {2}6 \| .*\n {4}\| {13}\^/);
  });

  it('answers 1 with the open operations of an API document, their reasons and rules', async () => {
    await using dir = await directory({ 'api/x.yaml': API });
    const { code, out } = await lint([dir.path, '--openapi', `${dir.path}/api/x.yaml`]);
    expect(code).toBe(1);
    expect(out).toContain('3 operations, 1 denied, 0 in part, 2 allowed');
    expect(out).toContain('  deny        POST /export  export.all');
    expect(out).toContain('  allow       GET  /export/{id}\n');
    expect(out).toContain('export  GET /export/{id}');
    expect(out).toContain('because "text/csv" in the answer type (70), "export" in the path (65)');
    expect(out).toContain('paths: ["/export/{id}"]');
    expect(out).toContain('1 operation not denied and suspicious (score 40 and more)');
  });

  it('answers 0 once the suggested rule is pasted', async () => {
    await using dir = await directory({ 'api/x.yaml': API });
    const first = await lint([dir.path, '--openapi', `${dir.path}/api/x.yaml`, '--json']);
    const { suspects } = JSON.parse(first.out) as { suspects: { rule: { yaml: string } }[] };
    await dir.write('a.yaml', `${clean.trimEnd()}\n${suspects[0]?.rule.yaml}\n`);
    expect(await lint([dir.path, '--openapi', `${dir.path}/api/x.yaml`])).toMatchObject({ code: 0 });
  });

  it('has the default score of the model, and takes another', async () => {
    await using dir = await directory({ 'api/x.yaml': API });
    const api = ['--openapi', `${dir.path}/api/x.yaml`];
    const { out } = await lint([dir.path, ...api, '--json']);
    expect(JSON.parse(out)).toMatchObject({ ok: false, minScore: DEFAULT_MIN_SCORE, suspicious: 1 });
    expect(await lint([dir.path, ...api, '--min-score', '100'])).toMatchObject({ code: 0 });
    const all = await lint([dir.path, ...api, '--min-score', '100', '--all', '--json']);
    expect(JSON.parse(all.out)).toMatchObject({ ok: true, suspicious: 0, suspects: [{ method: 'GET' }] });
    expect(await lint([dir.path, ...api, '--min-score', '0'])).toMatchObject({ code: 2 });
  });

  it('tells everything in one JSON document', async () => {
    await using dir = await directory({ 'api/x.yaml': API });
    const { out } = await lint([dir.path, '--openapi', `${dir.path}/api/x.yaml`, '--json']);
    expect(JSON.parse(out)).toMatchObject({
      policyDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      findings: [{ check: 'missing-category', severity: 'note' }],
      openapi: { version: '3.1.0', unresolvedReferences: [] },
      operations: [
        { method: 'GET', path: '/tickets', decision: 'allow', by: null },
        { method: 'POST', path: '/export', operationId: 'startExport', decision: 'deny', by: 'export.all' },
        { method: 'GET', path: '/export/{id}', decision: 'allow' },
      ],
      suspects: [{ score: 90, suspicions: [{ category: 'export', score: 90 }], rule: { method: 'GET' } }],
    });
  });

  it('answers 2 with every problem where it cannot be asked', async () => {
    await using dir = await directory({ 'b.yaml': 'kind: Nothing\n' });
    const { code, err, out } = await lint([dir.path, '--openapi', `${dir.path}/none.json`, '--pack', 'A/B']);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain('b.yaml:1:1: error: ');
    expect(err).toContain('none.json:1:1: error: there is no such file');
    expect(err).toContain('"A/B" is no name of a pack');
    expect(await lint([dir.path, '--json'])).toMatchObject({
      code: 2,
      out: expect.stringContaining('"ok": false'),
    });
  });

  it('loads the packs that are named', async () => {
    const pack = policyText('{ id: p, category: export, match: [{ paths: ["/export/{id}"] }] }');
    await using dir = await directory({ 'api/x.yaml': API, 'packs/p.yaml': pack });
    const args = [dir.path, '--pack', 'p', '--openapi', `${dir.path}/api/x.yaml`];
    expect(await lint(args)).toMatchObject({ code: 0 });
  });

  it('colours only on a terminal, and never by the text of a document', async () => {
    await using dir = await directory({ 'api/x.yaml': API });
    const args = [dir.path, '--openapi', `${dir.path}/api/x.yaml`];
    const plain = await lint(args);
    expect(plain.out).not.toContain('\u001B');
    expect(plain.out).not.toContain('\u202E');
    const coloured = await lint(args, true);
    expect(coloured.out).toContain('\u001B[31mdeny');
    expect(coloured.out).not.toContain('\u001B[31mproduct');
    expect(coloured.out).not.toContain('\u202E');
  });
});
