// Faults planted into what was seen of a case: the judge must name each. A judge that sees none of them would keep the
// corpus green for ever.
import { describe, expect, it } from 'vitest';
import type { CorpusCase, Expected } from '../support/corpus-cases.ts';
import { parseAnswer } from '../support/raw-client.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';
import { failuresOf, hygieneFailures, type Line, type Seen } from './judge.ts';

const ID = 'r-1';
const OURS: readonly (readonly [string, string])[] = [
  ['Host', 'acme.app.test'],
  ['X-Support-Assertion', 'a.b.c'],
  ['X-Request-Id', ID],
  ['X-Forwarded-For', '127.0.0.1'],
  ['X-Forwarded-Proto', 'http'],
  ['X-Forwarded-Host', 'acme.app.test'],
  ['Via', '1.1 postern'],
];
const ARRIVED: RecordedRequest = { method: 'GET', target: '/ok', headers: OURS, body: '' };
const INTENT: Line = { k: 'intent', id: ID };
const DENIED: Line = { k: 'refused', id: ID, code: 'rule_denied', rule: { id: 'd1' } };

function caseOf(expected: Expected, target = '/ok'): CorpusCase {
  const bytes = `GET ${target} HTTP/1.1\r\n<HEAD>\r\n\r\n`;
  const told = { id: 'T1.1', class: 1, about: 'a test', source: 'none', shown: target };
  return { ...told, bytes, method: 'GET', target, expect: expected };
}

function seen(status: number, body: object, rest: Partial<Seen> = {}): Seen {
  const text = `HTTP/1.1 ${status} X\r\nX-Request-Id: ${ID}\r\n\r\n${JSON.stringify(body)}`;
  const dialogue = {
    answers: [parseAnswer(text)],
    interim: [],
    text,
    gateClosed: true,
    ending: 'end',
  } as const;
  return { dialogue, forwarded: [], lines: [], ...rest };
}

const FORWARDED = caseOf({ forwarded: 'same' });
const GOOD = seen(200, {}, { forwarded: [ARRIVED], lines: [INTENT] });
const REFUSED = caseOf({ rule: 'd1' }, '/exports');
const PROBLEM = { status: 403, reason: 'rule_denied', requestId: ID, rule: { id: 'd1' } };
const WELL = seen(403, PROBLEM, { lines: [DENIED] });

describe('the judge of hand-written cases', () => {
  it('has nothing against what is as it should be', () => {
    expect(failuresOf(FORWARDED, GOOD)).toEqual([]);
    expect(failuresOf(REFUSED, WELL)).toEqual([]);
  });

  it.each<[string, CorpusCase, Seen]>([
    ['a denied request that arrived', REFUSED, { ...WELL, forwarded: [ARRIVED] }],
    ['a denied request that arrived and was answered', REFUSED, GOOD],
    ['another status', REFUSED, seen(404, PROBLEM, { lines: [DENIED] })],
    [
      'another reason in the body',
      REFUSED,
      seen(403, { ...PROBLEM, reason: 'no_grant' }, { lines: [DENIED] }),
    ],
    ['another rule in the body', REFUSED, seen(403, { ...PROBLEM, rule: { id: 'd2' } }, { lines: [DENIED] })],
    ['another id in the body', REFUSED, seen(403, { ...PROBLEM, requestId: 'r-2' }, { lines: [DENIED] })],
    [
      'no problem details',
      REFUSED,
      {
        ...WELL,
        dialogue: {
          ...WELL.dialogue,
          answers: [parseAnswer(`HTTP/1.1 403 X\r\nX-Request-Id: ${ID}\r\n\r\n`)],
        },
      },
    ],
    ['a refusal without a record', REFUSED, { ...WELL, lines: [] }],
    ['two records', REFUSED, { ...WELL, lines: [DENIED, DENIED] }],
    ['a record of another rule', REFUSED, { ...WELL, lines: [{ ...DENIED, rule: { id: 'd2' } }] }],
    ['a record of another reason', REFUSED, { ...WELL, lines: [{ ...DENIED, code: 'no_grant' }] }],
    ['a record summed up', REFUSED, { ...WELL, lines: [DENIED, { k: 'summed', id: 's' }] }],
    ['no answer', REFUSED, { ...WELL, dialogue: { ...WELL.dialogue, answers: [] } }],
    ['a connection that stays', REFUSED, { ...WELL, dialogue: { ...WELL.dialogue, ending: 'stays' } }],
    [
      'a connection that the gate leaves open',
      caseOf({ rule: 'd1', closes: true }),
      { ...WELL, dialogue: { ...WELL.dialogue, gateClosed: false } },
    ],
    ['an over-block', FORWARDED, WELL],
    ['nothing that arrived', FORWARDED, { ...GOOD, forwarded: [] }],
    ['a second request', FORWARDED, { ...GOOD, forwarded: [ARRIVED, ARRIVED] }],
    ['another target', FORWARDED, { ...GOOD, forwarded: [{ ...ARRIVED, target: '/OK' }] }],
    ['a body', FORWARDED, { ...GOOD, forwarded: [{ ...ARRIVED, body: 'x' }] }],
    ['a forwarded request recorded as refused', FORWARDED, { ...GOOD, lines: [DENIED] }],
    ['another request id', FORWARDED, { ...GOOD, lines: [{ ...INTENT, id: 'r-2' }] }],
    ['a header that had to be absent', caseOf({ forwarded: 'same', absent: ['via'] }), GOOD],
    ['a header that had to be present', caseOf({ forwarded: 'same', present: { accept: '*/*' } }), GOOD],
  ])('sees %s', (_fault, one, wrong) => {
    expect(failuresOf(one, wrong)).not.toEqual([]);
  });

  it.each<[string, readonly (readonly [string, string])[]]>([
    ['a credential', [...OURS, ['Authorization', 'Bearer x']]],
    ['a header that rewrites', [...OURS, ['X-Original-URL', '/exports']]],
    ['the same under another spelling', [...OURS, ['X_Original.URL', '/exports']]],
    ['a managed name that is not ours', [...OURS, ['X-Support-Role', 'admin']]],
    ['two assertions', [...OURS, ['X-Support-Assertion', 'd.e.f']]],
    ['no assertion', OURS.filter(([name]) => name !== 'X-Support-Assertion')],
    [
      'an address of the client',
      OURS.map(([name, value]) => [name, name === 'X-Forwarded-For' ? '10.0.0.1' : value]),
    ],
    ['two framings', [...OURS, ['Content-Length', '0'], ['Transfer-Encoding', 'chunked']]],
    ['two Connection headers', [...OURS, ['Connection', 'close'], ['Connection', 'close']]],
  ])('sees %s in what arrived', (_fault, headers) => {
    expect(hygieneFailures({ ...ARRIVED, headers })).not.toEqual([]);
  });
});
