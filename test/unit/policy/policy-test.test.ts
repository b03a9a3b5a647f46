// `kind: PolicyTest` as it is read: what a case may say, and every problem at its own line and column.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NEVER } from '#model/clock.ts';
import { parseGrantFile, parsePolicyFile } from '#policy/policy-file.ts';
import type { TestCase } from '#policy/policy-test-case.ts';
import { parsePrincipalFile } from '#policy/policy-test-principal.ts';

const HEAD = 'apiVersion: postern/v1\nkind: PolicyTest\nmetadata: { name: t }\n';

function read(spec: string) {
  const { documents, problems } = parsePolicyFile('t.yaml', Buffer.from(`${HEAD}${spec}`));
  return { document: documents.tests[0], lines: problems.map((p) => `${p.line}:${p.column} ${p.message}`) };
}

function readCase(keys: string, more = ''): TestCase {
  const spec = `spec:\n  now: "2026-01-15T09:00:00Z"\n${more}  cases:\n    - { name: n, requests: [POST /a], expect: allow, ${keys} }\n`;
  const { document, lines } = read(spec);
  expect(lines).toEqual([]);
  const [one] = document?.cases ?? [];
  if (one === undefined) throw new Error('no case');
  return one;
}

/** Problems of one case, which stands in line 9 and begins at column 7. */
function problemsOfCase(keys: string, more = ''): readonly string[] {
  return read(
    `spec:\n  now: "2026-01-15T09:00:00Z"\n${more}  cases:\n    - name: n\n      requests: [POST /a]\n      ${keys}\n`,
  ).lines;
}

const readDenied = (keys: string) =>
  read(
    `spec: { now: "2026-01-15T09:00:00Z", cases: [{ name: n, requests: [GET /], expect: deny, ${keys} }] }`,
  );

describe('a case', () => {
  it('names host, header lines, tenant, class and upgrade', () => {
    const one = readCase(
      'host: app.example.com:8443, tenant: acme, tenantClass: trial, session: open, upgrade: websocket, headers: { X-A: "1", x-b: [p, q], X-Num: 7 }',
    );
    expect(one).toMatchObject({
      host: 'app.example.com:8443',
      tenant: 'acme',
      tenantClass: 'trial',
      hasSession: true,
      upgrade: true,
    });
    expect([...one.headers]).toEqual([
      ['x-a', ['1']],
      ['x-b', ['p', 'q']],
      ['x-num', ['7']],
    ]);
  });

  it('has no body, no host and nobody in particular unless it says so', () => {
    const one = readCase('shadow: []');
    expect(one).toMatchObject({
      host: '',
      tenant: null,
      tenantClass: null,
      hasSession: null,
      credential: null,
      upgrade: false,
    });
    expect([one.body.length, one.headers.size, one.answer]).toEqual([0, 0, null]);
  });

  it('takes a mapping or a sequence as JSON, whatever its members are called', () => {
    const one = readCase('body: { a: [1, 1.5, true, null, "x"], __proto__: { b: é }, "": {} }');
    expect(one.body.toString()).toBe('{"a":[1,1.5,true,null,"x"],"__proto__":{"b":"é"},"":{}}');
    expect(one.headers.get('content-type')).toEqual(['application/json']);
    expect(readCase('body: []').body.toString()).toBe('[]');
    const patch = readCase('body: [1], contentType: application/json-patch+json');
    expect(patch.headers.get('content-type')).toEqual(['application/json-patch+json']);
  });

  it('takes text as it stands, without a type of its own', () => {
    const one = readCase('body: "a=b&c", contentType: application/x-www-form-urlencoded');
    expect(one.body.toString()).toBe('a=b&c');
    expect(one.headers.get('content-type')).toEqual(['application/x-www-form-urlencoded']);
    expect(readCase('body: "{}"').headers.has('content-type')).toBe(false);
  });

  it('writes formMethods as a form', () => {
    const one = readCase('formMethods: [DELETE, PUT]');
    expect(one.body.toString()).toBe('_method=DELETE&_method=PUT');
    expect(one.headers.get('content-type')).toEqual(['application/x-www-form-urlencoded']);
  });

  it('names grants and principals with all that rules look at', () => {
    const more = `  grants:
    g: { access: read, roles: [r], workspaces: [{ id: w1, roles: [admin] }, { id: w2 }], reason: { type: debug_log, detail: d } }
  principals:
    p: { id: u, issuer: "https://idp", email: a@b.example, groups: [support], org: vendor }
    q: {}
`;
    const one = readCase('grant: g, principal: p', more);
    expect(one.grant).toMatchObject({
      access: 'read',
      roles: ['r'],
      workspaces: [
        { id: 'w1', roles: ['admin'] },
        { id: 'w2', roles: [] },
      ],
      reason: { type: 'debug_log', detail: 'd' },
    });
    expect(one.credential).toMatchObject({
      principal: { id: 'u', issuer: 'https://idp', email: 'a@b.example', groups: ['support'], org: 'vendor' },
      expiresAt: NEVER,
    });
    expect(readCase('principal: q', more).credential?.principal).toMatchObject({ email: null, groups: [] });
  });

  it('describes an answer for the guards', () => {
    const headers = '{ Content-Type: text/csv, Content-Length: "12", Set-Cookie: [a, b] }';
    expect(readCase(`response: { status: 206, headers: ${headers}, bytes: 99 }`).answer).toEqual({
      status: 206,
      fields: ['content-type', 'text/csv', 'content-length', '12', 'set-cookie', 'a', 'set-cookie', 'b'],
      contentLength: 12,
      bytes: 99,
    });
    expect(readCase('response: {}').answer).toEqual({ status: 200, fields: [], contentLength: -1, bytes: 0 });
  });

  it('may name the rule together with a reason that rules have', () => {
    const { document, lines } = readDenied('rule: r, reason: body_uninspectable');
    expect(lines).toEqual([]);
    expect(document?.cases[0]).toMatchObject({ rule: 'r', reason: 'body_uninspectable' });
    expect(readDenied('rule: r, reason: locked').lines[0]).toMatch(
      /^4:\d+ a case names rule and reason together only for body_uninspectable, body_too_large, response_guarded$/,
    );
  });
});

