// Reads the journal from a saved place and gives its records, piece by piece. Runs in the sink worker; one per sink.
// Guarantees: order; what a piece holds depends on the journal alone; a fault of the disk or of the subjects' store loses
// nothing, since the same lines are read again; memory is bounded by one chunk and one piece.
import { PosternError } from '#model/fault.ts';
import type { JournalLine } from '../journal-lines.ts';
import { resumeJoiner } from '../joiner-resume.ts';
import type { SubjectKeys } from '../line-context.ts';
import type { PublishedRecord } from '../published-record.ts';
import { RecordJoiner } from '../record-joiner.ts';
import { type Chunk, type Position, SegmentTail } from '../segment-tail.ts';
import type { SinkCursor } from './sink-cursor.ts';

/** So that the place is saved often even if the sink is slow, and no piece holds up the other sinks of the worker. */
const PIECE_RECORDS = 1000;
const START_LENGTH = '{"k":"se'.length;

/** Keys of people; `version` changes whenever one may have been destroyed. */
export interface SourceKeys extends SubjectKeys {
  version?(): number;
}

export interface RecordSourceDeps {
  readonly directory: string;
  readonly instance: string;
  readonly keys: SourceKeys;
  readonly cursor: SinkCursor;
  /** A line that gave no record: `unreadable`, `unmatched`, `torn`. */
  readonly drop: (reason: string, count: number, at: Position) => void;
}

export interface Piece {
  /** May be empty: then the lines held none. */
  readonly records: readonly PublishedRecord[];
  /** Where its lines begin, and how many bytes they are. */
  readonly at: Position;
  readonly bytes: number;
  /** For each line that the main thread counts as a record: its offset. Ascending. */
  readonly counted: readonly number[];
}

export class RecordSource {
  readonly #deps: RecordSourceDeps;
  readonly #tail: SegmentTail;
  readonly #joiner: RecordJoiner;
  #isReady = false;
  #keysVersion = -1;
  /** What was read of the files and not yet of the lines. */
  #chunk: Chunk | null = null;
  #from = 0;
  #begin = 0;
  #records: PublishedRecord[] = [];
  #counted: number[] = [];

  constructor(deps: RecordSourceDeps) {
    this.#deps = deps;
    this.#tail = new SegmentTail(deps.directory, deps.cursor);
    this.#joiner = new RecordJoiner(deps.instance, deps.cursor.seq, deps.keys);
  }

  /** Bytes between the saved place and `end`. */
  bytesTo(end: Position): number {
    return this.#tail.bytesTo(end);
  }

  /** The place after the last piece. */
  cursor(): SinkCursor {
    const open = Array.from(
      this.#joiner.open.values(),
      ({ segment, offset, streaming }) => [segment, offset, streaming] as const,
    );
    return { ...this.position(), seq: this.#joiner.seq, open };
  }

  position(): Position {
    const chunk = this.#chunk;
    if (chunk === null) return { segment: this.#tail.segment, offset: this.#tail.offset };
    return { segment: chunk.segment, offset: chunk.offset + this.#from };
  }

  /** Null when everything up to `end` was read. Throws the errors of node:fs and AUDIT_UNAVAILABLE; then ask again. */
  next(end: Position): Piece | null {
    if (!this.#isReady) this.#resume();
    this.#forgetErased();
    this.#chunk ??= this.#nextChunk(end);
    const chunk = this.#chunk;
    if (chunk === null) return null;
    this.#joinLines(chunk);
    const piece: Piece = {
      records: this.#records,
      at: { segment: chunk.segment, offset: chunk.offset + this.#begin },
      bytes: this.#from - this.#begin,
      counted: this.#counted,
    };
    this.#records = [];
    this.#counted = [];
    this.#begin = this.#from;
    if (this.#from === chunk.bytes.length) this.#chunk = null;
    return piece;
  }

  #resume(): void {
    const { cursor, directory, drop } = this.#deps;
    const lost = resumeJoiner(this.#joiner, this.#tail, { ...cursor, directory });
    this.#isReady = true;
    if (lost > 0) drop('unreadable', lost, cursor);
  }

  #nextChunk(end: Position): Chunk | null {
    const chunk = this.#tail.next(end);
    this.#from = 0;
    this.#begin = 0;
    if (this.#tail.skippedBytes > 0) this.#deps.drop('torn', 1, this.#tail);
    this.#tail.skippedBytes = 0;
    return chunk;
  }

  #joinLines({ bytes, segment, offset }: Chunk): void {
    while (this.#from < bytes.length && this.#records.length < PIECE_RECORDS) {
      const end = bytes.indexOf(0x0a, this.#from);
      if (!isStructure(bytes, this.#from)) {
        this.#join(bytes.toString('latin1', this.#from, end), { segment, offset: offset + this.#from });
      }
      this.#from = end + 1;
    }
  }

  #join(text: string, at: Position): void {
    try {
      const line = JSON.parse(text) as JournalLine;
      this.#joiner.take(line, at, this.#records);
      if (isCounted(line.k)) this.#counted.push(at.offset);
    } catch (error) {
      // Keys that cannot be read now: nothing was taken, and the line is asked for again.
      if (error instanceof PosternError) throw error;
      this.#deps.drop('unreadable', 1, at);
    }
    if (this.#joiner.unmatched > 0) this.#deps.drop('unmatched', this.#joiner.unmatched, at);
    this.#joiner.unmatched = 0;
  }

  #forgetErased(): void {
    const version = this.#deps.keys.version?.() ?? 0;
    if (version !== this.#keysVersion) this.#joiner.forget();
    this.#keysVersion = version;
  }
}

/**
 * Lines of the chain itself, known by their first bytes: `segment`, `seal`, `tenants`, `unused`. They are half of the
 * lines of a quiet gateway, and a seal closes each group.
 */
function isStructure(bytes: Buffer, from: number): boolean {
  const start = bytes.toString('latin1', from, from + START_LENGTH);
  return start === '{"k":"se' || start === '{"k":"te' || start === '{"k":"un';
}

/** As the main thread counts: every line that publishes, which is all but intents and what lines refer to. */
function isCounted(kind: JournalLine['k']): boolean {
  return (
    kind !== 'intent' && kind !== 'opened' && kind !== 'subject' && kind !== 'grant' && kind !== 'policy'
  );
}
