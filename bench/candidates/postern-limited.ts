// The whole gate with its limits as they are by default, but for the rate per principal, which the load would reach; and
// a second member of the staff, whose share is used up by whoever attacks.
import { serveCandidate } from './serve.ts';
import { startGate } from '../../test/support/gate.ts';

await serveCandidate(async (upstreamPort) => {
  const gate = await startGate({
    upstreamPort,
    rules: 200,
    config: { limits: { perPrincipal: { concurrent: 64, perSecond: 'off' } } },
  });
  await gate.grant({});
  const headersOf = async (sub: string) => ({
    host: gate.host,
    authorization: `Bearer ${await gate.staffToken({ sub }, 3600)}`,
  });
  return { port: gate.dataPort, headers: await headersOf('sam'), otherHeaders: await headersOf('mallory') };
});
