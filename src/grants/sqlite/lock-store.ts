// The embedded LockStore: locks as documents in the one SQLite file. Each change runs the rules and writes lock, history
// and notice in one transaction; what comes out is frozen. Cold: requests ask the lock board.
import { NEVER } from '#model/clock.ts';
import type { EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { Lock } from '#model/lock.ts';
import type { Page } from '../grant-store.ts';
import { liftedLock, lockNotice, setLock, tenantOfLock } from '../locks/lock-rules.ts';
import type { LockQuery, LockStore } from '../locks/lock-store.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { frozen } from './grant-rows.ts';
import { addNotice } from './notices.ts';
import type { Statements } from './statements.ts';
import type { StoreCore, Transaction } from './store-core.ts';

const MAX_PAGE = 500;

const ADD = `INSERT INTO locks (id, created_at, ends_at, lifted_at, document)
  VALUES (:id, :createdAt, :endsAt, NULL, :document)`;
const LIFT = 'UPDATE locks SET lifted_at = :liftedAt, document = :document WHERE id = :id';
const BY_ID = 'SELECT document FROM locks WHERE id = ?';
const HELD = 'SELECT document FROM locks WHERE lifted_at IS NULL AND ends_at > ?';
const BEFORE = `(created_at, id) < (:createdAt, :id) ORDER BY created_at DESC, id DESC LIMIT :limit`;
const PAGE = {
  all: `SELECT document FROM locks WHERE ${BEFORE}`,
  held: `SELECT document FROM locks WHERE lifted_at IS NULL AND ends_at > :now AND ${BEFORE}`,
} as const;

interface LockRow {
  readonly document: string;
}

export function createLockStore(core: StoreCore): LockStore {
  const { clock } = core;
  return {
    set: (draft, by) =>
      core.write((tx) => {
        const lock = setLock(tx.nextId('lck'), draft, { now: tx.now, by });
        const { id, createdAt, endsAt } = lock;
        const document = JSON.stringify(lock);
        tx.statements.sql(ADD).run({ id, createdAt, endsAt: endsAt ?? NEVER, document });
        return record(tx, lock, 'set');
      }),
    lift: (id, by) =>
      core.write((tx) => {
        const before = lockById(tx.statements, id);
        if (before === null) {
          throw new GrantRefusal('lock_unknown', 'Name a lock by the id it was set with.');
        }
        const held = heldLocks(tx.statements, tx.now);
        const lock = liftedLock(before, { now: tx.now, by, held });
        if (lock === before) return before;
        const { liftedAt } = lock;
        tx.statements.sql(LIFT).run({ id, liftedAt, document: JSON.stringify(lock) });
        return record(tx, lock, 'lift');
      }),
    get: (id) => core.read((statements) => lockById(statements, id)),
    async list(query) {
      return core.read(pageReader(query, clock.now()));
    },
    held: () => core.read((statements) => heldLocks(statements, clock.now())),
    watch: (onChange, onGap) =>
      core.watch(({ kind }) => {
        if (kind === 'lock') onChange();
      }, onGap),
  };
}

/** Every lock that holds at `now`: for rules that run in a transaction of their own. Frozen. */
export function heldLocks(statements: Statements, now: EpochMs): readonly Lock[] {
  return Object.freeze((statements.sql(HELD).all(now) as unknown as LockRow[]).map(lockOf));
}

/** Writes the history and the notice; hands out what is stored. */
function record(tx: Transaction, lock: Lock, operation: 'set' | 'lift'): Lock {
  const by = operation === 'set' ? lock.createdBy : lock.liftedBy;
  tx.changed({ kind: 'lock', id: lock.id, tenant: tenantOfLock(lock), operation, by, document: lock });
  if (by !== null) addNotice(tx, lockNotice(operation === 'set' ? 'lock.set' : 'lock.lifted', lock, by));
  return lockById(tx.statements, lock.id) as Lock;
}

function lockById(statements: Statements, id: string): Lock | null {
  const row = statements.sql(BY_ID).get(id) as unknown as LockRow | undefined;
  return row === undefined ? null : lockOf(row);
}

function lockOf({ document }: LockRow): Lock {
  return frozen(JSON.parse(document) as Lock);
}

/** Checks the query before the store is touched. */
function pageReader(query: LockQuery, now: EpochMs): (statements: Statements) => Page<Lock> {
  const { status, limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new RangeError('limit must be 1 to 500');
  const { createdAt, id } = decodeCursor(query.cursor, 'lck');
  return (statements) => {
    const values = { now, createdAt, id, limit: limit + 1 };
    const rows = statements.sql(PAGE[status]).all(values) as unknown as LockRow[];
    const items = rows.slice(0, limit).map(lockOf);
    const last = items.at(-1);
    return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null };
  };
}
