// YAML as people and attackers write it, for the loaders of policies and of configuration: trees printed as JSON or in
// blocks, with keys that are known and keys that are not.
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { bytesOf } from './fuzz-target.ts';

/** What breaks naive loaders: aliases, tags, merges, odd keys, odd numbers, deep nesting. */
export const YAML_TRICKS: readonly string[] = [
  '&a ',
  '*a',
  '!!js/function ',
  '<<: *a',
  '? ',
  '- ',
  '|\n',
  '>\n',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '# x\n',
  '\t',
  '\r\n',
  '__proto__: 1',
  'constructor: x',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ': ',
  ',',
  'null',
  'true',
  '~',
  '.inf',
  '0x10',
  '1e999',
  '[[[[[[[[[[[[',
  '- - - - - -',
  '\u2028',
  '\ufeff',
  '\u202e',
  '\u0085',
  '!',
  '@',
  '`',
  '\\u0000',
  '\\x1b',
  '"\\u202e"',
  '"\\x9b\\n"',
  '"a\\u2066b": ',
];

/** Documents whose keys are mostly `words`. */
export function yamlDocuments(words: readonly string[], values: readonly string[]): fc.Arbitrary<string> {
  const key = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...words) }, fc.string({ maxLength: 6 }));
  const leaf = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(...values) },
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1e21, ''),
    fc.string({ maxLength: 10 }),
  );
  const { tree } = fc.letrec<{ readonly tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      leaf,
      fc.dictionary(key, tie('tree'), { maxKeys: 6 }),
      fc.array(tie('tree'), { maxLength: 4 }),
    ),
  }));
  const root = fc.dictionary(key, tree, { maxKeys: 8 });
  return fc
    .tuple(root, fc.boolean())
    .map(([value, isBlock]) => bytesOf(isBlock ? stringify(value) : JSON.stringify(value)));
}

/** Nothing that a problem says may steer a terminal or hide text. */
export const STEERS = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]/u;
