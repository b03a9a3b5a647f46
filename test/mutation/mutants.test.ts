// The mutation runner itself: what it changes, what it leaves alone, and that a list of survivors cannot grow stale.
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Mutant, mutantsOf } from './mutants.ts';
import { changedRegex } from './regex-operators.ts';
import { parseSource } from './source-tree.ts';
import { type Accepted, holdAgainst } from './survivors.ts';

function changes(source: string): readonly string[] {
  return mutantsOf('f.ts', source).mutants.map(({ change }) => change);
}

/** What `f` returns in a program that one change, or none, was made to. */
function run(source: string, change: string | null): unknown {
  const { mutants, codeOf } = mutantsOf('f.js', source);
  const mutant = mutants.find((one) => one.change === change) ?? null;
  if (mutant === null && change !== null) throw new Error(mutants.map((one) => one.change).join('; '));
  return runInNewContext(`${codeOf(mutant)}\n; f();`);
}

describe('the mutants of a file', () => {
  it('change operators, boundaries and literals, one at a time', () => {
    expect(changes('x = a < 10;')).toEqual([
      'x = a < 10; → (removed)',
      'a < 10 → a <= 10',
      'a < 10 → a >= 10',
      '10 → 11',
      '10 → 9',
    ]);
    expect(changes("f(a === 'b')")).toContain("'b' → ''");
    expect(changes('let a = true;')).toEqual(['true → false']);
    expect(changes('let a = 0x20;')).toEqual(['0x20 → 0x21', '0x20 → 0x1f']);
  });

  it('change conditions, sides of them and early exits', () => {
    const found = changes('function f(a, b) { if (a && b) return 1; return 2; }');
    expect(found).toEqual(
      expect.arrayContaining([
        'a && b → true',
        'a && b → false',
        'a && b → a || b',
        'a && b → a',
        'a && b → b',
      ]),
    );
    expect(found).toContain('return 1; → (removed)');
  });

  it('change methods, optional chains and frozen values', () => {
    expect(changes('x(a.startsWith(b))')).toContain('a.startsWith(b) → a.endsWith(b)');
    expect(changes('x(a.slice(i))')).toContain('a.slice(i) → a');
    expect(changes('x(a?.b)')).toContain('a?.b → a.b');
    expect(changes('x(a?.[i])')).toContain('a?.[i] → a[i]');
    expect(changes('x(Object.freeze(a))')).toContain('Object.freeze(a) → a');
  });

  it('leave types, imports and names of properties alone', () => {
    const types =
      "import { a } from 'b';\nexport type T = 'x' | 1;\ninterface I { readonly k: 'y' }\nexport { c } from 'd';";
    expect(changes(types)).toEqual([]);
    expect(changes("let a = { 'k': b } as const satisfies Record<'z', T>;")).toEqual([]);
    expect(changes('let a = (b as T<1>) + c;')).toEqual(['(b as T<1>) + c → (b as T<1>) - c']);
  });

  it('keep the grouping of what stands around the change', () => {
    const source = 'function f() { const a = 1, b = 1, c = 0; return a || b || c; }';
    expect(run(source, 'a || b || c → a || b && c')).toBe(0);
    expect(run('function f() { const t = 2; return 3 * (t + 4); }', 't + 4 → t - 4')).toBe(-6);
  });

  it('are named by function and line, and numbered where one line has the same twice', () => {
    const { mutants } = mutantsOf('f.ts', 'class C {\n  m() {\n    g(1, 1);\n  }\n}\n');
    const told = mutants.map(({ line, within, lineText, change }) => [line, within, lineText, change]);
    expect(told).toContainEqual([3, 'm', 'g(1, 1);', '1 → 2']);
    expect(told).toContainEqual([3, 'm', 'g(1, 1);', '1 → 2 #2']);
  });

  it('are the same, in the same order, each time', () => {
    const source = 'function f(a) { for (const b of a) if (b > 1) return b - 1; return null; }';
    expect(mutantsOf('f.ts', source).mutants).toEqual(mutantsOf('f.ts', source).mutants);
  });
});

