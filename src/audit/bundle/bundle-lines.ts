// Reads a bundle line by line, from the disk, and hashes what it read. Not hot.
// Memory: one line, whatever stands in the file.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1024 * 1024;
/** No line of a bundle is as long: what is longer is none. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Methods throw the errors of node:fs. */
export class BundleLines {
  /** Of the line read last, from 1. */
  number = 0;
  /** Whether that line ended in a newline. */
  isWhole = true;
  readonly #fd: number;
  readonly #hash = createHash('sha256');
  #data = Buffer.alloc(0);
  #at = 0;
  /** The line read last, which is hashed when the next one is asked for. */
  #last: Buffer | null = null;

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
  }

  /** Without its newline, as latin1; null at the end. */
  next(): string | null {
    if (this.#last !== null) this.#hash.update(this.#last);
    this.#last = null;
    let newline = this.#data.indexOf(NEWLINE, this.#at);
    while (newline === -1 && this.#more()) newline = this.#data.indexOf(NEWLINE, this.#at);
    const end = newline === -1 ? this.#data.length : newline;
    if (this.#at >= this.#data.length) return null;
    this.isWhole = newline !== -1;
    const text = this.#data.toString('latin1', this.#at, end);
    const after = this.isWhole ? end + 1 : end;
    this.#last = this.#data.subarray(this.#at, after);
    this.#at = after;
    this.number += 1;
    return text;
  }

  /** Of every byte before the line read last, hex. */
  sha256Before(): string {
    return this.#hash.copy().digest('hex');
  }

  close(): void {
    closeSync(this.#fd);
  }

  #more(): boolean {
    const rest = this.#data.subarray(this.#at);
    if (rest.length > MAX_LINE_BYTES) return false;
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = readSync(this.#fd, chunk, 0, CHUNK_BYTES, null);
    if (read === 0) return false;
    this.#data = Buffer.concat([rest, chunk.subarray(0, read)]);
    this.#at = 0;
    return true;
  }
}
