// The embedded GrantStore: grants in the one SQLite file, WAL mode, shared by the processes of one machine. Each change
// runs the lifecycle rules and writes grant, history and notice in one transaction. Synchronous underneath, so off the
// warm path: the gateway reads through the cache. Writers of other processes are waited for without blocking the loop.
import { type EpochMs, NEVER } from '#model/clock.ts';
import { type Actor, type Grant, grantCovers } from '#model/grant.ts';
import type { GrantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { grantNotice } from '../grant-notice.ts';
import type { GrantExpiryFeed, GrantQuery, GrantRevision, GrantStore, Page } from '../grant-store.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { frozen, type GrantRow, grantOf } from './grant-rows.ts';
import type { ListShape } from './grant-statements.ts';
import { createGrantWrites, grantById, type GrantWrites } from './grant-writes.ts';
import { addNotice } from './notices.ts';
import type { SettingsSource } from './settings-source.ts';
import type { Statements } from './statements.ts';
import { createStoreCore, type StoreCore, type StoreCoreDeps } from './store-core.ts';

export interface SqliteGrantStoreDeps extends StoreCoreDeps {
  /** What is settled for each tenant. */
  readonly settings: SettingsSource;
}

export interface SqliteGrantStore extends GrantStore, GrantExpiryFeed {}

const MAX_PAGE = 500;

/** A file of its own, for grants alone. Opens it on first use; call `ping` to know at boot. */
export function createSqliteGrantStore({ settings, ...deps }: SqliteGrantStoreDeps): SqliteGrantStore {
  return grantStoreOn(createStoreCore(deps), createGrantWrites(settings), settings);
}

/** The grants of a store that keeps more than them. `close` closes the core. */
export function grantStoreOn(
  core: StoreCore,
  writes: GrantWrites,
  settingsOf: SettingsSource,
): SqliteGrantStore {
  return {
    ...readsOf(core, settingsOf),
    create: (draft, by) => core.write((tx) => writes.create(tx, draft, by)),
    change: (id, patch, by) => core.write((tx) => writes.change(tx, id, patch, by)),
    revoke: (id, by) => core.write((tx) => writes.revoke(tx, id, by)),
    verify: (id, lead, expectedRevision) =>
      core.write((tx) => writes.verify(tx, { id, lead, expectedRevision })),
    ...expiryOf(core),
    ...endingOf(core),
    watch(onChange, onGap) {
      return core.watch(({ kind, id, tenant, elsewhere }) => {
        if (kind === 'grant' && tenant !== null) onChange({ tenant, grantId: id as GrantId, elsewhere });
      }, onGap);
    },
    ping: () => core.ping(),
    close: () => core.close(),
  };
}

type Reads = Pick<GrantStore, 'activeFor' | 'countActive' | 'get' | 'list' | 'revisions'>;

function readsOf(core: StoreCore, settingsOf: SettingsSource): Reads {
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
      return core.read(pageReader(query, settingsOf, clock.now()));
    },
    async revisions(id, limit, cursor) {
      return core.read(revisionReader(id, limit, cursor));
    },
  };
}

function expiryOf(core: StoreCore): Pick<GrantExpiryFeed, 'nextEnd' | 'claimExpired'> {
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

/** Said ahead only of what was given for longer than two days. The same words as the index `grants_near_end`. */
const NEAR_END = 'revoked_at IS NULL AND ending_claimed = 0 AND ends_at - starts_at > 172800000';
const NEXT_ENDING = `SELECT ends_at FROM grants WHERE ${NEAR_END} AND ends_at > :now AND ends_at < :never
  ORDER BY ends_at LIMIT 1`;
const ENDING = `SELECT * FROM grants WHERE ${NEAR_END} AND ends_at > :now AND ends_at <= :until
  ORDER BY ends_at LIMIT :limit`;
const MARK_ENDING = 'UPDATE grants SET ending_claimed = 1 WHERE id = :id';

function endingOf(core: StoreCore): Pick<GrantExpiryFeed, 'nextEnding' | 'claimEnding'> {
  return {
    nextEnding: (withinMs) =>
      core.read((statements) => {
        const row = statements.sql(NEXT_ENDING).get({ now: core.clock.now(), never: NEVER });
        return row === undefined ? null : ((Number(row['ends_at']) - withinMs) as EpochMs);
      }),
    claimEnding: (withinMs, limit) =>
      core.write((tx) => {
        const { statements, now } = tx;
        const rows = statements.sql(ENDING).all({ now, until: now + withinMs, limit });
        const grants = (rows as unknown as GrantRow[]).map(grantOf);
        for (const grant of grants) {
          statements.sql(MARK_ENDING).run({ id: grant.id });
          addNotice(tx, grantNotice('grant.ending', grant, null));
        }
        return grants;
      }),
  };
}

/** Checks the query before the store is touched. The SQL narrows by audience, `grantCovers` has the last word. */
function pageReader(
  query: GrantQuery,
  settingsOf: SettingsSource,
  now: EpochMs,
): (statements: Statements) => Page<Grant> {
  const { tenant, covering, actAs, limit, status } = query;
  checkLimit(limit);
  if (tenant === null && covering === undefined && status !== 'pending')
    throw new RangeError('a query names a tenant or a principal');
  const before = decodeCursor(query.cursor);
  const values = {
    now,
    tenant,
    act_as: actAs ?? null,
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
    status: status ?? 'any',
    covering: covering !== undefined,
    asUser: actAs !== undefined,
  };
  return (statements) => {
    const rows = statements.list(shape).all(values) as unknown as GrantRow[];
    const grants = rows.slice(0, limit).map(grantOf);
    const last = grants.at(-1);
    return {
      items: covering === undefined ? grants : grants.filter((grant) => isFor(grant, covering)),
      nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null,
    };

    function isFor(grant: Grant, principal: Principal): boolean {
      const { excludedOrgs } = settingsOf(statements, grant.tenant);
      return grantCovers(grant, principal) && !excludedOrgs.includes(principal.org);
    }
  };
}

const REVISIONS = `SELECT seq, operation, at, by, document FROM changes
  WHERE kind = 'grant' AND id = :id AND seq < :before ORDER BY seq DESC LIMIT :limit`;

/** Its cursor holds the place in the history where one of a page holds an instant. */
function revisionReader(
  id: GrantId,
  limit: number,
  cursor: string | null,
): (statements: Statements) => Page<GrantRevision> {
  checkLimit(limit);
  const { createdAt: before } = decodeCursor(cursor);
  return (statements) => {
    const rows = statements.sql(REVISIONS).all({ id, before, limit: limit + 1 });
    const items = rows.slice(0, limit).map(revisionOf);
    const last = rows[limit - 1];
    const more = rows.length > limit && last !== undefined;
    return {
      items,
      nextCursor: more ? encodeCursor({ createdAt: Number(last['seq']) as EpochMs, id }) : null,
    };
  };
}

function revisionOf(row: Record<string, unknown>): GrantRevision {
  const by = row['by'] as string | null;
  return frozen({
    operation: String(row['operation']),
    at: Number(row['at']) as EpochMs,
    by: by === null ? null : (JSON.parse(by) as Actor),
    grant: JSON.parse(String(row['document'])) as Grant,
  });
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new RangeError('limit must be 1 to 500');
}
