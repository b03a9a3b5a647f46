// A process under load, to be killed: says on standard output which requests the journal has let through.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { loadOrCreateSigningKey } from '#audit/chain/signing-key.ts';
import { createJournal } from '#audit/create-journal.ts';
import { systemClock } from '#model/clock.ts';
import { fakeExchange } from './audit-exchange.ts';

const [directory = '', durability = 'os', sink = ''] = process.argv.slice(2);
const journal = createJournal({
  options: {
    directory,
    instance: 'child',
    durability: durability === 'disk' ? 'disk' : 'os',
    segmentBytes: 256 * 1024,
    signingKey: await loadOrCreateSigningKey(path.join(path.dirname(directory), 'audit-key.pem')),
    sinks: sink === '' ? [] : [{ kind: 'file', path: sink }],
  },
  clock: systemClock,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
});

/** Whole, whatever the pipe's mode: a worker thread makes it non-blocking. */
function say(text: string): void {
  for (let done = 0; done < text.length; ) {
    try {
      done += writeSync(1, text.slice(done));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

function next(): void {
  const x = fakeExchange();
  let intended = false;
  journal.intend({
    ...x,
    recorded() {
      if (intended) return;
      intended = true;
      say(`${x.requestId}\n`);
      journal.complete(x);
      setImmediate(next);
    },
    recordRefused() {
      process.exit(3);
    },
  });
}
for (let lane = 0; lane < 16; lane++) next();
