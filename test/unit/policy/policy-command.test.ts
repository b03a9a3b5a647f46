// `postern policy check | test | explain` as a person or a pipeline sees them: text, JSON and exit codes.
import { describe, expect, it } from 'vitest';
import { runPolicy as run } from '../../support/policy-command.ts';
import { createTestDirectory } from '../../support/policy-directory.ts';
import { rulesText } from '../../support/policy-sets.ts';

const RULES = rulesText([
  { id: 'r', match: '{ paths: ["/exports/**"] }', more: ', liftable: true, message: "No exports."' },
  { id: 'unreached', match: '{ methods: [PUT], paths: ["/exports/now"] }' },
]);
const TEST = (cases: string) => `apiVersion: postern/v1
kind: PolicyTest
metadata: { name: t }
spec: { now: "2026-01-15T09:00:00Z", grants: { lift: { lifts: [export] } }, cases: [${cases}] }
`;
const GOOD_CASE = '{ name: shut, requests: [GET /exports], expect: deny, rule: r }';
const BAD_CASE = '{ name: open, requests: [GET /Exports], expect: allow }';

describe('policy check', () => {
  it('holds for the shipped policies and their packs', async () => {
    const { out, err, code } = await run('check');
    expect(err).toBe('');
    expect(out).toMatch(/^policies: \d+ rules(?:, \d+ guards?)?, sha256:[0-9a-f]{64}\n/);
    expect(out).toMatch(/^policies\/packs\/unleash\.yaml: \d+ rules/m);
    expect(code).toBe(0);
  });

  it('prints every problem with its line and a caret, those of packs too, and cannot be asked', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': RULES.replace('match: [{ paths', 'match: [{ path'),
      'packs/p.yaml': 'kind: Nothing\n',
      'packs/tests/other.yaml': TEST(GOOD_CASE),
      'tests/t.yaml': RULES,
    });
    const { err, code } = await run('check', directory.path);
    expect(err).toContain('a.yaml:6:44: error: unknown key "path" in a match; did you mean "paths"?');
    expect(err).toContain(`\n  6 |     - { id: r, category: export, match: [{ path: [`);
    expect(err).toContain(`\n    | ${' '.repeat(43)}^\n`);
    expect(err).toContain('packs/p.yaml:1:7: error: kind must be one of');
    expect(err).toContain('packs/tests/other.yaml:1:1: error: no pack has the name of this test');
    expect(err).toContain('tests/t.yaml:1:1: error: rules and settings in a directory of tests');
    expect(code).toBe(2);
  });

  it('compiles each pack on its own: one id may stand in two', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'packs/p.yaml': RULES });
    expect(await run('check', directory.path, '--json')).toMatchObject({ code: 0, err: '' });
  });

  it('cannot be asked about a directory that is not there', async () => {
    const { err, code } = await run('check', 'no/such/directory');
    expect(err).toBe('no/such/directory:1:1: error: there is no such directory\none problem\n');
    expect(code).toBe(2);
  });

  it('answers in JSON', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': 'x: 1' });
    const { out, code } = await run('check', directory.path, '--json');
    expect(JSON.parse(out)).toMatchObject({ ok: false, problems: [{ line: 1, column: 1 }, { line: 1 }] });
    expect(code).toBe(2);
  });
});

