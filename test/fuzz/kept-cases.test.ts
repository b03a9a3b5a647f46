// Every kept seed and every input that once broke a law, through its target; and a few random inputs of each, so that
// a target that stopped working is seen before somebody fuzzes with it.
import { describe, expect, it } from 'vitest';
import { fuzz } from './engine.ts';
import { BrokenLaw, bytesOf, synchronous } from './fuzz-target.ts';
import { keptFiles } from './kept-files.ts';
import { minimised } from './minimise.ts';
import { loadTarget, TARGETS } from './target-list.ts';

const RANDOM_INPUTS = 150;

describe.each(Object.keys(TARGETS).map((name) => [name] as const))('the fuzz target %s', (name) => {
  it('keeps its laws for every kept input, for its seeds and for random ones', async () => {
    const target = await loadTarget(name);
    const random = await fuzz({
      target: { ...target, seeds: () => target.seeds().slice(0, RANDOM_INPUTS), batch: RANDOM_INPUTS },
      seed: 1,
      seconds: 20,
      executions: 2 * RANDOM_INPUTS,
      start: keptFiles(name).map(({ input }) => input),
      coverage: null,
    });
    expect(random.found).toEqual([]);
    expect(random.executions).toBeGreaterThan(0);
  }, 60_000);
});

function faulty(input: string): string {
  if (/%2e/i.test(input)) throw new BrokenLaw('holds no encoded dot', input);
  return String(input.length % 5);
}

describe('the search', () => {
  it('finds a planted fault, once, and makes its input short', async () => {
    const target = await loadTarget('request-target');
    const planted = {
      ...target,
      batch: 200,
      open: synchronous(faulty, 1000),
      seeds: () => [bytesOf('/a/b/c')],
    };
    const { found } = await fuzz({
      target: planted,
      seed: 7,
      seconds: 20,
      executions: 4000,
      start: [],
      coverage: null,
    });
    expect(found.map(({ law, input }) => [law, input.toLowerCase()])).toEqual([
      ['holds no encoded dot', '%2e'],
    ]);
  });

  it('makes the same inputs from the same seed', async () => {
    const target = await loadTarget('request-target');
    const runs = await Promise.all(
      [3, 3, 4].map(async (seed) => {
        const seen: string[] = [];
        const watching = synchronous((input) => String(seen.push(input) % 7), 1000);
        await fuzz({
          target: { ...target, batch: 100, open: watching, seeds: () => ['/a'] },
          seed,
          seconds: 20,
          executions: 400,
          start: [],
          coverage: null,
        });
        return seen;
      }),
    );
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  it('shortens to what breaks the law, whatever stands around it', async () => {
    const shortest = await minimised('/some/where/..;/and/more?x=1', async (text) => text.includes('..;'));
    expect(shortest).toBe('..;');
  });
});
