// docs/bypass-corpus.md says what the corpus holds: how many cases of each class, and which of them stand for which advisory.
// Both tables are written from the files: POSTERN_WRITE_DOCS=1 writes them anew. The advisories that fit no gateway of this kind
// are listed there by hand, each with its reason; an advisory cannot be in both lists.
import { describe, expect, it } from 'vitest';
import { CLASSES } from '../corpus/report.ts';
import { corpusFiles, type CorpusRow } from '../support/corpus-cases.ts';
import { between, hold } from '../support/documented-tables.ts';

const PAGE = 'docs/bypass-corpus.md';
const BY_CLASS = ['<!-- classes: written from test/security/corpus -->', '<!-- end of classes -->'] as const;
const BY_ADVISORY = [
  '<!-- advisories: written from test/security/corpus -->',
  '<!-- end of advisories -->',
] as const;
const WITHOUT = ['<!-- advisories without a case -->', '<!-- end of advisories without a case -->'] as const;

interface Case {
  readonly id: string;
  readonly class: number;
  readonly source: string;
}

type Own = Partial<Pick<CorpusRow, 'class' | 'source'>>;

/** Of a row that lists several, each by its number; any other row is one case. */
function casesOf(row: CorpusRow & { readonly cases?: readonly (string | Own)[] }): readonly Case[] {
  const { id, class: number, source, cases } = row;
  if (cases === undefined) return [{ id, class: number, source }];
  return cases.map((own, index) => {
    const said = typeof own === 'string' ? {} : own;
    return { id: `${id}.${index + 1}`, class: said.class ?? number, source: said.source ?? source };
  });
}

const FILES = corpusFiles(new URL('../security/corpus', import.meta.url).pathname);
const CASES = FILES.flatMap(({ rows }) => rows.flatMap(casesOf));
const ADVISORY = /(?:CVE-\d{4}-\d+|GHSA(?:-[0-9a-z]{4}){3})/g;

/** `PA01` where all cases of a row cite it, `PA01.1-5,7` where some do. */
function citedBy(advisory: string): string {
  const rows = new Map<string, { cited: string[]; all: number }>();
  for (const { id, source } of CASES) {
    const [row = id, number] = id.split('.');
    const entry = rows.get(row) ?? { cited: [], all: 0 };
    rows.set(row, entry);
    entry.all += 1;
    if (source.match(ADVISORY)?.includes(advisory) === true) entry.cited.push(number ?? '');
  }
  return [...rows]
    .filter(([, { cited }]) => cited.length > 0)
    .map(([row, { cited, all }]) => (cited.length === all ? row : `${row}.${runsIn(cited.map(Number))}`))
    .join(' ');
}

/** `1-5,7` */
function runsIn(numbers: readonly number[]): string {
  const starts = numbers.filter((number) => !numbers.includes(number - 1));
  const ends = numbers.filter((number) => !numbers.includes(number + 1));
  return starts.map((start, at) => (start === ends[at] ? `${start}` : `${start}-${ends[at]}`)).join(',');
}

/** What the sources call the product of an advisory: the words in brackets behind it, up to a comma. */
function productOf(advisory: string): string {
  const named = CASES.map(({ source }) => source.split(advisory)[1] ?? '').find((rest) =>
    rest.startsWith(' ('),
  );
  return /^ \(([^,)]+)/.exec(named ?? '')?.[1] ?? '';
}

const advisories = [...new Set(CASES.flatMap(({ source }) => source.match(ADVISORY) ?? []))].toSorted();

function advisoryTable(): string {
  const rows = advisories
    .map((advisory) => ({ advisory, product: productOf(advisory) }))
    .toSorted((a, b) => a.product.localeCompare(b.product) || (a.advisory < b.advisory ? -1 : 1))
    .map(({ advisory, product }) => `| ${product} | ${advisory} | ${citedBy(advisory)} |`);
  return ['| product | advisory | cases |', '|---|---|---|', ...rows].join('\n');
}

function classTable(): string {
  const rows = CLASSES.map((name, index) => {
    const own = (cases: readonly Case[]) => cases.filter(({ class: number }) => number === index + 1);
    const files = FILES.filter(({ rows: inFile }) => own(inFile.flatMap(casesOf)).length > 0)
      .map(({ name: file }) => file.replace('.yaml', ''))
      .join(', ');
    return `| ${index + 1} | ${name} | ${own(CASES).length} | ${files} |`;
  });
  const head = ['| class | of bypass | cases by hand | files |', '|---|---|---|---|'];
  return [...head, ...rows, `| | all | ${CASES.length} | |`].join('\n');
}

describe('docs/bypass-corpus.md', () => {
  it('says how many cases each class has', () => {
    hold(PAGE, BY_CLASS, classTable());
  });

  it('says which cases stand for which advisory', () => {
    hold(PAGE, BY_ADVISORY, advisoryTable());
    expect(advisories.filter((advisory) => productOf(advisory) === '')).toEqual([]);
  });

  it('gives a reason for each advisory that has no case, and such a one is no source', () => {
    const rows = between(PAGE, WITHOUT).split('\n').slice(2);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toMatch(/^\| [^|]+ \| [^|]+ \| [^|]{15,} \|$/);
    const named = rows.flatMap((row) => row.match(ADVISORY) ?? []);
    expect(named.filter((advisory) => advisories.includes(advisory))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });
});

describe('the cases by hand', () => {
  it('are of every class, and many', () => {
    const missing = CLASSES.map((_, index) => index + 1).filter(
      (number) => !CASES.some(({ class: own }) => own === number),
    );
    expect(missing).toEqual([]);
    expect(CASES.length).toBeGreaterThanOrEqual(800);
  });

  it('are each something else: no two of a row are the same bytes', () => {
    for (const { rows } of FILES) {
      for (const row of rows as readonly (CorpusRow & { cases?: readonly unknown[] })[]) {
        const texts = (row.cases ?? []).map((one) => JSON.stringify(one));
        expect(new Set(texts).size, row.id).toBe(texts.length);
      }
    }
  });
});
