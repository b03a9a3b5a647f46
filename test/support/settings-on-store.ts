// A tenant's settings, its switch and what both come to, over one store: as the composition joins them.
import { createAccessSwitch } from '#grants/sqlite/access-switch.ts';
import type { GrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createSettingsStore } from '#grants/sqlite/settings-store.ts';
import type { StoreCore } from '#grants/sqlite/store-core.ts';
import { createTenantViews, createViewReader, type TenantViewDeps } from '#grants/sqlite/tenant-view.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import type { SettingsDefaults } from '#model/settings-layer.ts';

export interface SettingsOnStoreDeps {
  readonly writes: GrantWrites;
  readonly settingsOf: TenantViewDeps['settingsOf'];
  readonly defaults: SettingsDefaults;
}

export function settingsOnStore(core: StoreCore, { writes, settingsOf, defaults }: SettingsOnStoreDeps) {
  const sides = { settingsOf, standingGrants };
  const viewOf = createViewReader(sides);
  const rules = { defaults, dangerouslyAllowHttpWebhooks: false };
  return {
    settings: createSettingsStore(core, { rules, writes, viewOf }),
    accessSwitch: createAccessSwitch(core, { writes, viewOf }),
    views: createTenantViews(core, sides),
  };
}
