// The one judgement behind the tools: the gate's order of refusals, bodies read only where they matter, answers.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import { NEEDS_BODY, PASS } from '#model/verdict.ts';
import { parseTarget } from '#gateway/request-target.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import {
  judgeAnswer,
  type JudgedAnswer,
  type JudgedRequest,
  type JudgedSubject,
  judgeRequest,
  judgeWithBody,
  NO_HEADERS,
  UNKNOWN_SUBJECT,
  verdictText,
} from '#policy/judge.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { policyFrom, rulesText } from '../../support/policy-sets.ts';

const NOW = Date.parse('2026-01-15T09:00:00Z') as EpochMs;
const SETTINGS = (spec: string) =>
  `apiVersion: postern/v1\nkind: RouteSettings\nmetadata: { name: s }\nspec: ${spec}\n`;

const RULES = rulesText([
  { id: 'exports', match: '{ paths: ["/exports/**"] }' },
  { id: 'csv', match: '{ paths: ["/search"], methods: [POST], json: { "/format": [csv] } }' },
  { id: 'gone', match: '{ paths: ["/items/*"], methods: [DELETE] }' },
  { id: 'watched', match: '{ paths: ["/seen"], json: { "/a": "*" } }', more: ', mode: shadow' },
]);
const POLICY = policyFrom(
  [
    RULES,
    SETTINGS('{ paths: ["/open/**"], allow: [encodedSlash, getBody] }'),
    SETTINGS('{ paths: ["/small"], maxBody: 4B }'),
  ].join('---\n'),
);

const grant = (more: Partial<Grant>): Grant => ({ ...PLAIN_GRANT, ...more });
const subject = (more: Partial<JudgedSubject> = {}): JudgedSubject => ({
  ...UNKNOWN_SUBJECT,
  grant: PLAIN_GRANT,
  ...more,
});

function request(line: string, more: Partial<JudgedRequest> = {}): JudgedRequest {
  const [method = '', rawTarget = ''] = line.split(' ');
  return { method, rawTarget, host: '', headers: NO_HEADERS, body: null, upgrade: false, ...more };
}

function judge(line: string, who = subject(), more: Partial<JudgedRequest> = {}, policy = POLICY) {
  return judgeRequest({ policy, parseTarget, now: NOW }, who, request(line, more));
}

const JSON_HEADERS = new Map([['content-type', ['application/json']]]);

function judgeJson(line: string, body: string, policy: CompiledPolicy = POLICY) {
  const deps = { policy, parseTarget, now: NOW };
  return judgeWithBody(deps, subject(), request(line, { headers: JSON_HEADERS }), Buffer.from(body));
}

