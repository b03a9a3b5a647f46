// `postern policy test` as people and pipelines use it: coverage, strictness, JUnit, progress, colours.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { junitXml } from '#cli/policy-junit.ts';
import { runPolicy as run, runPolicyWith } from '../../support/policy-command.ts';
import { createTestDirectory } from '../../support/policy-directory.ts';
import { rulesText } from '../../support/policy-sets.ts';

const RULES = rulesText([
  { id: 'r', match: '{ paths: ["/exports/**"] }', more: ', liftable: true' },
  { id: 'unreached', match: '{ paths: ["/never"] }' },
]);
const GUARD =
  'apiVersion: postern/v1\nkind: ResponseGuard\nmetadata: { name: g }\nspec: { guards: [{ id: g, category: export, response: { attachment: true } }] }\n';
const TEST = (cases: string) =>
  `apiVersion: postern/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec: { now: "2026-01-15T09:00:00Z", grants: { lift: { lifts: [export] } }, cases: [${cases}] }\n`;
const SHUT = '{ name: shut, requests: [GET /exports, GET /exports/a], expect: deny, rule: r }';
const LIFTED = '{ name: lifted, grant: lift, requests: [GET /exports], expect: allow }';
const WRONG = '{ name: "a <wrong> & \\"odd\\" one", requests: [GET /exports], expect: allow }';
const NEVER = '{ name: never, requests: [GET /never], expect: deny, rule: unreached }';

describe('--coverage', () => {
  it('shows by rule how many requests reach it, and what none reaches', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': `${RULES}---\n${GUARD}`,
      'tests/t.yaml': TEST(`${SHUT}, ${LIFTED}`),
    });
    const { out, err, code } = await run('test', directory.path, '--coverage');
    expect(out).toContain(`  reached  denied  spared  passed over  rule
        3       2       1            0  r
        0       0       0            0  unreached: no test reaches it
        0  guard g: no test reaches it
`);
    expect(err).toContain('a.yaml:7:13: warning: no test reaches the rule unreached');
    expect(err).toContain('warning: no test reaches the guard g');
    expect(code).toBe(0);
  });

  it('stands in the JSON too', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST(SHUT) });
    const plain = JSON.parse((await run('test', directory.path, '--json')).out) as {
      sets: readonly object[];
    };
    expect(plain.sets[0]).not.toHaveProperty('coverage');
    const { out } = await run('test', directory.path, '--json', '--coverage');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      requests: 2,
      failed: 0,
      unreached: 1,
      counts: { sets: 1, documents: 1, cases: 1, rules: 2, rulesReached: 1 },
      sets: [
        {
          unreached: [{ line: 7, message: 'no test reaches the rule unreached' }],
          coverage: {
            rules: [
              { id: 'r', reached: 2, denied: 2 },
              { id: 'unreached', reached: 0 },
            ],
          },
        },
      ],
    });
  });
});

describe('--strict', () => {
  it('does not hold while a rule or a guard is reached by no test', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST(SHUT) });
    const loose = await run('test', directory.path, '--strict');
    expect(loose.err).toContain('a.yaml:7:13: error: no test reaches the rule unreached');
    expect(loose.code).toBe(1);
    await directory.write('tests/t.yaml', TEST(`${SHUT}, ${NEVER}`));
    expect(await run('test', directory.path, '--strict')).toMatchObject({ code: 0, err: '' });
    await directory.write('b.yaml', GUARD);
    const guarded = await run('test', directory.path, '--strict');
    expect(guarded.err).toContain('error: no test reaches the guard g');
    expect(guarded.code).toBe(1);
  });

  it('cannot be asked of a part of the tests', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST(SHUT) });
    const { code, err } = await run('test', directory.path, '--strict', '--filter', 'shut');
    expect(err).toContain('--strict needs every test');
    expect(code).toBe(2);
  });
});

