// Rate and concurrency are per person, not per token or connection, and forgotten when unused.
import { describe, expect, it } from 'vitest';
import { createPrincipalLimits, type PrincipalUsage } from '../../../src/gateway/principal-limits.ts';
import type { Principal } from '#model/principal.ts';
import { manualClock } from '../../support/manual-clock.ts';

function principal(id: string, issuer = 'https://idp.test'): Principal {
  return { id, issuer, email: null, name: null, groups: [], org: 'vendor' };
}

describe('limits per principal', () => {
  it('refuses what is beyond the concurrency until one is given back', () => {
    const clock = manualClock();
    const limits = createPrincipalLimits({ concurrent: 2, perSecond: null });
    const first = limits?.acquire(principal('sam'), clock.monotonic()) as PrincipalUsage;
    expect(limits?.acquire(principal('sam'), clock.monotonic())).not.toBeNull();
    expect(limits?.acquire(principal('sam'), clock.monotonic())).toBeNull();
    limits?.release(first);
    expect(limits?.acquire(principal('sam'), clock.monotonic())).not.toBeNull();
  });

  it('refills the rate with time and never beyond its burst', () => {
    const clock = manualClock();
    const limits = createPrincipalLimits({ concurrent: null, perSecond: 2 });
    const take = () => limits?.acquire(principal('sam'), clock.monotonic()) !== null;
    expect([take(), take(), take()]).toEqual([true, true, false]);
    clock.advance(500);
    expect([take(), take()]).toEqual([true, false]);
    clock.advance(60_000);
    expect([take(), take(), take()]).toEqual([true, true, false]);
  });

  it('never mixes two people whose issuer and id read alike when joined', () => {
    const clock = manualClock();
    const limits = createPrincipalLimits({ concurrent: 1, perSecond: null });
    expect(limits?.acquire(principal('bc', 'a'), clock.monotonic())).not.toBeNull();
    expect(limits?.acquire(principal('c', 'ab'), clock.monotonic())).not.toBeNull();
  });

  it('is nothing at all where nothing is limited', () => {
    expect(createPrincipalLimits({ concurrent: null, perSecond: null })).toBeNull();
  });
});
