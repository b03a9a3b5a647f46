// Moves records from the journal to one sink: at least once, in order, with back-off, from a saved cursor.
// Guarantees: while the sink is down nothing is dropped and nothing grows: the pump stays where it is, with one piece in
// memory. Each sink has its own pump, so a dead one holds up no other. Runs in the sink worker.
import type { Position } from '../segment-tail.ts';
import { backOffMs, codeOf } from './back-off.ts';
import { type Piece, RecordSource, type SourceKeys } from './record-source.ts';
import type { Sink } from './sink.ts';
import { BEGINNING, cursorPath, readCursor, type SinkCursor, saveCursor } from './sink-cursor.ts';
import type { SinkProgress } from './sink-messages.ts';

const SAVE_MS = 1000;
const BUSY_MS = 10;
/** The log says the same of a sink this often at most, whatever flaps or is broken; everything is counted. */
const NOTICE_MS = 10_000;
/** A guess at the bytes of journal per record, until some have been read. */
const RECORD_BYTES = 1000;

/** How far the journal is durable. */
export interface WrittenEnd extends Position {
  /** Records that the main thread counted up to here since the worker was started. */
  readonly records?: number;
}

export interface SinkPumpDeps {
  readonly name: string;
  readonly directory: string;
  readonly instance: string;
  readonly sink: Sink;
  readonly keys: SourceKeys;
  /** Where the main thread stood when the worker was started. */
  readonly start: Position;
  /** Milliseconds of a clock that does not go back. */
  readonly nowMs: () => number;
  readonly report: (progress: SinkProgress) => void;
  /** For the log: fields and text hold no secret, no address and nothing of a record. */
  readonly notice: (fields: object, text: string) => void;
  /** Of tests: how a pause passes, and the jitter. */
  readonly sleep?: (ms: number) => Promise<void>;
  readonly random?: () => number;
}

export class SinkPump {
  readonly #deps: SinkPumpDeps;
  readonly #source: RecordSource;
  readonly #cursorFile: string;
  readonly #sleep: (ms: number) => Promise<void>;
  #end: WrittenEnd;
  #saved: SinkCursor;
  #savedAtMs: number;
  #wake: (() => void) | null = null;
  #onDrained: (() => void) | null = null;
  readonly #saidAtMs = new Map<string, number>();
  #shipped = 0;
  #backlogBytes: number;
  #bytesRead = 0;
  #recordsRead = 0;
  #errors = 0;
  readonly #dropped = new Map<string, number>();

  constructor(deps: SinkPumpDeps) {
    this.#deps = deps;
    this.#end = deps.start;
    this.#sleep = deps.sleep ?? sleep;
    this.#cursorFile = cursorPath(deps.directory, deps.name);
    this.#saved = cursorBefore(deps.start, readCursor(this.#cursorFile));
    this.#savedAtMs = Number.NEGATIVE_INFINITY;
    const { directory, instance, keys } = deps;
    const drop = (reason: string, count: number, at: Position): void => this.#drop(reason, count, at);
    this.#source = new RecordSource({ directory, instance, keys, cursor: this.#saved, drop });
    this.#backlogBytes = this.#source.bytesTo(deps.start);
  }

  /** More is durable. */
  wrote(end: WrittenEnd): void {
    this.#end = end;
    this.#wake?.();
  }

