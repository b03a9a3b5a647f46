// The leaves of a group: what checkpoints put under their Merkle root, so that one tenant's lines can be proven without
// the others' being shown. Lines are never parsed: the tenant is the raw text after the first key. Assumes whole lines.
// Hot in the sink worker, once per group. A leaf's bytes are copied behind its prefix for one native hash call: an
// incremental hash costs 1.5 µs to make, the copy 20 ns for a line (bench/verify.ts).
import { createHash, hash } from 'node:crypto';
import { HASH_BYTES } from './seal.ts';

export interface Leaf {
  /** The tenant as raw JSON text, quotes included; null for a line that belongs to no tenant. */
  readonly tenant: string | null;
  /** 32 bytes. */
  readonly hash: Buffer;
  /** Where its lines stand, start inclusive, end exclusive: ascending, whole lines, neighbours joined. */
  readonly spans: readonly (readonly [number, number])[];
}

/** A leaf before it is hashed: its spans grow while the group is read. */
export class OpenLeaf {
  readonly tenant: string | null;
  /** Start, end, start, end: flat, since most leaves have one span and there are many. */
  readonly spans: number[];
  /** What a visitor knows of the tenant: looked up once a group instead of once a line. */
  known: object | null = null;
  /** Of the tenant's raw text, its last character before the quote. */
  readonly lastAt: number;
  readonly lastCode: number;

  constructor(tenant: string | null, start: number, end: number) {
    this.tenant = tenant;
    this.lastAt = tenant === null ? 0 : tenant.length - 2;
    this.lastCode = tenant === null ? 0 : tenant.charCodeAt(this.lastAt);
    this.spans = [start, end];
  }
}

/** Told of every line in order. `behindTenant` is where its raw tenant ends; -1 without one. */
export interface LineVisitor {
  line(start: number, behindTenant: number, leaf: OpenLeaf): void;
}

/**
 * Of the group `group`, whose lines are `lines`, the seal left out: in the order of their first lines. All lines of
 * one tenant are one leaf, every other line is one of its own.
 */
export function leavesOf(group: number, lines: Buffer): Leaf[] {
  const open = openLeaves(lines.toString('latin1'), null);
  const prefix = leafPrefix(group);
  const leaves: Leaf[] = [];
  for (let i = 0; i < open.length; i++) {
    const { tenant, spans } = open[i] as OpenLeaf;
    const bytes = Buffer.allocUnsafe(HASH_BYTES);
    bytes.write(leafHashText(prefix, lines, spans), 0, HASH_BYTES, 'latin1');
    leaves.push({ tenant, hash: bytes, spans: pairsOf(spans) });
  }
  return leaves;
}

function pairsOf(spans: readonly number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < spans.length; i += 2) pairs.push([spans[i] as number, spans[i + 1] as number]);
  return pairs;
}

/** The hash alone of a leaf whose lines are `lines`: what a bundle is checked with. 32 bytes. */
export function leafHash(group: number, lines: Buffer): Buffer {
  return Buffer.from(leafHashText(leafPrefix(group), lines, [0, lines.length]), 'latin1');
}

/** The leaves of lines given as latin1 text, not hashed yet. */
export function openLeaves(text: string, visitor: LineVisitor | null = null): OpenLeaf[] {
  const leaves: OpenLeaf[] = [];
  const tenants = new TenantLeaves(leaves);
  for (let start = 0, end = 0; start < text.length; start = end) {
    const newline = text.indexOf('\n', start);
    end = newline === -1 ? text.length : newline + 1;
    const from = tenantStart(text, start);
    if (from === -1) {
      const leaf = new OpenLeaf(null, start, end);
      leaves.push(leaf);
      if (visitor !== null) visitor.line(start, -1, leaf);
    } else {
      const leaf = tenants.at(text, from, start);
      extend(leaf.spans, start, end);
      if (visitor !== null) visitor.line(start, from + (leaf.tenant as string).length, leaf);
    }
  }
  return leaves;
}

/** Compared one by one before anything is cut out and looked up: most groups have few tenants. */
const FEW = 8;

