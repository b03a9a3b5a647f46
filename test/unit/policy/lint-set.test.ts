import { describe, expect, it } from 'vitest';
import { compilePolicy } from '#policy/compile.ts';
import type { Check } from '#policy/lint/finding.ts';
import { lintOperations, lintPolicy, type LintSubject } from '#policy/lint/lint-policy.ts';
import { listPolicyFiles, parseFiles } from '#policy/load-directory.ts';
import { parseTarget } from '../../../src/gateway/request-target.ts';
import { lintSubject, operation, policyText, rulesOf } from '../../support/lint-subject.ts';

/** `line check: message` of the findings of one check. */
function found(subject: LintSubject, check: Check): readonly string[] {
  return lintPolicy(subject)
    .filter((finding) => finding.check === check)
    .map(({ line, severity, message }) => `${line} ${severity}: ${message}`);
}

const rule = (id: string, match: string, more = ''): string =>
  `{ id: ${id}, category: export, match: [${match}]${more} }`;

describe('shadowed rules', () => {
  it('are those whose every match is stopped by earlier rules, which are named', () => {
    const subject = rulesOf(
      rule('wide', '{ paths: ["/api/**"] }'),
      rule('posts', '{ methods: [POST], paths: ["/jobs/{id}"] }'),
      rule('late', '{ paths: ["/api/exports", "/api/*/x"] }, { methods: [POST], paths: ["/jobs/all"] }'),
    );
    expect(found(subject, 'shadowed-rule')).toEqual([
      '8 warning: the rule late never decides: all it stops is stopped before by wide (p.yaml:6), posts (p.yaml:7)',
    ]);
  });

  it.each([
    ['one path is not covered', '{ paths: ["/api/**"] }', '', '{ paths: ["/api/a", "/b"] }', ''],
    [
      'the earlier one names fewer methods',
      '{ methods: [GET], paths: ["/**"] }',
      '',
      '{ paths: ["/a"] }',
      '',
    ],
    [
      'the earlier one asks for a query',
      '{ paths: ["/**"], query: { a: ["1"] } }',
      '',
      '{ paths: ["/a"] }',
      '',
    ],
    [
      'it asks for other values',
      '{ paths: ["/**"], query: { a: ["1"] } }',
      '',
      '{ paths: ["/a"], query: { a: ["1", "2"] } }',
      '',
    ],
    [
      'the earlier one looks at the body',
      '{ paths: ["/**"], json: { "/a": ["1"] } }',
      '',
      '{ paths: ["/a"] }',
      '',
    ],
    ['the earlier one can be lifted', '{ paths: ["/**"] }', ', liftable: true', '{ paths: ["/a"] }', ''],
    ['the earlier one is in shadow mode', '{ paths: ["/**"] }', ', mode: shadow', '{ paths: ["/a"] }', ''],
    ['it is in shadow mode itself', '{ paths: ["/**"] }', '', '{ paths: ["/a"] }', ', mode: shadow'],
    [
      'the earlier one is for some principals',
      '{ paths: ["/**"] }',
      ', when: { any: { roles: [x] } }',
      '{ paths: ["/a"] }',
      '',
    ],
    ['a glob is narrower', '{ paths: ["/ex*"] }', '', '{ paths: ["/e*"] }', ''],
  ])('are not reported when %s', (_why, ...texts) => {
    const [first, more, second, secondMore] = texts;
    const subject = rulesOf(rule('a', first, more), rule('b', second, secondMore));
    expect(found(subject, 'shadowed-rule')).toEqual([]);
  });

  it.each([
    ['{ paths: ["/e*"] }', '{ paths: ["/ex*"] }'],
    ['{ methods: [GET], paths: ["/a"] }', '{ methods: [HEAD], paths: ["/A"] }'],
    ['{ paths: ["/a"], query: { f: [CSV, xls] } }', '{ paths: ["/a"], query: { f: [csv], g: ["1"] } }'],
    ['{ paths: ["/**/x"] }', '{ paths: ["/a/**/x"] }'],
    ['{ paths: ["/a"], query: { f: "*" } }', '{ paths: ["/a"], query: { f: [csv] } }'],
  ])('are seen through the way requests are read: %s covers %s', (first, second) => {
    expect(found(rulesOf(rule('a', first), rule('b', second)), 'shadowed-rule')).toHaveLength(1);
  });

  it('are a note only where another file says the same of the same category', () => {
    const first = lintSubject(policyText(rule('a', '{ paths: ["/a"] }')));
    const [placed] = rulesOf(rule('b', '{ paths: ["/a"] }')).documents.rules;
    if (placed === undefined) throw new Error('no rule');
    const other = { ...placed, at: { ...placed.at, file: 'pack.yaml' } };
    const documents = { ...first.documents, rules: [...first.documents.rules, other] };
    expect(found({ ...first, documents }, 'shadowed-rule')[0]).toMatch(/^6 note: /);
  });
});

