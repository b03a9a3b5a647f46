// PolicyTest documents run against a set: what a case may expect, and what the tests are said to reach.
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import { compilePolicy } from '#policy/compile.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import { createPartsCoverage } from '#policy/policy-test-parts.ts';
import { runPolicyTests } from '#policy/run-policy-tests.ts';
import { rulesText } from '../../support/policy-sets.ts';

const DOCUMENT = (kind: string, spec: string) =>
  `apiVersion: postern/v1\nkind: ${kind}\nmetadata: { name: ${kind.toLowerCase()} }\nspec:\n${spec}\n`;
const TEST = (cases: readonly string[], more = '') =>
  DOCUMENT(
    'PolicyTest',
    `  now: "2026-01-15T09:00:00Z"\n${more}  cases:\n${cases.map((one) => `    - { ${one} }`).join('\n')}`,
  );

async function run(...texts: readonly string[]) {
  const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(texts.join('---\n')));
  expect(problems).toEqual([]);
  const compile = (defaultEffect: 'allow' | 'deny') => {
    const outcome = compilePolicy(documents, { source: 'p', dangerouslyAllowEmpty: true, defaultEffect });
    if (outcome.policy === null) throw new Error(JSON.stringify(outcome.problems));
    return outcome.policy;
  };
  const parts = createPartsCoverage(documents);
  const report = await runPolicyTests({
    policy: compile('allow'),
    allowList: compile('deny'),
    documents: documents.tests,
    parseTarget,
    filter: null,
    observe: parts.observe,
  });
  const failed = report.results.filter(({ held }) => !held);
  return { report, parts: parts.parts(), failed: failed.map((one) => `${one.case}: ${one.actual}`) };
}

const RULES = rulesText([
  { id: 'csv', match: '{ paths: ["/search"], json: { "/format": [csv] } }' },
  { id: 'staff', match: '{ paths: ["/staff"] }', more: ', when: { none: { groups: [leads] } }' },
  { id: 'export', match: '{ paths: ["/exports"] }', more: ', liftable: true' },
  { id: 'later', match: '{ paths: ["/exports", "/later"] }' },
  { id: 'quiet', match: '{ paths: ["/exports"] }', more: ', mode: shadow' },
]);

