// Writes what the block builder gathered into an index, in one transaction with the place it was read up to: after a
// crash the index is as it was at that place, and goes on there without a line counted twice or left out.
// Errors are those of SQLite; nothing of a failed transaction stays. Warm: at most once a second.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Block, Cell, Tenant } from './block.ts';
import type { BuilderStart } from './block-builder.ts';
import type { GrantLine } from '../journal-lines.ts';
import type { Pending, Turned } from './pending.ts';
import type { Position } from '../segment-tail.ts';
import type { IndexCursor } from './index-database.ts';

/**
 * The part of a sum that takes back what another index counted. Each time has one of its own: together they would
 * bridge the pause between two visits.
 */
function correctionOf(t: number): number {
  return -1 - t;
}

export interface IndexWriter {
  /** Where a builder goes on. */
  start(): BuilderStart;
  /** Blocks that may hold the intent of a request of that time, the latest first. */
  blocksOf(
    idMs: number,
  ): readonly { readonly segment: number; readonly start: number; readonly end: number }[];
  write(pending: Pending, cursor: IndexCursor): void;
  /** Rows of segments with smaller numbers go. */
  forgetSegmentsBelow(segment: number): void;
}

/** `blockElsewhere`: the block of an intent that another index holds, where this one only goes on from it. */
export function createIndexWriter(
  db: DatabaseSync,
  blockElsewhere: (place: Position) => number | null = () => null,
): IndexWriter {
  const sql = statementsOf(db);
  return {
    start: () => startOf(db),
    blocksOf: (idMs) =>
      sql.blocksOf.all(idMs, idMs).map((row) => ({
        segment: Number(row['segment']),
        start: Number(row['start']),
        end: Number(row['end']),
      })),
    write: (pending, cursor) =>
      inTransaction(db, () => {
        for (const one of pending.tenants) sql.tenant.run(one.id, one.raw.toString('latin1'), one.name);
        writeLines(sql, pending);
        for (const block of pending.blocks) writeBlock(sql, block);
        for (const one of pending.turned) turn(sql, one, blockElsewhere);
        const { sealedAt, seal } = cursor;
        sql.cursor.run(sealedAt.segment, sealedAt.offset, seal);
      }),
    forgetSegmentsBelow: (segment) =>
      inTransaction(db, () => {
        const first = Number(sql.firstBlock.get(segment)?.['id'] ?? Number.MAX_SAFE_INTEGER);
        const tenants = db.prepare('SELECT id FROM tenant').all();
        for (const { id } of tenants)
          for (const forget of sql.forgetByTenant) forget.run(id as number, first);
        sql.forgetLate.run(first);
        for (const forget of sql.forgetBySegment) forget.run(segment);
      }),
  };
}

type Statements = ReturnType<typeof statementsOf>;

function statementsOf(db: DatabaseSync) {
  const replace = (table: string, columns: number): StatementSync =>
    db.prepare(`INSERT OR REPLACE INTO ${table} VALUES (${Array(columns).fill('?').join(',')})`);
  return {
    cursor: db.prepare('INSERT OR REPLACE INTO cursor VALUES (1, ?, ?, ?)'),
    tenant: replace('tenant', 3),
    block: replace('block', 8),
    cell: replace('cell', 11),
    denied: replace('denied', 7),
    other: replace('other', 6),
    late: replace('late', 2),
    subject: replace('subject', 5),
    grant: replace('grant_line', 6),
    policy: replace('policy', 3),
    segment: replace('segment', 2),
    opened: replace('opened', 2),
    blocksOf: db.prepare(
      'SELECT segment, start, "end" FROM block WHERE first_id <= ? AND last_id >= ? ORDER BY id DESC LIMIT 16',
    ),
    blockAt: db.prepare('SELECT id FROM block WHERE segment = ? AND start <= ? ORDER BY start DESC LIMIT 1'),
    turn: db.prepare(
      `UPDATE cell SET reads = reads - ?, writes = writes - ?, denied = denied + 1
       WHERE tenant = ? AND block = ? AND s = ? AND g = ? AND first_at <= ? AND last_at >= ? RETURNING part`,
    ),
    correct: db.prepare(
      `INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 1) ON CONFLICT DO UPDATE SET
       reads = reads + excluded.reads, writes = writes + excluded.writes, denied = denied + 1`,
    ),
    turned: db.prepare(
      'INSERT INTO denied VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1',
    ),
    firstBlock: db.prepare('SELECT min(id) AS id FROM block WHERE segment >= ?'),
    forgetByTenant: ['cell', 'denied', 'other'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE tenant = ? AND block < ?`),
    ),
    forgetLate: db.prepare('DELETE FROM late WHERE block < ?'),
    forgetBySegment: ['block', 'subject', 'grant_line', 'policy', 'segment', 'opened'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE segment < ?`),
    ),
  };
}

