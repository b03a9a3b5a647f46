// Class 24: hostile YAML. A configuration may come from a template, a merge request or a mounted volume; nothing it
// holds may hang the start (nesting, quadratic keys, aliases), reach a prototype, or be read in two ways.
import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load-config.ts';
import { formatProblems } from '#config/problem.ts';
import { parse, problemsOf, SMALLEST, smallestWith, testFolder, told } from '../support/config-files.ts';

const MiB = 1024 * 1024;
const fill = (unit: string): string => unit.repeat(Math.floor(MiB / unit.length));

const failure = (file: string): unknown => {
  const result = loadConfig({ file, env: {} });
  return result.ok ? null : result.problems.map((one) => one.message);
};

describe('hostile YAML', () => {
  it.each([
    ['5,000 nested lists', `a: ${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['a million opening brackets', `a: ${'['.repeat(1_000_000)}`],
    ['nested mappings', `a: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}`],
    ['nested block lists on one line', `a:\n ${'- '.repeat(5000)}x`],
    [
      'nesting by indentation',
      Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    ],
    ['nested explicit keys', '? '.repeat(5000)],
  ])('is refused before a recursive parser sees it: %s', (_what, text) => {
    expect(problemsOf(text).map((one) => one.message)).toEqual(['nested too deeply: no key lies that deep']);
  });

  // Each was quadratic, or slow by small errors, in some parser; a hang would fail by the test's own time limit.
  it.each([
    ['distinct keys', Array.from({ length: 80_000 }, (_, index) => `key${index}: 1`).join('\n')],
    ['equal keys', fill('a: 1\n')],
    ['unclosed lists', fill('a: [\n')],
    ['closing braces', fill('}')],
    ['bad escapes', `a: "${fill('\\q')}"`],
    ['aliases', fill('a: *x\n')],
    ['directives', fill('%A\n')],
    ['documents', fill('---\n')],
    ['unknown secrets', `${SMALLEST}secrets:\n${fill('  a: 1\n')}`],
  ])('ends, with at most 201 problems: a megabyte of %s', (_what, text) => {
    const problems = problemsOf(text.slice(0, MiB));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(201);
  });

  it('is not even read when it is larger than a megabyte, not a file, or not UTF-8', () => {
    using folder = testFolder();
    expect(failure(folder.write('large.yaml', 'a'.repeat(10 * MiB)))).toEqual([
      'the file is larger than 1 MiB',
    ]);
    expect(failure(folder.path)).toEqual(['the file is not a file']);
    expect(failure('/dev/zero')).toEqual(['the file is not a file']);
    writeFileSync(join(folder.path, 'bytes.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff]));
    expect(failure(join(folder.path, 'bytes.yaml'))).toEqual(['the file is not UTF-8 text']);
  });

  it.each([
    [
      'a byte order mark',
      `\uFEFF${SMALLEST}`,
      '1:1 the file starts with a byte order mark: save it as UTF-8 without one',
    ],
    [
      'a second document',
      `${SMALLEST}---\nlog: {}\n`,
      '4:1 not valid YAML: a second document starts here: one file holds one configuration',
    ],
    ['a version directive', `%YAML 1.1\n---\n${SMALLEST}`, '1:1 directives (%YAML, %TAG) are not allowed'],
    [
      'a tag directive',
      `%TAG ! tag:x,2000:\n---\n${SMALLEST}`,
      '1:1 directives (%YAML, %TAG) are not allowed',
    ],
    ['a tag', `${SMALLEST}workers: !!int "1"\n`, '4:16 tags (!…) are not allowed'],
    [
      'a list as a key',
      `${SMALLEST}? [a]\n: 1\n`,
      '4:3 not valid YAML: a key must be a word, not a list or a mapping',
    ],
    ['an empty file', '', '1:1 the file is empty'],
    ['only comments', '# nothing\n', '1:1 the file is empty'],
    ['a list', '- a\n', '1:1 the file: expected a mapping of keys to values'],
    ['a text', 'hello', '1:1 the file: expected a mapping of keys to values, not "hello"'],
  ])('is refused where two readers could differ: %s', (_what, text, expected) => {
    expect(told(problemsOf(text))).toContain(expected);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'finds the key %s as unknown as any other',
    (key) => {
      const texts = [smallestWith(`${key}: { isAdmin: true }\n`), smallestWith(`log: { ${key}: 1 }\n`)];
      for (const text of texts) {
        expect(problemsOf(text)[0]?.message).toMatch(`unknown key "${key}"`);
      }
      const secrets = parse(smallestWith(`secrets: { ${key}: { fromEnv: S } }\n`), { S: 'x' });
      if (key !== '__proto__') expect(secrets.ok && secrets.config.secrets.has(key)).toBe(true);
      expect(secrets.ok && secrets.config.secrets.has('isAdmin')).toBe(false);
      expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
    },
  );

  it('does not take a variable or a field from a prototype', () => {
    expect(told(problemsOf(smallestWith('secrets: { a: { fromEnv: constructor } }\n')))).toEqual([
      '4:26 the environment variable constructor is not set',
    ]);
  });

  it('never throws, whatever the text, and prints nothing that could steer a terminal', () => {
    const fragment = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        'listen:',
        ' data:',
        '\n',
        '{',
        '}',
        '[',
        ']',
        ': ',
        '- ',
        '"',
        "'",
        '&a',
        '*a',
        '!!',
        '|',
        '>',
        '#',
        '\t',
        '\u202E',
        '\u001B[31m',
      ),
    );
    const text = fc.array(fragment, { maxLength: 20 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.boolean(), (junk, isAppended) => {
        const printed = formatProblems(problemsOf(isAppended ? SMALLEST + junk : junk));
        return !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(printed.replaceAll('\n', ''));
      }),
      { numRuns: 1000 },
    );
  });
});
