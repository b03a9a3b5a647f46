// The denied routes times the tricks of `path-tricks.ts`: every trick alone on every route, then two and three of them
// one upon the other, drawn by the seed. Whatever comes of such a request, it must not reach a denied route. Pure.
import { type Random, randomFrom } from '../../support/torture-random.ts';
import type { GeneratedRequest } from '../generated-request.ts';
import { DENIED_SAMPLES, plainRequest, type Sample } from './denied-samples.ts';
import { type Made, numbered } from './maker.ts';
import { charactersAt, PATH_TRICKS, SHAPE_TRICKS, type SpelledPath } from './path-tricks.ts';

/** Draws; what is drawn twice counts once. */
const PAIRS = 14_000;
const TRIPLES = 4000;

/** Of a rule that names no method: every one is denied. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function* spellings(seed: number): Generator<GeneratedRequest> {
  yield* numbered('spellings', [...single(), ...composed(randomFrom(seed))]);
}

function* single(): Generator<Made> {
  for (const { rule, method, path, query } of DENIED_SAMPLES) {
    for (const trick of PATH_TRICKS) {
      for (const { class: number, about, path: spelt } of trick(path))
        yield { class: number, about: `${rule} by ${about}`, bytes: plainRequest(method, spelt + query) };
    }
  }
}

function* composed(random: Random): Generator<Made> {
  for (let count = 0; count < PAIRS + TRIPLES; count++) {
    const sample = random.pick(DENIED_SAMPLES);
    let last = drawn(sample.path, random);
    const about = [last.about];
    for (let depth = count < PAIRS ? 1 : 2; depth > 0; depth--) {
      last = drawn(last.path, random);
      about.push(last.about);
    }
    const bytes = plainRequest(methodOf(sample, random), last.path + sample.query);
    yield { class: last.class, about: `${sample.rule} by ${about.join(', ')}`, bytes };
  }
}

/** One spelling of one trick; every third time, one of one character. */
function drawn(path: string, random: Random): SpelledPath {
  const at = random.whole(1, path.length - 1);
  const all = random.whole(0, 2) === 0 ? charactersAt(path, at) : random.pick(SHAPE_TRICKS)(path);
  // A trick may have nothing to say about what an earlier one left.
  return random.pick([...all, { class: 4, about: 'nothing more', path }]);
}

function methodOf({ rule, method }: Sample, random: Random): string {
  return rule === 'd1' || rule === 'd3' ? random.pick(METHODS) : method;
}
