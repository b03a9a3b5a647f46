import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IntentLine, JournalLine, RefusedLine } from '#audit/journal-lines.ts';
import { doneText, intentText, refusedText, startedText } from '#audit/line-text.ts';
import type { Grant } from '#model/grant.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { testNumbers } from '../../support/audit-numbers.ts';
import {
  ANONYMOUS,
  EXAMPLE_CREDENTIAL,
  EXAMPLE_GRANT,
  EXAMPLE_SESSION,
  fakeExchange,
} from '../../support/audit-exchange.ts';

const target = (path: string, query = '') => ({
  path,
  query,
  hasQuery: query !== '',
  encodedSlash: false,
  encodedPercent: false,
});

describe('an intent line', () => {
  it('holds every request-side fact, or refers to it', () => {
    const numbers = testNumbers();
    const x = fakeExchange({ target: target('/t/acme/a', 'q=1&z=2'), routePath: '/a' });
    const line = JSON.parse(intentText(x, numbers)) as IntentLine;
    const context = linesOf(numbers.context.taken()) as unknown as JournalLine[];
    expect(line).toMatchObject({
      k: 'intent',
      tenant: 'acme',
      e: 'r',
      n: 1,
      id: x.requestId,
      t: x.receivedAt,
      method: 'GET',
      path: '/t/acme/a',
      route: '/a',
      query: 'q&z',
      cacheAgeMs: 12,
    });
    expect(context.find((one) => one.k === 'subject' && one.s === line.s)).toMatchObject({
      kind: 'principal',
      issuer: 'https://idp.vendor.example',
      org: 'vendor',
    });
    expect(context.find((one) => one.k === 'grant' && one.g === line.g)).toMatchObject({
      tenant: 'acme',
      grant: { id: EXAMPLE_GRANT.id, revision: 3, access: 'read', roles: ['viewer'] },
      caseRef: 'CASE-42',
      reason: { type: 'customer_initiated_support', detail: 'cannot log in' },
    });
    expect(context.find((one) => one.k === 'policy' && one.p === line.p)).toMatchObject({
      digest: x.policyDigest,
    });
  });

  it('begins with the keys that the index reads, in their order', () => {
    expect(intentText(fakeExchange(), testNumbers())).toMatch(
      /^\{"k":"intent","tenant":"acme","s":\d+,"g":\d+,"e":"r","n":1,"p":\d+,"id":"[0-9a-f-]{36}","t":\d+,/,
    );
    expect(refusedText(fakeExchange(ANONYMOUS), testNumbers())).toMatch(
      /^\{"k":"refused","tenant":null,"s":\d+,"g":0,"e":"r","p":\d+,"id":/,
    );
  });

  it('and what it refers to name no person in clear', () => {
    const numbers = testNumbers();
    const grant = { ...EXAMPLE_GRANT, actAs: 'customer-user-9' } as Grant;
    const text = intentText(fakeExchange({ grant, peerIp: '10.0.0.1' }), numbers) + numbers.context.taken();
    expect(text).not.toMatch(
      /agent-7|ada@|Lovelace|192\.0\.2|10\.0\.0|curl|admin-1|admin@|Grace|customer-user/,
    );
  });

  it.each([
    ['GET', 'write', 'ok', 'r'],
    ['OPTIONS', 'write', 'ok', 'r'],
    ['POST', 'write', 'ok', 'w'],
    // A SafeRoute let it pass.
    ['POST', 'read', 'ok', 'r'],
    ['POST', 'read', 'read_only', 'w'],
    ['DELETE', 'read', 'rule_denied', 'w'],
  ] as const)('of %s under a grant to %s, decided %s, has the effect for %s', (method, access, reason, e) => {
    const x = fakeExchange({ method, reason, grant: { ...EXAMPLE_GRANT, access } });
    expect((JSON.parse(refusedText(x, testNumbers())) as RefusedLine).e).toBe(e);
  });

  it('reads whatever passes in a session for reading, under a grant that allows writing too', () => {
    const grant = { ...EXAMPLE_GRANT, access: 'write' } as const;
    const x = fakeExchange({ method: 'POST', grant, session: EXAMPLE_SESSION });
    expect(intentText(x, testNumbers())).toContain(',"e":"r",');
    const writing = { ...EXAMPLE_SESSION, access: 'write' } as const;
    expect(intentText({ ...x, session: writing }, testNumbers())).toContain(',"e":"w",');
  });

  it('is no longer for a session than without one', () => {
    const x = fakeExchange();
    const [bare, inSession] = [
      intentText(x, testNumbers()),
      intentText({ ...x, session: EXAMPLE_SESSION }, testNumbers()),
    ];
    expect(inSession).toBe(bare);
  });
});

const refused = (rawTarget: string): RefusedLine =>
  JSON.parse(
    refusedText(
      fakeExchange({ ...ANONYMOUS, target: null, rawTarget, reason: 'bad_request_target' }),
      testNumbers(),
    ),
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
    expect(JSON.parse(refusedText(x, testNumbers()))).toMatchObject({
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
      const numbers = testNumbers();
      const lines = [intentText, refusedText, doneText, startedText].map((textOf) => textOf(x, numbers));
      for (const line of [...lines, ...numbers.context.taken().split(/(?<=\n)/)]) {
        expect(line).toMatch(/^[\x20-\x7e]+\n$/);
        expect(() => JSON.parse(line)).not.toThrow();
      }
      expect((JSON.parse(intentText(x, numbers)) as IntentLine).method).toBe(
        method.length > 32 ? `${method.slice(0, 32)}…` : method,
      );
    }),
  );
});