describe('--junit', () => {
  it('writes a suite for each document and a case for each request', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': RULES,
      'tests/t.yaml': TEST(`${SHUT}, ${WRONG}`),
    });
    const file = join(directory.path, 'out.xml');
    expect((await run('test', directory.path, '--junit', file)).code).toBe(1);
    const xml = await readFile(file, 'utf8');
    const t = join(directory.path, 'tests/t.yaml');
    expect(xml).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="postern policy test" tests="3" failures="1"/,
    );
    expect(xml).toContain(
      `<testsuite name="${directory.path}: t" tests="3" failures="1" errors="0" skipped="0" time="0" file="${t}">`,
    );
    expect(xml).toContain(
      `<testcase classname="t" name="shut: GET /exports/a" file="${t}" line="4" time="0"/>`,
    );
    expect(xml).toContain('name="a &lt;wrong&gt; &amp; &quot;odd&quot; one: GET /exports"');
    expect(xml).toContain('<failure message="expected allow, but it is deny by r" type="decision">');
    expect(tagsOf(xml)).toEqual([]);
  });

  it('cannot be asked for a file that cannot be written', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'tests/t.yaml': TEST(SHUT) });
    const { code, err } = await run(
      'test',
      directory.path,
      '--junit',
      join(directory.path, 'no/such/out.xml'),
    );
    expect(err).toContain('out.xml: cannot be written (ENOENT)');
    expect(code).toBe(2);
  });

  it('is well formed whatever a name holds', () => {
    const at = { file: 'f"<&>\'\u0000.yaml', line: 1, column: 1, excerpt: null };
    const odd = 'a\u0000\u001B[31m]]>\uFFFF\uD800\t\n\u0085"';
    const result = { document: odd, case: odd, request: odd, at, held: false, expected: odd, actual: odd };
    const xml = junitXml([{ name: odd, results: [result] }]);
    // All that is left of the control characters are the line breaks between the tags, and U+0085.
    expect(new Set(xml.match(/[\p{Cc}\uFFFE\uFFFF]/gu))).toEqual(new Set(['\n', '\u0085']));
    expect(xml.isWellFormed()).toBe(true);
    expect(tagsOf(xml)).toEqual([]);
    expect(xml).toContain('&#9;&#10;');
  });
});

/** Tags that were opened and not closed, or text that no tag holds; attributes must be quoted and escaped. */
function tagsOf(xml: string): readonly string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const rest = xml
    .replace(/^<\?xml[^?]*\?>/, '')
    .replaceAll(
      /<(\/?)([a-z]+)(?: [a-z]+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos|#\d+);[^"<&]*)*")*(\/?)>/g,
      (_all, close: string, name: string, alone: string) => {
        if (close === '/') {
          if (open.pop() !== name) wrong.push(name);
        } else if (alone === '') open.push(name);
        return '';
      },
    );
  if (/[<>]/.test(rest)) wrong.push(rest);
  return [...open, ...wrong];
}

describe('on a terminal', () => {
  it('colours and progress appear, and nowhere else', async () => {
    const requests = Array.from({ length: 120 }, (_, i) => `GET /exports/${i}`).join(', ');
    const many = `{ name: many, requests: [${requests}], expect: deny, rule: r }`;
    await using directory = await createTestDirectory({
      'a.yaml': RULES,
      'tests/t.yaml': TEST(`${many}, ${NEVER}`),
    });
    const seen = await runPolicyWith({ isTTY: true }, 'test', directory.path);
    expect(seen.err).toBe(`\r\u001B[2K100 requests judged, ${directory.path}\r\u001B[2K`);
    expect(seen.out).toContain('\u001B[32m121 of 121 requests decided as expected\u001B[39m');
    const piped = await run('test', directory.path);
    expect(piped.err).toBe('');
    expect(piped.out).not.toContain('\u001B');
    // NO_COLOR: the caller says that colours make no sense.
    const plain = await runPolicyWith({ isTTY: true, isTerminal: false }, 'test', directory.path);
    expect(plain.out).not.toContain('\u001B');
  });

  it('shows nothing of a name that could move the cursor', async () => {
    await using directory = await createTestDirectory({
      'a.yaml': RULES,
      'tests/t.yaml': TEST('{ name: "a\\e[2Jb", requests: [GET /exports], expect: allow }'),
    });
    const { out } = await run('test', directory.path);
    expect(out).toContain('failed: t: a [2Jb');
    expect(out).not.toContain('\u001B');
  });
});

describe('a set', () => {
  it('of allowances alone is one, and tests say under which default it is judged', async () => {
    const allowance =
      'apiVersion: postern/v1\nkind: RouteAllowance\nmetadata: { name: a }\nspec: { routes: [{ id: tickets, paths: ["/tickets"] }] }\n';
    const test = TEST(
      '{ name: in, requests: [GET /tickets], expect: allow, allowance: tickets }, { name: out, requests: [GET /x], expect: deny, rule: policy.default-deny }',
    ).replace('cases:', 'defaultEffect: deny, cases:');
    await using directory = await createTestDirectory({ 'a.yaml': allowance, 'tests/t.yaml': test });
    expect(await run('test', directory.path, '--strict')).toMatchObject({ code: 0, err: '' });
    const allow = await run('check', directory.path);
    const deny = await run('check', directory.path, '--default-effect', 'deny');
    expect(allow.out).toContain(': 0 rules, 1 allowance, sha256:');
    expect(deny.out).not.toBe(allow.out);
  });

  it('of guards alone is a pack, but no directory', async () => {
    await using directory = await createTestDirectory({ 'a.yaml': RULES, 'packs/g.yaml': GUARD });
    expect(await run('check', directory.path)).toMatchObject({ code: 0, err: '' });
    await directory.write('a.yaml', GUARD);
    expect((await run('check', directory.path)).err).toContain('the set holds no deny rule');
  });
});
