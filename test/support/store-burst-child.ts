// A process that gives and takes away grants without a pause, to be killed or to end by itself: after each call of the store
// that returned it says so with a line, `created ID` or `revoked ID`. With a number as third argument it stops after as many.
import { writeSync } from 'node:fs';
import { systemClock } from '#model/clock.ts';
import { createSqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { admin, draft, settings } from './grants-fixtures.ts';

const [, , path = '', count = 'Infinity'] = process.argv;
const STDOUT = 1;
const HOUR = 3_600_000;

const store = createSqliteGrantStore({ path, clock: systemClock, settings });
for (let n = 0; n < Number(count); n++) {
  const now = systemClock.now();
  const expiresAt = (now + HOUR) as typeof now;
  const { id } = await store.create(draft({ startsAt: now, expiresAt, caseRef: `CASE-${n}` }), admin);
  writeSync(STDOUT, `created ${id}\n`);
  if (n % 2 === 0) {
    await store.revoke(id, admin);
    writeSync(STDOUT, `revoked ${id}\n`);
  }
}
// The store stays open: what it keeps running must not keep the process.
