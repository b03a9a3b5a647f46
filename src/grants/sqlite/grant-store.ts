// The embedded GrantStore: one SQLite file in WAL mode, shared by the processes of one machine. Each change runs
// the lifecycle rules and writes grant and history in one transaction. Synchronous underneath, so off the warm
// path: the gateway reads through the cache. Writers of other processes are waited for without blocking the loop.
import { randomUUID } from 'node:crypto';
import { type Clock, type EpochMs, NEVER } from '#model/clock.ts';
import { type Actor, type Grant, grantCovers } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import { createGrantIdSource } from '../grant-id.ts';
import { assertGrantLimits, type GrantLimits } from '../grant-limits.ts';
import type { GrantExpiryFeed, GrantQuery, GrantStore, Page } from '../grant-store.ts';
import { changedGrant, createdGrant, revokedGrant } from '../lifecycle.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { type ChangeFeed, createChangeFeed } from './change-feed.ts';
import { createSqliteConnection, type SqliteConnection } from './connection.ts';
import { type GrantRow, grantOf, rowOf } from './grant-rows.ts';
import { type GrantStatements, type ListShape, prepareGrantStatements } from './grant-statements.ts';

export interface SqliteGrantStoreDeps {
  /** Absolute. Made with its folder when it does not exist. */
  readonly path: string;
  readonly clock: Clock;
  readonly limits: GrantLimits;
  /** How often changes of other processes are looked for; 250 by default. */
  readonly pollMs?: number;
  /** How long a call waits for another process's lock before it is STORE_UNAVAILABLE; 2,000 by default. */
  readonly busyDeadlineMs?: number;
}

export interface SqliteGrantStore extends GrantStore, GrantExpiryFeed {}

const MAX_PAGE = 500;
type Operation = 'create' | 'change' | 'revoke';

/**
 * Opens the file on first use, so that a store that is away at the start comes back by itself; call `ping` to
 * know at boot. Throws a RangeError for limits that contradict themselves.
 */
export function createSqliteGrantStore(deps: SqliteGrantStoreDeps): SqliteGrantStore {
  assertGrantLimits(deps.limits);
  const origin = randomUUID();
  const connection = createSqliteConnection({
    path: deps.path,
    busyDeadlineMs: deps.busyDeadlineMs ?? 2000,
    prepare: prepareGrantStatements,
  });
  const feed = createChangeFeed({ connection, origin, pollMs: deps.pollMs ?? 250 });
  return {
    ...readsOf(connection, deps.clock),
    ...writesOf({ connection, feed, origin, clock: deps.clock, limits: deps.limits }),
    ...expiryOf(connection, deps.clock),
    watch: (onChange, onGap) => feed.watch(onChange, onGap),
    async ping() {
      await connection.patiently(({ ping }) => ping.get(''));
    },
    async close() {
      feed.close();
      connection.close();
    },
  };
}

type Connection = SqliteConnection<GrantStatements>;

function readsOf(
  connection: Connection,
  clock: Clock,
): Pick<GrantStore, 'activeFor' | 'countActive' | 'get' | 'list'> {
  return {
    async activeFor(tenant, signal) {
      signal?.throwIfAborted();
      const now = clock.now();
      return connection.patiently(({ live }) =>
        Object.freeze((live.all(tenant, now) as unknown as GrantRow[]).map(grantOf)),
      );
    },
    countActive: () =>
      connection.patiently(({ countActive }) => Number(countActive.get({ now: clock.now() })?.['count'])),
    get: (id) =>
      connection.patiently((statements) => {
        const row = rowById(statements, id);
        return row === undefined ? null : grantOf(row);
      }),
    async list(query) {
      return connection.patiently(pageReader(query, clock.now()));
    },
  };
}

interface WriterDeps {
  readonly connection: Connection;
  readonly feed: ChangeFeed;
  readonly origin: string;
  readonly clock: Clock;
  readonly limits: GrantLimits;
}

function writesOf(deps: WriterDeps): Pick<GrantStore, 'create' | 'change' | 'revoke'> {
  const { connection, feed, origin, clock, limits } = deps;
  const ids = createGrantIdSource();

  /** Rule and rows in one transaction; the watchers hear of it after the commit, and only when something changed. */
  async function write(
    operation: Operation,
    by: Actor,
    rule: (statements: GrantStatements, now: EpochMs) => Rule,
  ): Promise<Grant> {
    const { grant, seq } = await connection.transact((statements) => {
      const at = clock.now();
      return record(statements, rule(statements, at), { operation, at, by, origin });
    });
    if (seq !== null) feed.committed(seq, grant.tenant, grant.id);
    return grant;
  }

  return {
    create: (draft, by) =>
      write('create', by, (_statements, now) => ({
        before: null,
        after: createdGrant(ids.next(now), draft, { now, limits, by }),
      })),
    change: (id, patch, by) =>
      write('change', by, (statements, now) => {
        const before = existing(statements, id);
        return { before, after: changedGrant(before, patch, { now, limits, by }) };
      }),
    revoke: (id, by) =>
      write('revoke', by, (statements, now) => {
        const before = existing(statements, id);
        return { before, after: revokedGrant(before, { now, by }) };
      }),
  };
}

function expiryOf(connection: Connection, clock: Clock): GrantExpiryFeed {
  return {
    nextEnd: () =>
      connection.patiently(({ nextEnd }) => {
        const row = nextEnd.get(NEVER) as { readonly ends_at: number | null };
        return row.ends_at as EpochMs | null;
      }),
    claimExpired: (limit) =>
      connection.transact(({ expired, markExpired }) => {
        const grants = (expired.all(clock.now(), limit) as unknown as GrantRow[]).map(grantOf);
        for (const grant of grants) markExpired.run(grant.id);
        return grants;
      }),
  };
}

interface Rule {
  readonly before: Grant | null;
  readonly after: Grant;
}

interface Stamp {
  readonly operation: Operation;
  readonly at: EpochMs;
  readonly by: Actor;
  readonly origin: string;
}

/** Writes grant and history, when anything changed. `seq` is the row in the history, null without one. */
function record(
  statements: GrantStatements,
  { before, after }: Rule,
  { operation, at, by, origin }: Stamp,
): { readonly grant: Grant; readonly seq: number | null } {
  if (after === before) return { grant: after, seq: null };
  (before === null ? statements.insert : statements.update).run(rowOf(after));
  const { lastInsertRowid } = statements.addRevision.run({
    grant_id: after.id,
    tenant: after.tenant,
    revision: after.revision,
    operation,
    at,
    by: JSON.stringify(by),
    document: JSON.stringify(after),
    origin,
  });
  // Read back rather than handed through: the caller gets what is stored, frozen, and nothing of its own.
  return { grant: existing(statements, after.id), seq: Number(lastInsertRowid) };
}

function rowById({ byId }: GrantStatements, id: GrantId): GrantRow | undefined {
  return byId.get(id) as unknown as GrantRow | undefined;
}

function existing(statements: GrantStatements, id: GrantId): Grant {
  const row = rowById(statements, id);
  if (row === undefined)
    throw new GrantRefusal('grant_unknown', 'Name a grant by the id it was created with.');
  return grantOf(row);
}

/** Checks the query before the store is touched. The SQL narrows by audience, `grantCovers` has the last word. */
function pageReader(query: GrantQuery, now: EpochMs): (statements: GrantStatements) => Page<Grant> {
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
