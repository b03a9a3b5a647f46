// Sums the lines of the journal up to blocks (block.ts) and keeps what a store has to write down: blocks that changed,
// and where the lines stand that others refer to. Knows no store: the indexer and the reader's unindexed tail share it.
// Hot: each line of the journal, once. Assumes whole lines in the order of the journal; closed groups alone are counted.
import type { JournalLine } from '../journal-lines.ts';
import type { LineFollower } from '../line-follower.ts';
import type { Chunk, Position } from '../segment-tail.ts';
import { Block, type Cell, type Tenant } from './block.ts';
import { intentBefore, type SoughtIntent } from './find-intent.ts';
import { emptyPending, type Pending, type Placed } from './pending.ts';
import { denialIn } from './denial-text.ts';
import { KnownTenants } from './known-tenants.ts';
import { ID_LENGTH, KIND, KIND_AT, LineHead, TENANT_AT } from './line-head.ts';

/** Of the bytes of a block, before it is closed: as much as that, and so much per sum, but never more than the last. */
const SUM_SHARE = 64;
const MOST_BLOCKS = 16;
const NEWLINE = 0x0a;

/** Where the builder goes on. */
export interface BuilderStart {
  readonly nextBlock: number;
  /** The latest time of an identifier in all blocks before. */
  readonly topIdMs: number;
  readonly tenants: readonly Tenant[];
}

export interface BlockBuilderDeps {
  readonly blockBytes: number;
  readonly start: BuilderStart;
  /** The line of that request's intent; null when it is not there any more. */
  readonly findIntent: (sought: SoughtIntent) => Placed<Buffer> | null;
}

export class BlockBuilder {
  pending: Pending = emptyPending();
  /** Of all closed blocks. */
  topIdMs: number;
  /** After the last seal, and its line: what was counted up to there is whole. */
  sealedAt: Position | null = null;
  seal = '';
  /** False inside a group. */
  isSealed = true;
  /** Lines that the main thread counts as records. */
  records = 0;
  /** Lines that could not be read. */
  unreadable = 0;
  readonly #deps: BlockBuilderDeps;
  readonly #head = new LineHead();
  readonly #tenants: KnownTenants;
  readonly #nobody: Tenant;
  #block: Block | null = null;
  #nextBlock: number;
  #segment = -1;
  /** Of the chunk at hand. */
  #base = 0;
  #follower: LineFollower | null = null;

  constructor(deps: BlockBuilderDeps) {
    this.#deps = deps;
    const { start } = deps;
    this.topIdMs = start.topIdMs;
    this.#nextBlock = start.nextBlock;
    this.#tenants = new KnownTenants(start.tenants, (tenant) => this.pending.tenants.push(tenant));
    this.#nobody = this.#tenants.of('null');
  }

