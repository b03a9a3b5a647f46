// Tells who is listening what was committed: by this store at once, by other processes on the same file within one
// poll. `PRAGMA data_version` costs microseconds and moves only when somebody else wrote; the rows of the history
// after the last one seen then say what. Whenever rows may have been missed, listeners hear of a gap instead.
import type { GrantId, TenantId } from '#model/ids.ts';
import type { GrantChange } from '../grant-store.ts';
import type { SqliteConnection } from './connection.ts';
import type { GrantStatements } from './grant-statements.ts';

export interface ChangeFeedDeps {
  readonly connection: SqliteConnection<GrantStatements>;
  /** What this store writes into its own rows, so that it knows them again. */
  readonly origin: string;
  readonly pollMs: number;
}

export interface ChangeFeed {
  watch(onChange: (change: GrantChange) => void, onGap: () => void): Disposable;
  /** After a commit of our own: `seq` is its row in the history. */
  committed(seq: number, tenant: TenantId, grantId: GrantId): void;
  close(): void;
}

interface Watcher {
  readonly onChange: (change: GrantChange) => void;
  readonly onGap: () => void;
}

interface RevisionRow {
  readonly seq: number;
  readonly grant_id: string;
  readonly tenant: string;
  readonly origin: string;
}

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
      for (const row of news.rows)
        if (row.origin !== origin) announce(row.tenant as TenantId, row.grant_id as GrantId, true);
    }
  }

  function announce(tenant: TenantId, grantId: GrantId, elsewhere: boolean): void {
    const change: GrantChange = { tenant, grantId, elsewhere };
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
    committed(seq, tenant, grantId) {
      ownSeq = seq;
      announce(tenant, grantId, false);
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

function currentPosition(connection: SqliteConnection<GrantStatements>): Position | null {
  try {
    return connection.use((statements) => ({
      generation: connection.generation,
      dataVersion: dataVersionOf(statements),
      seq: Number(statements.lastSeq.get()?.['seq'] ?? 0),
    }));
  } catch {
    return null;
  }
}

type News = 'unavailable' | 'gap' | { readonly position: Position; readonly rows: readonly RevisionRow[] };

function readNews(connection: SqliteConnection<GrantStatements>, from: Position, ownSeq: number): News {
  try {
    return connection.use((statements): News => {
      if (connection.generation !== from.generation) return 'gap';
      const dataVersion = dataVersionOf(statements);
      if (dataVersion === from.dataVersion) {
        // Nobody else wrote, so every row up to our last one is ours and need not be read again.
        return { position: { ...from, seq: Math.max(from.seq, ownSeq) }, rows: [] };
      }
      const rows: RevisionRow[] = [];
      let seq = from.seq;
      for (;;) {
        const batch = statements.revisionsAfter.all(seq) as unknown as RevisionRow[];
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

function dataVersionOf(statements: GrantStatements): number {
  return Number(statements.dataVersion.get()?.['data_version'] ?? 0);
}
