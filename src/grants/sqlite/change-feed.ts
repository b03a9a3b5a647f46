// Tells who is listening what was committed: by this store at once, by other processes on the same file within one
// poll. `PRAGMA data_version` costs microseconds and moves only when somebody else wrote; the rows of the history
// after the last one seen then say what. Whenever rows may have been missed, listeners hear of a gap instead.
import type { TenantId } from '#model/ids.ts';
import type { ChangedKind, StoreChange } from '../store-change.ts';
import type { SqliteConnection } from './connection.ts';
import type { Statements } from './statements.ts';

export interface ChangeFeedDeps {
  readonly connection: SqliteConnection<Statements>;
  /** What this store writes into its own rows, so that it knows them again. */
  readonly origin: string;
  readonly pollMs: number;
}

export interface ChangeFeed {
  watch(onChange: (change: StoreChange) => void, onGap: () => void): Disposable;
  /** After a commit of our own: `seq` is its row in the history. */
  committed(seq: number, change: Omit<StoreChange, 'elsewhere'>): void;
  /** It is committed, but its call fails and enforces nothing: told as if another process had done it. */
  leftAlone(change: Omit<StoreChange, 'elsewhere'>): void;
  close(): void;
}

interface Watcher {
  readonly onChange: (change: StoreChange) => void;
  readonly onGap: () => void;
}

interface ChangeRow {
  readonly seq: number;
  readonly kind: string;
  readonly id: string;
  readonly tenant: string | null;
  readonly origin: string;
}

const CHANGES_AFTER =
  'SELECT seq, kind, id, tenant, origin FROM changes WHERE seq > ? ORDER BY seq LIMIT 1000';
const LAST_SEQ = 'SELECT coalesce(max(seq), 0) AS seq FROM changes';

export function createChangeFeed({ connection, origin, pollMs }: ChangeFeedDeps): ChangeFeed {
  const watchers = new Set<Watcher>();
  let timer: NodeJS.Timeout | null = null;
  let position = unknownPosition();
  let ownSeq = 0;

  function start(): void {
    position = currentPosition(connection) ?? unknownPosition();
    timer = setInterval(poll, pollMs);
    timer.unref();
  }

  function stop(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
  }

  function poll(): void {
    const news = readNews(connection, position, ownSeq);
    if (news === 'unavailable') {
      position = unknownPosition();
    } else if (news === 'gap') {
      position = currentPosition(connection) ?? unknownPosition();
      for (const watcher of watchers) watcher.onGap();
    } else {
      position = news.position;
      for (const row of news.rows) {
        if (row.origin === origin) continue;
        const { kind, id, tenant } = row;
        announce({ kind: kind as ChangedKind, id, tenant: tenant as TenantId | null, elsewhere: true });
      }
    }
  }

  function announce(change: StoreChange): void {
    for (const watcher of watchers) watcher.onChange(change);
  }

  return {
    watch(onChange, onGap) {
      const watcher: Watcher = { onChange, onGap };
      if (watchers.size === 0) start();
      watchers.add(watcher);
      return {
        [Symbol.dispose]() {
          watchers.delete(watcher);
          if (watchers.size === 0) stop();
        },
      };
    },
    committed(seq, { kind, id, tenant }) {
      ownSeq = seq;
      announce({ kind, id, tenant, elsewhere: false });
    },
    leftAlone({ kind, id, tenant }) {
      announce({ kind, id, tenant, elsewhere: true });
    },
    close() {
      watchers.clear();
      stop();
    },
  };
}

interface Position {
  /** Of the connection; data versions of two connections cannot be compared. -1: nothing is known. */
  readonly generation: number;
  readonly dataVersion: number;
  readonly seq: number;
}

function unknownPosition(): Position {
  return { generation: -1, dataVersion: 0, seq: 0 };
}

function currentPosition(connection: SqliteConnection<Statements>): Position | null {
  try {
    return connection.use((statements) => ({
      generation: connection.generation,
      dataVersion: dataVersionOf(statements),
      seq: Number(statements.sql(LAST_SEQ).get()?.['seq'] ?? 0),
    }));
  } catch {
    return null;
  }
}

type News = 'unavailable' | 'gap' | { readonly position: Position; readonly rows: readonly ChangeRow[] };

function readNews(connection: SqliteConnection<Statements>, from: Position, ownSeq: number): News {
  try {
    return connection.use((statements): News => {
      if (connection.generation !== from.generation) return 'gap';
      const dataVersion = dataVersionOf(statements);
      if (dataVersion === from.dataVersion) {
        // Nobody else wrote, so every row up to our last one is ours and need not be read again.
        return { position: { ...from, seq: Math.max(from.seq, ownSeq) }, rows: [] };
      }
      const rows: ChangeRow[] = [];
      let seq = from.seq;
      for (;;) {
        const batch = statements.sql(CHANGES_AFTER).all(seq) as unknown as ChangeRow[];
        rows.push(...batch);
        const last = batch.at(-1);
        if (last === undefined) break;
        seq = last.seq;
      }
      return { position: { generation: from.generation, dataVersion, seq }, rows };
    });
  } catch {
    // The failure itself is reported by whoever needs the store; here it only means that rows may be missed.
    return 'unavailable';
  }
}

function dataVersionOf(statements: Statements): number {
  return Number(statements.dataVersion.get()?.['data_version'] ?? 0);
}
