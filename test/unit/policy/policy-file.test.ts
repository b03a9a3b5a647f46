// Hostile and mistaken policy files (class 24): refused whole, quickly, with every problem at its own place.
import { describe, expect, it } from 'vitest';
import { inspectYaml } from '#policy/yaml-guard.ts';
import { parseGrantFile, parsePolicyFile } from '#policy/policy-file.ts';
import { problemLines, problemsOf, rulesText } from '../../support/policy-sets.ts';

const HEAD = 'apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: x }\n';
const GOOD = rulesText([{ id: 'r', match: '{ paths: ["/a"] }' }]);

describe('a policy file', () => {
  it('has no problems when it is right', () => {
    expect(problemLines(GOOD)).toEqual([]);
    expect(problemLines(`${GOOD}---\n${rulesText([{ id: 'r2', match: '{ paths: ["/a"] }' }])}`)).toEqual([]);
  });

  it('shows all its problems at once, sorted, at their own line and column', () => {
    const text = `apiVersion: postern/v2
kind: RoutePolicy
metadata: { name: "Not a name", ownr: me }
spec:
  rules:
    - id: ok
      category: export
      mod: shadow
      match:
        - path: ["/x"]
        - methods: [get, PSOT, GET, GET]
          paths: ["/a//b", "no", "/ok"]
          query: { format: csv, "": [x], F: "*", f: [] }
    - id: ok
      category: credentials
      liftable: true
      mode: shadw
      message: 7
      match: []
`;
    expect(problemLines(text)).toEqual([
      '1:13 apiVersion must be one of postern/v1; did you mean "postern/v1"?',
      '3:19 name must be at most 64 lower-case letters, digits, dots, hyphens and underscores, not "Not a name"',
      '3:33 unknown key "ownr" in metadata; did you mean "owner"?',
      '8:7 unknown key "mod" in a rule; did you mean "mode"?',
      '10:11 a match needs paths',
      '10:11 unknown key "path" in a match; did you mean "paths"?',
      '11:21 methods[0] must be an upper-case method; did you mean "GET"?',
      '11:37 methods[3] repeats an earlier item',
      '12:19 path "/a//b" can never be canonical: it holds an empty segment',
      '12:28 path "no" must start with `/`',
      '13:28 "format" must be a list of values, or "*" for presence',
      '13:33 a query key must not be empty',
      '13:50 query key "f" is read like an earlier one',
      '13:53 f must not be empty',
      '16:17 a rule of the category credentials can never be lifted',
      '17:13 mode must be one of enforce, shadow; did you mean "shadow"?',
      '18:16 message must be a string: put it in quotes',
      '19:14 match must not be empty',
    ]);
  });

  it('shows the line itself for a caret', () => {
    expect(problemsOf(`${HEAD}spec: { rulez: [] }\r\n`)[1]).toMatchObject({
      file: 'p.yaml',
      line: 4,
      column: 9,
      excerpt: 'spec: { rulez: [] }',
    });
  });

  it('must have unique rule ids across documents', () => {
    const twice = `${GOOD}---\n${GOOD}`;
    expect(problemLines(twice)).toEqual(['13:13 rule id r stands at p.yaml:6 already']);
  });

  it('must hold a deny rule', () => {
    const settings = `${HEAD.replace('RoutePolicy', 'RouteSettings')}spec: { paths: ["/a"], allow: [getBody] }\n`;
    expect(problemLines(settings)).toEqual(['1:1 the set holds no deny rule']);
  });

  it('must be of a known kind', () => {
    expect(problemLines(HEAD.replace('RoutePolicy', 'RoutePolice'))).toEqual([
      '1:1 a policy document needs spec',
      '2:7 kind must be one of RoutePolicy, RouteSettings, SafeRoutes, RouteAllowance, ScopeMap, ResponseGuard, PolicyTest, not "RoutePolice"; did you mean "RoutePolicy"?',
    ]);
    for (const kind of ['__proto__', 'constructor', 'toString']) {
      expect(problemLines(HEAD.replace('RoutePolicy', kind))[1], kind).toContain('kind must be one of');
    }
  });

  it('holds no aliases, anchors, tags, merges, directives or duplicate keys', () => {
    const spec = (text: string) => problemLines(`${HEAD}spec:\n${text}`).join('\n');
    expect(spec('  rules: &a []\n  x: *a\n')).toContain('5:10 an anchor');
    expect(spec('  rules: &a []\n  x: *a\n')).toContain('6:6 an alias');
    expect(spec('  rules: &a\n    - *a\n')).toBe(
      '5:10 an anchor (`&`) is not allowed\n6:7 an alias (`*`) is not allowed: write the value out',
    );
    expect(spec('  rules: !!js/function "x"\n')).toBe('5:10 a tag (`!`) is not allowed');
    expect(spec('  <<: { rules: [] }\n')).toContain('5:3 a merge key');
    expect(spec('  rules: []\n  rules: []\n')).toContain('6:3 this key stands twice');
    expect(spec('  __proto__: { rules: [] }\n')).toContain('unknown key "__proto__"');
    expect(problemLines(`%YAML 1.1\n---\n${GOOD}`)).toEqual(['1:1 a directive (`%`) is not allowed']);
    expect(problemLines(`\uFEFF${GOOD}`)[0]).toContain('byte order mark');
    expect(problemLines(`${HEAD}\tspec: {}`).join()).toContain('a tab cannot indent');
    expect(problemLines(GOOD.replace('category', 'cate\u0000gory'))[0]).toContain('control character');
  });

  it('takes yes and NO for what they are in YAML 1.2: strings', () => {
    expect(
      problemLines(rulesText([{ id: 'r', match: '{ paths: ["/a"], query: { a: [yes, NO] } }' }])),
    ).toEqual([]);
    const liftable = rulesText([{ id: 'r', match: '{ paths: ["/a"] }', more: ', liftable: yes' }]);
    expect(problemLines(liftable)).toEqual(['6:72 liftable must be true or false']);
  });

  it('is refused without parsing when it is nested like a bomb', () => {
    const bombs = [
      '['.repeat(5000),
      `${HEAD}spec: ${'['.repeat(5000)}${']'.repeat(5000)}`,
      `${HEAD}spec: ${'{a: '.repeat(5000)}`,
      '- '.repeat(30_000),
      '? '.repeat(30_000),
      Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    ];
    for (const bomb of bombs) {
      expect(problemLines(bomb).join(), bomb.slice(0, 90)).toMatch(/nested|indented/);
      // By the guard, not by a parser that ran out of something.
      expect(inspectYaml(bomb).hostile, bomb.slice(0, 90)).not.toBeNull();
    }
  });

  it('takes brackets in quotes, comments and block texts for what they are', () => {
    const brackets = '['.repeat(200);
    const more = `, message: "${brackets}"`;
    const text = rulesText([{ id: 'r', match: '{ paths: ["/a"] }', more }]);
    expect(problemLines(`# ${brackets}\n${text}`)).toEqual([]);
  });

  it('is refused without a look when it is too large, and when it is no UTF-8', () => {
    const large = parsePolicyFile('p.yaml', Buffer.alloc(10 * 1024 * 1024, '['));
    expect(large.problems.map(({ message }) => message)).toEqual([
      'the file has 10485760 bytes, more than the limit of 65536: split it into several',
    ]);
    const latin1 = parsePolicyFile('p.yaml', Buffer.from([0x61, 0xe9]));
    expect(latin1.problems.map(({ message }) => message)).toEqual(['the file is not UTF-8']);
  });

  it('is refused when it is empty or holds an empty document', () => {
    expect(problemLines('')).toEqual(['1:1 the file holds no document']);
    expect(problemLines('# nothing\n')).toEqual(['1:1 the file holds no document']);
    expect(problemLines(`${GOOD}---\n`)).toEqual(['7:1 the document is empty']);
    expect(problemLines('just text')).toEqual(['1:1 a policy document must be a mapping']);
  });
});

