// How often V8 collects its young generation: with many connections oftener, and each time shorter. What outlives a
// collection is copied by it, and that is what new connections do: beside 200 of them a second a collection held up the
// loop for 5 ms, which is one request in a hundred (ADR 12). Sets a flag of V8 for the whole process, which goes
// by it from then on; decides nothing about any request. Cold: one comparison a second.
import { setFlagsFromString } from 'node:v8';

const LOOK_EVERY_MS = 1000;

/** How full it is when it is collected, between two turns of the loop. V8's own is 80. */
const PERCENT = {
  /** Twice as often: it costs what it did, measured by hand (ADR 12). */
  few: 40,
  /** Four times as often. At 25 it took 3 % more processor time, hence not always. */
  many: 20,
} as const;

/** Apart, so that a number that goes up and down around one of them changes nothing. */
const MANY_CONNECTIONS = 512;
const FEW_CONNECTIONS = 256;

/** Sets it now, and again when it changes, until disposed of; its timer keeps no process alive. */
export function watchYoungGeneration(
  overload: { readonly connections: number },
  setFlag: (flag: string) => void = setFlagsFromString,
): Disposable {
  let percent: number = PERCENT.few;
  setFlag(flagOf(percent));

  function look(): void {
    const next = percentFor(overload.connections, percent);
    if (next === percent) return;
    percent = next;
    setFlag(flagOf(percent));
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

function percentFor(connections: number, present: number): number {
  if (connections >= MANY_CONNECTIONS) return PERCENT.many;
  return connections <= FEW_CONNECTIONS ? PERCENT.few : present;
}

const flagOf = (percent: number): string => `--minor-gc-task-trigger=${percent}`;
