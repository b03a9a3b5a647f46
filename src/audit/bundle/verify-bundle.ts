// Verifies a bundle from its file alone: the signature over the whole, every checkpoint's signature, every leaf's proof,
// the order of all of them, the tenant's own numbers, and that nothing is of another tenant or refers to what is missing.
// Assumes nothing of the file, which may be made to mislead. Memory: one segment's references. Not hot.
import { checkpointHolds, readCheckpoint } from '../chain/checkpoint.ts';
import type { CheckpointLine, JournalLine } from '../journal-lines.ts';
import { asciiJson } from '../json-text.ts';
import { BundleContext, type BundleGroup } from './bundle-group.ts';
import {
  type BundleEnd,
  type BundleHeader,
  endHolds,
  type LeafHead,
  parsed,
  readEnd,
  readHeader,
  readKey,
  readLeaf,
} from './bundle-format.ts';
import { contextLines, isOfTenant, isProven, type ReadLeaf } from './bundle-leaf.ts';
import { BundleLines } from './bundle-lines.ts';
import { BundleProblems, type BundleReport } from './bundle-report.ts';
import { TenantSeries } from './tenant-series.ts';

export interface VerifyDeps {
  /** Keys that may sign, 32 bytes base64url each; null trusts those that the bundle names. */
  readonly publicKeys: readonly string[] | null;
  /** Told of every group that was read, whether the bundle holds or not. */
  readonly onGroup?: (group: BundleGroup, context: BundleContext) => void;
}

/** Throws the errors of node:fs. */
export function verifyBundle(path: string, deps: VerifyDeps): BundleReport {
  const lines = new BundleLines(path);
  try {
    const check = new BundleCheck(lines, deps);
    check.run();
    return check.report();
  } finally {
    lines.close();
  }
}

class BundleCheck {
  readonly #lines: BundleLines;
  readonly #deps: VerifyDeps;
  readonly #problems = new BundleProblems();
  #header: BundleHeader | null = null;
  #tenant = '';
  #context = new BundleContext('', () => undefined);
  readonly #series = new TenantSeries();
  readonly #keys = new Set<string>();
  #checkpoint: CheckpointLine | null = null;
  #checkpoints = 0;
  #signedFrom: number | null = null;
  #leaves = 0;
  #numbered = 0;
  /** Of the leaf read last: its place under the checkpoint and its group. */
  #index = -1;
  #group = 0;
  /** The leaves of the group being read. */
  #pending: ReadLeaf[] = [];
  #end: BundleEnd | null = null;

  constructor(lines: BundleLines, deps: VerifyDeps) {
    this.#lines = lines;
    this.#deps = deps;
  }

