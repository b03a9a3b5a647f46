// Makes the signed bundle of one tenant: its lines as they stand in the journal, what they refer to, and the proofs that
// lead from each to a signed checkpoint. Nothing of another tenant is in it but hashes.
// Reads the journal twice, from the disk and beside a running gateway; memory is bounded by one checkpoint's leaves and
// the references. What no checkpoint covers yet is left out and counted. Not hot.
import { leavesOf } from '../chain/leaves.ts';
import type { SigningKey } from '../chain/signing-key.ts';
import type { Group } from '../chain/group-reader.ts';
import type { GrantLine, SubjectLine } from '../journal-lines.ts';
import type { SubjectKeys } from '../line-context.ts';
import { lineKeyOf } from '../subjects/subject-box.ts';
import { NUMBERED } from '../tenant-numbers.ts';
import type { BundleCounts } from './bundle-format.ts';
import { BundleWriter } from './bundle-writer.ts';
import { extentOf, groupsOf, JournalDamage, lineOf } from './journal-groups.ts';
import { HeldLeaves, type WantedLeaf } from './proven-leaves.ts';
import { quoted } from '../json-text.ts';
import { type BundleRange, scanTenant, type SegmentNeeds, type TenantScan } from './tenant-scan.ts';

export interface ExportOptions {
  readonly directory: string;
  readonly tenant: string;
  /** Epoch milliseconds; null: no bound. `until` is exclusive. */
  readonly since: number | null;
  readonly until: number | null;
  /** The file to be made; an older one is replaced. */
  readonly out: string;
  /** The journal's own. */
  readonly key: SigningKey;
  /** Of the store beside the journal. */
  readonly people: SubjectKeys;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Told before the file is put into place: what it throws leaves no bundle behind. */
  readonly record: (counts: BundleCounts) => void;
}

export type ExportResult =
  | {
      readonly kind: 'made';
      readonly counts: BundleCounts;
      /** Lines of the tenant that no checkpoint covers yet. */
      readonly unsigned: number;
      /** Subject lines without a key. */
      readonly erased: number;
    }
  | { readonly kind: 'empty' }
  /** The key does not belong to this journal. */
  | { readonly kind: 'foreign_key' }
  | { readonly kind: 'damaged'; readonly problem: string };

/** UTF-16 units kept of a tenant's name in the journal. */
const MAX_TENANT = 256;

/** Throws the errors of node:fs, and AUDIT_UNAVAILABLE when the store of subjects cannot be read. */
export function exportBundle(options: ExportOptions): ExportResult {
  const { directory, since, until, key } = options;
  const extent = extentOf(directory);
  if (extent === null) return { kind: 'empty' };
  const range: BundleRange = { tenant: quoted(options.tenant, MAX_TENANT), since, until };
  try {
    const scan = scanTenant(directory, extent, range);
    if (!scan.keys.includes(key.publicKey)) return { kind: 'foreign_key' };
    const writer = writerOf(options, scan);
    try {
      const collector = new Collector(range.tenant, scan, options.people);
      const held = new HeldLeaves(scan.chain, scan.keys);
      if (scan.segment !== null) {
        for (const group of groupsOf(directory, scan.segment, extent.end))
          collect(group, { collector, held, writer });
      }
      const { counts } = writer;
      options.record(counts);
      writer.finish(key);
      return { kind: 'made', counts, unsigned: held.unsigned, erased: collector.erased };
    } finally {
      writer.discard();
    }
  } catch (error) {
    if (error instanceof JournalDamage) return { kind: 'damaged', problem: error.message };
    throw error;
  }
}

function writerOf(
  { tenant, since, until, out, now }: ExportOptions,
  { chain, keys }: TenantScan,
): BundleWriter {
  return new BundleWriter(out, {
    // As the journal has it.
    tenant: JSON.parse(quoted(tenant, MAX_TENANT)) as string,
    chain,
    made: new Date(now).toISOString(),
    since: since === null ? null : new Date(since).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
    keys,
  });
}

interface Work {
  readonly collector: Collector;
  readonly held: HeldLeaves;
  readonly writer: BundleWriter;
}

