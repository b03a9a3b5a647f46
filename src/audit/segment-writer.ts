// Appends groups of lines to the current segment, each with its seal: all of a group or none of it. Short writes are
// continued, a failed group is cut off again, segments rotate by size and age, the directory never outgrows its limit.
// Hot: one `append` per turn of the event loop. Assumes ASCII text, so that length is size.
import type { Clock } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import { type ChainStart, readChainStart } from './chain/chain-start.ts';
import { groupHash, HASH_BYTES, sealText } from './chain/seal.ts';
import { asciiJson } from './json-text.ts';
import type { JournalFiles } from './journal-files.ts';
import type { SegmentLine } from './journal-lines.ts';
import {
  cutTail,
  type DroppedSegments,
  type ExpiredSegments,
  listSegments,
  removeOldSegments,
  removeOldest,
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
  readonly onFull: 'refuse' | 'dropOldestUnshipped';
  readonly instance: string;
  /** The public key that signs, base64url; empty where nothing is signed. */
  readonly publicKey: string;
}

/** A place in the chain: what is acknowledged up to there. */
export interface ChainMark {
  readonly length: number;
  readonly group: number;
  readonly head: string;
}

export interface SegmentWriterDeps {
  readonly files: JournalFiles;
  readonly clock: Clock;
  /** Segments with smaller numbers have left through every sink. */
  readonly shippedBelow: () => number;
  /** Segments were removed for their age. */
  readonly onExpired: (expired: ExpiredSegments) => void;
  /** Segments were removed although a sink still needed them. */
  readonly onDropped: (dropped: DroppedSegments) => void;
}

/** A seal is shorter, however long its number grows. */
const MAX_SEAL_BYTES = 128;

/** One per journal, of one shape. Every method but `append` may be slow. */
export class SegmentWriter {
  readonly tornBytes: number;
  /** What was found at the start. */
  readonly start: ChainStart;
  /** Of the current segment: its number and how much of it is whole groups. */
  segment = 0;
  length = 0;
  /** Of all segments. */
  totalBytes = 0;
  /** Of the last group: its number and hash. */
  group: number;
  head: string;
  readonly #options: SegmentWriterOptions;
  readonly #deps: SegmentWriterDeps;
  #fd = -1;
  #openedAt = 0;
  #broken = false;
  /** Bytes that were never acknowledged stand behind `length`. */
  #uncut = false;
  /** The last group's hash, then the bytes of the group being written. */
  #buffer = Buffer.allocUnsafe(256 * 1024);

