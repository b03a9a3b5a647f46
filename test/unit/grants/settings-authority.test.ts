// Settings that other processes change: out of the cache at once, enforced as the store says now, and never given up on.
import { describe, expect, it, vi } from 'vitest';
import { createSettingsAuthority, type SettingsAuthorityDeps } from '#grants/settings/settings-authority.ts';
import type { SettingsOutcome } from '#grants/settings/settings-store.ts';
import type { StoreChange } from '#grants/store-change.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { acme, admin, globex, grant, settingsWith } from '../../support/grants-fixtures.ts';

const viewOf = (suspended: boolean): TenantView => ({
  grants: [],
  settings: settingsWith({ suspended }),
  standing: [],
});

function setUp(over: Partial<SettingsAuthorityDeps> = {}) {
  const happened: string[] = [];
  const listeners: { change: (change: StoreChange) => void; gap: () => void }[] = [];
  const say = (word: string) => (tenant: TenantId) => void happened.push(`${word} ${tenant}`);
  const authority = createSettingsAuthority({
    settings: { read: vi.fn(), change: vi.fn() },
    accessSwitch: { set: vi.fn() },
    views: { tenantView: async () => viewOf(true) },
    cache: { invalidate: say('invalidate'), dropAll: () => void happened.push('dropAll') },
    enforcer: {
      grantRevoked: ({ id }) => void happened.push(`revoked ${id}`),
      grantChanged: ({ id }) => void happened.push(`changed ${id}`),
      tenantChanged: (tenant, { settings }) => void happened.push(`enforce ${tenant} ${settings.suspended}`),
    },
    changes: {
      watch(change, gap) {
        listeners.push({ change, gap });
        return { [Symbol.dispose]: () => void happened.push('unwatch') };
      },
    },
    tenantsInUse: () => [acme, globex],
    onEvent: ({ event }) => void happened.push(event),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ...over,
  });
  const heard = async (change: StoreChange) => {
    for (const listener of listeners) listener.change(change);
    await new Promise(setImmediate);
  };
  return {
    authority,
    happened,
    heard,
    gap() {
      for (const listener of listeners) listener.gap();
    },
  };
}

const change = (elsewhere: boolean): StoreChange => ({ kind: 'settings', id: acme, tenant: acme, elsewhere });

describe('settings changed by another process', () => {
  it('are out of the cache before they are read again, and then enforced', async () => {
    using t = disposable(setUp());
    await t.heard(change(true));
    expect(t.happened).toEqual(['invalidate acme', 'enforce acme true']);
  });

  it('are left to the call that made them when they are this process’s own', async () => {
    using t = disposable(setUp());
    await t.heard(change(false));
    await t.heard({ kind: 'grant', id: 'grt_x', tenant: acme, elsewhere: true });
    expect(t.happened).toEqual(['invalidate acme']);
  });

  it('are looked at for every tenant in use after a gap', async () => {
    using t = disposable(setUp());
    t.gap();
    await new Promise(setImmediate);
    expect(t.happened).toEqual(['dropAll', 'enforce acme true', 'enforce globex true']);
  });

  it('that cannot be read stay in doubt and are tried again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let isAway = true;
      const tenantView = async () => {
        if (isAway) throw new Error('away');
        return viewOf(true);
      };
      using t = disposable(setUp({ views: { tenantView } }));
      await t.heard(change(true));
      expect(t.happened).toEqual(['invalidate acme']);
      isAway = false;
      await vi.advanceTimersByTimeAsync(1000);
      expect(t.happened).toEqual(['invalidate acme', 'enforce acme true']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are not forgotten when an earlier reading ends before theirs fails', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const readings: PromiseWithResolvers<TenantView>[] = [];
      const tenantView = () => {
        const next = Promise.withResolvers<TenantView>();
        readings.push(next);
        return next.promise;
      };
      using t = disposable(setUp({ views: { tenantView } }));
      await t.heard(change(true));
      await t.heard(change(true));
      readings[0]?.resolve(viewOf(false));
      await new Promise(setImmediate);
      readings[1]?.reject(new Error('away'));
      await vi.advanceTimersByTimeAsync(1000);
      readings[2]?.resolve(viewOf(true));
      await new Promise(setImmediate);
      expect(t.happened.filter((one) => one.startsWith('enforce'))).toEqual([
        'enforce acme false',
        'enforce acme true',
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});

async function refuse(): Promise<never> {
  throw new Error('refused');
}

describe('settings changed here', () => {
  it('are enforced after the commit and before the call returns, ended grants first', async () => {
    const ended = grant({ source: 'switch', revokedAt: 1 as never });
    const effective = settingsWith();
    const outcome: SettingsOutcome = {
      settings: { tenant: acme, revision: 3, vendor: {}, own: {}, effective },
      view: viewOf(false),
      changed: true,
      newWebhooks: [],
      revoked: [ended],
    };
    using t = disposable(setUp({ settings: { read: vi.fn(), change: async () => outcome } }));
    const patch = { part: 'vendor', values: { class: 'standard' } } as const;
    await t.authority.change({ tenant: acme, patch, expectedRevision: 2 }, admin);
    expect(t.happened).toEqual([
      'invalidate acme',
      `revoked ${ended.id}`,
      'enforce acme false',
      'settings.changed',
      'grant.revoked',
    ]);
  });

  it('leave everything as it was when the store refuses', async () => {
    using t = disposable(
      setUp({ settings: { read: vi.fn(), change: refuse }, accessSwitch: { set: refuse } }),
    );
    const patch = { part: 'own', values: { suspended: true } } as const;
    await expect(t.authority.change({ tenant: acme, patch, expectedRevision: 0 }, admin)).rejects.toThrow(
      'refused',
    );
    await expect(t.authority.switchAccess(acme, { open: true }, admin)).rejects.toThrow('refused');
    expect(t.happened).toEqual([]);
  });
});

function disposable<T extends ReturnType<typeof setUp>>(t: T): T & Disposable {
  return { ...t, [Symbol.dispose]: () => t.authority[Symbol.dispose]() };
}
