// Moves records from the journal to one sink: at least once, in order, with back-off, from a saved cursor.
// Each sink has its own pump, so a dead one holds up no other. Runs in the sink worker.
import type { JournalLine } from '../journal-lines.ts';
import { visibleJson } from '../json-text.ts';
import type { PublishedRecord } from '../published-record.ts';
import { RecordJoiner } from '../record-joiner.ts';
import { type Chunk, type Position, SegmentTail } from '../segment-tail.ts';
import type { Sink } from './sink.ts';
import { BEGINNING, cursorPath, readCursor, type SinkCursor, saveCursor } from './sink-cursor.ts';
import type { SinkProgress } from './sink-messages.ts';

const SAVE_MS = 1000;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 30_000;
const BUSY_MS = 10;
/** A guess at the bytes of journal per record, until some have been read. */
const RECORD_BYTES = 1000;

export interface SinkPumpDeps {
  readonly name: string;
  readonly directory: string;
  readonly instance: string;
  readonly sink: Sink;
  /** Where the main thread stood when the worker was started. */
  readonly start: Position;
  /** Milliseconds of a clock that does not go back. */
  readonly nowMs: () => number;
  readonly report: (progress: SinkProgress) => void;
  readonly notice: (fields: object, text: string) => void;
}

export class SinkPump {
  readonly #deps: SinkPumpDeps;
  readonly #tail: SegmentTail;
  readonly #joiner: RecordJoiner;
  readonly #cursorFile: string;
  #end: Position;
  #saved: SinkCursor;
  #savedAtMs: number;
  #wake: (() => void) | null = null;
  #onDrained: (() => void) | null = null;
  #delayMs = FIRST_DELAY_MS;
  #saveFailed = false;
  #shipped = 0;
  #backlogBytes: number;
  #bytesRead = 0;
  #recordsRead = 0;
  #errors = 0;
  readonly #dropped = new Map<string, number>();

  constructor(deps: SinkPumpDeps) {
    this.#deps = deps;
    this.#end = deps.start;
    this.#cursorFile = cursorPath(deps.directory, deps.name);
    this.#saved = cursorBefore(deps.start, readCursor(this.#cursorFile));
    this.#savedAtMs = deps.nowMs();
    this.#tail = new SegmentTail(deps.directory, this.#saved);
    this.#joiner = new RecordJoiner(deps.instance, this.#saved.seq);
    for (const [segment, offset, streaming] of this.#saved.open)
      this.#openAgain({ segment, offset }, streaming);
    this.#backlogBytes = this.#tail.bytesTo(deps.start);
  }

  /** More is durable. */
  wrote(end: Position): void {
    this.#end = end;
    this.#wake?.();
  }

  /** Resolves when everything up to `end` is shipped and the cursor says so. */
  drain(end: Position): Promise<void> {
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
      const chunk = await this.#retried(() => this.#tail.next(this.#end));
      if (chunk === null) await this.#idle();
      else await this.#ship(chunk);
    }
  }

  async #ship(chunk: Chunk): Promise<void> {
    const size = chunk.bytes.length;
    const backlogBytes = Math.min(size, this.#backlogIn(chunk));
    const records: PublishedRecord[] = [];
    const shipped = this.#joined(chunk, backlogBytes, records);
    let text = '';
    for (const record of records) text += `${visibleJson(record)}\n`;
    const lines = Buffer.from(text, 'utf8');
    for (let done = 0; done < lines.length; ) {
      const from = done;
      const taken = await this.#retried(() => this.#deps.sink.write(lines, from));
      if (taken === 0) await sleep(BUSY_MS);
      done += taken;
    }
    this.#bytesRead += size;
    this.#recordsRead += records.length;
    this.#backlogBytes = Math.max(0, this.#backlogBytes - backlogBytes);
    this.#shipped += shipped;
    if (this.#deps.nowMs() - this.#savedAtMs >= SAVE_MS) await this.#save();
  }

  /** How many bytes from the chunk's start on were written before this worker was started. */
  #backlogIn(chunk: Chunk): number {
    const { start } = this.#deps;
    if (chunk.segment !== start.segment) return chunk.segment < start.segment ? Number.MAX_SAFE_INTEGER : 0;
    return Math.max(0, start.offset - chunk.offset);
  }

  /** Joins the lines of a chunk; of those from `counted` on it returns how many the main thread counts. */
  #joined(chunk: Chunk, counted: number, records: PublishedRecord[]): number {
    const { bytes, segment } = chunk;
    let shipped = 0;
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(0x0a, from);
      try {
        const line = JSON.parse(bytes.toString('latin1', from, end)) as JournalLine;
        if (from >= counted && line.k !== 'intent' && line.k !== 'opened') shipped += 1;
        this.#joiner.take(line, { segment, offset: chunk.offset + from }, records);
      } catch {
        this.#drop('unreadable', 1);
        this.#deps.notice({ segment, offset: chunk.offset + from }, 'a journal line cannot be read');
      }
      from = end + 1;
    }
    this.#drop('unmatched', this.#joiner.unmatched);
    this.#joiner.unmatched = 0;
    if (this.#tail.skippedBytes > 0) this.#drop('torn', 1);
    this.#tail.skippedBytes = 0;
    return shipped;
  }

  /** Everything was read: save, tell, and wait for more. */
  async #idle(): Promise<void> {
    const { nowMs } = this.#deps;
    if (this.#onDrained !== null || nowMs() - this.#savedAtMs >= SAVE_MS) await this.#save();
    else this.#report();
    if (this.#behind()) return;
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

  #behind(): boolean {
    const { segment, offset } = this.#tail;
    return segment < this.#end.segment || (segment === this.#end.segment && offset < this.#end.offset);
  }

  #isSaved(): boolean {
    return this.#saved.segment === this.#tail.segment && this.#saved.offset === this.#tail.offset;
  }

  async #save(): Promise<void> {
    const open = [...this.#joiner.open.values()].map(
      (one) => [one.segment, one.offset, one.streaming] as const,
    );
    const { segment, offset } = this.#tail;
    const cursor: SinkCursor = { segment, offset, seq: this.#joiner.seq, open };
    this.#savedAtMs = this.#deps.nowMs();
    try {
      await this.#deps.sink.sync();
      saveCursor(this.#cursorFile, cursor);
      this.#saved = cursor;
      this.#saveFailed = false;
    } catch (error) {
      this.#failed(error, this.#saveFailed);
      this.#saveFailed = true;
    }
    this.#report();
  }

  /** Asks until it is answered; the wait doubles from one failure to the next. */
  async #retried<T>(ask: () => T | Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await ask();
        this.#delayMs = FIRST_DELAY_MS;
        return answer;
      } catch (error) {
        this.#failed(error, this.#delayMs > FIRST_DELAY_MS);
        this.#report();
        await sleep(this.#delayMs);
        this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
      }
    }
  }

  /** Said once per outage: the others are only counted. */
  #failed(error: unknown, again: boolean): void {
    this.#errors += 1;
    if (again) return;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    this.#deps.notice({ sink: this.#deps.name, code }, 'an audit sink cannot be written; it is tried again');
  }

  #drop(reason: string, count: number): void {
    if (count > 0) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
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

  #openAgain(at: Position, streaming: boolean): void {
    const text = this.#tail.lineAt(at);
    if (text === null) return;
    try {
      const line = JSON.parse(text) as JournalLine;
      if (line.k === 'intent') this.#joiner.open.set(line.id, { line, ...at, streaming });
    } catch {
      this.#drop('unreadable', 1);
    }
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
