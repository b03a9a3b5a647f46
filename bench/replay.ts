// How long `postern policy replay` takes over a journal of a million requests, as a whole command.
// `npm run bench:replay -- [--records 1000000]`; exits 1 above 30 s a million. The journal is written first, by the
// code that writes it in the gate, with as many tenants, people and queries as a busy day has.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { EpochMs } from '#model/clock.ts';
import type { GrantId, RequestId, TenantId } from '#model/ids.ts';
import { parseTarget } from '#gateway/request-target.ts';
import { GENESIS, groupHash, sealText } from '#audit/chain/seal.ts';
import { EXAMPLE_CREDENTIAL, EXAMPLE_GRANT, fakeExchange } from '../test/support/audit-exchange.ts';
import { LineWriter } from '../test/support/audit-lines.ts';
import thresholds from './thresholds.json' with { type: 'json' };

const TENANTS = 200;
const PEOPLE = 50;
/** Records of one turn of the event loop, and what the journal begins a new segment at. */
const GROUP = 32;
const SEGMENT_BYTES = 64 * 1024 ** 2;
const PATHS = [
  '/api/v1/tickets?page=2&sort=created',
  '/api/v1/tickets/4711',
  '/api/v1/tickets/4711/comments',
  '/api/v1/contacts/12/preferences',
  '/assets/app.3f9c1b.js',
  '/api/v1/reports/7?format=html',
  '/api/v1/exports/9',
  '/kontakte/%C3%A4nderungen/7',
];
const EXPORT = { id: 'export.bulk', category: 'export', message: null };

const CREDENTIALS = Array.from({ length: PEOPLE }, (_, i) => ({
  ...EXAMPLE_CREDENTIAL,
  principal: { ...EXAMPLE_CREDENTIAL.principal, id: `agent-${i}` },
}));

function linesAt(i: number, grants: readonly (typeof EXAMPLE_GRANT)[], writer: LineWriter): string {
  const raw = PATHS[i % PATHS.length] as string;
  const target = parseTarget(raw);
  if ('reason' in target) throw new Error(`refused: ${raw}`);
  const isDenied = target.path.includes('exports');
  const grant = grants[i % grants.length] as typeof EXAMPLE_GRANT;
  const x = fakeExchange({
    requestId: `0198f2a0-0000-7000-8000-${i.toString(16).padStart(12, '0')}` as RequestId,
    receivedAt: (1_760_000_000_000 + i) as EpochMs,
    method: i % 20 === 0 ? 'POST' : 'GET',
    hasBody: i % 20 === 0,
    contentType: i % 20 === 0 ? 'application/json' : '',
    target,
    rawTarget: raw,
    routePath: target.path,
    recordedQuery: target.query.includes('format') ? target.query : '',
    tenant: grant.tenant,
    grant,
    credential: CREDENTIALS[i % PEOPLE] ?? EXAMPLE_CREDENTIAL,
    ...(isDenied ? { reason: 'rule_denied', rule: EXPORT, status: 403, endedBy: null } : {}),
  });
  return isDenied ? writer.refused(x) : writer.intent(x) + writer.done(x);
}

function writeJournal(directory: string, records: number): number {
  const grants = Array.from({ length: TENANTS }, (_, i) => ({
    ...EXAMPLE_GRANT,
    id: `grt_01J8Z3K4M5N6P7Q8R9S0T${String(i).padStart(5, '0')}` as GrantId,
    tenant: `tenant-${i}` as TenantId,
    access: 'write' as const,
  }));
  const writer = new LineWriter();
  let head = GENESIS;
  let segment = 0;
  let bytes = SEGMENT_BYTES;
  let total = 0;
  let fd = -1;
  for (let i = 0, group = 1; i < records; group++) {
    let text = '';
    if (bytes >= SEGMENT_BYTES) {
      if (fd !== -1) closeSync(fd);
      segment += 1;
      bytes = 0;
      fd = openSync(path.join(directory, `journal-${String(segment).padStart(12, '0')}.ndjson`), 'w');
      writer.newSegment();
      text = `${JSON.stringify({ k: 'segment', v: 1, segment, group, prev: head })}\n`;
    }
    for (const end = Math.min(records, i + GROUP); i < end; i++) text += linesAt(i, grants, writer);
    head = groupHash(Buffer.concat([Buffer.from(head, 'hex'), Buffer.from(text, 'latin1')]));
    const written = writeSync(fd, text + sealText(group, head));
    bytes += written;
    total += written;
  }
  closeSync(fd);
  return total;
}

const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } });
const records = Number(values.records);
const directory = mkdtempSync(path.join(tmpdir(), 'postern-replay-'));
try {
  const bytes = writeJournal(directory, records);
  process.stdout.write(`${records} records, ${(bytes / 2 ** 20).toFixed(0)} MiB\n`);
  const args = ['--conditions=source', 'src/main.ts', 'policy', 'replay', '--journal', directory];
  const before = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  const seconds = (performance.now() - before) / 1000;
  process.stdout.write(`${seconds.toFixed(1)} s, ${((seconds / records) * 1e6).toFixed(1)} s a million\n`);
  const held =
    status !== 2 && status !== null && (seconds / records) * 1e6 < thresholds.replaySecondsAMillion;
  process.exitCode = held ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
