// Tokens, identities and cookies of the bypass corpus (classes 13, 14, 15, 23): each sent to a whole gate in a process of its
// own. None that must be refused is let through, each is recorded by its reason, and none stands in the journal. With them the
// other kinds of rows that are no requests: policies (24) and what is written into logs (25).
import { beforeAll, describe, expect, it } from 'vitest';
import { type JudgedRow, judgeKind } from '../corpus/kinds.ts';
import { corpusFiles } from '../support/corpus-cases.ts';

const FILES = corpusFiles(new URL('corpus', import.meta.url).pathname).filter(({ kind }) =>
  ['tokens', 'cookies', 'policies', 'log'].includes(kind),
);

describe.each(FILES.map((file) => [file.name, file] as const))('%s', (_name, file) => {
  let judged: ReadonlyMap<string, JudgedRow>;

  beforeAll(async () => {
    judged = new Map((await judgeKind(file, () => true)).map((one) => [one.id, one]));
  }, 120_000);

  it.each(file.rows.map(({ id, about }) => [id, about] as const))('%s: %s', (id) => {
    expect(judged.get(id)?.failures).toEqual([]);
  });
});
