// `npm run demo`: starts everything and waits for Ctrl-C. `npm run demo -- --tour`: walks the whole story by itself
// and exits 0 only if every step held, 1 if one did not, 2 if the demo could not start or was called wrongly.
import { parseArgs } from 'node:util';
import { complain, say } from './print.ts';
import { setStage, type Stage } from './stage.ts';
import { walkTour } from './tour/tour.ts';
import { welcome } from './welcome.ts';

const HELD = 0;
const DID_NOT_HOLD = 1;
const COULD_NOT_START = 2;

async function main(): Promise<number> {
  const stopped = firstSignal();
  let stage: Stage;
  let tour: boolean;
  try {
    tour = parseArgs({ options: { tour: { type: 'boolean', default: false } } }).values.tour;
    stage = await setStage({ wellKnownPorts: !tour });
  } catch (error) {
    complain(`The demo could not start: ${(error as Error).message}`);
    return COULD_NOT_START;
  }
  await using running = stage;
  // Awaited here: returning the promise itself would strike the stage while the tour walks.
  if (tour) return await runTour(running, stopped);

  await welcome(running, performance.now());
  const unexpected = await Promise.race([stopped.then(() => null), running.postern.ended]);
  if (unexpected === null) return HELD;
  complain(unexpected);
  return DID_NOT_HOLD;
}

async function runTour(stage: Stage, stopped: Promise<void>): Promise<number> {
  say(
    `Postern, the help desk and the identity provider are ready after ${Math.round(performance.now())} ms.`,
  );
  const held = await Promise.race([walkTour(stage), stopped.then(() => false)]);
  if (held) return HELD;
  stage.keepFolder();
  complain(`What happened is recorded in ${stage.folder}`);
  return DID_NOT_HOLD;
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

process.exitCode = await main();
