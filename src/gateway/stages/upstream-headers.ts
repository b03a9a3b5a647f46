// Header hygiene, the assertion and the injected headers: everything that will be sent is built before it is
// recorded, since what cannot be built must not be recorded as allowed.
import type { Forwarder, OutboundExchange } from '#upstream/forwarder.ts';
import type { Stage } from '../stage.ts';

export function upstreamHeadersStage(forwarder: Forwarder): Stage {
  return {
    name: 'upstream-headers',
    run: (x) => forwarder.prepare(x as OutboundExchange),
  };
}
