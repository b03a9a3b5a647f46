// The first bypass corpus (`corpus/*.yaml`): every case on a raw connection of its own against one whole gate with a
// byte recorder behind it. Nothing but what a case expects is forwarded, each has one record, and the process lives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeCase } from '../corpus/judge.ts';
import { corpusCases } from '../support/corpus-cases.ts';
import { type CorpusGate, startCorpusGate } from '../support/corpus-gate.ts';
import { parseRequest } from '../support/recording-upstream.ts';

const CASES = corpusCases(new URL('corpus', import.meta.url).pathname);

describe('the bypass corpus', () => {
  let corpus: CorpusGate;

  beforeAll(async () => {
    corpus = await startCorpusGate();
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  it.each(CASES.map((one) => [one.id, one.about, one.shown, one] as const))(
    '%s %s: %s',
    async (_id, _about, _shown, one) => {
      expect(await judgeCase(corpus, one)).toEqual([]);
    },
  );

  it('left no byte at the upstream that is not part of a judged request', () => {
    let count = 0;
    for (const bytes of corpus.upstream.bytes) {
      let rest = bytes;
      for (let parsed = parseRequest(rest); parsed !== null; parsed = parseRequest(rest)) {
        rest = rest.slice(parsed.length);
        count += 1;
      }
      expect(rest).toBe('');
    }
    expect(count).toBe(CASES.filter(({ expect: expected }) => expected.forwarded !== undefined).length);
  });

  it('left no trace on the prototypes of the process', () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('has one identifier per case', () => {
    expect(new Set(CASES.map(({ id }) => id)).size).toBe(CASES.length);
  });
});
