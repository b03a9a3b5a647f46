// P6: the alternatives of all segments lie in one array, so many places for each. Attack: a segment with more of them than
// places writes over those of the next one, and a rule that names that one does not find it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ALTERNATIVES, readDecoded, Reading } from '#policy/reading.ts';

/** Dots that folding makes, marks that cut, and what is taken off an end. */
const PIECES = ['a', 'B', '\u00e9', '.', '..', ';', ' ', '\u2024', '\u2026', '\uff0e', '\u00a0', '\u200b'];
const segments = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 });

describe('the alternatives of a segment', () => {
  it('never leave their places, whatever stands in it', () => {
    const reading = new Reading();
    fc.assert(
      fc.property(segments, (pieces) => {
        readDecoded([pieces.join(''), ';x'], reading);
        expect(reading.counts[0]).toBeLessThanOrEqual(MAX_ALTERNATIVES);
        expect(reading.alternatives[MAX_ALTERNATIVES]).toBe(';x');
      }),
      { numRuns: 5000, examples: [[['a..\u00e9..', ';', 'a..B\uff0e\u2024']]] },
    );
  });
});
