// The subjects' store over SQLite. Guarantees: one live subject per person, however many processes ask; after an
// erasure neither the key nor a field is in any file of the store; a key that another process destroyed is not used
// again. Warm: asked once per person, place and segment, a cached answer costs two system calls.
import { PosternError } from '#model/fault.ts';
import type { LifecycleEvent } from '../journal.ts';
import { openSubjectDatabase, type SubjectDatabase } from './subject-database.ts';
import { eraseRow, outboxOf, postEvent } from './subject-erasure.ts';
import { lookupHash } from './subject-fields.ts';
import { type Known, knownFrom, type Row, rowOf, shown, tupleOf, written } from './subject-rows.ts';
import type { Person, Subject, SubjectRow, SubjectStore } from './subject-store.ts';
import { numberOf } from './subject-tables.ts';

export interface SubjectStoreOptions {
  /** The audit directory: the file is `subjects.db` in it. */
  readonly directory: string;
  /** Default false. Without a file everything is as if nobody had ever been seen. */
  readonly readOnly?: boolean;
  /** As of the journal: `disk` survives a power failure. Default `os`. */
  readonly durability?: 'os' | 'disk';
  /** Epoch milliseconds; of tests. */
  readonly now?: () => number;
}

export interface OpenSubjectStore extends SubjectStore {
  /** Whether the file was made by this opening: what older segments say of people can then no longer be read. */
  readonly created: boolean;
  /** `by` is who asked, for the event. */
  erase(subjectId: string, nowMs: number, by?: LifecycleEvent['actor']): SubjectRow | null;
  /**
   * Removes whoever was last seen before the oldest segment that is kept began (epoch milliseconds): nothing refers
   * to them any more. How many.
   */
  expire(oldestSegmentMs: number): number;
}

const MAX_CACHED = 10_000;
/** How exact `last_seen_at` is: no more than one write per person and hour. */
const SEEN_EVERY_MS = 3_600_000;
/** Whoever was seen since may still be referred to, whatever a clock that jumped says of segments. */
const IN_USE_MS = 2 * 86_400_000;
/** Each waits for the busy timeout of the connection. */
const CLEAR_ATTEMPTS = 2;
const DAY_LENGTH = '2026-01-31'.length;

/** Opens the file at once, unless it is only read. Throws AUDIT_UNAVAILABLE. */
export function openSubjectStore(options: SubjectStoreOptions): OpenSubjectStore {
  const { directory, readOnly = false, durability = 'os', now = Date.now } = options;
  const database = openSubjectDatabase({ directory, readOnly, durability });
  const cache = createCache(database);
  if (!readOnly) cache.version();

  return {
    get created() {
      return database.created;
    },
    of: (person) => subjectOf(person, { database, cache, now }),
    anonymous: (dayStartMs) => subjectOf(anybody(dayStartMs), { database, cache, now }),
    keyOf(subjectId) {
      cache.version();
      const cached = cache.keys.get(subjectId);
      if (cached !== undefined) return cached;
      const row = database.use(({ key }) => key.get(subjectId) as Pick<Row, 'key'> | undefined);
      const bytes = row?.key ?? null;
      const key = bytes === null ? null : Buffer.from(bytes);
      bounded(cache.keys).set(subjectId, key);
      return key;
    },
    find(text) {
      const rows = database.use(({ matching, pepper }) => {
        const email = lookupHash(pepper, 'email', text.toLowerCase());
        return matching.all(text, lookupHash(pepper, 'id', text), email) as unknown as Row[];
      });
      return rows === null ? [] : rows.map(shown);
    },
    erase(subjectId, nowMs, by = null) {
      const row = database.transact((statements) => eraseRow(statements, { subjectId, nowMs, by }));
      cache.forget();
      if (row !== null) clearLog(database);
      return row;
    },
    expire(oldestSegmentMs) {
      const before = Math.min(oldestSegmentMs, now() - IN_USE_MS) - SEEN_EVERY_MS;
      const removed = database.transact(({ expire, expireKeys }) => {
        expireKeys.run(before);
        return Number(expire.run(before).changes);
      });
      if (removed > 0) {
        cache.forget();
        // Once: whoever holds it up leaves the rest to the next time.
        database.use(({ clearLog: clear }) => clear.get());
      }
      return removed;
    },
    post: (event) => database.transact((statements) => postEvent(statements, event, now())),
    outbox: (limit) => database.use((statements) => outboxOf(statements, limit)) ?? [],
    taken(ids) {
      if (ids.length === 0) return;
      database.transact(({ taken }) => {
        for (const id of ids) taken.run(id);
      });
    },
    version: () => cache.version(),
    close: () => database.close(),
  };
}

interface Cache {
  /** By kind, issuer and id, as a JSON tuple. */
  readonly people: Map<string, Known>;
  readonly keys: Map<string, Buffer | null>;
  /** Forgets everything when another connection changed the store. Counts how often that was. */
  version(): number;
  forget(): void;
}

/** `PRAGMA data_version` costs microseconds and moves only when another connection wrote. */
function createCache(database: SubjectDatabase): Cache {
  const people = new Map<string, Known>();
  const keys = new Map<string, Buffer | null>();
  let seen = '';
  let version = 0;

  function forget(): void {
    people.clear();
    keys.clear();
  }

  return {
    people,
    keys,
    forget,
    version() {
      const data = database.use(({ dataVersion }) => numberOf(dataVersion.get(), 'data_version'));
      const now = `${database.generation} ${data}`;
      if (now === seen) return version;
      seen = now;
      version += 1;
      forget();
      return version;
    },
  };
}

function bounded<V>(map: Map<string, V>): Map<string, V> {
  if (map.size >= MAX_CACHED) map.clear();
  return map;
}

interface Lookup {
  readonly database: SubjectDatabase;
  readonly cache: Cache;
  readonly now: () => number;
}

function subjectOf(person: Person, { database, cache, now }: Lookup): Subject {
  cache.version();
  const tuple = tupleOf(person);
  const at = now();
  const cached = cache.people.get(tuple);
  if (cached !== undefined && isCurrent(cached, person, at)) return cached.subject;
  const row = database.use((statements) => rowOf(statements, tuple));
  const stored = row === null ? null : knownFrom(row);
  const known =
    stored !== null && isCurrent(stored, person, at)
      ? stored
      : database.transact((statements) => written(statements, { person, tuple, at }));
  bounded(cache.people).set(tuple, known);
  return known.subject;
}

function isCurrent(known: Known, person: Person, at: number): boolean {
  return known.email === person.email && known.name === person.name && at - known.seenAt < SEEN_EVERY_MS;
}

function anybody(dayStartMs: number): Person {
  const day = new Date(dayStartMs).toISOString().slice(0, DAY_LENGTH);
  return { kind: 'anonymous', id: day, issuer: '', org: null, email: null, name: null };
}

/**
 * The write-ahead log still holds the pages as they were before; truncated, nothing does. A reader in the middle of
 * a page holds that up: the erasure stands, and asking again clears the rest.
 */
function clearLog(database: SubjectDatabase): void {
  for (let attempt = 0; attempt < CLEAR_ATTEMPTS; attempt += 1) {
    const busy = database.use((statements) => numberOf(statements.clearLog.get(), 'busy'));
    if (busy === 0) return;
  }
  throw new PosternError(
    'AUDIT_UNAVAILABLE',
    'erased, but a reader holds the log of the subjects’ store: ask again',
  );
}
