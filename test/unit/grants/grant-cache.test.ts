import { describe, expect, it } from 'vitest';
import { PosternError } from '#model/fault.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { createGrantCache } from '#grants/grant-cache.ts';
import { acme, globex, grant, clockAtStart } from '../../support/grants-fixtures.ts';
import type { ManualClock } from '../../support/manual-clock.ts';

interface Load {
  readonly tenant: TenantId;
  answer(grants: readonly Grant[], more?: Partial<TenantView>): void;
  fail(error: unknown): void;
}

function setUp(over: { maxEntries?: number } = {}) {
  const loads: Load[] = [];
  const counts = { hit: 0, miss: 0, error: 0 };
  const clock: ManualClock = clockAtStart();
  const cache = createGrantCache({
    views: {
      tenantView(tenant) {
        const { promise, resolve, reject } = Promise.withResolvers<TenantView>();
        loads.push({
          tenant,
          answer: (grants, more) =>
            resolve({ grants, settings: DEFAULT_TENANT_SETTINGS, standing: [], ...more }),
          fail: reject,
        });
        return promise;
      },
    },
    clock,
    maxEntries: over.maxEntries ?? 100,
    ttlMs: 30_000,
    negativeTtlMs: 2000,
    observer: {
      hit: () => void counts.hit++,
      miss: () => void counts.miss++,
      error: () => void counts.error++,
    },
  });
  const fill = async (tenant: TenantId, grants: readonly Grant[]) => {
    const pending = cache.grantsOf(tenant);
    loads.at(-1)?.answer(grants);
    return await pending;
  };
  return { cache, loads, counts, clock, fill };
}

describe('the grant cache', () => {
  it('answers a hit synchronously with the same frozen entry', async () => {
    const { cache, fill, counts } = setUp();
    const loaded = await fill(acme, [grant()]);
    expect(cache.grantsOf(acme)).toBe(loaded);
    expect(Object.isFrozen(loaded)).toBe(true);
    expect(counts).toEqual({ hit: 1, miss: 1, error: 0 });
  });

  it('holds settings and what stands beside the grants, and keeps what stands as long as a grant', async () => {
    const { cache, clock, fill, loads } = setUp();
    const pending = cache.grantsOf(acme);
    const settings = { ...DEFAULT_TENANT_SETTINGS, suspended: true };
    loads.at(-1)?.answer([], { settings, standing: [grant({ source: 'standing' })] });
    expect(await pending).toMatchObject({
      grants: [],
      settings: { suspended: true },
      standing: [{ source: 'standing' }],
    });
    clock.advance(29_999);
    expect(cache.grantsOf(acme)).not.toBeInstanceOf(Promise);
    expect((await fill(globex, [])).settings).toBe(DEFAULT_TENANT_SETTINGS);
  });

  it('keeps an answer for its time and no longer, an empty one for less', async () => {
    const { cache, clock, fill } = setUp();
    await fill(acme, [grant()]);
    await fill(globex, []);
    clock.advance(1999);
    expect(cache.grantsOf(globex)).not.toBeInstanceOf(Promise);
    clock.advance(1);
    expect(cache.grantsOf(globex)).toBeInstanceOf(Promise);
    clock.advance(27_999);
    expect(cache.grantsOf(acme)).not.toBeInstanceOf(Promise);
    clock.advance(1);
    expect(cache.grantsOf(acme)).toBeInstanceOf(Promise);
  });

  it('counts the age from when the load began, not from when it ended', async () => {
    const { cache, clock, loads } = setUp();
    const began = clock.monotonic();
    const pending = cache.grantsOf(acme);
    clock.advance(29_999);
    loads[0]?.answer([grant()]);
    expect((await pending).loadedAt).toBe(began);
    clock.advance(1);
    expect(cache.grantsOf(acme)).toBeInstanceOf(Promise);
  });

  it('shares one load among all who ask for a tenant, and none between tenants', async () => {
    const { cache, loads } = setUp();
    const asked = [cache.grantsOf(acme), cache.grantsOf(acme), cache.grantsOf(globex)];
    expect(loads.map((load) => load.tenant)).toEqual([acme, globex]);
    loads[0]?.answer([grant()]);
    loads[1]?.answer([]);
    const [first, second, other] = await Promise.all(asked);
    expect(first).toBe(second);
    expect(other?.grants).toEqual([]);
  });

  it('never answers or fills with a load that an invalidation overtook', async () => {
    const { cache, loads } = setUp();
    const waiting = cache.grantsOf(acme);
    cache.invalidate(acme);
    loads[0]?.answer([grant()]);
    await Promise.resolve();
    await Promise.resolve();
    expect(cache.size).toBe(0);
    expect(loads).toHaveLength(2);
    loads[1]?.answer([]);
    expect((await waiting).grants).toEqual([]);
  });

  it('lets a newer load fill although an overtaken one ends later', async () => {
    const { cache, loads } = setUp();
    const early = cache.grantsOf(acme);
    cache.dropAll();
    const late = cache.grantsOf(acme);
    loads[1]?.answer([]);
    expect((await late).grants).toEqual([]);
    loads[0]?.answer([grant()]);
    expect((await early).grants).toEqual([]);
    expect(cache.grantsOf(acme)).not.toBeInstanceOf(Promise);
  });

  it('gives up on a tenant that changes faster than it can be read', async () => {
    const { cache, loads, counts } = setUp();
    const waiting = Promise.resolve(cache.grantsOf(acme)).catch((error: unknown) => error);
    for (let i = 0; i < 20 && counts.error === 0; i++) {
      cache.invalidate(acme);
      loads.at(-1)?.answer([grant()]);
      await new Promise(setImmediate);
    }
    expect(await waiting).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(cache.size).toBe(0);
  });

  it('passes a fault on, keeps nothing of it, and asks again at the next lookup', async () => {
    const { cache, loads, counts } = setUp();
    const pending = cache.grantsOf(acme);
    loads[0]?.fail(new PosternError('STORE_UNAVAILABLE', 'away'));
    await expect(pending).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const odd = cache.grantsOf(acme);
    loads[1]?.fail(new Error('odd'));
    await expect(odd).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const next = cache.grantsOf(acme);
    loads[2]?.answer([grant()]);
    expect((await next).grants).toHaveLength(1);
    expect(counts).toEqual({ hit: 0, miss: 3, error: 2 });
  });

  it('holds no more tenants than it is told to', async () => {
    const { cache, fill } = setUp({ maxEntries: 2 });
    for (const tenant of ['a', 'b', 'c']) await fill(tenant as TenantId, [grant()]);
    expect(cache.size).toBe(2);
    expect(cache.grantsOf('a' as TenantId)).toBeInstanceOf(Promise);
  });

  it('refuses sizes and times that mean nothing', () => {
    expect(() => setUp({ maxEntries: 0 })).toThrow(RangeError);
  });
});
