// A small journal of several segments with checkpoints, in memory, and a source that verification reads it from: what
// tests and the tampering runs attack. The same seed makes the same lines; the key is made at run time.
import { generateKeyPairSync } from 'node:crypto';
import { checkpointText } from '#audit/chain/checkpoint.ts';
import { leavesOf } from '#audit/chain/leaves.ts';
import { merkleRoot } from '#audit/chain/merkle.ts';
import { GENESIS, groupHash, sealText } from '#audit/chain/seal.ts';
import { importSigningKey, type SigningKey } from '#audit/chain/signing-key.ts';
import { readKeptCheckpoint } from '#audit/chain/verify-kept.ts';
import type { JournalSource, KeptCheckpoint } from '#audit/chain/verify-report.ts';

export interface MemorySegment {
  readonly number: number;
  readonly bytes: Buffer;
}

export function memorySource(segments: readonly MemorySegment[]): JournalSource {
  return {
    segments: () => segments.map(({ number, bytes }) => ({ number, bytes: bytes.length })),
    read(number, into, position) {
      const bytes = segments.find((segment) => segment.number === number)?.bytes;
      return bytes?.copy(into, 0, position) ?? 0;
    },
  };
}

/** Numbers from 0 up to 1, the same for the same seed. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

export function newSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return importSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

const CHAIN = '0198f2a0-0000-7000-8000-00000000c0de';
const TENANTS = ['acme', 'globex', 'initech', 'with "quotes"'];

/** Writes groups as the gateway does, with numbers, checkpoints and segments. */
export class ChainWriter {
  readonly chain: string;
  readonly key: SigningKey;
  group = 0;
  head = GENESIS;
  /** Of checkpoints, as they would have been published. */
  readonly kept: KeptCheckpoint[] = [];
  readonly next = new Map<string, number>();
  #segment = 0;
  #done: MemorySegment[] = [];
  #bytes: Buffer[] = [];
  #opening = '';
  #covered = 0;
  #leaves: Buffer[] = [];

  constructor(key: SigningKey, chain = CHAIN) {
    this.key = key;
    this.chain = chain;
  }

  get segments(): MemorySegment[] {
    if (this.#segment === 0) return [];
    return [...this.#done, { number: this.#segment, bytes: Buffer.concat(this.#bytes) }];
  }

  /** Closed segments, which it then forgets: for journals too large to be held. */
  takeClosed(): MemorySegment[] {
    const closed = this.#done;
    this.#done = [];
    return closed;
  }

  startSegment(): void {
    if (this.#segment > 0) this.#done = this.segments;
    this.#segment += 1;
    this.#bytes = [];
    const { chain, head: prev } = this;
    const header = { k: 'segment', v: 1, chain, segment: this.#segment, group: this.group + 1, prev };
    this.#opening = lineText({
      ...header,
      key: this.key.publicKey,
      t: 1_760_000_000_000,
      instance: 'test-1',
    });
    const next = Object.fromEntries(this.next);
    if (this.next.size > 0) this.#opening += lineText({ k: 'tenants', next });
  }

  /** `text`: whole lines. */
  addText(text: string): void {
    if (this.#segment === 0) this.startSegment();
    const lines = Buffer.from(this.#opening + text, 'latin1');
    this.#opening = '';
    this.group += 1;
    this.head = groupHash(Buffer.concat([Buffer.from(this.head, 'hex'), lines]));
    this.#bytes.push(lines, Buffer.from(sealText(this.group, this.head), 'latin1'));
    this.#leaves.push(...leavesOf(this.group, lines).map(({ hash }) => hash));
  }

  /** The keys of `line` up to `n` stand where the gateway writes them. */
  numbered(k: string, tenant: string, line: object): string {
    const n = this.next.get(tenant) ?? 1;
    this.next.set(tenant, n + 1);
    const refers = k === 'intent' || k === 'refused' ? { s: 1, g: 1, e: 'r' } : {};
    return lineText({ k, tenant, ...refers, n, ...line });
  }

  /** Signs what was not signed yet; the line goes into the next group, or into one of its own. */
  checkpoint(): string {
    const t = 1_760_000_000_000 + this.group;
    const facts = {
      id: `0198f2a0-0000-7000-8000-${String(this.group).padStart(12, '0')}`,
      t,
      chain: this.chain,
    };
    const covers = { from: this.#covered + 1, to: this.group, head: this.head, leaves: this.#leaves.length };
    const root = merkleRoot(this.#leaves).toString('hex');
    const text = checkpointText({ ...facts, ...covers, root }, this.key);
    this.#covered = this.group;
    this.#leaves = [];
    const kept = readKeptCheckpoint(text);
    if (kept !== null) this.kept.push(kept);
    return text;
  }
}

export function lineText(line: object): string {
  return `${JSON.stringify(line)}\n`;
}

/** Segments of groups of one to six lines, checkpoints in between, and one in the last group. */
export function smallJournal(options: {
  readonly seed: number;
  readonly segments: number;
  readonly groupsPerSegment: number;
  readonly key: SigningKey;
}): ChainWriter {
  const random = seeded(options.seed);
  const writer = new ChainWriter(options.key);
  for (let segment = 0; segment < options.segments; segment++) {
    writer.startSegment();
    for (let group = 0; group < options.groupsPerSegment; group++) {
      let text = group > 0 && below(random, 4) === 0 ? writer.checkpoint() : '';
      for (let lines = 1 + below(random, 6); lines > 0; lines--) text += exampleLine(writer, random);
      writer.addText(text);
    }
  }
  writer.addText(writer.checkpoint());
  return writer;
}

function exampleLine(writer: ChainWriter, random: Random): string {
  const tenant = TENANTS[below(random, TENANTS.length)] as string;
  const id = `0198f2a0-0000-7000-8000-${String(below(random, 1e9)).padStart(12, '0')}`;
  switch (below(random, 6)) {
    case 0:
      return lineText({
        k: 'subject',
        s: 1,
        subject: id,
        kind: 'principal',
        issuer: null,
        org: null,
        box: 'AAAA',
      });
    case 1:
      return lineText({ k: 'refused', tenant: null, s: 1, g: 0, e: 'r', id, code: 'no_credential' });
    case 2:
      return writer.numbered('done', tenant, { id, code: 'allowed', status: 200, bytesIn: 0 });
    case 3:
      return lineText({ k: 'grant', tenant, g: 1, grant: { id, revision: 1 } });
    default:
      return writer.numbered('intent', tenant, {
        id,
        t: 1_760_000_000_000,
        method: 'GET',
        path: `/tickets/${id}`,
      });
  }
}
