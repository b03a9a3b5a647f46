// The embedded store's view of a tenant: grants, settings and what stands, from one read of one state of the file. Off
// the warm path, as every read of the store: the gate asks its cache.
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import type { StandingGrants, TenantViews } from '../tenant-view.ts';
import { type GrantRow, grantOf } from './grant-rows.ts';
import type { SettingsSource } from './settings-source.ts';
import type { Statements } from './statements.ts';
import type { StoreCore } from './store-core.ts';

export interface TenantViewDeps {
  readonly settingsOf: SettingsSource;
  readonly standingGrants: StandingGrants;
}

/** Inside of any read or write of the store. */
export type ViewReader = (statements: Statements, tenant: TenantId, now: EpochMs) => TenantView;

export function createViewReader({ settingsOf, standingGrants }: TenantViewDeps): ViewReader {
  return (statements, tenant, now) => {
    const settings = settingsOf(statements, tenant);
    const rows = statements.live.all(tenant, now) as unknown as GrantRow[];
    return Object.freeze({
      grants: Object.freeze(rows.map(grantOf)),
      settings,
      standing: Object.freeze(standingGrants(tenant, settings, now)),
    });
  };
}

export function createTenantViews(core: StoreCore, deps: TenantViewDeps): TenantViews {
  const viewOf = createViewReader(deps);
  return {
    async tenantView(tenant, signal) {
      signal?.throwIfAborted();
      const now = core.clock.now();
      // One transaction, or another process could commit between the two statements.
      return core.read((statements) => inOneState(statements, () => viewOf(statements, tenant, now)));
    },
  };
}

/** SQLite keeps one state of the file for as long as a transaction is open, a reading one too. */
function inOneState<T>(statements: Statements, read: () => T): T {
  statements.sql('BEGIN').run();
  let result: T;
  try {
    result = read();
  } catch (error) {
    endQuietly(statements);
    throw error;
  }
  statements.sql('COMMIT').run();
  return result;
}

/** The first error says what went wrong; SQLite may have ended the transaction by itself. */
function endQuietly(statements: Statements): void {
  try {
    statements.sql('ROLLBACK').run();
  } catch {
    // Nothing was open any more.
  }
}