function settings(spec: string): readonly string[] {
  return problemLines(`${HEAD.replace('RoutePolicy', 'RouteSettings')}spec: ${spec}\n---\n${GOOD}`);
}

function test(spec: string): readonly string[] {
  return problemLines(`${HEAD.replace('RoutePolicy', 'PolicyTest')}spec: ${spec}\n---\n${GOOD}`);
}

function parse(text: string): ReturnType<typeof parseGrantFile> {
  return parseGrantFile('g.yaml', Buffer.from(text));
}

describe('RouteSettings', () => {
  it('show what does not fit', () => {
    expect(settings('{ paths: ["/a"] }')).toEqual([
      '4:7 the spec of RouteSettings must set one of allow, headers, maxBody, maxInspectedBody, timeouts',
    ]);
    expect(settings('{ paths: ["/a"], allow: [encodedSlsh] }')[0]).toContain('did you mean "encodedSlash"?');
    expect(settings('{ paths: ["/a"], headers: [X-Plain] }')[0]).toContain('needs no permission');
    expect(settings('{ paths: ["/a"], headers: ["X_Ü"] }')[0]).toContain('must be a header name');
    expect(settings('{ paths: ["/a"], maxBody: 100 }')[0]).toContain('must be a string');
    expect(settings('{ paths: ["/a"], maxBody: 64KB }')[0]).toContain('64KiB');
    expect(settings('{ paths: ["/a"], maxBody: 9999999999TiB }')[0]).toContain('too large');
    expect(settings('{ paths: ["/a"], timeouts: { headers: 0s, idle: 5 } }')).toHaveLength(2);
    expect(settings('{ paths: ["/a"], timeouts: {} }')).toEqual(['4:34 timeouts must not be empty']);
  });
});