function collect(group: Group, { collector, held, writer }: Work): void {
  const { wanted, hashes, checkpoints } = collector.take(group);
  held.add({ number: group.number, hashes, wanted });
  for (const text of checkpoints) {
    let isWritten = false;
    for (const leaf of held.provenBy(text)) {
      if (!isWritten) writer.checkpoint(text);
      isWritten = true;
      writer.leaf(leaf);
    }
  }
}

interface Collected {
  readonly hashes: readonly string[];
  readonly wanted: readonly WantedLeaf[];
  /** Lines with their newlines. */
  readonly checkpoints: readonly string[];
}

const KIND = /^\{"k":"([a-z]+)"(?:,"[sp]":(\d+))?/;
const NO_NUMBERS: ReadonlySet<number> = new Set();

/** Chooses the leaves that go into the bundle. */
class Collector {
  /** Subject lines without a key. */
  erased = 0;
  readonly #tenant: string;
  readonly #scan: TenantScan;
  readonly #people: SubjectKeys;

  constructor(tenant: string, scan: TenantScan, people: SubjectKeys) {
    this.#tenant = tenant;
    this.#scan = scan;
    this.#people = people;
  }

  take({ number, segment, lines }: Group): Collected {
    const hashes: string[] = [];
    const wanted: WantedLeaf[] = [];
    const checkpoints: string[] = [];
    const needs = this.#scan.needs.get(segment);
    for (const { tenant, hash, spans } of leavesOf(number, lines)) {
      const index = hashes.length;
      hashes.push(hash.toString('latin1'));
      if (tenant !== null) {
        if (tenant === this.#tenant)
          wanted.push(...this.#ofTenant(number, index, { bytes: bytesOf(lines, spans), needs }));
        continue;
      }
      const bytes = bytesOf(lines, spans);
      const kind = KIND.exec(bytes.toString('latin1', 0, 64));
      if (kind?.[1] === 'checkpoint') checkpoints.push(bytes.toString('latin1'));
      if (!this.#isNeeded(number, { kind: kind?.[1] ?? '', number: Number(kind?.[2] ?? 0), needs })) continue;
      const key = kind?.[1] === 'subject' ? this.#keyOf(bytes) : null;
      wanted.push({ use: 'context', index, bytes, lines: 1, numbers: [], key });
    }
    return { hashes, wanted, checkpoints };
  }

  /** Records within the range; before it only what holds a grant that these refer to. */
  #ofTenant(
    group: number,
    index: number,
    { bytes, needs }: { readonly bytes: Buffer; readonly needs: SegmentNeeds | undefined },
  ): WantedLeaf[] {
    const { first, last } = this.#scan;
    if (group > last) return [];
    const texts = bytes.toString('latin1').trimEnd().split('\n');
    const leaf = { index, bytes, lines: texts.length, numbers: [], key: null };
    if (group >= first) return [{ ...leaf, use: 'record', numbers: texts.flatMap(numberOf) }];
    const isNeeded = texts.some(
      (text) => text.startsWith('{"k":"grant"') && needs?.grants.has((lineOf(text) as GrantLine).g) === true,
    );
    return isNeeded ? [{ ...leaf, use: 'context' }] : [];
  }

  #isNeeded(
    group: number,
    line: { readonly kind: string; readonly number: number; readonly needs: SegmentNeeds | undefined },
  ): boolean {
    const { first, last } = this.#scan;
    if (group > last) return false;
    switch (line.kind) {
      case 'segment':
        return true;
      case 'gap':
      case 'opened':
        return group >= first;
      case 'subject':
        return (line.needs?.subjects ?? NO_NUMBERS).has(line.number);
      case 'policy':
        return (line.needs?.policies ?? NO_NUMBERS).has(line.number);
      default:
        return false;
    }
  }

  #keyOf(bytes: Buffer): Buffer | null {
    const { subject, iv } = lineOf(bytes.toString('latin1')) as SubjectLine;
    const key = this.#people.keyOf(subject);
    if (key === null) this.erased += 1;
    return key === null ? null : lineKeyOf(key, Buffer.from(iv, 'base64'));
  }
}

/** The tenant's own number of a line; none of a grant's. */
function numberOf(text: string): number[] {
  const match = NUMBERED.exec(text);
  return match === null ? [] : [Number(match[2])];
}

/** A copy: the group's bytes are gone with the next one. */
function bytesOf(lines: Buffer, spans: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat(spans.map(([from, to]) => lines.subarray(from, to)));
}
