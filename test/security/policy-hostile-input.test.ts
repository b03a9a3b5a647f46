// Hostile and broken policy files (class 24) while a gate runs: a policy may come from a template, a merge request or a
// mounted volume that somebody is just writing. None may hang the gate or cost it its memory (bench:policy-input
// measures that), none may be read as something else, and whatever is refused leaves the last good set in force.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicyDirectory } from '#policy/load-directory.ts';
import { parseGrantFile, parsePolicyFile } from '#policy/policy-file.ts';
import { parsePrincipalFile } from '#policy/policy-test-principal.ts';
import {
  HOSTILE_DIRECTORIES,
  HOSTILE_FILES,
  plainRule,
  shippedPack,
  validPolicy,
  FULL,
} from '../support/hostile-policies.ts';
import { runPolicy, runPolicyWith } from '../support/policy-command.ts';
import { problemLines, rulesText } from '../support/policy-sets.ts';
import { GOOD_POLICY, runningPolicies } from '../support/running-policies.ts';

const fixed = { packs: [], dangerouslyAllowEmpty: false, defaultEffect: 'allow' } as const;

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}

describe('a hostile file', () => {
  it.each(HOSTILE_FILES)('is refused, and the last good set stays: $name', async ({ content, problem }) => {
    await using gate = await runningPolicies();
    const before = gate.reloader.current;
    writeFileSync(join(gate.path, 'b.yaml'), content());
    const outcome = await gate.reloader.reload();
    expect(outcome).toMatchObject({ ok: false, changed: false, ruleCount: 1 });
    expect(outcome.problems.map(({ message }) => message).join('\n')).toMatch(problem);
    expect(outcome.problems.length).toBeLessThanOrEqual(200);
    expect(gate.reloader.current).toBe(before);
    expect(Object.hasOwn(Object.prototype, 'rules')).toBe(false);
  });

  it.each(HOSTILE_FILES)(
    'is no better as a grant or a principal of `policy explain`: $name',
    ({ content }) => {
      const grant = parseGrantFile('g.yaml', bytesOf(content()));
      expect(grant.problems.length).toBeGreaterThan(0);
      const principal = parsePrincipalFile('p.yaml', bytesOf(content()));
      expect(principal.problems.length).toBeGreaterThan(0);
    },
  );

  it.each(HOSTILE_DIRECTORIES)('may be none at all: $name', async ({ put, problem }) => {
    await using gate = await runningPolicies();
    put(gate.path);
    const outcome = await gate.reloader.reload();
    expect(outcome).toMatchObject({ ok: false, changed: false, ruleCount: 1 });
    expect(outcome.problems.map(({ message }) => message).join('\n')).toMatch(problem);
  });
});

const HEADLESS = 'apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: x }\nspec:\n  rules:\n';

function document(_: unknown, i: number): string {
  return rulesText([{ id: `r${i}`, match: '{ paths: ["/a"] }' }]);
}

function documents(count: number): string {
  return Array.from({ length: count }, document).join('---\n');
}

function idsOf(bytes: Buffer): readonly string[] {
  return parsePolicyFile('x.yaml', bytes).documents.rules.map(({ draft }) => draft.id);
}

describe('what people write', () => {
  it('is within every bound: a whole file of rules, and a rule with a long text', () => {
    expect(parsePolicyFile('x.yaml', Buffer.from(validPolicy(FULL))).problems).toEqual([]);
    const rules = Array.from({ length: 350 }, (_, i) => ({
      id: `r${i}`,
      category: 'c',
      match: [{ paths: ['/a'] }],
    }));
    const json = { apiVersion: 'postern/v1', kind: 'RoutePolicy', metadata: { name: 'x' }, spec: { rules } };
    expect(problemLines(JSON.stringify(json))).toEqual([]);
    expect(problemLines(JSON.stringify(json, null, 2))).toEqual([]);
    expect(problemLines(`${'# a licence\n'.repeat(1000)}${GOOD_POLICY}`)).toEqual([]);
    expect(problemLines(`${HEADLESS}    - id: ümläut\n`).join()).toMatch(/id must be/);
    expect(problemLines(rulesText([{ id: 'r', match: '{ paths: ["/ä/日本/🎫"] }' }]))).toEqual([]);
  });

  it('may hold as many documents, items and comments as before, and one more of each is told where it stands', () => {
    expect(problemLines(documents(200))).toEqual([]);
    expect(problemLines(documents(201))).toEqual(['1400:1 too many documents in one file']);
    expect(
      problemLines(`${HEADLESS}${Array.from({ length: 200 }, (_, i) => plainRule(i)).join('')}`),
    ).toEqual([]);
    expect(problemLines(`${HEADLESS}${'    - {}\n'.repeat(2001)}`)).toEqual([
      '2006:5 too many items in one list',
    ]);
    expect(problemLines(`${'#\n'.repeat(2000)}${GOOD_POLICY}`)).toEqual([]);
    expect(problemLines(`${'#\n'.repeat(2001)}${GOOD_POLICY}`)[0]).toMatch(/^2001:1 too many lines/);
  });
});

