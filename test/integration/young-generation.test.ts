// That V8 goes by what is set while it runs: collections counted over the same work, with few connections and with many.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const WATCH = fileURLToPath(new URL('../../src/gateway/young-generation.ts', import.meta.url));

/** Turns of the loop, since a collection comes between two of them; the first work is there to compile. */
const COUNT = `
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { watchYoungGeneration } from ${JSON.stringify(WATCH)};
let seen = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) seen += 1;
}).observe({ entryTypes: ['gc'] });
const overload = { connections: 0 };
watchYoungGeneration(overload);
async function collections() {
  seen = 0;
  for (let i = 0; i < 3000; i++) {
    for (let k = 0; k < 300; k++) JSON.parse('{"a":[1,2,3],"b":{"c":"d","e":' + k + '}}');
    await turn();
  }
  await sleep(50);
  return seen;
}
await collections();
const few = await collections();
overload.connections = 10_000;
await sleep(1500);
console.log(JSON.stringify({ few, many: await collections() }));`;

it('V8 collects the young generation oftener once there are many connections', {
  timeout: 60_000,
}, async () => {
  // Of one size throughout: where it shrinks, it is collected oftener for that.
  const args = ['--min-semi-space-size=16', '--conditions=source', '--input-type=module', '--eval', COUNT];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { few, many } = JSON.parse(stdout) as { few: number; many: number };
  expect(few).toBeGreaterThan(20);
  expect(many / few).toBeGreaterThan(1.5);
});