  /** Resolves when everything up to `end` is shipped and the cursor says so. */
  drain(end: WrittenEnd): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.wrote(end);
    });
  }

  reopen(): void {
    this.#deps.sink.reopen();
  }

  /** Until the worker ends. */
  async run(): Promise<never> {
    for (;;) {
      const piece = await this.#retried(() => this.#source.next(this.#end));
      if (piece === null) await this.#idle();
      else await this.#ship(piece);
    }
  }

  async #ship(piece: Piece): Promise<void> {
    const { records, counted, bytes } = piece;
    const { sink, nowMs } = this.#deps;
    if (records.length > 0) {
      const batch = sink.encode(records);
      for (let done = 0; done < batch.length; ) {
        const from = done;
        const taken = await this.#retried(() => sink.write(batch, from));
        if (taken === 0) await this.#sleep(BUSY_MS);
        done += taken;
      }
    }
    const backlog = this.#backlogIn(piece);
    this.#bytesRead += bytes;
    this.#recordsRead += counted.length;
    this.#backlogBytes = Math.max(0, this.#backlogBytes - Math.min(bytes, backlog));
    for (const offset of counted) if (offset - piece.at.offset >= backlog) this.#shipped += 1;
    if (nowMs() - this.#savedAtMs >= SAVE_MS) await this.#save();
  }

  /** How many bytes from the piece's start on were written before this worker was started. */
  #backlogIn({ at }: Piece): number {
    const { start } = this.#deps;
    if (at.segment !== start.segment) return at.segment < start.segment ? Number.MAX_SAFE_INTEGER : 0;
    return Math.max(0, start.offset - at.offset);
  }

  /** Everything was read: save, tell, and wait for more. */
  async #idle(): Promise<void> {
    const { nowMs } = this.#deps;
    if (!this.#isBehind()) this.#settle();
    if (this.#onDrained !== null || nowMs() - this.#savedAtMs >= SAVE_MS) await this.#save();
    else this.#report();
    if (this.#isBehind()) return;
    this.#onDrained?.();
    this.#onDrained = null;
    const dueMs = this.#isSaved() ? null : Math.max(1, this.#savedAtMs + SAVE_MS - nowMs());
    await new Promise<void>((resolve) => {
      const timer = dueMs === null ? null : setTimeout(resolve, dueMs);
      this.#wake = () => {
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  /** At the end there is no lag, whatever was counted: lines may have been broken, or removed with their segment. */
  #settle(): void {
    this.#backlogBytes = 0;
    if (this.#end.records !== undefined) this.#shipped = this.#end.records;
  }

  #isBehind(): boolean {
    const { segment, offset } = this.#source.position();
    return segment < this.#end.segment || (segment === this.#end.segment && offset < this.#end.offset);
  }

  #isSaved(): boolean {
    const { segment, offset } = this.#source.position();
    return this.#saved.segment === segment && this.#saved.offset === offset;
  }

  async #save(): Promise<void> {
    const cursor = this.#source.cursor();
    this.#savedAtMs = this.#deps.nowMs();
    try {
      await this.#deps.sink.sync();
      saveCursor(this.#cursorFile, cursor);
      this.#saved = cursor;
    } catch (error) {
      this.#failed(error);
    }
    this.#report();
  }

  /** Asks until it is answered, for ever. */
  async #retried<T>(ask: () => T | Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await ask();
      } catch (error) {
        this.#failed(error);
        this.#report();
        await this.#sleep(backOffMs(failures, error, this.#deps.random ?? Math.random));
      }
    }
  }

  #failed(error: unknown): void {
    this.#errors += 1;
    const fields = { sink: this.#deps.name, code: codeOf(error) };
    this.#say(fields, 'an audit sink cannot be written; it is tried again');
  }

  #drop(reason: string, count: number, { segment, offset }: Position): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
    if (reason === 'unreadable') this.#say({ segment, offset }, 'a journal line cannot be read');
  }

  #say(fields: object, text: string): void {
    const nowMs = this.#deps.nowMs();
    if (nowMs - (this.#saidAtMs.get(text) ?? Number.NEGATIVE_INFINITY) < NOTICE_MS) return;
    this.#saidAtMs.set(text, nowMs);
    this.#deps.notice(fields, text);
  }

  #report(): void {
    const bytesPerRecord = this.#recordsRead === 0 ? RECORD_BYTES : this.#bytesRead / this.#recordsRead;
    this.#deps.report({
      segment: this.#saved.segment,
      shipped: this.#shipped,
      backlog: Math.ceil(this.#backlogBytes / bytesPerRecord),
      errors: this.#errors,
      dropped: Object.fromEntries(this.#dropped),
    });
    this.#errors = 0;
    this.#dropped.clear();
  }
}

/** A cursor beyond what there is belongs to a journal that was removed: this one is read from its beginning. */
function cursorBefore(end: Position, cursor: SinkCursor | null): SinkCursor {
  if (cursor === null) return BEGINNING;
  const isBeyond =
    cursor.segment > end.segment || (cursor.segment === end.segment && cursor.offset > end.offset);
  return isBeyond ? { ...BEGINNING, seq: cursor.seq } : cursor;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
