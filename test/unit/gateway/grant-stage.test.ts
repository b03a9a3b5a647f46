// The choice of a grant makes an exchange live; one that ended while the grants were read must stay ended.
import { describe, expect, it } from 'vitest';
import type { CachedGrants } from '#grants/grant-lookup.ts';
import type { MonotonicMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import { PASS } from '#model/verdict.ts';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import type { LiveExchanges } from '../../../src/gateway/live-exchanges.ts';
import { grantStage } from '../../../src/gateway/stages/grant.ts';
import { EXAMPLE_CREDENTIAL, EXAMPLE_GRANT } from '../../support/audit-exchange.ts';
import { manualClock } from '../../support/manual-clock.ts';

function begin(): {
  x: Exchange;
  live: Exchange[];
  load: PromiseWithResolvers<CachedGrants>;
  verdict: Promise<unknown>;
} {
  const live: Exchange[] = [];
  const load = Promise.withResolvers<CachedGrants>();
  const stage = grantStage({
    grants: { grantsOf: () => load.promise, dropAll: () => undefined },
    live: { add: (x: Exchange) => void live.push(x) } as LiveExchanges,
    clock: manualClock(EXAMPLE_GRANT.startsAt + 1),
  });
  const x = {
    phase: 'judging',
    tenant: 'acme' as TenantId,
    credential: EXAMPLE_CREDENTIAL,
    grant: null,
  } as Exchange;
  return { x, live, load, verdict: Promise.resolve(stage.run(x)) };
}

const LOADED: CachedGrants = { grants: [EXAMPLE_GRANT], loadedAt: 0 as MonotonicMs };

describe('a request whose grants had to be read first', () => {
  it('is live under its grant when they have come', async () => {
    const { x, live, load, verdict } = begin();
    load.resolve(LOADED);
    expect(await verdict).toBe(PASS);
    expect(live).toEqual([x]);
    expect(x.grant).toBe(EXAMPLE_GRANT);
  });

  it('does not become live when it ended meanwhile', async () => {
    const { x, live, load, verdict } = begin();
    x.phase = 'finished';
    load.resolve(LOADED);
    expect(await verdict).not.toBe(PASS);
    expect(live).toEqual([]);
    expect(x.grant).toBeNull();
  });
});
