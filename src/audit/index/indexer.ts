// Keeps the index of the journal: follows it from the place saved in the index itself, in slices, and writes at most once
// a second. Whatever fails is tried again from that place; an index that cannot be used is made anew from the journal.
// Runs in the sink worker, where a follower has the same lines from the same reading (line-follower.ts).
// Hot by its lines (block-builder.ts); assumes that segments are closed when a later one is read.
import { readdirSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Follower, Leader } from '../line-follower.ts';
import { segmentNumberOf } from '../segment-directory.ts';
import { type Chunk, type Position, SegmentTail, SMALL_CHUNK_BYTES } from '../segment-tail.ts';
import type { SinkProgress } from '../sinks/sink-messages.ts';
import { BlockBuilder } from './block-builder.ts';
import { findIntent } from './find-intent.ts';
import { cursorOf, isDamaged, openIndex } from './index-database.ts';
import { createIndexWriter, type IndexWriter } from './index-writer.ts';
import { nextPiece, type Piece } from './next-piece.ts';

/** As a sink's, for status and metrics. */
export const INDEX_NAME = 'index';
export const BLOCK_BYTES = 256 * 1024;
const FLUSH_MS = 1000;
/** Readers read what is not indexed themselves, so it may wait: to wake up for every group would cost more than its lines. */
const WAKE_MS = 200;
/** Gathered sums that are written down earlier. */
const MOST_BLOCKS_HELD = 256;
const SLICE_MS = 20;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;
/** After so long without success the index holds back no segment: it is made of what is left. */
const GIVE_UP_MS = 60_000;
const RECORD_BYTES = 1000;

export interface IndexerDeps {
  readonly directory: string;
  /** Where the main thread stood when the worker was started. */
  readonly start: Position;
  /** Milliseconds of a clock that does not go back. */
  readonly nowMs: () => number;
  /** As of a sink pump; `segment` is the largest number there is while the index is given up. */
  readonly report: (progress: SinkProgress) => void;
  readonly notice: (fields: object, text: string) => void;
  /** Default: 256 KiB. */
  readonly blockBytes?: number;
  /** Reads the same lines; default: nobody does. */
  readonly follower?: Follower | null;
}

interface Open {
  readonly db: DatabaseSync;
  readonly writer: IndexWriter;
  readonly builder: BlockBuilder;
  readonly tail: SegmentTail;
}

export class Indexer implements Leader {
  readonly #deps: IndexerDeps;
  #open: Open | null = null;
  #end: Position;
  #savedSegment = 0;
  #flushedAtMs: number;
  #timer: NodeJS.Timeout | null = null;
  #isRunning = false;
  #closed = false;
  #onDrained: (() => void)[] = [];
  #delayMs = FIRST_DELAY_MS;
  #failingSinceMs: number | null = null;
  /** Records: told of, read, and written down. */
  #told = 0;
  #read = 0;
  #shipped = 0;
  #backlogBytes: number | null = null;
  #errors = 0;
  #unreadable = 0;
  #forgetBelow = 0;

  constructor(deps: IndexerDeps) {
    this.#deps = deps;
    this.#end = deps.start;
    this.#flushedAtMs = deps.nowMs();
    this.#schedule(0);
  }

