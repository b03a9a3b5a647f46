// PA05, PA07, PA08 and PA23 where a route opts in to encoded separators (P3): deny rules hold on both readings, and
// what climbs in either of them stays refused. Class 3.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeCase } from '../corpus/judge.ts';
import type { Expected } from '../support/corpus-cases.ts';
import { CORPUS_POLICY, type CorpusGate, startCorpusGate } from '../support/corpus-gate.ts';

const OPT_IN = `${CORPUS_POLICY}
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: everything }
spec: { paths: ["/**"], allow: [encodedSlash, encodedPercent] }
`;

const DENIED: Expected = { rule: 'd1' };
const REFUSED: Expected = { status: 400, reason: 'bad_request_target', closes: true };

describe('a route that opts in to encoded separators', () => {
  let corpus: CorpusGate;

  beforeAll(async () => {
    corpus = await startCorpusGate({ policy: OPT_IN });
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  it.each<[string, Expected]>([
    ['/exports%2f1', DENIED],
    ['/%2fexports', DENIED],
    ['/%2Fexports', DENIED],
    ['/exports%5C1', DENIED],
    ['/exports%3fx', DENIED],
    ['/exports%23', DENIED],
    ['/EXPORTS%2fall', DENIED],
    ['/%2565xports', DENIED],
    ['/exports%252f1', DENIED],
    ['/reports%3Fformat=csv', { rule: 'd4' }],
    ['/a%2f..%2fexports', REFUSED],
    ['/a/..%2Fexports', REFUSED],
    ['/a%5c..%5cexports', REFUSED],
    ['/%252e%252e/exports', REFUSED],
    ['/names/a%2fb', { forwarded: '/names/a%2Fb' }],
    ['/names/a%252fb', { forwarded: 'same' }],
  ])('%s', async (target, expected) => {
    const bytes = `GET ${target} HTTP/1.1\r\n<HEAD>\r\n\r\n`;
    const failures = await judgeCase(corpus, {
      id: target,
      class: 3,
      about: '',
      source: 'CVE-2021-29492 (Envoy)',
      shown: target,
      bytes,
      method: 'GET',
      target,
      expect: expected,
    });
    expect(failures).toEqual([]);
  });
});
