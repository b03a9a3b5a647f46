// The corpus says of each row where it comes from: the loader refuses a folder in which one does not.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { corpusCases, corpusFiles } from '../support/corpus-cases.ts';
import { GENERATORS } from './generate/all.ts';
import { judgeKind } from './kinds.ts';

const ROW =
  'id: T1, class: 4, about: a test, source: RFC 3986, form: target, expect: { rule: d1 }, cases: [/x]';

function folderOf(...files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-corpus-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [index, text] of files.entries()) writeFileSync(join(folder, `${index}.yaml`), text);
  return folder;
}

describe('the files of the corpus', () => {
  it('gives each case its class and its source', () => {
    const [one] = corpusCases(folderOf(`rows: [{ ${ROW} }]`));
    expect(one).toMatchObject({ id: 'T1.1', class: 4, source: 'RFC 3986', method: 'GET', target: '/x' });
  });

  it.each([
    ['no source', ROW.replace('source: RFC 3986, ', '')],
    ['an empty source', ROW.replace('RFC 3986', '" "')],
    ['no class', ROW.replace('class: 4, ', '')],
    ['a class that is none', ROW.replace('class: 4', 'class: 27')],
    ['nothing to say', ROW.replace('about: a test, ', '')],
  ])('are refused with %s', (_fault, row) => {
    expect(() => corpusFiles(folderOf(`rows: [{ ${row} }]`))).toThrow('T1');
  });

  it('are refused when two rows share an id', () => {
    expect(() => corpusFiles(folderOf(`rows: [{ ${ROW} }]`, `rows: [{ ${ROW} }]`))).toThrow(
      'T1 is there twice',
    );
  });

  it('may hold rows of another kind, which somebody must know how to judge', async () => {
    const folder = folderOf(`kind: nobody\nrows: [{ ${ROW} }]`);
    expect(corpusCases(folder)).toEqual([]);
    const [file] = corpusFiles(folder);
    if (file === undefined) throw new Error('no file');
    await expect(judgeKind(file, () => true)).rejects.toThrow('nobody judges the kind nobody');
  });
});

describe('the generators', () => {
  it.each(GENERATORS.map((generate) => [generate.name, generate] as const))(
    '%s says the same for the same seed, under ids of its own',
    (_name, generate) => {
      const requests = [...generate(7)];
      expect([...generate(7)]).toEqual(requests);
      expect(new Set(requests.map(({ id }) => id)).size).toBe(requests.length);
      expect(requests.every(({ class: number }) => number >= 1 && number <= 26)).toBe(true);
    },
  );
});