describe('paths that no request can have', () => {
  it('are those that need an opt-in which no route has', () => {
    const text = policyText(
      rule('slash', '{ paths: ["/a%2Fb"] }'),
      rule('plain', '{ paths: ["/a/**/{x}/*.csv", "/", "/é%20"] }'),
    );
    expect(found(lintSubject(text), 'unreachable-path')).toEqual([
      '6 warning: path "/a%2Fb" of the rule slash matches no request: it holds an encoded slash, and no RouteSettings opens the route to one',
    ]);
    const opened = `${text}---\napiVersion: postern/v1\nkind: RouteSettings\nmetadata: { name: s }\nspec: { paths: ["/a%2Fb"], allow: [encodedSlash] }\n`;
    expect(found(lintSubject(opened), 'unreachable-path')).toEqual([]);
  });
});

describe('methods', () => {
  it('that are nearly known ones are slips; others may be configured', () => {
    const subject = rulesOf(rule('a', '{ methods: [DELET, PROPFIND, GET], paths: ["/a"] }'));
    expect(found(subject, 'unknown-method')).toEqual([
      '6 warning: the rule a names the method DELET; did you mean "DELETE"?',
    ]);
  });
});

describe('versions of an interface', () => {
  it('that the set names elsewhere are siblings of a denied one', () => {
    const subject = rulesOf(
      rule('exports', '{ paths: ["/api/v1/exports/**"] }'),
      rule('mail', '{ paths: ["/api/v1/mail", "/api/v2/mail"] }'),
    );
    expect(found(subject, 'version-sibling')).toEqual([
      '6 warning: the rule exports leaves another version open: "/api/v1/exports/**" is denied and "/api/v2/exports/**" is not',
    ]);
  });

  it('are fine where another rule covers the sibling', () => {
    const subject = rulesOf(
      rule('exports', '{ paths: ["/api/v1/exports/**"] }'),
      rule('mail', '{ paths: ["/api/v1/mail", "/api/v2/mail"] }'),
      rule('rest', '{ paths: ["/api/*/exports/**"] }'),
    );
    expect(found(subject, 'version-sibling')).toEqual([]);
  });

  it('in an API document are siblings too, with a version or without', () => {
    const subject = rulesOf(
      rule('exports', '{ methods: [POST], paths: ["/api/v1/exports"] }'),
      rule('mail', '{ paths: ["/mail/{id}"] }'),
    );
    const operations = [
      operation('POST', '/api/exports'),
      operation('GET', '/api/v2/exports'),
      operation('GET', '/v3/mail/{mailId}'),
    ];
    const { findings } = lintOperations(subject, { operations, host: '' });
    const messages = findings
      .filter(({ check }) => check === 'version-sibling')
      .map(({ message }) => message);
    expect(messages).toEqual([
      'the rule exports leaves another version open: "/api/v1/exports" is denied and POST /api/exports is not',
      'the rule mail leaves another version open: "/mail/{id}" is denied and GET /v3/mail/{mailId} is not',
    ]);
  });
});

