// One file, one connection, one transaction at a time: what every part of the store (grants, settings, requests, sessions,
// locks, notices) stands on. Guarantees: all that one `write` does is committed together or not at all, its listeners
// hear of it after the commit, and only when something changed; what left history is on the device when `write` returns.
// Synchronous underneath, so off the warm path.
import { randomUUID } from 'node:crypto';
import type { Clock, EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import { createIdSource, type IdPrefix } from '../record-id.ts';
import type { ChangedKind, ChangeSource } from '../store-change.ts';
import { createChangeFeed } from './change-feed.ts';
import { createCheckpointer } from './checkpointer.ts';
import { createSqliteConnection } from './connection.ts';
import { createLogSync } from './log-sync.ts';
import { prepareStatements, type Statements } from './statements.ts';

export interface StoreCoreDeps {
  /** Absolute. Made with its folder when it does not exist. */
  readonly path: string;
  readonly clock: Clock;
  /** How often changes of other processes are looked for; 250 by default. */
  readonly pollMs?: number;
  /** How long a call waits for another process's lock before it is STORE_UNAVAILABLE; 2,000 by default. */
  readonly busyDeadlineMs?: number;
}

/** One row of the common history; `document` is what the thing is after the change, `by` who did it. */
export interface ChangeRecord {
  readonly kind: ChangedKind;
  readonly id: string;
  readonly tenant: TenantId | null;
  /** `create`, `change`, `revoke`, `end`: a word of the kind's own. */
  readonly operation: string;
  readonly by: object | null;
  readonly document: object;
}

/** Handed to the work of one write; of no use after it. */
export interface Transaction {
  readonly statements: Statements;
  /** Read once: everything in one transaction happens at one instant. */
  readonly now: EpochMs;
  readonly nextId: (prefix: IdPrefix) => string;
  /** Writes the history and, after the commit, tells the listeners. */
  changed(change: ChangeRecord): void;
}

export interface StoreCore extends ChangeSource {
  readonly clock: Clock;
  /** Throws STORE_UNAVAILABLE; refusals thrown by `work` pass through. */
  read<T>(work: (statements: Statements) => T): Promise<T>;
  /**
   * The same inside one write transaction: committed when `work` returns, rolled back when it throws. STORE_UNAVAILABLE
   * also when what was committed could not be synced: it is in force then, and a loss of power may undo it.
   */
  write<T>(work: (tx: Transaction) => T): Promise<T>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

const ADD_CHANGE = `INSERT INTO changes (kind, id, tenant, operation, at, by, document, origin)
  VALUES (:kind, :id, :tenant, :operation, :at, :by, :document, :origin)`;

/** Opens the file on first use, so that a store that is away at the start comes back by itself. */
export function createStoreCore(deps: StoreCoreDeps): StoreCore {
  const { path, clock, pollMs = 250, busyDeadlineMs = 2000 } = deps;
  const origin = randomUUID();
  const ids = createIdSource();
  const connection = createSqliteConnection({ path, busyDeadlineMs, prepare: prepareStatements });
  const feed = createChangeFeed({ connection, origin, pollMs });
  const checkpointer = createCheckpointer({ path });
  const log = createLogSync(path);

  return {
    clock,
    read: (work) => connection.patiently((statements) => work(statements)),
    async write(work) {
      const made: { readonly seq: number; readonly change: ChangeRecord }[] = [];
      const result = await connection.transact((statements) => {
        made.length = 0;
        const now = clock.now();
        return work({
          statements,
          now,
          nextId: (prefix) => ids.next(prefix, now),
          changed(change) {
            const { by, document, ...columns } = change;
            const { lastInsertRowid } = statements.sql(ADD_CHANGE).run({
              ...columns,
              at: now,
              by: by === null ? null : JSON.stringify(by),
              document: JSON.stringify(document),
              origin,
            });
            made.push({ seq: Number(lastInsertRowid), change });
          },
        });
      });
      checkpointer.committed();
      for (const { seq, change } of made) feed.committed(seq, change);
      // Heard of at once, answered when no loss of power undoes it: a revoke that returned stays one. What leaves no
      // history (who was seen, what was leased) may be lost with the last moments before it.
      if (made.length > 0) log.committed();
      try {
        await log.synced();
      } catch (error) {
        // The caller hears of a failure and enforces nothing, yet it is in force: whoever follows the feed enforces it.
        for (const { change } of made) feed.leftAlone(change);
        throw error;
      }
      return result;
    },
    watch: (onChange, onGap) => feed.watch(onChange, onGap),
    async ping() {
      await connection.patiently(({ ping }) => ping.get(''));
    },
    async close() {
      feed.close();
      log.close();
      connection.close();
      await checkpointer.close();
    },
  };
}
