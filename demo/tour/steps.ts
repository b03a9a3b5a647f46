// Runs the tour's steps in order. A step holds when its function returns; the first that throws ends the tour,
// because the later ones build on it.
import { isDeepStrictEqual } from 'node:util';
import { failed, heading, held } from '../print.ts';

export interface Steps {
  chapter(title: string): void;
  /** Runs one step and says how it went. */
  step(text: string, run: () => Promise<void> | void): Promise<void>;
}

/** Thrown after a step was reported as failed: nothing more is to be said. */
export class TourEnded extends Error {}

export function createSteps(): Steps {
  return {
    chapter: heading,
    async step(text, run) {
      try {
        await run();
      } catch (error) {
        failed(text, (error as Error).message);
        throw new TourEnded(text, { cause: error });
      }
      held(text);
    },
  };
}

/** Throws with both values unless they are equal. */
export function expect(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
}
