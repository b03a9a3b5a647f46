// Faults planted into what a run of generated requests brought about: each law of the tally must see its own.
import { describe, expect, it } from 'vitest';
import { CORPUS_POLICY } from '../support/corpus-gate.ts';
import { parseAnswer } from '../support/raw-client.ts';
import { parseHead, type RecordedRequest } from '../support/recording-upstream.ts';
import { plainRequest } from './generate/denied-samples.ts';
import type { GeneratedRequest } from './generated-request.ts';
import type { Line } from './judge.ts';
import { deniedRoutes } from './oracle.ts';
import type { Shot } from './shooter.ts';
import { balanceOf, type Evidence, failuresOfShots, receivedIn } from './tally.ts';

const DENIED = deniedRoutes(CORPUS_POLICY);

function wire(id: string, target: string, requestId: string, more = ''): string {
  return (
    `GET ${target} HTTP/1.1\r\nhost: acme.app.test\r\nX-Corpus-Case: ${id}\r\nX-Request-Id: ${requestId}\r\n` +
    'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: acme.app.test\r\n' +
    `Via: 1.1 postern\r\nX-Support-Assertion: a.b.c\r\n${more}\r\n`
  );
}

function arrived(id: string, target: string, requestId: string): RecordedRequest {
  return parseHead(wire(id, target, requestId))?.request as RecordedRequest;
}

function shot(id: string, answer: string, more: Partial<GeneratedRequest & Shot> = {}): Shot {
  const { mostRequests = 1, mustForward = false, rest = '', ending = 'open' } = more;
  const bytes = plainRequest('GET', '/ok');
  const request = { id, class: 4, about: 'a test', bytes, mostRequests, mustForward };
  return { request, answers: answer === '' ? [] : [parseAnswer(answer)], rest, ending };
}

function shotOf(id: string, answers: readonly string[], mostRequests: number): Shot {
  return { ...shot(id, '', { mostRequests }), answers: answers.map(parseAnswer) };
}

const served = (serial: number) => `HTTP/1.1 200 OK\r\nX-Corpus-Serial: ${serial}\r\n\r\n{}`;
const refusedWith = (status: number, id: string, type = 'application/problem+json') =>
  `HTTP/1.1 ${status} X\r\nContent-Type: ${type}\r\nX-Request-Id: ${id}\r\n\r\n{"status":${status}}`;

const GOOD: Evidence = {
  shots: [shot('g-1', served(0)), shot('g-2', refusedWith(403, 'r-2'))],
  recorded: [arrived('g-1', '/ok', 'r-1')],
  cut: [],
  before: 0,
  lines: [
    { k: 'intent', id: 'r-1' },
    { k: 'refused', id: 'r-2' },
  ],
  denied: DENIED,
};

function kindsOf(evidence: Partial<Evidence>): string[] {
  return failuresOfShots({ ...GOOD, ...evidence }).map(({ id, kind }) => `${id} ${kind}`);
}

