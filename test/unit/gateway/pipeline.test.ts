// Fail closed by construction: only PASS goes on.
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import { createPipeline } from '../../../src/gateway/pipeline.ts';
import type { Stage } from '../../../src/gateway/stage.ts';
import { PosternError } from '#model/fault.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';

function stage(run: () => unknown): Stage {
  return { name: 'rules', run: run as () => Verdict };
}

async function outcomeOf(...runs: readonly (() => unknown)[]): Promise<string> {
  const settled = Promise.withResolvers<string>();
  const pipeline = createPipeline(runs.map(stage), {
    waits: () => undefined,
    passed: () => settled.resolve('passed'),
    refused: (_x, denial) => settled.resolve(denial.reason),
    faulted: (_x, _error, reason) => settled.resolve(`fault:${reason}`),
  });
  pipeline.run({ phase: 'judging' } as Exchange);
  return settled.promise;
}

function down(): never {
  throw new PosternError('STORE_UNAVAILABLE', 'down');
}

describe('the pipeline', () => {
  it('passes what every stage passes, at once or later', async () => {
    expect(
      await outcomeOf(
        () => PASS,
        () => Promise.resolve(PASS),
        () => PASS,
      ),
    ).toBe('passed');
  });

  it('stops at the first denial', async () => {
    expect(
      await outcomeOf(
        () => PASS,
        () => deny('no_grant'),
        () => deny('rule_denied'),
      ),
    ).toBe('no_grant');
    expect(
      await outcomeOf(
        () => Promise.resolve(deny('read_only')),
        () => PASS,
      ),
    ).toBe('read_only');
  });

  it.each([undefined, null, true, 0, 'PASS', Symbol('PASS')])(
    'denies when a stage returns %s',
    async (verdict) => {
      expect(
        await outcomeOf(
          () => verdict,
          () => PASS,
        ),
      ).not.toBe('passed');
      expect(
        await outcomeOf(
          () => Promise.resolve(verdict),
          () => PASS,
        ),
      ).not.toBe('passed');
    },
  );

  it('turns what is thrown into a fault with its reason', async () => {
    expect(await outcomeOf(down)).toBe('fault:store_unavailable');
    expect(await outcomeOf(() => Promise.reject(new Error('bug')))).toBe('fault:internal');
  });

  it('runs a stage that repeats again once what it waited for has come, until it waits no more', async () => {
    const settled = Promise.withResolvers<string[]>();
    const reached: string[] = [];
    const repeating: Stage = {
      name: 'view',
      repeats: true,
      run() {
        reached.push('view');
        return reached.length < 3 ? Promise.resolve(PASS) : PASS;
      },
    };
    const next = stage(() => {
      reached.push('next');
      return PASS;
    });
    createPipeline([repeating, next], {
      waits: () => undefined,
      passed: () => settled.resolve(reached),
      refused: () => settled.reject(new Error('refused')),
      faulted: () => settled.reject(new Error('faulted')),
    }).run({ phase: 'judging' } as Exchange);
    expect(await settled.promise).toEqual(['view', 'view', 'view', 'next']);
  });

  it('does not go on with an exchange that was ended while it waited', async () => {
    const gate = Promise.withResolvers<typeof PASS>();
    const x = { phase: 'judging' } as Exchange;
    const reached: string[] = [];
    const pipeline = createPipeline([stage(() => gate.promise), stage(() => reached.push('next'))], {
      waits: () => undefined,
      passed: () => reached.push('passed'),
      refused: () => reached.push('refused'),
      faulted: () => reached.push('faulted'),
    });
    pipeline.run(x);
    x.phase = 'finished';
    gate.resolve(PASS);
    await gate.promise;
    await new Promise(setImmediate);
    expect(reached).toEqual([]);
  });
});