/** The tenants' leaves of one group. */
class TenantLeaves {
  readonly #leaves: OpenLeaf[];
  readonly #few: OpenLeaf[] = [];
  #all: Map<string, OpenLeaf> | null = null;

  constructor(leaves: OpenLeaf[]) {
    this.#leaves = leaves;
  }

  /** Of the tenant whose raw text begins at `from`; a new one has an empty span at `start`. */
  at(text: string, from: number, start: number): OpenLeaf {
    const few = this.#few;
    for (let i = 0; i < few.length; i++) {
      const leaf = few[i] as OpenLeaf;
      // Names often begin alike: their last characters tell them apart without a call.
      if (text.charCodeAt(from + leaf.lastAt) !== leaf.lastCode) continue;
      if (text.startsWith(leaf.tenant as string, from)) return leaf;
    }
    const tenant = text.slice(from, tenantEnd(text, from));
    const known = this.#all?.get(tenant);
    if (known !== undefined) return known;
    const leaf = new OpenLeaf(tenant, start, start);
    this.#leaves.push(leaf);
    if (few.length < FEW) few.push(leaf);
    else (this.#all ??= new Map()).set(tenant, leaf);
    return leaf;
  }
}

/** A line more, joined to the one before where they touch. */
export function extend(spans: number[], start: number, end: number): void {
  if (spans[spans.length - 1] === start) spans[spans.length - 1] = end;
  else spans.push(start, end);
}

const TENANT_KEY = ',"tenant":"';
/** What an intent and a completion begin with, up to their raw tenant's quote. */
export const INTENT = '{"k":"intent","tenant":"';
export const DONE = '{"k":"done","tenant":"';
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the raw tenant of the line at `line` begins, its quote included; -1 without a tenant. */
export function tenantStart(text: string, line: number): number {
  // Most lines are of two kinds.
  if (text.startsWith(INTENT, line)) return line + INTENT.length - 1;
  if (text.startsWith(DONE, line)) return line + DONE.length - 1;
  // `{"k":"` has six characters; the kinds are plain words.
  const kindEnd = text.indexOf('"', line + 6);
  if (kindEnd === -1 || !text.startsWith(TENANT_KEY, kindEnd + 1)) return -1;
  return kindEnd + TENANT_KEY.length;
}

/** Behind the closing quote of the JSON string that begins at `from`. */
export function tenantEnd(text: string, from: number): number {
  let at = from + 1;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    if (Number.isNaN(code)) return text.length;
    at += code === BACKSLASH ? 2 : 1;
  }
  return at + 1;
}

/** 0x00 and the group's number: two groups with the same lines have different leaves. */
export function leafPrefix(group: number): string {
  return `\u0000${group}\n`;
}

/** Larger leaves are hashed piece by piece, so that the room for copies stays small. */
const SCRATCH_BYTES = 256 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** The prefix that `scratch` begins with: all leaves of a group have the same. */
let scratchPrefix = '';

/** A leaf's 32 bytes as latin1 text; `prefix` is that of its group, `spans` (start, end, …) are within `lines`. */
export function leafHashText(prefix: string, lines: Buffer, spans: readonly number[]): string {
  let at = prefix.length;
  for (let i = 0; i < spans.length; i += 2) at += (spans[i + 1] as number) - (spans[i] as number);
  if (at > SCRATCH_BYTES) return hashOfLarge(prefix, lines, spans);
  if (prefix !== scratchPrefix) {
    scratch.write(prefix, 0, prefix.length, 'latin1');
    scratchPrefix = prefix;
  }
  at = prefix.length;
  for (let i = 0; i < spans.length; i += 2) {
    at += lines.copy(scratch, at, spans[i] as number, spans[i + 1] as number);
  }
  return hash('sha256', scratch.subarray(0, at), 'latin1');
}

function hashOfLarge(prefix: string, lines: Buffer, spans: readonly number[]): string {
  const digest = createHash('sha256').update(prefix, 'latin1');
  for (let i = 0; i < spans.length; i += 2) digest.update(lines.subarray(spans[i], spans[i + 1]));
  return digest.digest('latin1');
}
