// A system's story as a table, sentence → step of its test: a sentence without a step, or a step without its sentence,
// fails. The steps run in the order of the sentences, in one world, as the story is told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type World, type WorldOptions, openWorld } from './world.ts';

export type Steps = Readonly<Record<string, (world: World) => Promise<void> | void>>;

export interface Story {
  readonly system: string;
  readonly world: WorldOptions;
  /** As the system's help pages and its customers say it; `wish:` before what the customers never got. */
  readonly sentences: readonly string[];
  readonly steps: Steps;
}

const STEP_MS = 60_000;

export function describeStory({ system, world: options, sentences, steps }: Story): void {
  describe(system, () => {
    let world: World;
    let usersBefore: unknown;

    beforeAll(async () => {
      world = await openWorld(options);
      usersBefore = await world.usersAndSeats();
    }, STEP_MS);
    afterAll(() => world?.[Symbol.asyncDispose]());

    it('has a step for each sentence, and no other', () => {
      expect(Object.keys(steps).toSorted()).toEqual([...sentences].toSorted());
      expect(new Set(sentences).size).toBe(sentences.length);
    });

    it.each(sentences)(
      '%s',
      async (sentence) => {
        const step = steps[sentence];
        if (step === undefined) throw new Error('this sentence has no step');
        await step(world);
      },
      STEP_MS,
    );

    it('leaves the customer’s list of users and its seats as they were', async () => {
      expect(await world.usersAndSeats()).toEqual(usersBefore);
    });
  });
}