describe('a file that was cut', () => {
  const TWO = `${rulesText([
    { id: 'one', match: '{ paths: ["/a"], query: { f: [csv] } }', more: ', message: "No “exports”."' },
    { id: 'two', match: '{ methods: [POST], paths: ["/b/**"] }' },
  ])}---\n${rulesText([{ id: 'three', match: '{ paths: ["/c"] }' }])}`;

  it.each([
    ['two small documents', TWO],
    [
      'the same as JSON',
      JSON.stringify({
        apiVersion: 'postern/v1',
        kind: 'RoutePolicy',
        metadata: { name: 'x' },
        spec: { rules: [{ id: 'r', category: 'c', match: [{ paths: ['/a'] }] }] },
      }),
    ],
    ['a shipped pack', shippedPack()],
  ])('anywhere is refused or, where it is whole, a set of those rules that are whole: %s', (_what, text) => {
    const bytes = Buffer.from(text);
    const all = idsOf(bytes);
    expect(all.length).toBeGreaterThan(0);
    let refused = 0;
    for (let cut = 0; cut < 200; cut++) {
      const prefix = bytes.subarray(0, Math.floor((cut * bytes.length) / 200));
      const { documents, problems } = parsePolicyFile('x.yaml', prefix);
      if (problems.length > 0) {
        refused += 1;
        continue;
      }
      // Never a rule that the whole file does not have.
      const ids = documents.rules.map(({ draft }) => draft.id);
      expect(ids).toEqual(all.slice(0, ids.length));
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('in the middle of a character is no UTF-8', () => {
    const bytes = Buffer.from(rulesText([{ id: 'r', match: '{ paths: ["/ä"] }' }]));
    const cut = bytes.subarray(0, bytes.indexOf(0xc3) + 1);
    expect(parsePolicyFile('x.yaml', cut).problems[0]?.message).toBe('the file is not UTF-8');
  });
});

const UNSAFE = /[[\p{Cc}\p{Cf}]--\n]/v;

describe('hostile text on its way to a terminal', () => {
  // Escapes of YAML put into a value what the file itself may not hold.
  const ESCAPED = [
    'apiVersion: "\\e]0;owned\\a"',
    'kind: "\\e[2J"',
    'metadata: { name: "\\x9b31m" }',
    '"\\e[31m": 1',
    '"\\x9b31m": 1',
    '"\\u202ekey": 1',
    'spec: { rules: [ { id: "\\e[8m", category: "\\x9b1m", match: [ { paths: ["/\\e[2J"] } ] } ] }',
  ].join('\n');

  it('is harmless when `policy check` prints it, the name of its file and its line included', async () => {
    await using gate = await runningPolicies();
    writeFileSync(join(gate.path, 'b.yaml'), ESCAPED);
    writeFileSync(join(gate.path, 'c.yaml'), 'a: "\u001B[2J"\n\u009B2J: 1\n');
    writeFileSync(join(gate.path, 'd\u001B[2J\u009B1m.yaml'), 'x: 1');
    const { out, err, code } = await runPolicy('check', gate.path);
    expect(code).toBe(2);
    expect(err).toMatch(/unknown key/);
    expect(out + err).not.toMatch(UNSAFE);
  });

  it('is told in one sentence of bounded length, however long its names are', () => {
    const name = '\u{1F600}a'.repeat(400);
    const text = rulesText([{ id: 'r', match: `{ paths: ["/a"], query: { ${name}: [[1]] } }` }]);
    const { problems } = parsePolicyFile('a.yaml', Buffer.from(text));
    const [said = ''] = problems.map(({ message }) => message);
    expect(said).toMatch(/ … .*must be a string/);
    expect(said.length).toBeLessThanOrEqual(510);
    expect(said.isWellFormed()).toBe(true);
  });

  it('is harmless as a message of a rule that `policy explain` shows', async () => {
    await using gate = await runningPolicies();
    const more = ', message: "\\e[2J\\x9b1m\\u202e hidden"';
    writeFileSync(join(gate.path, 'a.yaml'), rulesText([{ id: 'r', match: '{ paths: ["/a"] }', more }]));
    const { out, err } = await runPolicyWith({}, 'explain', 'GET /a', '--dir', gate.path);
    expect(out).toContain('hidden');
    expect(out + err).not.toMatch(UNSAFE);
  });
});

describe('a directory that grows while it is read', () => {
  it('gives no set made of what was read', async () => {
    await using gate = await runningPolicies();
    const { policy } = await loadPolicyDirectory({ ...fixed, directory: gate.path });
    expect(policy?.ruleCount).toBe(1);
    writeFileSync(join(gate.path, 'large.yaml'), validPolicy(1_000_000));
    const loads = [gate.reloader.reload(), gate.reloader.reload()];
    writeFileSync(join(gate.path, 'large.yaml'), '    - {}\n', { flag: 'a' });
    for (const outcome of await Promise.all(loads))
      expect(outcome).toMatchObject({ ok: false, ruleCount: 1 });
  });
});
