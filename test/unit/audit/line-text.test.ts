import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IntentLine, RefusedLine } from '#audit/journal-lines.ts';
import { doneText, intentText, refusedText, startedText } from '#audit/line-text.ts';
import type { Grant } from '#model/grant.ts';
import { ANONYMOUS, EXAMPLE_CREDENTIAL, EXAMPLE_GRANT, fakeExchange } from '../../support/audit-exchange.ts';

const target = (path: string, query = '') => ({
  path,
  query,
  hasQuery: query !== '',
  encodedSlash: false,
  encodedPercent: false,
});

describe('an intent line', () => {
  it('holds every request-side fact', () => {
    const x = fakeExchange({ target: target('/t/acme/a', 'q=1&z=2'), routePath: '/a', peerIp: '10.0.0.1' });
    const line = JSON.parse(intentText(x)) as IntentLine;
    expect(line).toMatchObject({
      k: 'intent',
      id: x.requestId,
      t: x.receivedAt,
      tenant: 'acme',
      actor: { id: 'agent-7', issuer: 'https://idp.vendor.example', org: 'vendor' },
      person: {
        email: 'ada@vendor.example',
        name: 'Ada Lovelace',
        ip: '192.0.2.10',
        peer: '10.0.0.1',
        agent: 'curl/8.0',
      },
      grant: { id: EXAMPLE_GRANT.id, revision: 3, access: 'read', roles: ['viewer'] },
      caseRef: 'CASE-42',
      reason: { type: 'customer_initiated_support', detail: 'cannot log in' },
      method: 'GET',
      path: '/t/acme/a',
      route: '/a',
      query: 'q&z',
      cache: 'hit',
      cacheAgeMs: 12,
    });
  });

  it('names no person outside its person part', () => {
    const line = JSON.parse(intentText(fakeExchange())) as Record<string, unknown>;
    delete line['person'];
    const rest = JSON.stringify(line);
    expect(rest).not.toMatch(/ada@|Lovelace|192\.0\.2|curl|admin@|Grace/);
  });

  it('survives a grant that ends beyond every calendar', () => {
    const grant = { ...EXAMPLE_GRANT, expiresAt: Number.MAX_SAFE_INTEGER } as Grant;
    const line = JSON.parse(intentText(fakeExchange({ grant }))) as IntentLine;
    expect(line.grant?.expiresAt).toBe('+275760-09-13T00:00:00.000Z');
  });

  it('tells apart two revisions of one grant', () => {
    const next: Grant = { ...EXAMPLE_GRANT, revision: 4 };
    expect(intentText(fakeExchange({ grant: EXAMPLE_GRANT }))).toContain('"revision":3');
    expect(intentText(fakeExchange({ grant: next }))).toContain('"revision":4');
  });
});

const refused = (rawTarget: string): RefusedLine =>
  JSON.parse(
    refusedText(fakeExchange({ ...ANONYMOUS, target: null, rawTarget, reason: 'bad_request_target' })),
  ) as RefusedLine;

describe('a refused line', () => {
  it('keeps query values, fragments and userinfo of a malformed target out', () => {
    expect(refused('/a\u0000?token=s3cret&x#y')).toMatchObject({ path: '/a\u0000', query: 'token&x' });
    expect(refused('/a#access_token=s3cret')).toMatchObject({ path: '/a' });
    expect(refused('http://user:s3cret@host/a').path).toBe('http://host/a');
    expect(refused('user:s3cret@host:443').path).toBe('host:443');
    expect(refused('/a@b').path).toBe('/a@b');
  });

  it('caps what came', () => {
    expect(refused(`/${'a'.repeat(100_000)}`).path).toHaveLength(2049);
  });

  it('holds the reason, the rule and the note', () => {
    const rule = { id: 'exports/csv', category: 'export', message: 'no' };
    const x = fakeExchange({
      reason: 'rule_denied',
      rule,
      denialNote: 'saw\nthis',
      status: 403,
      endedBy: null,
    });
    expect(JSON.parse(refusedText(x))).toMatchObject({
      k: 'refused',
      code: 'rule_denied',
      rule: { id: 'exports/csv', category: 'export' },
      note: 'saw\nthis',
      status: 403,
    });
  });
});

it('every line is one line of ASCII, whatever the client sent', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(text, text, text, text, (rawTarget, method, userAgent, host) => {
      const principal = { ...EXAMPLE_CREDENTIAL.principal, name: userAgent, email: host };
      const credential = { ...EXAMPLE_CREDENTIAL, principal };
      const facts = { rawTarget, method, userAgent, host, credential, target: null, denialNote: rawTarget };
      const x = fakeExchange({ ...facts, kind: 'websocket' });
      for (const line of [intentText(x), refusedText(x), doneText(x), startedText(x)]) {
        expect(line).toMatch(/^[\x20-\x7e]+\n$/);
        expect(() => JSON.parse(line)).not.toThrow();
      }
      expect((JSON.parse(intentText(x)) as IntentLine).person.agent).toBe(userAgent);
      expect((JSON.parse(intentText(x)) as IntentLine).method).toBe(
        method.length > 32 ? `${method.slice(0, 32)}…` : method,
      );
    }),
  );
});