  /** Opens a segment of its own; repairs the last one first. Throws AUDIT_UNAVAILABLE. */
  constructor(options: SegmentWriterOptions, deps: SegmentWriterDeps) {
    this.#options = options;
    this.#deps = deps;
    try {
      deps.files.makeDirectory(options.directory);
      const found = listSegments(deps.files, options.directory);
      this.start = readChainStart(deps.files, found);
      this.tornBytes = this.#repair(found);
      ({ group: this.group, head: this.head } = this.start);
      this.#buffer.write(this.head, 0, 'hex');
      const segments = listSegments(deps.files, options.directory);
      const last = segments.at(-1);
      this.#account(segments);
      this.#open(last === undefined ? 1 : last.bytes === 0 ? last.number : last.number + 1);
    } catch (error) {
      if (error instanceof PosternError) throw error;
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

  get mark(): ChainMark {
    return { length: this.length, group: this.group, head: this.head };
  }

  /** Writes `text`, whole lines, as one group; or throws AUDIT_UNAVAILABLE and leaves nothing of it behind. */
  append(text: string): void {
    const group = this.length === 0 ? this.#segmentText() + text : text;
    const sealAt = HASH_BYTES + group.length;
    if (sealAt + MAX_SEAL_BYTES > this.#buffer.length) this.#grow(sealAt + MAX_SEAL_BYTES);
    const buffer = this.#buffer;
    buffer.write(group, HASH_BYTES, 'latin1');
    const head = groupHash(buffer.subarray(0, sealAt));
    const end = sealAt + buffer.write(sealText(this.group + 1, head), sealAt, 'latin1');
    const bytes = end - HASH_BYTES;
    if (this.totalBytes + bytes > this.#options.maxBytes) this.#makeRoom(bytes);
    try {
      for (let done = HASH_BYTES; done < end; ) {
        const written = this.#deps.files.write(this.#fd, buffer, done, end - done);
        if (written <= 0) throw new Error('nothing was written');
        done += written;
      }
    } catch (error) {
      this.cutBack(this.mark);
      throw unavailable('the audit journal cannot be written', error);
    }
    buffer.write(head, 0, 'hex');
    this.group += 1;
    this.head = head;
    this.length += bytes;
    this.totalBytes += bytes;
  }

  /** Takes back what stands beyond `mark`. A segment that cannot be cut is not written to again. */
  cutBack({ length, group, head }: ChainMark): void {
    this.totalBytes -= this.length - length;
    this.length = length;
    this.group = group;
    this.head = head;
    this.#buffer.write(head, 0, 'hex');
    try {
      this.#deps.files.truncate(this.#fd, length);
    } catch {
      this.#broken = true;
      this.#uncut = true;
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
      // What was never acknowledged may not stay in a closed segment: it would be read as if it had been.
      if (this.#uncut) files.truncate(old, this.length);
      this.#uncut = false;
      if (this.#options.durability === 'disk' && !this.#broken) files.syncNow(old);
      // An empty segment is opened again: numbers leave no hole.
      this.#open(this.length === 0 ? this.segment : this.segment + 1);
    } catch (error) {
      throw unavailable('the next audit segment cannot be opened', error);
    }
    closeQuietly(files, old);
    this.#tidy();
  }

  /** After a failure: whether the directory has room again. Looks at the disk, since people may have made it. */
  hasRoom(): boolean {
    const { maxBytes, onFull } = this.#options;
    this.#tidy();
    if (onFull === 'dropOldestUnshipped') return true;
    return this.totalBytes + Math.min(1024 * 1024, maxBytes / 64) <= maxBytes;
  }

  close(): void {
    closeQuietly(this.#deps.files, this.#fd);
    this.#fd = -1;
  }

  /** Only the last segment can be torn; whatever is odd in others is left for verification to find. */
  #repair(segments: readonly Segment[]): number {
    let torn = 0;
    const last = segments.at(-1)?.number;
    for (const segment of segments) {
      const whole = this.start.wholeBytes.get(segment.number);
      if (whole === undefined || (whole > 0 && segment.number !== last)) continue;
      torn += cutTail(this.#deps.files, segment, whole);
    }
    return torn;
  }

  #segmentText(): string {
    const { instance, publicKey } = this.#options;
    const line: SegmentLine = {
      k: 'segment',
      v: 1,
      chain: this.start.chain,
      segment: this.segment,
      group: this.group + 1,
      prev: this.head,
      key: publicKey,
      t: this.#deps.clock.now(),
      instance,
    };
    return `${asciiJson(line)}\n`;
  }

  #grow(bytes: number): void {
    const buffer = Buffer.allocUnsafe(bytes * 2);
    buffer.write(this.head, 0, 'hex');
    this.#buffer = buffer;
  }

  /** Throws AUDIT_UNAVAILABLE where the directory may not grow and nothing may be removed. */
  #makeRoom(bytes: number): void {
    const { directory, maxBytes, onFull } = this.#options;
    if (onFull === 'dropOldestUnshipped') {
      const { files, onDropped } = this.#deps;
      const wanted = this.totalBytes + bytes - maxBytes;
      const dropped = removeOldest(files, listSegments(files, directory), { wanted, below: this.segment });
      this.totalBytes -= dropped.bytes;
      if (dropped.segments > 0) onDropped(dropped);
    }
    if (this.totalBytes + bytes > maxBytes) throw unavailable('the audit journal is full', null);
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
      const expired = removeOldSegments(files, segments, { before: clock.now() - retentionMs, shippedBelow });
      this.#account(segments);
      if (expired === null) return;
      this.totalBytes -= expired.bytes;
      this.#deps.onExpired(expired);
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
