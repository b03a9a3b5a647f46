// A journal of many ordinary requests, in the lines that the gateway writes, for the bench of the index and for tests
// of large ones: tenants and subjects take turns at random (seeded), completions come `inFlight` requests later.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GENESIS, groupHash, sealText } from '#audit/chain/seal.ts';
import type { LineNumbers } from './index-lines.ts';
import { doneOf, grantOf, idOf, intentOf, policyOf, segmentOf, subjectOf } from './index-lines.ts';

export interface IndexJournalShape {
  readonly requests: number;
  readonly tenants: number;
  /** Of each tenant. */
  readonly subjects: number;
  readonly inFlight: number;
  /** Requests. */
  readonly groupOf: number;
}

export const FIRST_MS = 1_760_000_000_000;

export function writeIndexJournal(directory: string, shape: IndexJournalShape): void {
  const { requests, tenants, subjects, inFlight, groupOf } = shape;
  mkdirSync(directory, { recursive: true });
  const random = seeded(7);
  const parts: string[] = [];
  let head = GENESIS;
  let group = 0;
  const seal = (lines: string): void => {
    head = groupHash(Buffer.concat([Buffer.from(head, 'hex'), Buffer.from(lines, 'latin1')]));
    group += 1;
    parts.push(lines + sealText(group, head));
  };
  const waiting: { readonly id: string; readonly tenant: string }[] = [];
  const numbers: LineNumbers = new Map();
  let lines = segmentOf(1, group + 1, head) + policyOf(1);
  for (let s = 1; s <= tenants * subjects; s++) lines += subjectOf(s, `subject-${s}`);
  for (let g = 1; g <= tenants; g++) lines += grantOf(g, `tenant-${g}`, 1);
  for (let i = 0; i < requests; i++) {
    const tenant = 1 + Math.floor(random() * tenants);
    const s = (tenant - 1) * subjects + 1 + Math.floor(random() * subjects);
    const t = FIRST_MS + Math.floor(i / 10);
    const request = { id: idOf(t, i), tenant: `tenant-${tenant}`, s, g: tenant, t, isWrite: i % 7 === 0 };
    lines += intentOf(request, numbers);
    waiting.push(request);
    const done = waiting.length > inFlight ? waiting.shift() : undefined;
    if (done !== undefined) lines += doneOf(done, numbers);
    if (i % groupOf !== groupOf - 1) continue;
    seal(lines);
    lines = '';
  }
  for (const one of waiting) lines += doneOf(one, numbers);
  seal(lines);
  writeFileSync(path.join(directory, 'journal-000000000001.ndjson'), parts.join(''), 'latin1');
}

/** Mulberry32: numbers from 0 up to 1, always the same for a seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