  run(): void {
    const first = this.#lines.next();
    this.#header = first === null ? null : readHeader(first);
    if (this.#header === null) {
      this.#problems.add(1, 'this is no bundle of the format postern-bundle/v1');
      return;
    }
    this.#tenant = asciiJson(this.#header.tenant);
    this.#context = new BundleContext(this.#header.chain, (at, text) => this.#problems.add(at, text));
    for (let text = this.#lines.next(); text !== null; text = this.#lines.next()) {
      if (this.#end === null) this.#take(text);
      else this.#problems.add(this.#lines.number, 'something follows on the end');
    }
    if (this.#end === null)
      this.#problems.add(this.#lines.number, 'the end is missing: the bundle was cut off');
    if (!this.#lines.isWhole) this.#problems.add(this.#lines.number, 'the last line is cut off');
  }

  report(): BundleReport {
    const { named, erased } = this.#context;
    const { first, last, unused } = this.#series;
    return {
      header: this.#header,
      problems: this.#problems.list,
      problemCount: this.#problems.count,
      keys: [...this.#keys].toSorted(),
      checkpoints: this.#checkpoints,
      signedFrom: this.#signedFrom,
      signedTo: this.#checkpoint?.t ?? null,
      numbered: this.#numbered,
      first,
      last,
      unused,
      named,
      erased,
    };
  }

  #take(text: string): void {
    const at = this.#lines.number;
    if (text.startsWith('{"k":"checkpoint"')) {
      this.#takeCheckpoint(text, at);
      return;
    }
    const leaf = readLeaf(text);
    if (leaf !== null) {
      this.#takeLeaf(leaf);
      return;
    }
    const key = readKey(text);
    if (key !== null) {
      this.#takeKey(key, at);
      return;
    }
    const end = readEnd(text);
    if (end === null) this.#problems.add(at, 'a line that no bundle has here');
    else this.#takeEnd(text, end);
  }

  #takeCheckpoint(text: string, at: number): void {
    this.#settleGroup();
    const line = readCheckpoint(text);
    if (line === null || line.chain !== this.#header?.chain) {
      this.#problems.add(at, 'a checkpoint that is none of this chain');
      this.#checkpoint = null;
      return;
    }
    if (!checkpointHolds(text, this.#maySign()))
      this.#problems.add(at, 'the checkpoint is not signed by a key that may');
    if (line.from <= (this.#checkpoint?.to ?? this.#group))
      this.#problems.add(at, 'the checkpoint comes twice or too late');
    if (this.#checkpoints > 0 && this.#index === -1)
      this.#problems.add(at, 'the checkpoint before it proves nothing');
    this.#keys.add(line.key);
    this.#checkpoint = line;
    this.#checkpoints += 1;
    this.#signedFrom ??= line.t;
    this.#index = -1;
  }

  #maySign(): readonly string[] {
    const named = this.#header?.keys ?? [];
    const { publicKeys } = this.#deps;
    return publicKeys === null ? named : named.filter((key) => publicKeys.includes(key));
  }

  #takeLeaf(leaf: LeafHead): void {
    const at = this.#lines.number;
    let bytes = '';
    const parsedLines: JournalLine[] = [];
    for (let count = 0; count < leaf.lines; count += 1) {
      const text = this.#lines.next();
      if (text === null) break;
      bytes += `${text}\n`;
      parsedLines.push(parsed(text) as JournalLine);
    }
    this.#leaves += 1;
    if (leaf.group !== this.#group) this.#settleGroup();
    if (!this.#isInOrder(leaf))
      this.#problems.add(at, 'a leaf that comes twice, too late or under another checkpoint');
    this.#group = Math.max(this.#group, leaf.group);
    this.#index = Math.max(this.#index, leaf.index);
    const buffer = Buffer.from(bytes, 'latin1');
    if (this.#checkpoint === null || !isProven(leaf, buffer, this.#checkpoint)) {
      this.#problems.add(at + 1, `group ${leaf.group}: these lines are not what the checkpoint signed`);
      return;
    }
    if (parsedLines.includes(null as unknown as JournalLine)) this.#problems.add(at + 1, 'a line is no JSON');
    else if (isOfTenant(leaf, buffer, this.#tenant))
      this.#pending.push({ ...leaf, lines: parsedLines, at: at + 1 });
    else this.#problems.add(at + 1, 'a record of another tenant');
    // Keys follow on their line: it is taken at once.
    if (leaf.use === 'context' && this.#pending.at(-1)?.at === at + 1) this.#takeContext(at + 1);
  }

  #isInOrder({ group, index }: LeafHead): boolean {
    const { from, to } = this.#checkpoint ?? { from: 1, to: 0 };
    return group >= from && group <= to && group >= this.#group && index > this.#index;
  }

  #takeContext(at: number): void {
    const leaf = this.#pending.at(-1);
    if (leaf === undefined) return;
    this.#guarded(at, () => {
      if (leaf.lines.some((line) => 'tenant' in line && line.tenant !== null)) this.#context.takeGrants(leaf);
      else this.#context.take(leaf);
    });
  }

  #takeKey(key: Buffer, at: number): void {
    this.#guarded(at, () => this.#context.takeKey(key, at));
  }

  /** The tenant's lines of a group are looked at when its other lines were read. */
  #settleGroup(): void {
    const leaves = this.#pending;
    this.#pending = [];
    this.#context.settleKey();
    const records = leaves.filter(({ use }) => use === 'record');
    const [record, ...others] = records;
    if (others.length > 0) this.#problems.add(others[0]?.at ?? 0, 'a group has one leaf of records');
    const at = leaves[0]?.at ?? 0;
    const { segment } = this.#context;
    if (leaves.length === 0) return;
    if (segment === null) {
      this.#problems.add(at, 'there is no segment line before it');
      return;
    }
    this.#guarded(at, () => {
      if (record !== undefined) this.#takeRecords(record);
      const context = leaves.filter(({ use }) => use === 'context').flatMap(contextLines);
      const number = leaves[0]?.group ?? 0;
      this.#deps.onGroup?.({ number, segment, context, records: record?.lines ?? [] }, this.#context);
    });
  }

  #takeRecords(leaf: ReadLeaf): void {
    this.#context.resolve(leaf);
    for (const [index, line] of leaf.lines.entries()) {
      if (line.k === 'unused') this.#series.declare(line);
      if (line.k === 'unused' || line.k === 'grant') continue;
      this.#numbered += 1;
      if (!this.#series.take('n' in line ? Number(line.n) : 0)) {
        this.#problems.add(leaf.at + index, 'its number does not follow on the one before');
      }
    }
  }

  #takeEnd(text: string, end: BundleEnd): void {
    const at = this.#lines.number;
    this.#settleGroup();
    this.#end = end;
    this.#keys.add(end.key);
    if (end.sha256 !== this.#lines.sha256Before())
      this.#problems.add(at, 'the bundle is not the one that was signed');
    if (!this.#maySign().includes(end.key) || !endHolds(text, end)) {
      this.#problems.add(at, 'the bundle is not signed by a key that may');
    }
    const { first, last } = this.#series;
    const { named } = this.#context;
    const isWhole =
      end.checkpoints === this.#checkpoints &&
      end.leaves === this.#leaves &&
      end.numbered === this.#numbered &&
      end.keys === named &&
      end.first === first &&
      end.last === last;
    if (!isWhole) this.#problems.add(at, 'what the end counts is not what is there');
    for (const [from, to] of this.#series.missing()) {
      this.#problems.add(
        at,
        from === to ? `number ${from} is missing` : `numbers ${from} to ${to} are missing`,
      );
    }
  }

  /** A signed line of a shape that no journal writes: whoever signs it is not Postern. */
  #guarded(at: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#problems.add(at, 'a line that has not the shape of a journal line');
    }
  }
}
