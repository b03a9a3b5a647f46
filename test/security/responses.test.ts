// A hostile application as data (class 21, FR16): every case of `corpus/responses.yaml` against the real process, whole
// and byte by byte. No byte of one answer reaches another's client, and nothing that broke ends cleanly.
import { beforeAll, describe, expect, it } from 'vitest';
import type { JudgedRow } from '../corpus/kinds.ts';
import { answerFailures, judgeResponses } from '../corpus/responses/judge-responses.ts';
import { type ExpectedResponse, responseCases } from '../corpus/responses/response-cases.ts';
import { corpusFiles } from '../support/corpus-cases.ts';
import type { Dialogue } from '../support/corpus-client.ts';
import { parseAnswer } from '../support/raw-client.ts';

const ROWS = corpusFiles(new URL('corpus', import.meta.url).pathname)
  .filter(({ kind }) => kind === 'response')
  .flatMap(({ rows }) => rows);
const CASES = responseCases(ROWS);

describe('the responses of a hostile application', () => {
  let judged: ReadonlyMap<string, JudgedRow>;

  beforeAll(async () => {
    judged = new Map((await judgeResponses(ROWS)).map((row) => [row.id, row]));
  }, 60_000);

  it.each(CASES.map((one) => [one.id, JSON.stringify(one.answer).slice(1, 100)] as const))('%s: %s', (id) =>
    expect(judged.get(id)?.failures).toEqual([]),
  );

  it('are judged one by one, and the process outlives them', () => {
    expect([...judged.keys()]).toEqual(CASES.map(({ id }) => id));
    expect(CASES.length).toBeGreaterThan(150);
  });
});

function failuresOf(
  expected: ExpectedResponse,
  seen: Partial<Dialogue> & { readonly text: string },
): readonly string[] {
  const one = { id: 'T1.1', answer: '', request: 'GET /answered', after: null, later: '', expect: expected };
  const answers = seen.text === '' ? [] : [parseAnswer(seen.text)];
  return answerFailures(one, { answers, interim: [], gateClosed: false, ending: 'end', ...seen });
}

describe('the judge of responses', () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine';
  const BAD = 'HTTP/1.1 502 Bad Gateway\r\n\r\n{"reason":"upstream_bad_response"}';

  it('has nothing against what is as it should be', () => {
    expect(failuresOf({ status: 200, contains: 'fine' }, { text: OK })).toEqual([]);
    expect(failuresOf({ broken: true }, { text: BAD })).toEqual([]);
    expect(failuresOf({ broken: true }, { text: '', ending: 'reset', gateClosed: true })).toEqual([]);
  });

  it.each<[string, ExpectedResponse, Partial<Dialogue> & { readonly text: string }]>([
    ['a broken response that was relayed', { broken: true }, { text: OK }],
    ['a broken response that ends cleanly', { broken: true }, { text: '', gateClosed: true }],
    ['a 502 of another reason', { broken: true }, { text: BAD.replace('bad_response', 'timeout') }],
    ['another status', { status: 204 }, { text: OK }],
    ['another body', { status: 200, contains: 'good' }, { text: OK }],
    ['a header that had to be absent', { status: 200, absent: ['content-length'] }, { text: OK }],
    ['interim responses too many', { status: 200, interim: 0 }, { text: OK, interim: [103] }],
    ['two answers', { status: 200 }, { text: OK, answers: [parseAnswer(OK), parseAnswer(OK)] }],
    ['a connection that stays', { status: 200 }, { text: OK, ending: 'stays' }],
    ['a connection that the gate leaves open', { status: 200, closes: true }, { text: OK }],
    ['no answer', { status: 200 }, { text: '' }],
  ])('sees %s', (_fault, expected, seen) => {
    expect(failuresOf(expected, seen)).not.toEqual([]);
  });
});
