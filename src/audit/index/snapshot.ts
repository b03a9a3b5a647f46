// What a query reads: the journal up to its end at this moment, and the index of all of it, which is the file as it was
// last written and, for what came since, one made in memory. Without a file that can be used everything is made there.
// Synchronous: not for the forwarding loop. Assumes that the journal only grows, but for whole segments removed.
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { PosternError } from '#model/fault.ts';
import { SegmentTail } from '../segment-tail.ts';
import { BlockBuilder } from './block-builder.ts';
import { cursorOf, memoryIndex, openIndexForReading } from './index-database.ts';
import { createIndexWriter, startOf } from './index-writer.ts';
import { findIntent } from './find-intent.ts';
import { BLOCK_BYTES } from './indexer.ts';
import { JournalView } from './journal-view.ts';

/** Blocks held between two writings of the index in memory. */
const MOST_BLOCKS_HELD = 256;
/** Of blocks, kept for the blocks that complete them. */
const CACHE_BYTES = 32 * 1024 * 1024;

export type Row = Readonly<Record<string, SQLOutputValue>>;

export interface BlockRow {
  readonly id: number;
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

export interface SnapshotOptions {
  readonly directory: string;
  /** Default: 256 KiB. */
  readonly blockBytes?: number;
  /** More that is not indexed is not read: AUDIT_UNAVAILABLE. Default: none. */
  readonly maxTailBytes?: number;
}

export class Snapshot {
  readonly view: JournalView;
  readonly #parts: Part[] = [];
  readonly #blocks = new Map<number, Buffer>();
  #blockBytes = 0;

  /** Throws AUDIT_UNAVAILABLE. */
  constructor(options: SnapshotOptions) {
    try {
      this.view = new JournalView(options.directory);
    } catch (error) {
      throw new PosternError('AUDIT_UNAVAILABLE', 'the audit journal cannot be read', error);
    }
    try {
      const file = openIndexForReading(options.directory);
      if (file !== null) this.#parts.push(new Part(file));
      const tail = this.#tail(file, options);
      if (tail !== null) this.#parts.push(new Part(tail));
    } catch (error) {
      this.close();
      if (error instanceof PosternError) throw error;
      throw new PosternError('AUDIT_UNAVAILABLE', 'the audit journal cannot be read', error);
    }
  }

  /** Of the file, then of the memory: rows of blocks are in the order of the journal when each of them is. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#parts.flatMap((part) => part.statement(sql).all(...values) as Row[]);
  }

  /** The first there is. */
  get(sql: string, ...values: SQLInputValue[]): Row | null {
    for (const part of this.#parts) {
      const row = part.statement(sql).get(...values);
      if (row !== undefined) return row;
    }
    return null;
  }

  block(id: number): BlockRow | null {
    const row = this.get('SELECT id, segment, start, "end" FROM block WHERE id = ?', id);
    return row === null ? null : blockOf(row);
  }

  /** Null when its segment was removed. */
  bytesOf(block: BlockRow): Buffer | null {
    const known = this.#blocks.get(block.id);
    if (known !== undefined) return known;
    const bytes = this.view.read(block.segment, block.start, block.end);
    if (bytes === null) return null;
    this.#blocks.set(block.id, bytes);
    this.#blockBytes += bytes.length;
    for (const [id, oldest] of this.#blocks) {
      if (this.#blockBytes <= CACHE_BYTES) break;
      this.#blocks.delete(id);
      this.#blockBytes -= oldest.length;
    }
    return bytes;
  }

  close(): void {
    this.view.close();
    for (const part of this.#parts) part.db.close();
  }

  /** Null where the file holds everything. */
  #tail(file: DatabaseSync | null, options: SnapshotOptions): DatabaseSync | null {
    const { directory, blockBytes = BLOCK_BYTES, maxTailBytes = Number.POSITIVE_INFINITY } = options;
    const { end } = this.view;
    const from = (file === null ? null : cursorOf(file)?.sealedAt) ?? { segment: 0, offset: 0 };
    if (end === null || (from.segment === end.segment && from.offset >= end.offset)) return null;
    if (this.view.bytesAfter(from) > maxTailBytes)
      throw new PosternError('AUDIT_UNAVAILABLE', 'the audit index is still being made');
    const db = memoryIndex();
    const writer = createIndexWriter(db, ({ segment, offset }) => blockAt(file, segment, offset));
    const start = file === null ? writer.start() : { ...startOf(file), tenants: [] };
    const builder = new BlockBuilder({
      blockBytes,
      start,
      findIntent: (sought) => findIntent(directory, sought, this.#blocksOf(sought.idMs, db)),
    });
    const tail = new SegmentTail(directory, from);
    const write = (): void => {
      const { sealedAt, seal } = builder;
      if (sealedAt !== null) writer.write(builder.taken(), { sealedAt, seal });
    };
    try {
      for (let chunk = tail.next(end); chunk !== null; chunk = tail.next(end)) {
        builder.take(chunk);
        if (builder.pending.blocks.length >= MOST_BLOCKS_HELD) write();
      }
      write();
      return db;
    } catch (error) {
      db.close();
      throw error;
    } finally {
      tail.close();
    }
  }

  #blocksOf(idMs: number, tail: DatabaseSync): BlockRow[] {
    const sql =
      'SELECT id, segment, start, "end" FROM block WHERE first_id <= ? AND last_id >= ? ORDER BY id DESC LIMIT 16';
    const rows = [...tail.prepare(sql).all(idMs, idMs), ...this.all(sql, idMs, idMs)];
    return rows.map(blockOf);
  }
}

class Part {
  readonly db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }
}

export function blockOf(row: Row): BlockRow {
  return {
    id: Number(row['id']),
    segment: Number(row['segment']),
    start: Number(row['start']),
    end: Number(row['end']),
  };
}

function blockAt(file: DatabaseSync | null, segment: number, offset: number): number | null {
  if (file === null) return null;
  const row = file
    .prepare('SELECT id FROM block WHERE segment = ? AND start <= ? ORDER BY start DESC LIMIT 1')
    .get(segment, offset);
  return row === undefined ? null : Number(row['id']);
}
