// Whoever follows a link of the documentation arrives: files, folders and headings that it names are there. Addresses of
// other hosts are not asked.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'policies/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => `docs/${name}`),
];

/** What is shown as code is no link. */
function prose(text: string): string {
  return text.replaceAll(/^(?:```|~~~)[\s\S]*?^(?:```|~~~)$/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

function linksOf(text: string): string[] {
  return [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/.test(target));
}

/** As the usual hosts of repositories make them of headings. */
function anchorsOf(text: string): string[] {
  const headings = text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} +(.+?) *$/gm);
  return [...headings].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The links of a page that lead nowhere. */
function broken(page: string, text: string): string[] {
  return linksOf(text).filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURIComponent(path));
    if (relative(ROOT, target).startsWith('..') || !existsSync(target)) return true;
    if (anchor === undefined || statSync(target).isDirectory()) return anchor !== undefined;
    const there = path === '' ? text : readFileSync(target, 'utf8');
    return target.endsWith('.md') && !anchorsOf(there).includes(anchor);
  });
}

/** The links of each row of a table that begins with the number of a class of bypass, by that number. */
function classRows(text: string): ReadonlyMap<number, readonly string[]> {
  const rows = prose(text).matchAll(/^\| (\d+) .*$/gm);
  return new Map(Array.from(rows, ([row, number]) => [Number(number), linksOf(row)]));
}

/** Pages that a sentence names without a link, such as (docs/metrics.md). */
function namedPages(text: string): string[] {
  return [...text.matchAll(/(?<![\w./-])docs\/[\w/-]+\.md\b/g)].map(([name]) => name);
}

describe('the documentation', () => {
  it.each(PAGES)('%s links only to what is there', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    expect(broken(page, text)).toEqual([]);
    expect(namedPages(text).filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  it('is reachable: every page of docs/ is linked from another one', () => {
    const linked = new Set(
      PAGES.flatMap((page) =>
        linksOf(readFileSync(join(ROOT, page), 'utf8'))
          .map((link) => relative(ROOT, resolve(ROOT, dirname(page), link.split('#')[0] as string)))
          .filter((target) => target !== page),
      ),
    );
    const decisions = linked.has('docs/adr');
    expect(
      PAGES.filter((page) => page.startsWith('docs/') && !linked.has(page)).filter(
        (page) => !(decisions && page.startsWith('docs/adr/')),
      ),
    ).toEqual([]);
  });

  it('shows a test for every class of bypass, in the threat model', () => {
    const rows = classRows(readFileSync(join(ROOT, 'docs/threat-model.md'), 'utf8'));
    expect([...rows.keys()]).toEqual(Array.from({ length: 26 }, (_, index) => index + 1));
    const without = [...rows].filter(
      ([, links]) => !links.some((link) => /\/test\/.+\.test\.ts$/.test(link)),
    );
    expect(without).toEqual([]);
    // A row that lost its number, or its test, is seen.
    expect(classRows('| 7 fragments | x | y | [a](b.md) |\n| eight | [c](d) |')).toEqual(
      new Map([[7, ['b.md']]]),
    );
  });

  it('would show a link that leads nowhere', () => {
    const text = '# A title\n[a](docs/none.md) [b](#a-title) [c](#none) [d](docs/audit.md#none) `[e](none)`';
    expect(broken('README.md', text)).toEqual(['docs/none.md', '#none', 'docs/audit.md#none']);
  });
});
