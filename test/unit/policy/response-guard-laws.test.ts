// The laws of response guards, for any guards and any head that a strict parser lets through.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuardVerdict, ResponseFacts } from '#policy/compiled-policy.ts';
import { facts, type FactsOptions, policyFrom } from '../../support/policy-sets.ts';

const guard = fc.record({
  response: fc.constantFrom(
    'attachment: true',
    'mediaTypes: [text/csv]',
    'mediaTypes: ["application/*zip*", "*/x"]',
    'extensions: [csv, zip]',
    'maxBytes: 10B',
    'maxBytes: 1KiB, attachment: true',
  ),
  path: fc.constantFrom('/**', '/a/{b}', '/a/**', '/*.csv'),
  method: fc.constantFrom('', 'GET', 'POST', 'PUT'),
  query: fc.constantFrom('', 'query: { f: [csv] }'),
  mode: fc.constantFrom('enforce', 'shadow'),
  liftable: fc.boolean(),
});
type Guard = Record<'response' | 'path' | 'method' | 'query' | 'mode', string> & {
  readonly liftable: boolean;
};

function textOf(guards: readonly Guard[]): string {
  const lines = guards.map(({ response, path, method, query, mode, liftable }, i) => {
    const conditions = [`paths: ["${path}"]`];
    if (method !== '') conditions.push(`methods: [${method}]`);
    if (query !== '') conditions.push(query);
    return `    - { id: g${i}, category: export, mode: ${mode}, liftable: ${liftable}, match: [{ ${conditions.join(', ')} }], response: { ${response} } }`;
  });
  return `apiVersion: postern/v1\nkind: ResponseGuard\nmetadata: { name: t }\nspec:\n  guards:\n${lines.join('\n')}\n`;
}

/** Bytes that a strict parser lets into a value: text, obs-text, tab. */
const byte = fc
  .integer({ min: 0x20, max: 0xff })
  .map((code) => (code === 0x7f ? '\t' : String.fromCharCode(code)));
const PIECES = [
  'text/csv',
  'inline',
  'attachment',
  ';',
  ',',
  '"',
  '\\',
  '=',
  '%2',
  '%2E',
  'filename*0*=',
  'filename="a.',
  'csv',
];
const MORE_PIECES = [
  '=?utf-8?b?',
  '?=',
  '?q?',
  "UTF-8''",
  'bytes 0-1/',
  '*',
  '99999999999999999999',
  'multipart/byteranges',
  '/',
];
const value = fc
  .array(fc.oneof(fc.constantFrom(...PIECES, ...MORE_PIECES), byte), { maxLength: 12 })
  .map((parts) => parts.join(''));
const name = fc.constantFrom('Content-Type', 'content-disposition', 'CONTENT-RANGE', 'X-Other', 'etag');
const response: fc.Arbitrary<ResponseFacts> = fc.record({
  status: fc.constantFrom(200, 204, 206, 302, 304, 404, 416, 500),
  fields: fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => pairs.flat()),
  contentLength: fc.constantFrom(-1, 0, 5, 10, 11, 1024, 1025, 1e15),
});
const asked: fc.Arbitrary<{ path: string; options: FactsOptions }> = fc.record({
  path: fc.constantFrom('/', '/a/b', '/A/b.csv', '/x.csv', '/a%2Fb', '/a%ff', '/a/b;c'),
  options: fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PURGE'),
    query: fc.constantFrom('', 'f=csv', 'f=%zz', '_method=PUT'),
    encodedSlash: fc.boolean(),
    lifts: fc.constantFrom<readonly string[]>([], ['export']),
  }),
});

/** Smaller is stricter: 0 stops it, else the bytes that may pass. */
function width({ denial, maxBodyBytes }: GuardVerdict): number {
  return denial === null ? maxBodyBytes : 0;
}

describe('for any guards and any head', () => {
  it('judging never throws, and what it says is whole', () => {
    fc.assert(
      fc.property(
        fc.array(guard, { minLength: 1, maxLength: 4 }),
        asked,
        response,
        (guards, { path, options }, head) => {
          const verdict = policyFrom(textOf(guards)).judgeResponse(facts(path, options), head);
          expect(verdict.sizeGuard === null).toBe(verdict.maxBodyBytes === Number.POSITIVE_INFINITY);
          if (verdict.denial !== null) expect(verdict.denial).toMatchObject({ reason: 'response_guarded' });
          if (verdict.denial !== null) expect(verdict.denial.rule).not.toBeNull();
        },
      ),
      { numRuns: 400 },
    );
  });

  it('another guard never lets pass what was stopped, nor more bytes of it', () => {
    fc.assert(
      fc.property(
        fc.array(guard, { minLength: 1, maxLength: 3 }),
        guard,
        asked,
        response,
        (guards, added, { path, options }, head) => {
          const before = width(policyFrom(textOf(guards)).judgeResponse(facts(path, options), head));
          for (const all of [
            [added, ...guards],
            [...guards, added],
          ]) {
            const after = width(policyFrom(textOf(all)).judgeResponse(facts(path, options), head));
            expect(after).toBeLessThanOrEqual(before);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('another line in the head of a whole answer never lets pass what was stopped', () => {
    const onlySigns = guard.map((one): Guard => ({ ...one, mode: 'enforce' }));
    const more = fc.tuple(fc.constantFrom('Content-Disposition', 'X-Other'), value);
    const whole = response.filter(({ status }) => status !== 206);
    fc.assert(
      fc.property(onlySigns, asked, whole, more, (one, { path, options }, head, line) => {
        const policy = policyFrom(textOf([one]));
        const before = width(policy.judgeResponse(facts(path, options), head));
        for (const fields of [
          [...line, ...head.fields],
          [...head.fields, ...line],
        ]) {
          expect(width(policy.judgeResponse(facts(path, options), { ...head, fields }))).toBeLessThanOrEqual(
            before,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a guard that only watches changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(guard, { minLength: 1, maxLength: 3 }),
        asked,
        response,
        (guards, { path, options }, head) => {
          const policy = policyFrom(textOf(guards.map((one): Guard => ({ ...one, mode: 'shadow' }))));
          expect(width(policy.judgeResponse(facts(path, options), head))).toBe(Number.POSITIVE_INFINITY);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('takes time in proportion to the head, however its bytes are chosen', () => {
    const policy = policyFrom(
      textOf([
        {
          response: 'attachment: true, mediaTypes: [a/b], extensions: [csv], maxBytes: 10B',
          path: '/**',
          method: '',
          query: '',
          mode: 'enforce',
          liftable: false,
        },
      ]),
    );
    const units = [
      '=?',
      '?=',
      ' ',
      '"',
      '\\',
      ';',
      ',',
      ';name*0=',
      '%',
      '%2',
      '.',
      '.c',
      '/ ',
      '; \t',
      '=?a?b?',
      ' name',
      'bytes ',
    ];
    for (const unit of units) {
      const long = unit.repeat(60_000 / unit.length);
      for (const field of ['Content-Type', 'Content-Disposition', 'Content-Range']) {
        const fields = [field, `inline; filename="${long}`, field, long];
        // A quadratic reading of 60,000 characters takes seconds each: the test's own time limit is the assertion.
        policy.judgeResponse(facts('/a'), { status: 206, fields, contentLength: 1 });
      }
    }
  });
});