describe('the order of refusals', () => {
  it.each([
    ['target', 'GET //exports', grant({ revokedAt: NOW }), 'bad_request_target'],
    ['settings', 'GET /a%2Fexports', grant({ revokedAt: NOW }), 'bad_request_target'],
    ['grant', 'POST /exports', grant({ revokedAt: NOW, access: 'read' }), 'grant_revoked'],
    ['grant', 'POST /exports', grant({ expiresAt: NOW, access: 'read' }), 'grant_expired'],
    ['grant', 'POST /exports', grant({ startsAt: (NOW + 1) as EpochMs }), 'grant_pending'],
    ['access', 'POST /exports', grant({ access: 'read' }), 'read_only'],
    ['rules', 'GET /exports', grant({ access: 'read' }), 'rule_denied'],
  ] as const)('%s before what comes after it', (at, line, given, reason) => {
    const judgement = judge(line, subject({ grant: given }));
    expect(judgement).toMatchObject({ at, verdict: { reason }, needsBody: false });
  });

  it('refuses a tenant that is not the request’s before any rule', () => {
    const map = `apiVersion: postern/v1\nkind: ScopeMap\nmetadata: { name: m }\nspec: { scopes: [{ paths: ["/t/{tenant}/**"], tenant: { path: tenant } }] }\n`;
    const policy = policyFrom(`${rulesText([{ id: 'r', match: '{ paths: ["/**"] }' }])}---\n${map}`);
    const who = subject({ tenant: 'acme' as TenantId });
    expect(judge('GET /t/other/a', who, {}, policy)).toMatchObject({
      at: 'scope',
      verdict: { reason: 'tenant_mismatch' },
    });
    expect(judge('GET /t/acme/a', who, {}, policy)).toMatchObject({
      at: 'rules',
      verdict: { rule: { id: 'r' } },
    });
  });

  it('opens what the route’s settings open', () => {
    expect(judge('GET /open/a%2Fb').verdict).toBe(PASS);
    expect(judge('GET /open/a', subject(), { bodyBytes: 3 }).verdict).toBe(PASS);
    expect(judge('GET /else', subject(), { bodyBytes: 3 }).verdict).toMatchObject({ reason: 'bad_framing' });
    expect(judge('POST /small', subject(), { bodyBytes: 4 }).verdict).toBe(PASS);
    expect(judge('POST /small', subject(), { bodyBytes: 5 }).verdict).toMatchObject({
      reason: 'body_too_large',
    });
  });

  it('refuses an upgrade that is no GET or has a body', () => {
    expect(judge('GET /live', subject(), { upgrade: true }).verdict).toBe(PASS);
    expect(judge('POST /live', subject(), { upgrade: true })).toMatchObject({
      at: 'upgrade',
      verdict: { reason: 'upgrade_refused' },
    });
    expect(judge('GET /open/live', subject(), { upgrade: true, bodyBytes: 1 }).verdict).toMatchObject({
      reason: 'bad_framing',
    });
    // Nobody sees what travels afterwards.
    expect(verdictText(judge('GET /search', subject(), { upgrade: true }).verdict)).toBe('deny by csv');
  });

  it('takes the host in any case and without its port', () => {
    const policy = policyFrom(
      rulesText([{ id: 'r', match: '{ paths: ["/a"] }' }]).replace(
        'spec:\n',
        'spec:\n  hosts: [App.example.com]\n',
      ),
    );
    for (const host of ['app.example.com', 'APP.Example.com:8443', 'app.example.com.']) {
      expect(verdictText(judge('GET /a', subject(), { host }, policy).verdict)).toBe('deny by r');
    }
    expect(judge('GET /a', subject(), { host: '[::1]:80' }, policy).verdict).toBe(PASS);
  });
});

describe('bodies', () => {
  it('says that the decision depends on a body that was not given', () => {
    expect(judge('POST /search', subject(), { bodyBytes: 9, headers: JSON_HEADERS })).toMatchObject({
      needsBody: true,
      verdict: NEEDS_BODY,
      at: 'rules',
    });
    expect(judge('POST /search')).toMatchObject({ needsBody: false, verdict: PASS });
    expect(judge('POST /else', subject(), { bodyBytes: 9 })).toMatchObject({
      needsBody: false,
      verdict: PASS,
    });
  });

  it('reads it where a rule has to see it, and denies what that rule cannot read', async () => {
    expect(verdictText((await judgeJson('POST /search', '{"format":"csv"}')).verdict)).toBe('deny by csv');
    expect((await judgeJson('POST /search', '{"format":"html"}')).verdict).toBe(PASS);
    expect((await judgeJson('POST /search', '')).verdict).toBe(PASS);
    expect((await judgeJson('POST /search', '{"format":')).verdict).toMatchObject({
      reason: 'body_uninspectable',
      rule: { id: 'csv' },
    });
  });

  it('denies by the rule what is larger than is looked at', async () => {
    const limited = policyFrom(`${RULES}---\n${SETTINGS('{ paths: ["/search"], maxInspectedBody: 8B }')}`);
    expect((await judgeJson('POST /search', '{"format":"html"}', limited)).verdict).toMatchObject({
      reason: 'body_too_large',
      rule: { id: 'csv' },
    });
  });

  it('reads it for a method that a form claims', async () => {
    const headers = new Map([['content-type', ['application/x-www-form-urlencoded']]]);
    const deps = { policy: POLICY, parseTarget, now: NOW };
    const form = (text: string) =>
      judgeWithBody(deps, subject(), request('POST /items/7', { headers }), Buffer.from(text));
    expect(verdictText((await form('a=b&_method=delete')).verdict)).toBe('deny by gone');
    expect((await form('a=b')).verdict).toBe(PASS);
  });

  it('reads it for a rule in shadow mode, and leaves it alone where nothing looks', async () => {
    const seen = await judgeJson('POST /seen', '{"a":1}');
    expect(seen).toMatchObject({ verdict: PASS, shadowRules: [{ id: 'watched' }] });
    const let_ = await judgeJson('POST /else', '{"a":1}');
    expect(let_.facts?.body).toBeNull();
    expect(let_.facts?.hasBody).toBe(true);
  });
});

