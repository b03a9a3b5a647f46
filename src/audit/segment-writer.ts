// Appends groups of lines to the current segment: all of a group or none of it. Short writes are continued,
// a failed group is cut off again, segments rotate by size and age, the directory never outgrows its limit.
// Hot: one `append` per turn of the event loop. Assumes ASCII text, so that length is size.
import type { Clock } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import type { JournalFiles } from './journal-files.ts';
import {
  listSegments,
  removeOldSegments,
  repairTails,
  type Segment,
  segmentPath,
} from './segment-directory.ts';

export interface SegmentWriterOptions {
  readonly directory: string;
  readonly durability: 'os' | 'disk';
  readonly maxBytes: number;
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
  readonly retentionMs: number;
}

export interface SegmentWriterDeps {
  readonly files: JournalFiles;
  readonly clock: Clock;
  /** Segments with smaller numbers have left through every sink. */
  readonly shippedBelow: () => number;
}

/** One per journal, of one shape. Every method but `append` may be slow. */
export class SegmentWriter {
  readonly tornBytes: number;
  /** Of the current segment: its number and how much of it is whole lines. */
  segment = 0;
  length = 0;
  /** Of all segments. */
  totalBytes = 0;
  readonly #options: SegmentWriterOptions;
  readonly #deps: SegmentWriterDeps;
  #fd = -1;
  #openedAt = 0;
  #broken = false;
  #buffer = Buffer.allocUnsafe(256 * 1024);

  /** Opens a segment of its own; repairs the others first. Throws AUDIT_UNAVAILABLE. */
  constructor(options: SegmentWriterOptions, deps: SegmentWriterDeps) {
    this.#options = options;
    this.#deps = deps;
    try {
      deps.files.makeDirectory(options.directory);
      const found = listSegments(deps.files, options.directory);
      this.tornBytes = repairTails(deps.files, found);
      const segments = listSegments(deps.files, options.directory);
      const last = segments.at(-1);
      this.#account(segments);
      this.#open(last === undefined ? 1 : last.bytes === 0 ? last.number : last.number + 1);
    } catch (error) {
      throw unavailable('the audit directory cannot be opened', error);
    }
  }

  get fd(): number {
    return this.#fd;
  }

  /** True when the next group should go to a new segment. */
  get rotationDue(): boolean {
    return (
      this.#broken ||
      (this.length > 0 &&
        (this.length >= this.#options.segmentBytes ||
          this.#deps.clock.monotonic() - this.#openedAt >= this.#options.segmentAgeMs))
    );
  }

  /** Writes `text`, whole lines, or throws AUDIT_UNAVAILABLE and leaves nothing of it behind. */
  append(text: string): void {
    const bytes = text.length;
    if (this.totalBytes + bytes > this.#options.maxBytes)
      throw unavailable('the audit journal is full', null);
    if (bytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(bytes * 2);
    this.#buffer.write(text, 0, 'latin1');
    try {
      for (let done = 0; done < bytes; ) {
        const written = this.#deps.files.write(this.#fd, this.#buffer, done, bytes - done);
        if (written <= 0) throw new Error('nothing was written');
        done += written;
      }
    } catch (error) {
      this.cutBack(this.length);
      throw unavailable('the audit journal cannot be written', error);
    }
    // The place of the chain: the group's bytes stand in the buffer, and are on their way to the disk.
    this.length += bytes;
    this.totalBytes += bytes;
  }

  /** Takes back what stands beyond `length`. A segment that cannot be cut is not written to again. */
  cutBack(length: number): void {
    this.totalBytes -= this.length - length;
    this.length = length;
    try {
      this.#deps.files.truncate(this.#fd, length);
    } catch {
      this.#broken = true;
    }
  }

  /** The segment is not written to again: what its device holds is not known. */
  abandon(): void {
    this.#broken = true;
  }

  /** Closes the segment and opens the next. Throws AUDIT_UNAVAILABLE and keeps the old one. */
  rotate(): void {
    const { files } = this.#deps;
    const old = this.#fd;
    try {
      if (this.#options.durability === 'disk' && !this.#broken) files.syncNow(old);
      this.#open(this.segment + 1);
    } catch (error) {
      throw unavailable('the next audit segment cannot be opened', error);
    }
    closeQuietly(files, old);
    this.#tidy();
  }

  /** After a failure: whether the directory has room again. Looks at the disk, since people may have made it. */
  hasRoom(): boolean {
    const { maxBytes } = this.#options;
    this.#tidy();
    return this.totalBytes + Math.min(1024 * 1024, maxBytes / 64) <= maxBytes;
  }

  close(): void {
    closeQuietly(this.#deps.files, this.#fd);
    this.#fd = -1;
  }

  #open(number: number): void {
    const { files, clock } = this.#deps;
    const { directory, durability } = this.#options;
    const fd = files.openForAppend(segmentPath(directory, number));
    try {
      if (durability === 'disk') files.syncDirectory(directory);
    } catch (error) {
      closeQuietly(files, fd);
      throw error;
    }
    this.#fd = fd;
    this.segment = number;
    this.length = 0;
    this.#broken = false;
    this.#openedAt = clock.monotonic();
  }

  /** Removes what is past its retention and sums up the rest. A directory that cannot be read changes nothing. */
  #tidy(): void {
    const { files, clock } = this.#deps;
    const { directory, retentionMs } = this.#options;
    try {
      const segments = listSegments(files, directory);
      const shippedBelow = Math.min(this.segment, this.#deps.shippedBelow());
      const freed = removeOldSegments(files, segments, { before: clock.now() - retentionMs, shippedBelow });
      this.#account(segments);
      this.totalBytes -= freed;
    } catch {
      // The next rotation tries again; until then the sum counts too much rather than too little.
    }
  }

  #account(segments: readonly Segment[]): void {
    this.totalBytes = 0;
    for (const segment of segments) this.totalBytes += segment.bytes;
  }
}

function unavailable(message: string, cause: unknown): PosternError {
  return new PosternError('AUDIT_UNAVAILABLE', message, cause ?? undefined);
}

function closeQuietly(files: JournalFiles, fd: number): void {
  try {
    files.close(fd);
  } catch {
    // What was acknowledged is already in the kernel's hands; there is nobody to tell.
  }
}