describe('the tally of generated requests', () => {
  it('has nothing against a run as it should be', () => {
    expect(kindsOf({})).toEqual([]);
  });

  it.each<[string, string, Partial<Evidence>]>([
    ['a request for a denied route', 'g-1 leak', { recorded: [arrived('g-1', '/exports', 'r-1')] }],
    [
      'a denied request that came half',
      'g-1 leak',
      { recorded: [], shots: [shot('g-1', '')], cut: [arrived('g-1', '/exports', 'r-1')] },
    ],
    [
      'a denied request of nobody',
      'stray leak',
      { recorded: [...GOOD.recorded, { ...arrived('', '/exports', 'r-3'), headers: [] }] },
    ],
    [
      'a request of nobody',
      'stray law',
      { recorded: [...GOOD.recorded, { ...arrived('', '/ok', 'r-3'), headers: [] }] },
    ],
    [
      'one request more than was sent',
      'g-1 law',
      { recorded: [...GOOD.recorded, arrived('g-1', '/ok', 'r-3')] },
    ],
    [
      'a control that was refused',
      'g-2 over-block',
      { shots: [shot('g-1', served(0)), shot('g-2', refusedWith(403, 'r-2'), { mustForward: true })] },
    ],
    ['the answer to somebody else', 'g-2 law', { shots: [shot('g-2', served(0))] }],
    ['one answer at two clients', 'g-1 law', { shots: [shot('g-1', served(0)), shot('g-1', served(0))] }],
    [
      'an order that is not the one of the client',
      'g-3 law',
      {
        shots: [GOOD.shots[0] as Shot, shotOf('g-3', [served(2), served(1)], 2)],
        recorded: [...GOOD.recorded, arrived('g-3', '/a', 'r-3'), arrived('g-3', '/b', 'r-4')],
      },
    ],
    ['an answer to no request', 'g-1 law', { shots: [shot('g-1', served(7))] }],
    [
      'an answer of nobody',
      'g-2 law',
      { shots: [shot('g-1', served(0)), shot('g-2', 'HTTP/1.1 200 OK\r\n\r\n')] },
    ],
    [
      'a refusal that is no problem',
      'g-2 law',
      { shots: [shot('g-1', served(0)), shot('g-2', refusedWith(400, 'r-2', 'text/plain'))] },
    ],
    [
      'a refusal without a record',
      'g-2 law',
      { shots: [shot('g-1', served(0)), shot('g-2', refusedWith(400, 'r-9'))] },
    ],
    ['bytes after the answer', 'g-1 law', { shots: [shot('g-1', served(0), { rest: 'HTTP' })] }],
    ['a connection that stays', 'g-1 law', { shots: [shot('g-1', served(0), { ending: 'stays' })] }],
    [
      'a gate that is gone',
      'g-2 crash',
      { shots: [shot('g-1', served(0)), shot('g-2', '', { ending: 'refused' })] },
    ],
  ])('sees %s', (_fault, told, evidence) => {
    expect(kindsOf(evidence)).toContain(told);
  });
});

describe('the balance of a run', () => {
  const whole = wire('g-1', '/ok', 'r-1');
  const half = wire('g-2', '/ok', 'r-2', 'Content-Length: 5\r\n') + 'hel';
  const lines: readonly Line[] = [
    { k: 'intent', id: 'r-1' },
    { k: 'intent', id: 'r-2' },
    { k: 'done', id: 'r-2', code: 'client_closed' },
  ];
  const recorded = [arrived('g-1', '/ok', 'r-1')];

  it('holds when what was judged arrived, and half of what a client left half sent', () => {
    const { cut, count, rest } = receivedIn([whole, half, '']);
    expect({ count, rest, cut: cut.map(({ target, body }) => target + body) }).toEqual({
      count: 1,
      rest: [],
      cut: ['/okhel'],
    });
    expect(balanceOf(recorded, lines, { cut, count, rest })).toEqual({
      upstreamRequests: 1,
      judgedRequests: 1,
      failures: [],
    });
  });

  it.each<[string, readonly string[], readonly Line[]]>([
    ['bytes that are no request', [whole, half, 'GET /sm'], lines],
    ['a request behind the judged one', [whole + wire('g-1', '/x', 'r-1'), half], lines],
    ['a request without a judgement', [whole, half], lines.slice(1)],
    ['half a request without a judgement', [whole, half], lines.slice(0, 1)],
    ['a judged request that did not arrive', [whole, half], [...lines, { k: 'intent', id: 'r-3' }]],
    [
      'a denied request that arrived',
      [whole, half],
      [...lines, { k: 'done', id: 'r-1', code: 'rule_denied' }],
    ],
    ['one judged twice', [whole, half], [...lines, { k: 'intent', id: 'r-1' }]],
  ])('sees %s', (_fault, bytes, told) => {
    expect(balanceOf(recorded, told, receivedIn(bytes)).failures).not.toEqual([]);
  });
});