const answer = (more: Partial<JudgedAnswer>): JudgedAnswer => ({
  status: 200,
  fields: [],
  contentLength: -1,
  bytes: 0,
  ...more,
});

describe('answers', () => {
  const GUARDS = policyFrom(
    `${RULES}---\napiVersion: postern/v1\nkind: ResponseGuard\nmetadata: { name: g }\nspec:\n  guards:\n` +
      '    - { id: g.file, category: export, response: { attachment: true } }\n' +
      '    - { id: g.big, category: export, response: { maxBytes: 100B } }\n' +
      '    - { id: g.seen, category: export, mode: shadow, response: { maxBytes: 10B } }\n',
  );

  it('are stopped before the first byte, cut when they grow, or pass', () => {
    const { facts } = judge('GET /list', subject(), {}, GUARDS);
    if (facts === null) throw new Error('no facts');
    const attachment = answer({ fields: ['Content-Disposition', 'attachment; filename=a'] });
    expect(judgeAnswer(GUARDS, facts, attachment)).toMatchObject({
      isCut: false,
      verdict: { reason: 'response_guarded', rule: { id: 'g.file' } },
    });
    expect(judgeAnswer(GUARDS, facts, answer({ bytes: 101 }))).toMatchObject({
      isCut: true,
      verdict: { reason: 'response_guarded', rule: { id: 'g.big' } },
    });
    expect(judgeAnswer(GUARDS, facts, answer({ contentLength: 101 }))).toMatchObject({
      isCut: false,
      verdict: { rule: { id: 'g.big' } },
    });
    const passed = judgeAnswer(GUARDS, facts, answer({ bytes: 100 }));
    expect(passed.verdict).toBe(PASS);
    expect(passed.shadowRules.map(({ id }) => id)).toEqual(['g.seen']);
    expect(judgeAnswer(POLICY, facts, attachment).verdict).toBe(PASS);
  });
});

describe('for any request', () => {
  const line = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD'),
      fc.constantFrom(
        '/exports',
        '/Exports/a.csv',
        '/search',
        '/items/7',
        '/seen',
        '/open/a%2Fexports',
        '/x',
      ),
      fc.constantFrom('', '?_method=DELETE', '?format=csv', '?a=%zz'),
    )
    .map(([method, path, query]) => `${method} ${path}${query}`);
  const type = fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain', '');
  const body = fc.constantFrom('', '{"format":"csv"}', '{"format":"csv"', '_method=DELETE', '{"a":1}');

  it('the judgement is what explain tells, with and without the body', async () => {
    await fc.assert(
      fc.asyncProperty(line, type, body, fc.boolean(), async (text, contentType, bytes, upgrade) => {
        const headers = new Map([['content-type', [contentType]]]);
        const asked = request(text, { headers, upgrade });
        const deps = { policy: POLICY, parseTarget, now: NOW };
        for (const who of [subject(), UNKNOWN_SUBJECT]) {
          const whole = await judgeWithBody(deps, who, asked, Buffer.from(bytes));
          const unread = judgeRequest(deps, who, { ...asked, bodyBytes: bytes.length });
          for (const judgement of [whole, unread]) {
            if (judgement.at !== 'rules' || judgement.facts === null) continue;
            expect(POLICY.explain(judgement.facts).verdict).toEqual(judgement.verdict);
          }
          // Whoever has no body to show never lets more pass than whoever has.
          if (unread.verdict === PASS) expect(whole.verdict).toBe(PASS);
          expect(whole.needsBody).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});