  /** `follower`: told of every line as well. */
  take(chunk: Chunk, follower: LineFollower | null = null): void {
    const { segment, offset, bytes } = chunk;
    this.#follower = follower;
    follower?.begin(chunk);
    if (segment !== this.#segment) this.#close();
    this.#segment = segment;
    this.#base = offset;
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end === -1) break;
      this.#block ??= this.#begun(offset + from);
      this.#line(this.#block, bytes, from, end);
      from = end + 1;
    }
  }

  /** What was pending; from now on changes are gathered anew. The open block stays open. */
  taken(): Pending {
    const { pending } = this;
    this.pending = emptyPending();
    return pending;
  }

  #line(block: Block, bytes: Buffer, from: number, end: number): void {
    this.isSealed = false;
    switch (bytes[from + KIND_AT]) {
      case KIND.i:
        this.#intent(block, bytes, from, end);
        return;
      case KIND.d:
        this.#ended(block, bytes, from, end);
        return;
      case KIND.r:
        this.#refused(block, bytes, from, end);
        return;
      case KIND.s:
        if (bytes[from + 7] === 0x74) this.#started(block, bytes, from, end);
        else if (bytes[from + 8] === 0x61) this.#sealed(block, bytes, from, end);
        else this.#parsed(block, bytes, from, end);
        return;
      default:
        this.#parsed(block, bytes, from, end);
    }
  }

  #intent(block: Block, bytes: Buffer, from: number, end: number): void {
    const cell = this.#request(block, bytes, from + TENANT_AT.intent);
    if (cell === null) {
      this.#follower?.other(from, end + 1);
      return;
    }
    this.#follower?.line(from, end + 1, cell.tenant.text);
    const { isWrite, t } = this.#head;
    if (isWrite) cell.writes += 1;
    else cell.reads += 1;
    if (t > cell.usedAt) cell.usedAt = t;
  }

  #refused(block: Block, bytes: Buffer, from: number, end: number): void {
    this.records += 1;
    this.#follower?.other(from, end + 1);
    const cell = this.#request(block, bytes, from + TENANT_AT.refused);
    if (cell === null) return;
    const what = denialIn(bytes.toString('latin1', this.#head.to, end));
    if (what !== null) cell.deny(what);
    else if (this.#head.isWrite) cell.writes += 1;
    else cell.reads += 1;
  }

  #request(block: Block, bytes: Buffer, at: number): Cell | null {
    const head = this.#head;
    if (!head.request(bytes, at)) {
      this.unreadable += 1;
      return null;
    }
    block.time(head.t);
    block.idTime(head.idMs);
    const tenant = this.#tenantAt(bytes);
    if (tenant === null) return null;
    const cell = block.cell(tenant, head.s, head.g, head.t);
    cell.isDirty = true;
    return cell;
  }

  #ended(block: Block, bytes: Buffer, from: number, end: number): void {
    this.records += 1;
    const head = this.#head;
    if (!head.end(bytes, from + TENANT_AT.done)) {
      this.unreadable += 1;
      this.#follower?.other(from, end + 1);
      return;
    }
    this.#follower?.line(from, end + 1, this.#tenants.textAt(bytes, head.tenantFrom, head.tenantTo));
    const { to, idMs } = head;
    if (idMs <= this.topIdMs) block.ended(idMs);
    // `,"code":"ok"`
    if (bytes[to + 9] === 0x6f && bytes[to + 10] === 0x6b && bytes[to + 11] === 0x22) return;
    const what = denialIn(bytes.toString('latin1', to, end));
    if (what !== null) this.#turn(bytes, from, what);
  }

  #started(block: Block, bytes: Buffer, from: number, end: number): void {
    this.records += 1;
    this.#follower?.other(from, end + 1);
    const head = this.#head;
    if (!head.end(bytes, from + TENANT_AT.started)) this.unreadable += 1;
    else if (head.idMs <= this.topIdMs) block.ended(head.idMs);
  }

  /** Denied after it was let through: by a body, a guard or a revoke. Counted where the intent stands. */
  #turn(bytes: Buffer, from: number, what: string): void {
    const { idFrom, idMs } = this.#head;
    const id = bytes.toString('latin1', idFrom, idFrom + ID_LENGTH);
    const place = { segment: this.#segment, offset: this.#base + from };
    const near = intentBefore(bytes, id, from);
    const found =
      near === null
        ? this.#deps.findIntent({ id, idMs, before: place, blocks: this.#pendingOf(idMs) })
        : { segment: this.#segment, offset: this.#base + near.at, line: near.line };
    if (found === null || !this.#head.request(found.line, TENANT_AT.intent)) return;
    const tenant = this.#tenantAt(found.line);
    if (tenant === null) return;
    const { s, g, t, isWrite } = this.#head;
    const block = this.#pendingBlockAt(found);
    if (block === null) {
      this.pending.turned.push({
        segment: found.segment,
        offset: found.offset,
        t,
        tenant,
        s,
        g,
        isWrite,
        what,
      });
      return;
    }
    const cell = block.cell(tenant, s, g, t);
    if (isWrite) cell.writes -= 1;
    else cell.reads -= 1;
    cell.deny(what);
  }

  /** The latest first. */
  #pendingOf(idMs: number): Block[] {
    const { blocks } = this.pending;
    return blocks.filter(({ firstIdMs, lastIdMs }) => firstIdMs <= idMs && lastIdMs >= idMs).toReversed();
  }

  #pendingBlockAt({ segment, offset }: Position): Block | null {
    const open = this.#block;
    if (open !== null && open.segment === segment && open.start <= offset) return open;
    const { blocks } = this.pending;
    return blocks.find((one) => one.segment === segment && one.start <= offset && offset < one.end) ?? null;
  }

  #sealed(block: Block, bytes: Buffer, from: number, end: number): void {
    this.#follower?.seal(from, end + 1);
    block.end = this.#base + end + 1;
    this.sealedAt = { segment: this.#segment, offset: block.end };
    this.seal = bytes.toString('latin1', from, end + 1);
    this.isSealed = true;
    const size = block.end - block.start;
    const { blockBytes } = this.#deps;
    const isFull = size >= blockBytes && size >= block.cells.length * (blockBytes / SUM_SHARE);
    if (isFull || size >= MOST_BLOCKS * blockBytes) this.#close();
    else this.#changed(block);
  }

  /** Lines of which there are few. */
  #parsed(block: Block, bytes: Buffer, from: number, end: number): void {
    this.#follower?.other(from, end + 1);
    const line = lineIn(bytes.toString('latin1', from, end));
    if (line === null) {
      this.unreadable += 1;
      return;
    }
    const place = { segment: this.#segment, offset: this.#base + from };
    switch (line.k) {
      case 'subject':
        this.pending.subjects.push({ ...place, line });
        return;
      case 'grant':
        this.pending.grants.push({ ...place, line });
        return;
      case 'policy':
        this.pending.policies.push({ ...place, line });
        return;
      case 'segment':
        this.pending.segments.push({ ...place, line });
        return;
      case 'opened':
        this.pending.opened.push(place);
        return;
      default:
        this.#other(block, line, bytes, from);
    }
  }

  #other(block: Block, line: JournalLine, bytes: Buffer, from: number): void {
    if (line.k !== 'event' && line.k !== 'summed' && line.k !== 'gap' && line.k !== 'checkpoint') return;
    this.records += 1;
    const at: unknown = line.k === 'gap' ? line.until : line.t;
    const count: unknown = 'count' in line ? line.count : 0;
    // Sealed as it stands, and yet not as it is written: it is verification that says what became of it.
    if (typeof line.id !== 'string' || !Number.isSafeInteger(at) || !Number.isSafeInteger(count)) {
      this.unreadable += 1;
      return;
    }
    block.time(at as number);
    const idMs = Number.parseInt(line.id.slice(0, 8) + line.id.slice(9, 13), 16);
    if (!Number.isNaN(idMs)) block.idTime(idMs);
    if (line.k !== 'event') {
      block.other(this.#nobody, 0, line.k, count as number);
      return;
    }
    if (!Number.isSafeInteger(line.s) || !this.#head.tenant(bytes, from + TENANT_AT.event)) {
      this.unreadable += 1;
      return;
    }
    const tenant = this.#tenantAt(bytes);
    if (tenant !== null) block.other(tenant, line.s, 'event', 0);
  }

  /** Null for what is no JSON: then the line is counted as unreadable. */
  #tenantAt(bytes: Buffer): Tenant | null {
    const { tenantFrom, tenantTo } = this.#head;
    try {
      return this.#tenants.at(bytes, tenantFrom, tenantTo);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.unreadable += 1;
      return null;
    }
  }

  #begun(start: number): Block {
    const block = new Block(this.#nextBlock, this.#segment, start);
    this.#nextBlock += 1;
    return block;
  }

  #close(): void {
    const block = this.#block;
    if (block === null) return;
    this.#block = null;
    this.topIdMs = Math.max(this.topIdMs, block.lastIdMs);
    if (block.end > block.start) this.#changed(block);
  }

  /** The open block is always the last. */
  #changed(block: Block): void {
    const { blocks } = this.pending;
    if (blocks.at(-1) !== block) blocks.push(block);
  }
}

/** Null for what is no object of JSON. */
function lineIn(text: string): JournalLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' ? (line as JournalLine | null) : null;
  } catch {
    return null;
  }
}
