// How fast a journal is verified, on one core: `npm run bench:verify [-- --mib 512]`. Makes a journal of realistic lines
// (intents of about 450 bytes, completions of about 250, groups of 1 to 64 lines of many tenants, a checkpoint every 50,000
// lines) in a temporary directory, verifies it and prints MB/s and records/s; exits 1 where neither 400 MB/s nor
// 1,000,000 records/s is reached. Also what leaves and Merkle roots cost the sink worker.
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { leavesOf } from '#audit/chain/leaves.ts';
import { merkleRoot } from '#audit/chain/merkle.ts';
import { directorySource } from '#audit/chain/verify-directory.ts';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import { below, ChainWriter, newSigningKey, type Random, seeded } from '../test/tamper/journal.ts';
import { median } from './statistics.ts';

const ROUNDS = 7;
const SEGMENT_BYTES = 64 * 1024 * 1024;
const LINES_PER_CHECKPOINT = 50_000;
/** With requests at one moment: the fewer, the fewer leaves a group has. */
const TENANTS = 8;
const MEGABYTE = 1_000_000;

function tenantOf(random: Random): string {
  // A few tenants have most of the traffic.
  return `customer-${Math.floor(TENANTS * random() * random())}`;
}

function exampleLine(writer: ChainWriter, random: Random, at: number): string {
  const id = `0198f2a0-${String(at % 10_000).padStart(4, '0')}-7000-8000-${String(at).padStart(12, '0')}`;
  const tenant = tenantOf(random);
  if (at % 2 === 1) {
    return writer.numbered('done', tenant, {
      id,
      code: 'allowed',
      status: 200,
      upstreamStatus: 200,
      bytesIn: below(random, 1e4),
      bytesOut: below(random, 1e6),
      us: below(random, 1e6),
      upstreamUs: below(random, 1e6),
      decisionUs: 12,
      endedBy: 'upstream',
    });
  }
  return writer.numbered('intent', tenant, {
    id,
    t: 1_760_000_000_000 + at,
    p: 1,
    method: 'GET',
    version: '1.1',
    host: `${tenant}.helpdesk.example.com`,
    path: `/api/v2/organisations/${below(random, 1e6)}/tickets/${id}/comments`,
    query: 'page&sort&filter',
    trace: `${id}${id}`.replaceAll('-', '').slice(0, 32),
    cache: 'hit',
    cacheAgeMs: below(random, 5000),
    workspace: `workspace-${below(random, 100)}`,
    ...(at % 4 === 0 ? { shadow: [{ id: 'large-export', category: 'export' }] } : {}),
  });
}

async function writeJournal(directory: string, bytes: number): Promise<void> {
  const random = seeded(7);
  const writer = new ChainWriter(newSigningKey());
  let lines = 0;
  let written = 0;
  let inSegment = SEGMENT_BYTES;
  let unsigned = 0;
  const flush = async (segments: ReturnType<ChainWriter['takeClosed']>) => {
    for (const { number, bytes: content } of segments) {
      await writeFile(path.join(directory, `journal-${String(number).padStart(12, '0')}.ndjson`), content);
    }
  };
  while (written < bytes) {
    let text = '';
    if (unsigned >= LINES_PER_CHECKPOINT) {
      text = writer.checkpoint();
      unsigned = 0;
    }
    if (inSegment >= SEGMENT_BYTES) {
      writer.startSegment();
      inSegment = 0;
      await flush(writer.takeClosed());
    }
    const count = 1 + below(random, 64);
    for (let i = 0; i < count; i++) text += exampleLine(writer, random, lines + i);
    lines += count;
    unsigned += count;
    written += text.length;
    inSegment += text.length;
    writer.addText(text);
  }
  await flush(writer.segments);
}

function verified(directory: string): { readonly report: VerifyReport; readonly seconds: number } {
  using source = directorySource(directory);
  const startedAt = process.cpuUsage();
  const report = verifyJournal({ source, publicKeys: null, kept: null });
  const { user, system } = process.cpuUsage(startedAt);
  if (!report.verified) throw new Error(JSON.stringify(report.damage.findings[0]));
  return { report, seconds: (user + system) / 1e6 };
}

/** Nanoseconds a line. */
function leavesCost(lines: number, tenants: number): number {
  const random = seeded(3);
  const writer = new ChainWriter(newSigningKey());
  let text = '';
  for (let i = 0; i < lines; i++) {
    text += exampleLine(writer, random, i).replace(/customer-\d+/, `customer-${i % tenants}`);
  }
  const bytes = Buffer.from(text, 'latin1');
  const rounds = Math.ceil(400_000 / lines);
  const times = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.hrtime.bigint();
    for (let group = 1; group <= rounds; group++) leavesOf(group, bytes);
    return Number(process.hrtime.bigint() - startedAt) / rounds / lines;
  });
  return median(times);
}

function rootCost(leaves: number): number {
  const some = Array.from({ length: leaves }, (_, i) => Buffer.alloc(32, i));
  const times = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.hrtime.bigint();
    merkleRoot(some);
    return Number(process.hrtime.bigint() - startedAt) / leaves;
  });
  return median(times);
}

const { values } = parseArgs({ options: { mib: { type: 'string', default: '512' } } });
await using directory = await mkdtempDisposable(path.join(tmpdir(), 'postern-bench-'));
await writeJournal(directory.path, Number(values.mib) * 1024 * 1024);
const runs = Array.from({ length: ROUNDS }, () => verified(directory.path));
const { report } = runs[0] as (typeof runs)[number];
/** Other processes only ever add to it: they share the caches and the core's other thread. */
const times = runs.map((run) => run.seconds);
const seconds = Math.min(...times);
const megabytesPerSecond = report.bytes / MEGABYTE / seconds;
const recordsPerSecond = report.lines / seconds;
const { bytes, lines, groups, checkpoints } = report;
process.stdout.write(
  `${bytes} bytes, ${lines} lines (${Math.round(bytes / lines)} bytes each, seals included), ${groups.count} groups, ${checkpoints.count} checkpoints\n` +
    `verified at ${Math.round(megabytesPerSecond)} MB/s, ${Math.round(recordsPerSecond)} records/s (processor time, best of ${ROUNDS}; the median is ${Math.round(bytes / MEGABYTE / median(times))} MB/s)\n`,
);
for (const [count, tenants] of [
  [1, 1],
  [32, 1],
  [32, 32],
] as const) {
  const cost = Math.round(leavesCost(count, tenants));
  process.stdout.write(`leaves of ${count} lines of ${tenants} tenants: ${cost} ns a line\n`);
}
process.stdout.write(`Merkle root: ${Math.round(rootCost(25_000))} ns a leaf\n`);
process.exitCode = megabytesPerSecond >= 400 || recordsPerSecond >= 1e6 ? 0 : 1;
