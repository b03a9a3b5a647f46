// A whole gate in this process with a byte recorder behind it, for inputs by the hundred thousand: connections that
// carry many inputs each, and what the journal and the recorder have to say since the last time.
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CORPUS_POLICY } from '../support/corpus-gate.ts';
import { fillIn } from '../support/corpus-cases.ts';
import { startGate } from '../support/gate.ts';
import { parseRequest, type RecordedRequest, recordingUpstream } from '../support/recording-upstream.ts';

/** One line of the journal, as far as the laws look at it. */
export interface JournalEntry {
  readonly k: string;
  readonly id: string;
  readonly method?: string;
  readonly path?: string;
  readonly code?: string;
  readonly endedBy?: string;
}

export interface FuzzGate extends AsyncDisposable {
  /** Sends every input, several to a connection; the first status of each answer, in any order. */
  send(inputs: readonly string[]): Promise<readonly string[]>;
  /** Since the last call. */
  takeRequests(): readonly RecordedRequest[];
  takeLines(): readonly JournalEntry[];
  /** Bytes at the recorder, since the last call, that are no whole request. */
  leftBytes(): string;
}

/** Inputs on one connection, and connections at once. */
const PIPELINED = 8;
const CONNECTIONS = 64;
/** After so long without an answer the client says goodbye; after so long again it goes. */
const IDLE_MS = 40;

export async function startFuzzGate(): Promise<FuzzGate> {
  const upstream = await recordingUpstream();
  const gate = await startGate({
    upstreamPort: upstream.port,
    policy: CORPUS_POLICY,
    config: { audit: { directory: 'audit', sinks: [], anonymousPerSecond: 1_000_000 } },
  });
  await gate.grant({ duration: '8h' });
  const token = await gate.staffToken({}, 8 * 3600);
  const journal = journalTail(join(gate.folder, 'audit'));
  const read: number[] = [];
  let taken = 0;
  return {
    async send(inputs) {
      const waiting = [...inputs];
      const statuses: string[] = [];
      const lane = async () => {
        while (waiting.length > 0) {
          const group = waiting.splice(0, PIPELINED);
          const answers = await converse(
            gate.dataPort,
            group.map((bytes) => fillIn(bounded(bytes), gate.host, token)),
          );
          statuses.push(...answers);
          // The gate closed after one of them: those behind it were not looked at.
          waiting.push(...group.slice(Math.max(1, answers.length)));
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, lane));
      return statuses;
    },
    takeRequests() {
      const requests = upstream.requests.slice(taken);
      taken = upstream.requests.length;
      return requests;
    },
    takeLines: journal,
    leftBytes() {
      let left = '';
      for (const [i, bytes] of upstream.bytes.entries()) {
        if (bytes.length > (read[i] ?? 0)) left += restOf(bytes.slice(read[i] ?? 0));
        read[i] = bytes.length;
      }
      return left;
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** A count in a placeholder is a mutation's to change, and memory has an end. */
function bounded(bytes: string): string {
  return bytes.replaceAll(/<\d{5,} /g, '<9999 ');
}

function restOf(bytes: string): string {
  let rest = bytes;
  for (let parsed = parseRequest(rest); parsed !== null; parsed = parseRequest(rest))
    rest = rest.slice(parsed.length);
  return rest;
}

/** The statuses of the final answers that came. */
function converse(port: number, inputs: readonly string[]): Promise<readonly string[]> {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const socket = connect({ port, host: '127.0.0.1' });
  const statuses: string[] = [];
  let text = '';
  let goodbyes = 0;
  socket.setEncoding('latin1').setTimeout(IDLE_MS);
  socket.on('connect', () => socket.write(inputs.join(''), 'latin1'));
  socket.on('data', (more: string) => {
    text += more;
    const found = [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) [^]*?\r\n\r\n/g)];
    statuses.push(...found.map(([, status]) => status as string));
    const last = found.at(-1);
    if (last !== undefined) text = text.slice(last.index + last[0].length);
    if (statuses.length >= inputs.length) socket.end();
  });
  socket.on('timeout', () => {
    goodbyes += 1;
    if (goodbyes === 1) socket.end();
    else socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(statuses));
  return promise;
}

/** Reads what was written behind where it stopped. */
function journalTail(folder: string): () => readonly JournalEntry[] {
  const offsets = new Map<string, number>();
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  return () => {
    const entries: JournalEntry[] = [];
    for (const name of readdirSync(folder)
      .filter((one) => one.endsWith('.ndjson'))
      .toSorted()) {
      const file = openSync(join(folder, name), 'r');
      for (let read = -1; read !== 0; ) {
        const offset = offsets.get(name) ?? 0;
        read = readSync(file, buffer, 0, buffer.length, offset);
        const end = buffer.lastIndexOf(0x0a, read - 1) + 1;
        if (read === 0 || end === 0) break;
        offsets.set(name, offset + end);
        for (const line of buffer.toString('latin1', 0, end).split('\n')) {
          if (/^\{"k":"(?:intent|refused|done)"/.test(line)) entries.push(JSON.parse(line) as JournalEntry);
        }
      }
      closeSync(file);
    }
    return entries;
  };
}
