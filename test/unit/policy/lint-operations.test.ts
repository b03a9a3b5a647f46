import { describe, expect, it } from 'vitest';
import { lintOperations, type LintSubject } from '#policy/lint/lint-policy.ts';
import type { ApiOperation, ApiParameter } from '#policy/openapi-operation.ts';
import { lintSubject, operation, policyText, rulesOf } from '../../support/lint-subject.ts';

function decide(subject: LintSubject, one: ApiOperation, host = ''): string {
  const [found] = lintOperations(subject, { operations: [one], host }).decisions;
  const { decision, by, condition, shadowRules } = found ?? {};
  const shadow = shadowRules?.length === 0 ? null : `shadow ${shadowRules?.join(' ')}`;
  return [decision, by, condition, shadow].filter((part) => part !== null).join(' ');
}

const rule = (id: string, match: string, more = ''): string =>
  `{ id: ${id}, category: export, match: [${match}]${more} }`;
const query = (name: string, ...values: readonly string[]): ApiParameter => ({
  name,
  in: 'query',
  values,
  type: null,
  format: null,
});
const inPath = (name: string, ...values: readonly string[]): ApiParameter => ({
  ...query(name, ...values),
  in: 'path',
});

describe('an operation is', () => {
  it('allowed where no rule names it', () => {
    expect(decide(rulesOf(rule('r', '{ paths: ["/b"] }')), operation('GET', '/a'))).toBe('allow');
  });

  it('denied by the rule that stops all of its requests', () => {
    const subject = rulesOf(rule('r', '{ methods: [GET], paths: ["/api/**/{id}"] }'));
    expect(decide(subject, operation('GET', '/api/x/{y}'))).toBe('deny r');
    expect(decide(subject, operation('POST', '/api/x/{y}'))).toBe('allow');
  });

  it('denied with the reason where the gate refuses before any rule', () => {
    expect(decide(rulesOf(rule('r', '{ paths: ["/b"] }')), operation('GET', '/a%00'))).toBe(
      'deny bad_request_target',
    );
  });

  it('conditional where only some values of a parameter are denied, as the document lists them', () => {
    const subject = rulesOf(rule('r', '{ paths: ["/lists/exports"] }'));
    const lists = operation('GET', '/lists/{kind}', { parameters: [inPath('kind', 'tickets', 'exports')] });
    expect(decide(subject, lists)).toBe('conditional r for /lists/exports');
    expect(decide(subject, operation('GET', '/lists/{kind}'))).toBe('allow');
  });

  it('conditional where a rule asks for a query parameter that the operation has', () => {
    const subject = rulesOf(rule('r', '{ methods: [GET], paths: ["/**"], query: { Format: [csv, xls] } }'));
    const list = operation('GET', '/a', { parameters: [query('format')] });
    expect(decide(subject, list)).toBe('conditional r when the query holds Format=csv|xls');
    expect(decide(subject, operation('GET', '/a', { parameters: [query('page')] }))).toBe('allow');
    expect(decide(subject, { ...list, method: 'PUT' })).toBe('allow');
  });

  it('conditional where a rule looks at the body it takes', () => {
    const subject = rulesOf(rule('r', '{ paths: ["/a"], json: { "/kind": [csv] } }'));
    expect(decide(subject, operation('POST', '/a', { requestTypes: ['application/json'] }))).toBe(
      'conditional r for some bodies',
    );
    expect(decide(subject, operation('POST', '/a'))).toBe('allow');
  });

  it('conditional where a rule is narrowed to some principals, unless another stops everybody', () => {
    const narrowed = rule('r', '{ paths: ["/a"] }', ', when: { none: { roles: [admin] } }');
    expect(decide(rulesOf(narrowed), operation('GET', '/a'))).toBe(
      'conditional r for some principals or grants',
    );
    expect(decide(rulesOf(narrowed, rule('s', '{ paths: ["/a"] }')), operation('GET', '/a'))).toBe('deny s');
  });

  it('conditional where a response guard stops an answer that it gives', () => {
    const guard = `---
apiVersion: postern/v1
kind: ResponseGuard
metadata: { name: g }
spec: { guards: [{ id: g.csv, category: export, match: [{ paths: ["/**"] }], response: { mediaTypes: [text/csv] } }] }
`;
    const text = policyText(rule('r', '{ paths: ["/b"] }')) + guard;
    const subject = lintSubject(text);
    const types = { responseTypes: ['application/json', 'text/csv'] };
    expect(decide(subject, operation('GET', '/a', types))).toBe(
      'conditional g.csv when the answer is text/csv',
    );
  });

  it('judged with the host that was named', () => {
    const text = policyText(rule('r', '{ paths: ["/a"] }')).replace('spec:', 'spec:\n  hosts: [app.test]');
    expect(decide(lintSubject(text), operation('GET', '/a'))).toBe('allow');
    expect(decide(lintSubject(text), operation('GET', '/a'), 'app.test')).toBe('deny r');
  });

  it('still open where only a rule in shadow mode would stop it', () => {
    const subject = rulesOf(rule('r', '{ paths: ["/a"] }', ', mode: shadow'));
    expect(decide(subject, operation('GET', '/a'))).toBe('allow shadow r');
  });
});

