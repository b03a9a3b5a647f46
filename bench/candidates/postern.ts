// The candidate: the whole gate in its default durability, 200 rules, warm caches, no sinks, no limits per principal.
import { serveCandidate } from './serve.ts';
import { startGate } from '../../test/support/gate.ts';

await serveCandidate(async (upstreamPort) => {
  const gate = await startGate({ upstreamPort, rules: 200 });
  await gate.grant({});
  const token = await gate.staffToken({}, 3600);
  return { port: gate.dataPort, headers: { host: gate.host, authorization: `Bearer ${token}` } };
});