describe('a case', () => {
  it('is decided by its body, and by what a rule could not read in it', async () => {
    const { failed } = await run(
      RULES,
      TEST([
        'name: csv, requests: [POST /search], body: { format: csv }, expect: deny, rule: csv',
        'name: html, requests: [POST /search], body: { format: html }, expect: allow',
        'name: none, requests: [POST /search], expect: allow',
        'name: broken, requests: [POST /search], body: "{", contentType: application/json, expect: deny, rule: csv, reason: body_uninspectable',
        'name: by reason, requests: [POST /search], body: "{", contentType: application/json, expect: deny, reason: body_uninspectable',
        'name: untyped, requests: [POST /search], body: "{}", expect: deny, rule: csv',
        'name: upgrade, requests: [GET /search], upgrade: websocket, expect: deny, rule: csv',
        'name: no form, requests: [POST /search], body: { format: csv }, expect: deny, rule: csv, reason: body_uninspectable',
        'name: open, requests: [POST /search], body: { format: csv }, expect: allow',
        'name: wrong reason, requests: [POST /search], body: "{", contentType: application/json, expect: deny, rule: csv, reason: body_too_large',
      ]),
    );
    expect(failed).toEqual([
      'no form: deny by csv',
      'open: deny by csv',
      'wrong reason: deny by csv (body_uninspectable)',
    ]);
  });

  it('is decided by who asks; of nobody in particular every `when` holds', async () => {
    const principals = '  principals: { lead: { groups: [leads] }, other: { groups: [desk] } }\n';
    const { failed, report } = await run(
      RULES,
      TEST(
        [
          'name: lead, principal: lead, requests: [GET /staff], expect: allow',
          'name: other, principal: other, requests: [GET /staff], expect: deny, rule: staff',
          'name: nobody, requests: [GET /staff], expect: deny, rule: staff',
        ],
        principals,
      ),
    );
    expect(failed).toEqual([]);
    expect(report.coverage.get('staff')).toEqual({ reached: 3, denied: 2, spared: 1, passedOver: 0 });
  });

  it('is decided by its host', async () => {
    const { failed } = await run(
      RULES.replace('spec:\n', 'spec:\n  hosts: ["*.example.com"]\n'),
      TEST([
        'name: covered, host: "a.example.com:80", requests: [GET /later], expect: deny, rule: later',
        'name: elsewhere, host: a.example.org, requests: [GET /later], expect: allow',
      ]),
    );
    expect(failed).toEqual([]);
  });

  it('of a document with defaultEffect deny is judged by the allow-list', async () => {
    const { failed, parts } = await run(
      RULES,
      DOCUMENT(
        'RouteAllowance',
        '  routes:\n    - { id: tickets, methods: [GET], paths: ["/tickets/**"] }\n    - { id: unused, methods: [GET], paths: ["/unused"] }',
      ),
      TEST(
        [
          'name: covered, requests: [GET /tickets/7], expect: allow, allowance: tickets',
          'name: another, requests: [GET /tickets/7], expect: allow, allowance: unused',
          'name: left out, requests: [GET /else], expect: deny, rule: policy.default-deny',
          'name: still denied, requests: [GET /later], expect: deny, rule: later',
        ],
        '  defaultEffect: deny\n',
      ),
      TEST(['name: without it, requests: [GET /unused], expect: allow']),
    );
    expect(failed).toEqual(['another: allow by tickets']);
    expect(parts.map(({ kind, name, reached }) => [kind, name, reached])).toEqual([
      ['allowance', 'tickets', 2],
      ['allowance', 'unused', 0],
    ]);
  });

  it('expects what guards make of the answer', async () => {
    const { failed, parts } = await run(
      RULES,
      DOCUMENT(
        'ResponseGuard',
        [
          '  guards:',
          '    - { id: g.csv, category: export, liftable: true, response: { mediaTypes: [text/csv] } }',
          '    - { id: g.big, category: bulk, response: { maxBytes: 1KiB } }',
          '    - { id: g.never, category: bulk, match: [{ paths: ["/never"] }], response: { attachment: true } }',
          '    - { id: g.seen, category: bulk, mode: shadow, response: { attachment: true } }',
        ].join('\n'),
      ),
      TEST(
        [
          'name: csv, requests: [GET /a], response: { headers: { Content-Type: text/csv } }, expect: deny, rule: g.csv',
          'name: by reason, requests: [GET /a], response: { headers: { Content-Type: text/csv } }, expect: deny, reason: response_guarded',
          'name: lifted, grant: lifted, requests: [GET /a], response: { headers: { Content-Type: text/csv } }, expect: allow',
          'name: cut, requests: [GET /a], response: { bytes: 1025 }, expect: deny, rule: g.big',
          'name: small, requests: [GET /a], response: { bytes: 1024 }, expect: allow, shadow: []',
          'name: seen, requests: [GET /a], response: { headers: { Content-Disposition: attachment } }, expect: allow, shadow: [g.seen]',
          'name: request first, requests: [GET /later], response: { bytes: 9999 }, expect: deny, rule: later',
          'name: not looked at, requests: [GET /a], response: { headers: { Content-Type: text/csv } }, expect: allow',
        ],
        '  grants: { lifted: { lifts: [export] } }\n',
      ),
    );
    expect(failed).toEqual(['not looked at: deny by g.csv']);
    expect(parts.map(({ name, reached }) => [name, reached])).toEqual([
      ['g.csv', 4],
      ['g.big', 1],
      ['g.never', 0],
      ['g.seen', 1],
    ]);
  });

  it('reaches a safe route only where a read grant needs it', async () => {
    const { failed, parts } = await run(
      RULES,
      DOCUMENT(
        'SafeRoutes',
        '  routes:\n    - { methods: [POST], paths: ["/find"] }\n    - { upgrade: websocket, paths: ["/live"] }',
      ),
      TEST(
        [
          'name: search, grant: read, requests: [POST /find], expect: allow',
          'name: a GET needs none, grant: read, requests: [GET /find], expect: allow',
          'name: a write grant needs none, requests: [POST /find], expect: allow',
          'name: others stay shut, grant: read, requests: [POST /else], expect: deny, reason: read_only',
        ],
        '  grants: { read: { access: read } }\n',
      ),
    );
    expect(failed).toEqual([]);
    expect(parts).toMatchObject([
      { kind: 'safe route', name: 'POST /find', reached: 1 },
      { kind: 'safe route', name: 'websocket /live', reached: 0 },
    ]);
  });
});

describe('coverage', () => {
  it('tells by rule what was denied, spared and passed over', async () => {
    const { report } = await run(
      RULES,
      TEST(
        [
          'name: denied, requests: [GET /exports, POST /exports], expect: deny, rule: export',
          'name: lifted, grant: lifted, requests: [GET /exports], expect: deny, rule: later, shadow: [quiet]',
          'name: refused before, grant: read, requests: [POST /later], expect: deny, reason: read_only',
        ],
        '  grants: { lifted: { lifts: [export] }, read: { access: read } }\n',
      ).replace('shadow: [quiet]', 'shadow: []'),
    );
    expect(report).toMatchObject({ documents: 1, cases: 3 });
    expect(report.coverage.get('export')).toEqual({ reached: 3, denied: 2, spared: 1, passedOver: 0 });
    expect(report.coverage.get('later')).toEqual({ reached: 3, denied: 1, spared: 0, passedOver: 2 });
    expect([...report.reachedRules].toSorted()).toEqual(['export', 'later', 'quiet']);
  });
});
