// A process with the stdout sink: writes so many records, closes, and says on standard error how long that took.
import { createJournal } from '#audit/create-journal.ts';
import { systemClock } from '#model/clock.ts';
import { fakeExchange } from './audit-exchange.ts';

const [directory = '', count = '0', deadlineMs = '0'] = process.argv.slice(2);
const journal = createJournal({
  options: { directory, instance: 'child', sinks: [{ kind: 'stdout' }], signingKey: null },
  clock: systemClock,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
});
for (let index = 0; index < Number(count); index++) {
  journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
}
await journal.close(Number(deadlineMs));
process.stderr.write('closed\n');