describe('problems', () => {
  it.each([
    ['expect: allow\n      bodey: x', '10:7 unknown key "bodey" in a case; did you mean "body"?'],
    ['expect: allow\n      hots: x', '10:7 unknown key "hots" in a case; did you mean "host"?'],
    [
      'expect: allow\n      upgrade: websockets',
      '10:16 upgrade must be one of websocket; did you mean "websocket"?',
    ],
    [
      'expect: allow\n      headers: { Host: x }',
      '10:18 host cannot stand under headers: the key host says so',
    ],
    [
      'expect: allow\n      headers: { Content-Length: 3 }',
      '10:18 content-length cannot stand under headers: it follows from the body',
    ],
    ['expect: allow\n      headers: { "a b": x }', '10:18 "a b" is no header name'],
    [
      'expect: allow\n      headers: { a: "x\\ny" }',
      '10:21 a must be a header value without control characters',
    ],
    ['expect: allow\n      body: { a: .inf }', '10:18 JSON has no such number: write the body as text'],
    [
      'expect: allow\n      body: x\n      formMethods: [PUT]',
      '11:7 formMethods is short for a body, so a case has one of both',
    ],
    ['expect: allow\n      response: { status: 99 }', '10:27 status must be a whole number from 200 to 599'],
    ['expect: allow\n      response: { bytes: 1MiB }', '10:26 bytes must be a whole number of at least 0'],
    ['expect: allow\n      principal: me', '10:18 principal "me" is not named under principals'],
    ['expect: allow\n      grant: nobody', '10:14 grant "nobody" is not named under grants'],
    ['expect: deny', '9:7 a case that expects deny needs either rule or reason'],
    ['expect: allow\n      rule: r', '9:7 rule and reason belong to a case that expects deny'],
    ['expect: allow\n      allowance: a', '9:7 allowance belongs to a document with defaultEffect: deny'],
    ['expect: deny\n      rule: r\n      allowance: a', '9:7 allowance belongs to a case that expects allow'],
  ])('%j', (keys, problem) => {
    expect(problemsOfCase(keys)).toEqual([problem]);
  });

  it('of grants, principals and the document stand where they are', () => {
    const more = `  defaultEffect: none
  grants:
    "9": {}
    g: { workspaces: [{ roles: [a] }], reason: { type: bored } }
  principals:
    p: { gruops: [a] }
`;
    expect(problemsOfCase('expect: allow', more)).toEqual([
      '6:18 defaultEffect must be one of allow, deny',
      '8:5 a grant’s name must be letters, digits, hyphens and underscores',
      '9:23 a workspace needs id',
      expect.stringMatching(/^9:56 type must be one of customer_initiated_support, /),
      '11:10 unknown key "gruops" in a principal; did you mean "groups"?',
    ]);
  });
});

describe('the documentation', () => {
  it('shows a document that can be read, and nothing else', () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(readFileSync('docs/policy-tests.md', 'utf8')) ?? [];
    const { documents, problems } = parsePolicyFile('docs.yaml', Buffer.from(example));
    expect(problems).toEqual([]);
    expect(documents.tests[0]?.cases).toHaveLength(6);
  });
});

describe('files of their own', () => {
  it('hold a grant as the control API shows it', () => {
    const api = {
      id: 'grt_1',
      tenant: 'acme',
      revision: 3,
      workspaces: [{ id: 'w', roles: [] }],
      reason: null,
      expiresAt: null,
      revokedAt: '2026-01-15T09:00:00Z',
    };
    const { grant, problems } = parseGrantFile('g.json', Buffer.from(JSON.stringify(api)));
    expect(problems).toEqual([]);
    expect(grant).toMatchObject({
      tenant: 'acme',
      workspaces: [{ id: 'w', roles: [] }],
      reason: null,
      revokedAt: Date.parse('2026-01-15T09:00:00Z'),
    });
  });

  it('hold a principal', () => {
    const good = parsePrincipalFile('p.yaml', Buffer.from('groups: [a]\norg: vendor\n'));
    expect(good).toMatchObject({ problems: [], credential: { principal: { groups: ['a'], org: 'vendor' } } });
    const bad = parsePrincipalFile('p.yaml', Buffer.from('id: 7\nrole: x\n'));
    expect(bad.problems.map((p) => `${p.line}:${p.column}`)).toEqual(['1:5', '2:1']);
    expect(parsePrincipalFile('p.yaml', Buffer.from('')).credential).toBeNull();
  });
});
