// Rules as the walk wants them: one entry per path, in order, and nothing that a request could change.
import { describe, expect, it } from 'vitest';
import { compilePattern, type PathPattern } from '#policy/pattern.ts';
import { compileRules, type MatchDraft, type RuleDraft } from '#policy/rule-set.ts';

function paths(...texts: readonly string[]): readonly PathPattern[] {
  return texts.map((text) => compilePattern(text, 'wide') as PathPattern);
}

function draft(id: string, ...match: readonly MatchDraft[]): RuleDraft {
  return {
    id,
    category: 'export',
    mode: id.startsWith('s') ? 'shadow' : 'enforce',
    liftable: id === 'lift',
    hosts: null,
    when: null,
    message: null,
    match,
  };
}

const PLAIN: MatchDraft = { methods: null, paths: paths('/a'), query: [], body: null };

describe('a set of rules', () => {
  const set = compileRules([
    draft('one', { ...PLAIN, paths: paths('/a', '/b'), methods: ['PUT'] }, PLAIN),
    draft('s', {
      ...PLAIN,
      query: [
        { key: 'Format[]', values: ['CSV', 'ＣＳＶ', 'pdf'] },
        { key: 'To', values: null },
      ],
    }),
    draft('lift', { ...PLAIN, methods: ['GET'], body: { kind: 'jsonrpc', methods: ['x'] } }),
  ]);

  it('has an entry for every path of every block, in document order', () => {
    const told = set.entries.map(({ rule, pathText }) => `${rule.order} ${rule.ref.id} ${pathText}`);
    expect(told).toEqual(['0 one /a', '0 one /b', '0 one /a', '1 s /a', '2 lift /a']);
    expect(set.rules.map(({ enforced, liftable }) => [enforced, liftable])).toEqual([
      [true, false],
      [false, false],
      [true, true],
    ]);
  });

  it('knows which entries name a method that a form may claim, and which look at the body', () => {
    expect(set.entries.map((entry) => entry.namesOverridable)).toEqual([true, true, false, false, false]);
    expect(set.entries.map((entry) => entry.methods?.names ?? null)).toEqual([
      ['PUT'],
      ['PUT'],
      null,
      null,
      ['GET'],
    ]);
    expect(set.entries.map((entry) => entry.body?.kind ?? null)).toEqual([null, null, null, null, 'jsonrpc']);
  });

  it('folds names and values of the query, each value once', () => {
    expect(set.entries[3]?.query).toEqual([
      { name: 'format', values: ['csv', 'pdf'] },
      { name: 'to', values: null },
    ]);
    expect([...set.queryNames]).toEqual(['format', 'to']);
  });

  it('is frozen where a request looks at it', () => {
    for (const { rule, query } of set.entries) {
      const parts = [rule, rule.ref, rule.denial, query, ...query, ...query.map(({ values }) => values)];
      expect(parts.every((part) => part === null || Object.isFrozen(part))).toBe(true);
    }
  });
});
