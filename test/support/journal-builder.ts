// Journals made line by line, with the chain that the gateway would have written: for tests of whatever reads them.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GENESIS, groupHash, sealText } from '#audit/chain/seal.ts';

export const EXAMPLE_CHAIN = '0198f2a0-0000-7000-8000-00000000c0de';
const EXAMPLE_INSTANCE = 'test-1';

/** A line as an object (its keys in the order they are to stand in), or as text without its newline. */
type BuiltLine = object | string;

export class JournalBuilder {
  /** Of the last group: its number and hash. */
  group = 0;
  head = GENESIS;
  segment = 0;
  readonly #directory: string;
  readonly #key: string;
  #bytes = '';

  /** `key`: the public key that segment lines name, base64url. */
  constructor(directory: string, key = 'A'.repeat(43)) {
    this.#directory = directory;
    this.#key = key;
    mkdirSync(directory, { recursive: true });
  }

  /** Begins a segment; its first line joins the first group that is added. */
  startSegment(): this {
    this.segment += 1;
    this.#bytes = '';
    this.#pending = `${JSON.stringify({
      k: 'segment',
      v: 1,
      chain: EXAMPLE_CHAIN,
      segment: this.segment,
      group: this.group + 1,
      prev: this.head,
      key: this.#key,
      t: 1_760_000_000_000,
      instance: EXAMPLE_INSTANCE,
    })}\n`;
    return this;
  }

  /** Adds one group with its seal, and writes the segment. */
  add(...lines: readonly BuiltLine[]): this {
    if (this.segment === 0) this.startSegment();
    const texts = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
    const text = this.#pending + texts.join('');
    this.#pending = '';
    const bytes = Buffer.concat([Buffer.from(this.head, 'hex'), Buffer.from(text, 'latin1')]);
    this.group += 1;
    this.head = groupHash(bytes);
    this.#bytes += text + sealText(this.group, this.head);
    writeFileSync(this.path(), this.#bytes, 'latin1');
    return this;
  }

  /** Of the current segment. */
  path(): string {
    return path.join(this.#directory, `journal-${String(this.segment).padStart(12, '0')}.ndjson`);
  }

  #pending = '';
}
