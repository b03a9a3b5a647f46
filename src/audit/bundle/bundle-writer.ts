// Writes a bundle beside its final name and puts it there once it is whole and signed: nobody finds half a bundle.
// For the owner alone. Keeps the counts and the hash that the last line signs. Not hot.
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { SigningKey } from '../chain/signing-key.ts';
import {
  type BundleCounts,
  type BundleHeader,
  endText,
  headerText,
  keyText,
  leafText,
} from './bundle-format.ts';
import type { ProvenLeaf } from './proven-leaves.ts';

const FLUSH_BYTES = 1024 * 1024;

/** Methods throw the errors of node:fs. */
export class BundleWriter {
  readonly counts: { -readonly [K in keyof BundleCounts]: BundleCounts[K] } = {
    checkpoints: 0,
    leaves: 0,
    numbered: 0,
    keys: 0,
    first: null,
    last: null,
  };
  readonly #path: string;
  readonly #hash = createHash('sha256');
  #fd: number;
  #pending: Buffer[] = [];
  #bytes = 0;

  constructor(path: string, header: Omit<BundleHeader, 'b' | 'format'>) {
    this.#path = path;
    this.#fd = openSync(this.#aside, 'w', 0o600);
    this.#add(Buffer.from(headerText(header), 'latin1'));
  }

  /** `text`: the line, newline included. */
  checkpoint(text: string): void {
    this.counts.checkpoints += 1;
    this.#add(Buffer.from(text, 'latin1'));
  }

  /** Of the checkpoint above. */
  leaf({ use, group, at, proof, lines, bytes, numbers, key }: ProvenLeaf): void {
    const { counts } = this;
    counts.leaves += 1;
    this.#add(Buffer.from(leafText({ use, group, index: at, proof, lines }), 'latin1'));
    this.#add(bytes);
    if (key !== null) {
      counts.keys += 1;
      this.#add(Buffer.from(keyText(key), 'latin1'));
    }
    counts.numbered += numbers.length;
    counts.first ??= numbers[0] ?? null;
    counts.last = numbers.at(-1) ?? counts.last;
  }

  /** Signs and puts the file into place. */
  finish(key: SigningKey): void {
    this.#flush();
    const end = endText(this.counts, this.#hash.digest('hex'), key);
    this.#pending = [Buffer.from(end, 'latin1')];
    this.#write();
    fsyncSync(this.#fd);
    this.#close();
    renameSync(this.#aside, this.#path);
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#close();
    rmSync(this.#aside, { force: true });
  }

  get #aside(): string {
    return `${this.#path}.partial`;
  }

  #add(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= FLUSH_BYTES) this.#flush();
  }

  #flush(): void {
    for (const bytes of this.#pending) this.#hash.update(bytes);
    this.#write();
  }

  #write(): void {
    const bytes = Buffer.concat(this.#pending);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    this.#pending = [];
    this.#bytes = 0;
  }

  #close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }
}
