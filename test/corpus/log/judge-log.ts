// Judges rows of the kind `log`: what a request that wants to write into a log makes of the journal, and of what a sink gets.
// One request is one line of each, escaped; no line is of the client's making, and what was sent can be read from it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillIn, type CorpusRow } from '../../support/corpus-cases.ts';
import { rawRequest } from '../../support/raw-client.ts';
import type { JudgedRow } from '../kinds.ts';
import { type CredentialGate, openCredentialGate } from '../tokens/credential-gate.ts';

interface LogRow extends CorpusRow {
  /** Header lines of an allowed GET /me; or, with `raw`, everything. */
  readonly headers?: string;
  readonly target?: string;
  readonly raw?: string;
  /** `intent`, or the reason of the refusal. */
  readonly expect: string;
  /** What the record must say: values by dotted paths. */
  readonly says?: Readonly<Record<string, unknown>>;
  /** What must stand nowhere in it. */
  readonly never?: readonly string[];
}

interface Written {
  readonly journal: string;
  readonly published: string;
}

/** Kinds of journal lines that come with a request, or by themselves. */
const KNOWN = new Set(
  'intent refused done subject grant policy event checkpoint seal segment opened tenants'.split(' '),
);
/** What would not be seen in a terminal, or mislead its reader. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\ufffd]/u;
const LATE_MS = 2000;

export async function judgeLog(rows: readonly CorpusRow[]): Promise<readonly JudgedRow[]> {
  let folder = '';
  await using gate = await openCredentialGate({
    config: {
      audit: {
        directory: 'audit',
        sinks: [{ file: { path: 'published.ndjson' } }],
        anonymousPerSecond: 1_000_000,
      },
    },
    prepare: (path) => void (folder = path),
  });
  await gate.clients.grant({});
  const token = await gate.clients.staffToken({}, 3600);
  const sink = () => readSink(join(folder, 'published.ndjson'));
  const judged: JudgedRow[] = [];
  for (const row of rows as readonly LogRow[]) {
    const written = await writtenBy(gate, fillIn(bytesOf(row), gate.clients.host, token), sink);
    const failures = [...journalFailures(row, written), ...publishedFailures(row, written)];
    if (written.journal.includes(token.slice(-24))) failures.push('a piece of the token in the journal');
    judged.push({ id: row.id, failures: [...failures, ...gate.complaints()] });
  }
  return judged;
}

function bytesOf({ id, headers, target = '/me', raw }: LogRow): string {
  if (raw !== undefined) return raw;
  if (headers === undefined && target === '/me') throw new Error(`${id} says too little`);
  return `GET ${target} HTTP/1.1\r\n<HEAD>\r\nConnection: close\r\n${headers === undefined ? '' : `${headers}\r\n`}\r\n`;
}

/** What one request adds to the journal and to the sink's file; both are waited for, the sink comes later. */
async function writtenBy(gate: CredentialGate, bytes: string, sink: () => string): Promise<Written> {
  const mark = gate.mark();
  const before = sink().length;
  await rawRequest(gate.dataPort, bytes);
  const id = outcomesIn(await gate.writtenSince(mark, 1))[0]?.['id'];
  const until = performance.now() + LATE_MS;
  while (
    !sink()
      .slice(before)
      .includes(`"${String(id)}"`) &&
    performance.now() < until
  )
    await new Promise((resolve) => setTimeout(resolve, 2));
  return { journal: await gate.writtenSince(mark, 1), published: sink().slice(before) };
}

function readSink(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

type Parsed = Readonly<Record<string, unknown>>;

/** Throws where a line is no JSON. */
function linesIn(text: string): readonly Parsed[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Parsed);
}

function outcomesIn(text: string): readonly Parsed[] {
  return linesIn(text).filter(({ k }) => k === 'intent' || k === 'refused');
}

function journalFailures(row: LogRow, { journal }: Written): string[] {
  const failures: string[] = [];
  if (!/^[\x20-\x7e\n]*$/.test(journal)) failures.push('a byte of the journal is not printable ASCII');
  for (const { k } of linesIn(journal))
    if (!KNOWN.has(String(k))) failures.push(`a line of kind ${String(k)}`);
  const outcomes = outcomesIn(journal).map(({ k, code }) => (k === 'intent' ? k : String(code)));
  if (outcomes.join() !== row.expect) failures.push(`recorded as ${outcomes.join() || 'nothing'}`);
  return failures;
}

function publishedFailures(row: LogRow, { published, journal }: Written): string[] {
  const failures: string[] = [];
  if (UNSEEN.test(published.replaceAll('\n', '')))
    failures.push('the record has a character that is not seen');
  const id = outcomesIn(journal)[0]?.['id'];
  // Events come too, of the grant that the judge made, for one.
  const records = linesIn(published).filter(({ event }) => /^(request|stream)\./.test(String(event)));
  const [record] = records;
  if (records.length !== 1 || record?.['id'] !== id) {
    const seen = records.map(({ event, id: own }) => `${String(event)} ${String(own)}`);
    return [...failures, `${seen.join()} published instead of ${String(id)}`];
  }
  for (const [name, wanted] of Object.entries(row.says ?? {})) {
    const value = name.split('.').reduce<unknown>((at, part) => (at as Parsed | null)?.[part], record);
    if (JSON.stringify(value) !== JSON.stringify(wanted))
      failures.push(`${name} is ${JSON.stringify(value)}`);
  }
  for (const text of row.never ?? [])
    if (published.includes(text) || journal.includes(text)) failures.push(`${JSON.stringify(text)} is in it`);
  return failures;
}