describe('policy test', () => {
  it('holds for the shipped policies without a warning', async () => {
    const { out, err, code } = await run('test');
    expect(err).toBe('');
    expect(out).toMatch(/^policies: (\d+) of \1 requests decided as expected/);
    expect(code).toBe(0);
  });

  it('warns of a rule that no test reaches, at its place', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST(GOOD_CASE) });
    const { out, err, code } = await run('test', directory.path);
    expect(err).toContain('a.yaml:7:13: warning: no test reaches the rule unreached');
    expect(err).not.toContain('the rule r');
    expect(out).toBe(`${directory.path}: 1 of 1 request decided as expected, 1 case, 1 of 2 rules reached\n`);
    expect(code).toBe(0);
  });

  it('counts a rule as reached that a case sees lifted', async () => {
    const lifted = '{ name: lifted, grant: lift, requests: [GET /exports], expect: allow }';
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST(lifted) });
    const { err, code } = await run('test', directory.path);
    expect(err).not.toContain('the rule r');
    expect(code).toBe(0);
  });

  it('does not hold when a decision differs, and shows which and where', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': RULES,
      'tests/t.yaml': TEST(`${GOOD_CASE}, ${BAD_CASE}`),
    });
    const { out, code } = await run('test', directory.path);
    expect(out).toContain('tests/t.yaml:4:');
    expect(out).toContain('failed: t: open\n    GET /Exports\n    expected allow, but it is deny by r\n');
    expect(out).toContain('1 of 2 requests decided as expected');
    expect(code).toBe(1);
  });

  it('does not hold when another rule denies, or another shadow rule matches', async () => {
    const rules = rulesText([
      { id: 'r', match: '{ paths: ["/a"] }' },
      { id: 's', match: '{ paths: ["/a", "/b"] }', more: ', mode: shadow' },
    ]);
    const cases = [
      '{ name: n, requests: [GET /a], expect: deny, rule: s }',
      '{ name: n, requests: [GET /a], expect: deny, reason: locked }',
      '{ name: n, requests: [GET /a], expect: deny, rule: r, shadow: [] }',
      '{ name: n, requests: [GET /b], expect: allow, shadow: [r] }',
      '{ name: good, requests: [GET /b], expect: allow, shadow: [s] }',
      '{ name: good, requests: [GET /c], expect: allow, shadow: [] }',
    ];
    await using directory = await createTestDirectory({
      'a.yaml': rules,
      'tests/t.yaml': TEST(cases.join()),
    });
    const { out, code } = await run('test', directory.path, '--json');
    const report = JSON.parse(out) as { requests: number; failed: number; ok: boolean };
    expect(report).toMatchObject({ ok: false, requests: 6, failed: 4 });
    expect(code).toBe(1);
  });

  it('runs only what the filter names, and then warns of no unreached rules', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': RULES,
      'tests/t.yaml': TEST(`${GOOD_CASE}, ${BAD_CASE}`),
    });
    expect(await run('test', directory.path, '--filter', 'shut')).toMatchObject({ code: 0, err: '' });
    const none = await run('test', directory.path, '--filter', 'nothing like it');
    expect(none.err).toContain('no test matches the filter');
    expect(none.code).toBe(2);
  });

  it('cannot be asked without tests or with problems', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES });
    expect((await run('test', directory.path)).code).toBe(2);
    await directory.write('tests/t.yaml', 'x');
    expect((await run('test', directory.path)).code).toBe(2);
  });

  it('runs tests of a pack against that pack, and judges grants at the fixed time', async () => {
    const grants = `{ now: "2026-01-15T09:00:00Z", grants: { old: { expiresAt: "2026-01-15T09:00:00Z" }, soon: { startsAt: "2026-01-15T09:00:01Z" }, reads: { access: read } }`;
    const cases = [
      '{ name: n, grant: old, requests: [GET /], expect: deny, reason: grant_expired }',
      '{ name: n, grant: soon, requests: [GET /], expect: deny, reason: grant_pending }',
      '{ name: n, grant: reads, requests: [POST /, "GET /?_method=PUT"], expect: deny, reason: read_only }',
      '{ name: n, grant: reads, requests: [GET /, "GET /?_method=HEAD", OPTIONS /], expect: allow }',
    ];
    const test = TEST('').replace(/spec: .*/, `spec: ${grants}, cases: [${cases.join()}] }`);
    await using directory = await createTestDirectory({
      'a.yaml': rulesText([{ id: 'everything', match: '{ paths: ["/**"] }' }]),
      'packs/p.yaml': RULES,
      'packs/p-more.yaml': RULES,
      'packs/tests/p-more.yaml': test,
    });
    const { out, code } = await run('test', directory.path);
    expect(out).toContain('packs/p-more.yaml: 7 of 7 requests decided as expected');
    expect(out).toContain('packs/p.yaml: 0 of 0 requests');
    expect(code).toBe(0);
  });
});

describe('policy explain', () => {
  it('shows the decision, the readings and the rules whose paths matched', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES });
    const { out, code } = await run('explain', 'GET /Exports;x/now', '--dir', directory.path);
    expect(out).toBe(`GET /Exports;x/now
  decision   deny by r
  because    No exports.
  canonical  /Exports;x/now
  reading    /exports;x/now
  reading    /exports/now
  matched    r: path /exports/** matched
  not        unreached: path /exports/now matched, method GET is not one of PUT
`);
    expect(code).toBe(0);
  });

  it('judges under the grant of a file', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': RULES,
      'g/grant.json': '{"lifts":["export"]}',
    });
    const grant = ['--dir', directory.path, '--grant', `${directory.path}/g/grant.json`];
    const { out } = await run('explain', 'GET /exports', ...grant, '--json');
    expect(JSON.parse(out)).toMatchObject({
      decision: 'allow',
      reason: 'ok',
      considered: [{ rule: { id: 'r' }, matched: false, because: expect.stringContaining('lifted') }, {}],
    });
  });

  it('explains what is refused before any rule', async () => {
    const { out, code } = await run('explain', 'GET /a%2Fb');
    expect(out).toContain('deny by bad_request_target');
    expect(out).toContain('does not opt in to encodedSlash');
    expect(code).toBe(0);
  });

  it('loads packs by name', async () => {
    const { out } = await run(
      'explain',
      'POST /api/admin/features-batch/export',
      '--pack',
      'unleash',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({ decision: 'deny', reason: 'rule_denied' });
  });

  it('cannot be asked with a request, a directory or a grant that makes no sense', async () => {
    expect((await run('explain', '/exports')).code).toBe(2);
    expect((await run('explain', 'get /exports')).code).toBe(2);
    expect((await run('explain', 'GET /a', '--dir', 'no/such/directory')).code).toBe(2);
    expect((await run('explain', 'GET /a', '--grant', 'no/such/file')).code).toBe(2);
  });
});
