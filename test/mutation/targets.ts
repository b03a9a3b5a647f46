// Which files are mutated, and which tests must notice: those that speak of the file itself, the quickest first.
// Corpora and laws go through all of them, but a mutant that only they notice would be hard to tell from its failure.

export interface Target {
  readonly file: string;
  /** Relative to the project, in this order. */
  readonly tests: readonly string[];
}

/** Killed of all mutants, the accepted survivors counted as alive. */
export const LEAST_SCORE = 0.9;

const WALK = [
  'test/unit/policy/evaluate-outcomes.test.ts',
  'test/unit/policy/evaluate.test.ts',
  'test/unit/policy/second-reading.test.ts',
];

export const TARGETS: readonly Target[] = [
  target('src/gateway/request-target.ts', [
    'test/unit/gateway/request-target-bytes.test.ts',
    'test/unit/gateway/request-target.test.ts',
  ]),
  target('src/gateway/path-segments.ts', [
    'test/unit/gateway/path-segments.test.ts',
    'test/unit/gateway/request-target.test.ts',
  ]),
  target('src/policy/fold.ts', ['test/unit/policy/fold.test.ts']),
  target('src/policy/glob.ts', ['test/unit/policy/glob.test.ts', 'test/unit/policy/trie.test.ts']),
  target('src/policy/reading.ts', ['test/unit/policy/reading.test.ts', 'test/unit/policy/trie.test.ts']),
  target('src/policy/second-reading.ts', ['test/unit/policy/second-reading-layers.test.ts']),
  target('src/policy/trie.ts', ['test/unit/policy/trie.test.ts']),
  target('src/policy/query.ts', [
    'test/unit/policy/query.test.ts',
    'test/unit/policy/query-php-names.test.ts',
  ]),
  target('src/policy/methods.ts', ['test/unit/policy/methods.test.ts']),
  target('src/policy/pattern.ts', ['test/unit/policy/pattern-compile.test.ts']),
  target('src/policy/rule-set.ts', ['test/unit/policy/rule-set.test.ts', ...WALK]),
  target('src/policy/evaluate.ts', WALK),
];

function target(file: string, tests: readonly string[]): Target {
  return { file, tests };
}