describe('PolicyTest', () => {
  it('shows what does not fit', () => {
    expect(test('{ now: 2026-01-15, cases: [] }')).toEqual([
      '4:14 now must be an instant with its zone such as 2026-01-15T09:00:00Z',
      '4:33 cases must not be empty',
    ]);
    const cases = (text: string) =>
      test(`{ now: "2026-01-15T09:00:00Z", grants: { g: { lifts: [] } }, cases: [${text}] }`);
    expect(cases('{ name: n, requests: [GET /a], expect: allow, grant: g }')).toEqual([]);
    expect(cases('{ name: n, requests: [GET /a], expect: allow, grant: h }')[0]).toContain('not named');
    expect(cases('{ name: n, requests: [GET /a], expect: allow, rule: r }')[0]).toContain('expects deny');
    expect(cases('{ name: n, requests: [GET /a], expect: deny }')[0]).toContain('either rule or reason');
    expect(cases('{ name: n, requests: [GET /a], expect: deny, reason: lockd }')[0]).toContain('"locked"');
    expect(cases('{ name: n, requests: [get /a, "GET  /a", /a], expect: allow }')).toHaveLength(3);
  });
});

describe('a grant file', () => {
  it('may be what the control API answers', () => {
    const answer = {
      id: 'grt_1',
      tenant: 'acme',
      revision: 3,
      status: 'active',
      startsAt: '2026-01-01T00:00:00Z',
      expiresAt: null,
      access: 'read',
      audience: { org: 'vendor' },
      roles: ['agent'],
      lifts: ['export'],
      actAs: null,
      caseRef: 'C-1',
      revokedAt: null,
      grantedBy: { id: 'ada' },
    };
    const { grant, problems } = parse(JSON.stringify(answer));
    expect(problems).toEqual([]);
    expect(grant).toMatchObject({ access: 'read', lifts: ['export'], roles: ['agent'], expiresAt: null });
  });

  it('shows its problems', () => {
    expect(parse('lift: [export]').problems[0]?.message).toContain('did you mean "lifts"?');
    expect(parse('[]').problems[0]?.message).toBe('a grant must be a mapping');
  });
});