function writeLines(sql: Statements, pending: Pending): void {
  for (const { segment, offset, line } of pending.subjects)
    sql.subject.run(segment, line.s, offset, line.subject, line.kind);
  for (const { segment, offset, line } of pending.grants)
    sql.grant.run(segment, line.g, offset, line.grant.id, caseOf(line), line.session?.id ?? null);
  for (const { segment, offset, line } of pending.policies) sql.policy.run(segment, line.p, offset);
  for (const { segment, line } of pending.segments) sql.segment.run(segment, line.instance);
  for (const { segment, offset } of pending.opened) sql.opened.run(segment, offset);
}

/** As a record says it: the session's, else the grant's. */
function caseOf({ session, caseRef }: GrantLine): string | null {
  return session?.caseRef ?? caseRef ?? null;
}

function writeBlock(sql: Statements, block: Block): void {
  const { id, segment, start, end } = block;
  const times = [finite(block.firstAt), block.lastAt, finite(block.firstIdMs), block.lastIdMs] as const;
  sql.block.run(id, segment, start, end, ...times);
  for (const cell of block.cells) if (cell.isDirty) writeCell(sql, id, cell);
  for (const { tenant, s, kind, lines, requests } of block.others)
    sql.other.run(tenant.id, id, s, kind, lines, requests);
  for (const step of block.late) sql.late.run(step, id);
}

function writeCell(sql: Statements, block: number, cell: Cell): void {
  const { tenant, s, g, part, firstAt, lastAt, usedAt, reads, writes, denied } = cell;
  sql.cell.run(tenant.id, block, s, g, part, firstAt, lastAt, usedAt, reads, writes, denied);
  if (cell.reasons === null) return;
  for (const [what, count] of cell.reasons) sql.denied.run(tenant.id, block, s, g, part, what, count);
}

/** Nothing where the intent's block is gone. */
function turn(sql: Statements, turned: Turned, blockElsewhere: (place: Position) => number | null): void {
  const { segment, offset, tenant, s, g, t, isWrite, what } = turned;
  const own = sql.blockAt.get(segment, offset)?.['id'];
  const block = own === undefined ? blockElsewhere({ segment, offset }) : Number(own);
  if (block === null) return;
  const key: SQLInputValue[] = [tenant.id, block, s, g];
  const counts = [isWrite ? 0 : 1, isWrite ? 1 : 0] as const;
  if (own === undefined) {
    sql.correct.run(...key, correctionOf(t), t, t, -counts[0], -counts[1]);
    sql.turned.run(...key, correctionOf(t), what);
    return;
  }
  const part = sql.turn.get(...counts, ...key, t, t)?.['part'];
  if (part !== undefined) sql.turned.run(...key, Number(part), what);
}

/** Where a builder goes on after what is in an index. */
export function startOf(db: DatabaseSync): BuilderStart {
  const top = db.prepare('SELECT max(id) AS id, max(last_id) AS last_id FROM block').get();
  const tenants = db.prepare('SELECT id, raw, name FROM tenant ORDER BY id').all();
  return {
    nextBlock: Number(top?.['id'] ?? 0) + 1,
    topIdMs: Number(top?.['last_id'] ?? 0),
    tenants: tenants.map(
      ({ id, raw, name }): Tenant => ({
        id: Number(id),
        raw: Buffer.from(String(raw), 'latin1'),
        text: String(raw),
        name: name === null ? null : String(name),
      }),
    ),
  };
}

function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