describe('a set as a whole', () => {
  it('is told which categories it lacks', () => {
    const [core, more] = lintPolicy(rulesOf(rule('a', '{ paths: ["/a"] }'))).toSorted((a, b) =>
      b.severity.localeCompare(a.severity),
    );
    expect(core).toMatchObject({ check: 'missing-category', severity: 'warning', file: 'p.yaml', line: 1 });
    expect(core?.message).toBe(
      'no rule of the set has the category self-grant, user-admin, permissions, credentials, email, billing',
    );
    expect(more).toMatchObject({ severity: 'note' });
  });

  it('is told which ids get mistaken for each other', () => {
    const subject = rulesOf(
      rule('export.all', '{ paths: ["/a"] }'),
      rule('export-all', '{ paths: ["/b"] }'),
      '{ id: export.all.mail, category: email, match: [{ paths: ["/c"] }] }',
      rule('export.all.csv', '{ paths: ["/d"] }'),
    );
    expect(found(subject, 'confusing-id')).toEqual([
      '7 warning: the ids export-all and export.all differ by separators only',
      '8 warning: export.all.mail reads like a part of export.all, and its category is email, not export',
    ]);
  });

  it('is told when it only watches', () => {
    const shadow = ', mode: shadow';
    expect(found(rulesOf(rule('a', '{ paths: ["/a"] }', shadow)), 'shadow-mode-only')).toHaveLength(1);
    const mixed = rulesOf(rule('a', '{ paths: ["/a"] }', shadow), rule('b', '{ paths: ["/b"] }'));
    expect(found(mixed, 'shadow-mode-only')).toEqual([]);
  });

  it('is told when a large one has too many paths that begin with **', () => {
    const plain = Array.from({ length: 1000 }, (_, i) => rule(`r${i}`, `{ paths: ["/a/${i}"] }`));
    const deep = Array.from({ length: 12 }, (_, i) => rule(`d${i}`, `{ paths: ["/**/x${i}"] }`));
    expect(found(rulesOf(...plain, ...deep), 'deep-start')).toHaveLength(1);
    expect(found(rulesOf(...plain, ...deep.slice(0, 10)), 'deep-start')).toEqual([]);
    expect(found(rulesOf(...deep), 'deep-start')).toEqual([]);
  });
});

describe('the shipped policies', () => {
  const root = new URL('../../../policies/', import.meta.url).pathname;
  const PRODUCTS = ['freshservice', 'unleash', 'zendesk', 'zoho-crm'];

  async function shipped(isWanted: (pack: string) => boolean): Promise<LintSubject> {
    const own = await listPolicyFiles(root);
    const packs = await listPolicyFiles(`${root}packs`);
    const wanted = packs.files.filter((file) => isWanted(/([^/]+)\.yaml$/.exec(file)?.[1] ?? ''));
    const { documents, problems } = await parseFiles([...own.files, ...wanted]);
    const options = { source: 'policies', dangerouslyAllowEmpty: false, defaultEffect: 'allow' } as const;
    const { policy, problems: found } = compilePolicy(documents, options);
    if (policy === null) throw new Error(JSON.stringify([...problems, ...found]));
    return { source: 'policies', documents, policy, parseTarget };
  }

  it('have nothing to be warned of with the general packs', async () => {
    const findings = lintPolicy(await shipped((pack) => !PRODUCTS.includes(pack)));
    expect(findings.filter(({ severity }) => severity === 'warning')).toEqual([]);
  });

  it.each(PRODUCTS)(
    'have nothing to be warned of with every general pack and the one for %s',
    async (product) => {
      const findings = lintPolicy(await shipped((pack) => !PRODUCTS.includes(pack) || pack === product));
      const reviewed: readonly string[] = [];
      const warnings = findings
        .filter(({ severity }) => severity === 'warning')
        .map(({ message }) => message);
      expect(warnings).toEqual(reviewed);
    },
  );

  it('lack what the packs bring, without packs', async () => {
    const findings = lintPolicy(await shipped(() => false));
    expect(findings.map(({ check }) => check)).toEqual(['missing-category', 'missing-category']);
  });
});