describe('suspects', () => {
  const nothing = rulesOf(rule('r', '{ paths: ["/none"] }'));
  const suspect = (one: ApiOperation, subject = nothing) =>
    lintOperations(subject, { operations: [one], host: '' }).suspects[0];

  it('are ranked by their score, and an operation without any hint is none', () => {
    const operations = [
      operation('GET', '/tickets'),
      operation('GET', '/users'),
      operation('POST', '/exports'),
      operation('POST', '/api-keys', { requestFields: ['secret'] }),
    ];
    const { suspects } = lintOperations(nothing, { operations, host: '' });
    expect(suspects.map(({ decision }) => decision.operation.path)).toEqual([
      '/api-keys',
      '/exports',
      '/users',
    ]);
  });

  it('name the words and where they stand, the strongest first', () => {
    const found = suspect(operation('GET', '/statistics/csv', { responseTypes: ['text/csv'] }));
    expect(found?.suspicions[0]?.hints).toEqual([
      { category: 'export', points: 70, words: 'text/csv', place: 'answer type' },
      { category: 'export', points: 65, words: 'csv', place: 'path' },
    ]);
  });

  it('that are denied in part are suspected of what is left', () => {
    const subject = rulesOf(rule('r', '{ paths: ["/**"], query: { format: [csv] } }'));
    const list = operation('GET', '/rows', { parameters: [query('format', 'csv', 'json')] });
    expect(suspect(list)?.suspicions[0]?.category).toBe('export');
    expect(suspect(list, subject)).toBeUndefined();
  });

  it.each([
    ['GET', '/users/{id}', 'a read of one user', 30],
    ['GET', '/search?pageToken={t}', 'a page token', 10],
    ['POST', '/users/search', 'a search', 20],
    ['GET', '/custom_roles', 'a read of roles', 39],
  ])('%s %s is little suspected: %s', (method, path, _why, most) => {
    const parameters = path.includes('pageToken') ? [query('pageToken')] : [];
    expect(suspect(operation(method, path, { parameters }))?.score ?? 0).toBeLessThanOrEqual(most);
  });

  it.each([
    ['POST', '/userPasswordResets', {}, 'credentials'],
    ['GET', '/v1/Backups', {}, 'export'],
    ['GET', '/things', { responseHeaders: ['content-disposition'] }, 'export'],
    ['GET', '/things', { responseFields: ['clientSecret'] }, 'credentials'],
    ['POST', '/messages', { operationId: 'send_e-mail' }, 'email'],
    ['PUT', '/settings/payment-method', {}, 'billing'],
    ['POST', '/oauth2/clients', {}, 'credentials'],
    ['POST', '/aiSummaries', {}, 'ai'],
    ['POST', '/video-calls', {}, 'meetings'],
    ['PUT', '/records/{id}/permissions', {}, 'permissions'],
    ['POST', '/members/invite', {}, 'user-admin'],
  ] as const)('%s %s %j looks like %s', (method, path, more, category) => {
    expect(suspect(operation(method, path, more))?.suspicions[0]?.category).toBe(category);
  });

  it.each([
    '/secretaries',
    '/sessional',
    '/lifecycle/complete',
    '/planets',
    '/emailed-view',
    '/main',
    '/roleplays',
  ])('%s is no word of the vocabulary', (path) => {
    expect(suspect(operation('POST', path))).toBeUndefined();
  });
});

const suggested = (method: string, path: string, taken = 'r') =>
  lintOperations(rulesOf(rule(taken, '{ paths: ["/none"] }')), {
    operations: [operation(method, path)],
    host: '',
  }).suspects[0]?.rule;

describe('a suggested rule', () => {
  it('is an item to paste, with an id that is free', () => {
    expect(suggested('POST', '/api/{v}/exportJobs/{id}')?.yaml).toBe(`    - id: export.api-export-jobs.post
      category: export
      match:
        - methods: [POST]
          paths: ["/api/{v}/exportJobs/{id}"]`);
    expect(suggested('GET', '/a/export', 'export.a-export.get')?.id).toBe('export.a-export.get-2');
  });

  it.each([
    ['/export/{id}.csv', '/export/*.csv'],
    ['/export/{a}-{b}', '/export/*-*'],
    ['/{x}/{x}/export', '/{x}/*/export'],
    ['/{user-id}/export', '/*/export'],
    ['/ex port/export?x={y}', '/ex%20port/export'],
    ['/export//x/', '/export/x'],
    ['/export:run', '/export:run'],
    ['/**/export', '/%2A%2A/export'],
  ])('for %s has the path %s', (path, pattern) => {
    expect(suggested('GET', path)?.path).toBe(pattern);
  });

  it('is missing where no pattern can name the path', () => {
    expect(suggested('GET', `${'/x'.repeat(64)}/export`)).toBeNull();
  });
});
