// The gate under test as its users start it: `postern serve` in a process of its own, over its own configuration, with a
// byte recorder as the application behind it. Whoever opens it disposes of it: process, recorder and folder go.
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fillIn } from '../support/corpus-cases.ts';
import { converse } from '../support/corpus-client.ts';
import { gateClients, gateFiles } from '../support/gate.ts';
import { startProcess } from '../support/gate-process.ts';
import { type RecordingUpstream, recordingUpstream } from '../support/recording-upstream.ts';
import { type Judged, type Line, TOLD, type WantedLines } from './judge.ts';
import { answerWithSerial } from './serial-answers.ts';

export interface TargetGate extends Judged, AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly controlPort: number;
  readonly host: string;
  /** Of the one staff member who has a grant; valid for an hour. */
  readonly token: string;
  readonly upstream: RecordingUpstream;
  /** Ends the process in good order, once; then the journal is whole. Returns what went wrong with it meanwhile. */
  finish(): Promise<readonly string[]>;
  /** Every line so far that a request brought about. */
  lines(): readonly Line[];
}

const LATE_MS = 2000;

/**
 * `policy` is all that the gate is told: what the oracle knows is not looked at here. `upstreamPort` is of another
 * application; the recorder then sees nothing.
 */
export async function openTargetGate(policy: string, upstreamPort?: number): Promise<TargetGate> {
  const upstream = await recordingUpstream(answerWithSerial());
  const files = await gateFiles({
    upstreamPort: upstreamPort ?? upstream.port,
    policy,
    config: {
      // Each refusal shall have a record of its own, however many come in a second.
      audit: { directory: 'audit', sinks: [], anonymousPerSecond: 1_000_000 },
      log: { level: 'info' },
    },
  });
  const gate = await startProcess(files.folder);
  const clients = gateClients(gate.controlPort, files);
  await clients.grant({});
  const token = await clients.staffToken({}, 3600);
  const journal = new JournalTail(join(files.folder, 'audit'));
  let requestsTaken = 0;
  let linesTaken = journal.read().length;
  let stopping = false;
  let early: string | null = null;
  gate.child.once('exit', (code, signal) => {
    if (!stopping) early = `the process ended by itself: code ${code}, signal ${signal}`;
  });

  async function finish(): Promise<readonly string[]> {
    if (!stopping && early === null) {
      stopping = true;
      gate.child.kill('SIGTERM');
    }
    const [code, signal] = await gate.exited;
    const crashes = early === null ? fatalLines(gate.log()) : [early, ...fatalLines(gate.log())];
    return early === null && code !== 0 ? [...crashes, `ended with code ${code}, signal ${signal}`] : crashes;
  }

  return {
    port: gate.dataPort,
    pid: gate.child.pid ?? 0,
    controlPort: gate.controlPort,
    host: clients.host,
    token,
    upstream,
    lines: () => journal.read(),
    converse: (bytes, options) => converse(gate.dataPort, fillIn(bytes, clients.host, token), options),
    takeForwarded() {
      const taken = upstream.requests.slice(requestsTaken);
      requestsTaken = upstream.requests.length;
      return taken;
    },
    async takeLines(wanted) {
      const until = performance.now() + LATE_MS;
      let taken = journal.read().slice(linesTaken);
      while (!isWhole(taken, wanted) && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        taken = journal.read().slice(linesTaken);
      }
      linesTaken += taken.length;
      return taken;
    },
    finish,
    async [Symbol.asyncDispose]() {
      await finish();
      await upstream[Symbol.asyncDispose]();
      rmSync(files.folder, { recursive: true, force: true });
    },
  };
}

function isWhole(lines: readonly Line[], { outcomes, refusal }: WantedLines): boolean {
  const first = lines.find(({ k }) => k === 'intent' || k === 'refused');
  if (lines.filter(({ k }) => k === 'intent' || k === 'refused').length < outcomes) return false;
  if (!refusal || first?.k !== 'intent') return true;
  return lines.some(({ k, id }) => k === 'done' && id === first.id);
}

/** Whatever the operational log says that no request may bring about. */
export function fatalLines(log: string): string[] {
  return log.split('\n').filter((line) => /"level":("fatal"|60)|uncaught|unhandled/i.test(line));
}

/** Reads what was added to a journal's files since the last time; keeps what requests brought about. */
class JournalTail {
  readonly #directory: string;
  readonly #files = new Map<string, { offset: number; pending: string }>();
  readonly #told: Line[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  read(): readonly Line[] {
    const names = readdirSync(this.#directory).filter((name) => name.endsWith('.ndjson'));
    for (const name of names.toSorted()) this.#readFile(name);
    return this.#told;
  }

  #readFile(name: string): void {
    const state = this.#files.get(name) ?? { offset: 0, pending: '' };
    this.#files.set(name, state);
    const file = openSync(join(this.#directory, name), 'r');
    try {
      const length = fstatSync(file).size - state.offset;
      if (length <= 0) return;
      const bytes = Buffer.alloc(length);
      const read = readSync(file, bytes, 0, length, state.offset);
      state.offset += read;
      const lines = (state.pending + bytes.toString('latin1', 0, read)).split('\n');
      state.pending = lines.pop() ?? '';
      for (const line of lines) {
        const parsed = JSON.parse(line) as Line;
        if (TOLD.has(parsed.k)) this.#told.push(parsed);
      }
    } finally {
      closeSync(file);
    }
  }
}