describe('an endless loop', () => {
  it('is thrown out of, however the mutant made it', () => {
    const source = 'function f() { let n = 0; for (let i = 0; i < 3; i++) n++; return n; }';
    expect(() => run(source, 'i++ → i--')).toThrow('endless loop');
    expect(() => run('function f() { let i = 0; while (i < 3) i++; return i; }', 'i++; → (removed)')).toThrow(
      'endless loop',
    );
    expect(run(source, 'n++ → n--')).toBe(-3);
  });

  it('is guarded against in every kind of loop, and the code stays what it was', () => {
    const source = `function f() {
      let n = 0;
      outer: for (const a of [1, 2, 3]) {
        for (const b in { x: 1, y: 2 }) { if (b === 'y') continue outer; n += a; }
      }
      do n++; while (n < 8);
      for (;;) if (n++ > 9) break;
      return n;
    }`;
    const { codeOf } = mutantsOf('f.js', source);
    expect(run(source, null)).toBe(runInNewContext(`${source}; f();`));
    expect(codeOf(null).match(/endless loop/g)).toHaveLength(4);
    expect(parseSource('f.ts', codeOf(null))).not.toBeNull();
  });
});

describe('the changes of a regular expression', () => {
  it('are valid, and none is the original', () => {
    expect(changedRegex('^[a-z]+(?!x)$', 'gu')).toEqual(
      expect.arrayContaining([
        '/(?!)/gu',
        '/[a-z]+(?!x)$/gu',
        '/^[^a-z]+(?!x)$/gu',
        '/^[a-z]+(?=x)$/gu',
        '/^[a-z]+(?!x)$/u',
      ]),
    );
    expect(changedRegex('a', '')).toEqual(['/(?!)/']);
  });
});

describe('the list of accepted survivors', () => {
  const [mutant] = mutantsOf('f.ts', 'function f() {\n  g(1);\n}\n').mutants as readonly [
    Mutant,
    ...Mutant[],
  ];
  const entry: Accepted = {
    file: 'f.ts',
    within: 'f',
    line: 'g(1);',
    changes: [mutant.change],
    why: 'because',
  };

  it('takes a survivor by its function, line and change, wherever the line stands', () => {
    const moved = { ...mutant, line: 99 };
    const { unlisted, stale } = holdAgainst([entry], [{ mutant: moved, survived: true }], true);
    expect([unlisted, stale]).toEqual([[], []]);
  });

  it('does not take one whose line has changed, and says that the entry is of no use', () => {
    const other = { ...mutant, lineText: 'g(1, 2);' };
    const { unlisted, stale } = holdAgainst([entry], [{ mutant: other, survived: true }], true);
    expect(unlisted).toEqual([other]);
    expect(stale).toEqual([`f.ts, f: ${mutant.change}: is no mutant of the file`]);
  });

  it('says when a listed survivor is killed by now', () => {
    const { stale } = holdAgainst([entry], [{ mutant, survived: false }], true);
    expect(stale).toEqual([`f.ts, f: ${mutant.change}: is killed by now`]);
  });

  it('says nothing of files that were not run, and in a sample nothing of mutants that were not', () => {
    const elsewhere = { ...mutant, file: 'g.ts' };
    expect(holdAgainst([entry], [{ mutant: elsewhere, survived: false }], true).stale).toEqual([]);
    const another = { ...mutant, change: 'other' };
    expect(holdAgainst([entry], [{ mutant: another, survived: false }], false).stale).toEqual([]);
  });

  it('is YAML that keeps texts as they are', () => {
    const line = 'if (a === \'%\') return b?.c ?? "#";';
    expect(parse(`- line: '${line.replaceAll("'", "''")}'`)).toEqual([{ line }]);
  });
});
