// The embedded GrantStore: grants in the one SQLite file, WAL mode, shared by the processes of one machine. Each change
// runs the lifecycle rules and writes grant, history and notice in one transaction. Synchronous underneath, so off the
// warm path: the gateway reads through the cache. Writers of other processes are waited for without blocking the loop.
import { type EpochMs, NEVER } from '#model/clock.ts';
import { type Grant, grantCovers } from '#model/grant.ts';
import type { GrantId } from '#model/ids.ts';
import { assertGrantLimits, type GrantLimits } from '../grant-limits.ts';
import { grantNotice } from '../grant-notice.ts';
import type { GrantExpiryFeed, GrantQuery, GrantStore, Page } from '../grant-store.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { type GrantRow, grantOf } from './grant-rows.ts';
import type { ListShape } from './grant-statements.ts';
import { createGrantWrites, grantById, type GrantWrites } from './grant-writes.ts';
import { addNotice } from './notices.ts';
import type { Statements } from './statements.ts';
import { createStoreCore, type StoreCore, type StoreCoreDeps } from './store-core.ts';

export interface SqliteGrantStoreDeps extends StoreCoreDeps {
  /** What every tenant may ask for. */
  readonly limits: GrantLimits;
}

export interface SqliteGrantStore extends GrantStore, GrantExpiryFeed {}

const MAX_PAGE = 500;

/**
 * A file of its own, every tenant under the same limits. Opens it on first use; call `ping` to know at boot. Throws a
 * RangeError for limits that contradict themselves.
 */
export function createSqliteGrantStore({ limits, ...deps }: SqliteGrantStoreDeps): SqliteGrantStore {
  assertGrantLimits(limits);
  return grantStoreOn(
    createStoreCore(deps),
    createGrantWrites(() => limits),
  );
}

/** The grants of a store that keeps more than them. `close` closes the core. */
export function grantStoreOn(core: StoreCore, writes: GrantWrites): SqliteGrantStore {
  return {
    ...readsOf(core),
    create: (draft, by) => core.write((tx) => writes.create(tx, draft, by)),
    change: (id, patch, by) => core.write((tx) => writes.change(tx, id, patch, by)),
    revoke: (id, by) => core.write((tx) => writes.revoke(tx, id, by)),
    ...expiryOf(core),
    watch(onChange, onGap) {
      return core.watch(({ kind, id, tenant, elsewhere }) => {
        if (kind === 'grant' && tenant !== null) onChange({ tenant, grantId: id as GrantId, elsewhere });
      }, onGap);
    },
    ping: () => core.ping(),
    close: () => core.close(),
  };
}

function readsOf(core: StoreCore): Pick<GrantStore, 'activeFor' | 'countActive' | 'get' | 'list'> {
  const { clock } = core;
  return {
    async activeFor(tenant, signal) {
      signal?.throwIfAborted();
      const now = clock.now();
      return core.read(({ live }) =>
        Object.freeze((live.all(tenant, now) as unknown as GrantRow[]).map(grantOf)),
      );
    },
    countActive: () =>
      core.read(({ countActive }) => Number(countActive.get({ now: clock.now() })?.['count'])),
    get: (id) => core.read((statements) => grantById(statements, id)),
    async list(query) {
      return core.read(pageReader(query, clock.now()));
    },
  };
}

function expiryOf(core: StoreCore): GrantExpiryFeed {
  return {
    nextEnd: () =>
      core.read(({ nextEnd }) => {
        const row = nextEnd.get(NEVER) as { readonly ends_at: number | null };
        return row.ends_at as EpochMs | null;
      }),
    claimExpired: (limit) =>
      core.write((tx) => {
        const { expired, markExpired } = tx.statements;
        const grants = (expired.all(tx.now, limit) as unknown as GrantRow[]).map(grantOf);
        for (const grant of grants) {
          markExpired.run(grant.id);
          addNotice(tx, grantNotice('grant.ended', grant, null));
        }
        return grants;
      }),
  };
}

/** Checks the query before the store is touched. The SQL narrows by audience, `grantCovers` has the last word. */
function pageReader(query: GrantQuery, now: EpochMs): (statements: Statements) => Page<Grant> {
  const { tenant, covering, limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new RangeError('limit must be 1 to 500');
  if (tenant === null && covering === undefined)
    throw new RangeError('a query names a tenant or a principal');
  const before = decodeCursor(query.cursor);
  const values = {
    now,
    tenant,
    before_created_at: before.createdAt,
    before_id: before.id,
    limit: limit + 1,
    org: covering?.org ?? null,
    groups: JSON.stringify(covering?.groups ?? []),
    principal_id: covering?.id ?? null,
    principal_issuer: covering?.issuer ?? null,
  };
  const shape: ListShape = {
    byTenant: tenant !== null,
    status: query.status ?? 'any',
    covering: covering !== undefined,
  };
  return (statements) => {
    const rows = statements.list(shape).all(values) as unknown as GrantRow[];
    const grants = rows.slice(0, limit).map(grantOf);
    const last = grants.at(-1);
    return {
      items: covering === undefined ? grants : grants.filter((grant) => grantCovers(grant, covering)),
      nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null,
    };
  };
}
