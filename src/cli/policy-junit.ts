// The results of `postern policy test` as JUnit XML, as CI systems read it: one testsuite per test document, one
// testcase per request. Whatever stands in names and targets, the file is well-formed XML 1.0. Not hot.
import type { RequestResult } from '#policy/run-policy-tests.ts';

export interface JunitSet {
  readonly name: string;
  readonly results: readonly RequestResult[];
}

/** Ends with a line break. */
export function junitXml(sets: readonly JunitSet[]): string {
  const all = sets.flatMap(({ results }) => results);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'postern policy test', ...countsOf(all) })}>`,
    ...sets.flatMap(suitesOf),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function suitesOf({ name, results }: JunitSet): readonly string[] {
  const suites = new Map<string, RequestResult[]>();
  for (const result of results) {
    // One name may stand in two files.
    const key = JSON.stringify([result.at.file, result.document]);
    const suite = suites.get(key);
    if (suite === undefined) suites.set(key, [result]);
    else suite.push(result);
  }
  const lines: string[] = [];
  for (const suite of suites.values()) {
    const { document, at } = suite[0] as RequestResult;
    const head = { name: `${name}: ${document}`, ...countsOf(suite), file: at.file };
    lines.push(`  <testsuite${attributes(head)}>`, ...suite.flatMap(caseOf), '  </testsuite>');
  }
  return lines;
}

function countsOf(results: readonly RequestResult[]) {
  return {
    tests: results.length,
    failures: results.filter(({ held }) => !held).length,
    errors: 0,
    skipped: 0,
    time: 0,
  };
}

function caseOf(result: RequestResult): readonly string[] {
  const { at, document, request, held, expected, actual } = result;
  const name = `${result.case}: ${request}`;
  const head = `    <testcase${attributes({ classname: document, name, file: at.file, line: at.line, time: 0 })}`;
  if (held) return [`${head}/>`];
  const message = `expected ${expected}, but it is ${actual}`;
  const text = `${at.file}:${at.line}:${at.column}: ${request}\nexpected: ${expected}\nactual: ${actual}`;
  return [
    `${head}>`,
    `      <failure${attributes({ message, type: 'decision' })}>${escaped(text)}</failure>`,
    '    </testcase>',
  ];
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** XML 1.0 section 2.2: what is no character there cannot even be escaped, and becomes U+FFFD. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\uFFFE\uFFFF&<>"']/gu, (char) => ENTITIES[char] ?? (isC1(char) ? char : '\uFFFD'));
}

/** DEL and the C1 controls are characters of XML, if discouraged ones. */
function isC1(char: string): boolean {
  const code = char.charCodeAt(0);
  return code >= 0x7f && code <= 0x9f;
}
