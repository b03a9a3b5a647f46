// The settings contract against the embedded store, and what is its own: settings remembered by what they say, and a
// failure that leaves nothing open.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { grantStoreOn } from '#grants/sqlite/grant-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createSettingsSource, type SettingsSource } from '#grants/sqlite/settings-source.ts';
import { createStoreCore, type StoreCore } from '#grants/sqlite/store-core.ts';
import type { StoreChange } from '#grants/store-change.ts';
import type { SettingsDefaults } from '#model/settings-layer.ts';
import { acme, admin, bareService, clockAtStart, temporaryFolder } from '../support/grants-fixtures.ts';
import { settingsOnStore } from '../support/settings-on-store.ts';
import { settingsStoreContract, type SettingsStoreUnderTest, TEST_DEFAULTS } from './settings-store.ts';

type Opened = SettingsStoreUnderTest & {
  readonly path: string;
  readonly core: StoreCore;
  readonly settingsOf: SettingsSource;
};

async function open(defaults: SettingsDefaults): Promise<Opened> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'g.db');
  const clock = clockAtStart();
  const core = createStoreCore({ path, clock });
  const settingsOf = createSettingsSource(defaults);
  const writes = createGrantWrites(settingsOf);
  const changes: StoreChange[] = [];
  const watching = core.watch(
    (one) => void changes.push(one),
    () => undefined,
  );
  return {
    path,
    core,
    settingsOf,
    clock,
    changes,
    ...settingsOnStore(core, { writes, settingsOf, defaults }),
    grants: grantStoreOn(core, writes, settingsOf),
    history() {
      using db = new DatabaseSync(path);
      return JSON.stringify(db.prepare('SELECT document, by FROM changes').all());
    },
    async [Symbol.asyncDispose]() {
      watching[Symbol.dispose]();
      await core.close();
      folder[Symbol.dispose]();
    },
  };
}

settingsStoreContract(open);

it('means by a revision what its document says, though a rolled back change had the same number', async () => {
  await using t = await open(TEST_DEFAULTS);
  const write = 'INSERT INTO tenant_settings (tenant, revision, changed_at, document) VALUES (?, 1, 0, ?)';
  await expect(
    t.core.write((tx) => {
      tx.statements.sql(write).run(acme, JSON.stringify({ vendor: { approvals: 2 }, own: {} }));
      expect(t.settingsOf(tx.statements, acme).approvals).toBe(2);
      throw new TypeError('rolled back');
    }),
  ).rejects.toThrow('rolled back');
  expect((await t.views.tenantView(acme)).settings.approvals).toBe(1);
  const patch = { part: 'vendor', values: { approvals: 3 } } as const;
  await t.settings.change({ tenant: acme, patch, expectedRevision: 0 }, bareService);
  expect((await t.views.tenantView(acme)).settings.approvals).toBe(3);
});

it('answers STORE_UNAVAILABLE for settings that cannot be read, and goes on with the next call', async () => {
  await using t = await open(TEST_DEFAULTS);
  await t.settings.change(
    { tenant: acme, patch: { part: 'own', values: { suspended: true } }, expectedRevision: 0 },
    admin,
  );
  const other = new DatabaseSync(t.path);
  const document = 'UPDATE tenant_settings SET document = substr(document, 1, 5)';
  const kept = other.prepare('SELECT document FROM tenant_settings').get()?.['document'] as string;
  other.exec(document);
  await expect(t.views.tenantView(acme)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect(t.settings.read(acme)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  other.prepare('UPDATE tenant_settings SET document = ?').run(kept);
  other.close();
  expect((await t.views.tenantView(acme)).settings.suspended).toBe(true);
});