  /** More is durable; `records`: how many the main thread counted up to there since the worker was started. */
  wrote(end: Position, records: number): void {
    this.#end = end;
    this.#told = records;
    if (this.#failingSinceMs === null) this.#schedule(this.#onDrained.length > 0 ? 0 : WAKE_MS);
  }

  /** Resolves when everything up to `end` is in the index; never while the index cannot be written. */
  drain(end: Position, records: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained.push(resolve);
      this.wrote(end, records);
    });
  }

  /** Segments with smaller numbers were removed; at its start it looks by itself. */
  forgetSegmentsBelow(segment: number): void {
    this.#forgetBelow = Math.max(this.#forgetBelow, segment);
    this.#schedule(0);
  }

  place(): Position | null {
    const open = this.#open;
    if (this.#closed || open === null || !open.builder.isSealed) return null;
    return { segment: open.tail.segment, offset: open.tail.offset };
  }

  readOn(): boolean {
    return !this.#closed && this.#readSome();
  }

  /** What was not written down yet is read again by the next one. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#drop();
  }

  /** One run at a time, `delayMs` from now or as soon as the one before has ended. */
  #schedule(delayMs: number): void {
    if (this.#closed || this.#isRunning) return;
    if (this.#timer !== null) {
      if (delayMs > 0) return;
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    if (delayMs > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#start();
      }, delayMs);
      return;
    }
    this.#start();
  }

  #start(): void {
    this.#isRunning = true;
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    this.#isRunning = false;
    if (this.#closed) return;
    if (this.#readSome()) this.#schedule(0);
  }

  /** Reads for at most 20 ms, then lets the sinks have their turn. Whether there is more. */
  #readSome(): boolean {
    const { nowMs } = this.#deps;
    const until = nowMs() + SLICE_MS;
    try {
      const open = (this.#open ??= this.#opened());
      for (let piece = this.#next(open); piece !== null; piece = this.#next(open)) {
        this.#take(open, piece);
        if (nowMs() >= until) return true;
      }
      this.#idle(open);
    } catch (error) {
      this.#failed(error);
    }
    return false;
  }

  #next({ tail, builder }: Open): Piece | null {
    const place = builder.isSealed ? (this.#deps.follower?.place() ?? null) : null;
    return nextPiece(tail, this.#end, place);
  }

  #take(open: Open, { chunk, isTogether }: Piece): void {
    const { builder } = open;
    const before = builder.records;
    builder.take(chunk, isTogether ? (this.#deps.follower?.lines ?? null) : null);
    this.#count(chunk, builder.records - before);
    const held = builder.pending.blocks.length;
    if (builder.isSealed && (held >= MOST_BLOCKS_HELD || this.#isFlushDue())) this.#flush(open);
  }

  #idle(open: Open): void {
    const { builder } = open;
    // Everything there is was read: the main thread's own count is the exact one.
    this.#read = this.#told;
    const isDirty = builder.pending.blocks.length > 0 || this.#forgetBelow > 0;
    if (isDirty && builder.isSealed && (this.#onDrained.length > 0 || this.#isFlushDue())) this.#flush(open);
    if (!isDirty && this.#shipped !== this.#read) {
      this.#shipped = this.#read;
      this.#report();
    }
    if (builder.pending.blocks.length === 0) {
      const waiting = this.#onDrained;
      this.#onDrained = [];
      for (const drained of waiting) drained();
    } else {
      this.#schedule(Math.max(1, this.#flushedAtMs + FLUSH_MS - this.#deps.nowMs()));
    }
  }

  #isFlushDue(): boolean {
    return this.#deps.nowMs() - this.#flushedAtMs >= FLUSH_MS;
  }

  #flush({ writer, builder }: Open): void {
    this.#flushedAtMs = this.#deps.nowMs();
    const { sealedAt, seal } = builder;
    if (sealedAt !== null) {
      const pending = builder.taken();
      writer.write(pending, { sealedAt, seal });
      for (const block of pending.blocks) for (const cell of block.cells) cell.isDirty = false;
      this.#savedSegment = sealedAt.segment;
    }
    this.#shipped = this.#read;
    if (this.#forgetBelow > 0) writer.forgetSegmentsBelow(this.#forgetBelow);
    this.#forgetBelow = 0;
    this.#unreadable += builder.unreadable;
    builder.unreadable = 0;
    this.#failingSinceMs = null;
    this.#delayMs = FIRST_DELAY_MS;
    this.#report();
  }

  #opened(): Open {
    const { directory, blockBytes = BLOCK_BYTES, start } = this.#deps;
    const db = openIndex(directory);
    try {
      const writer = createIndexWriter(db);
      const from = cursorOf(db)?.sealedAt ?? { segment: 0, offset: 0 };
      const tail = new SegmentTail(directory, from, SMALL_CHUNK_BYTES);
      this.#savedSegment = from.segment;
      this.#backlogBytes ??= tail.bytesTo(start);
      const builder = new BlockBuilder({
        blockBytes,
        start: writer.start(),
        findIntent: (sought) => findIntent(directory, sought, writer.blocksOf(sought.idMs)),
      });
      this.#forgetBelow = Math.max(this.#forgetBelow, firstSegment(directory));
      this.#report();
      return { db, writer, builder, tail };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #failed(error: unknown): void {
    const now = this.#deps.nowMs();
    this.#errors += 1;
    this.#drop();
    if (this.#failingSinceMs === null) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      const { errcode } = error as { readonly errcode?: number };
      this.#deps.notice(
        { sink: INDEX_NAME, code, errcode, damaged: isDamaged(error) },
        'the audit index cannot be written; it is tried again',
      );
    }
    this.#failingSinceMs ??= now;
    this.#report();
    this.#schedule(this.#delayMs);
    this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
  }

  #drop(): void {
    this.#open?.tail.close();
    if (this.#open?.db.isOpen === true) this.#open.db.close();
    this.#open = null;
    this.#read = this.#shipped;
  }

  /** Of what was written before this worker was started only the bytes are known. */
  #count({ segment, offset, bytes }: Chunk, records: number): void {
    const { start } = this.#deps;
    const isBacklog = segment < start.segment || (segment === start.segment && offset < start.offset);
    if (isBacklog) this.#backlogBytes = Math.max(0, (this.#backlogBytes ?? 0) - bytes.length);
    else this.#read += records;
  }

  #report(): void {
    const since = this.#failingSinceMs;
    const isGivenUp = since !== null && this.#deps.nowMs() - since >= GIVE_UP_MS;
    this.#deps.report({
      segment: isGivenUp ? Number.MAX_SAFE_INTEGER : this.#savedSegment,
      shipped: this.#shipped,
      backlog: Math.ceil((this.#backlogBytes ?? 0) / RECORD_BYTES),
      errors: this.#errors,
      dropped: this.#unreadable === 0 ? {} : { unreadable: this.#unreadable },
    });
    this.#errors = 0;
    this.#unreadable = 0;
  }
}

/** The oldest there is; 0 without any. */
function firstSegment(directory: string): number {
  let first = 0;
  for (const name of readdirSync(directory)) {
    const number = segmentNumberOf(name);
    if (number !== null && (first === 0 || number < first)) first = number;
  }
  return first;
}
