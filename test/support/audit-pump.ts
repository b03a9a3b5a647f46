// A pump over segments that a test writes, with a sink that does what the test says, or a real one.
import { appendFileSync, mkdirSync } from 'node:fs';
import { segmentPath } from '#audit/segment-directory.ts';
import { ndjson } from '#audit/sinks/ndjson.ts';
import type { SourceKeys } from '#audit/sinks/record-source.ts';
import type { Sink } from '#audit/sinks/sink.ts';
import type { SinkProgress } from '#audit/sinks/sink-messages.ts';
import { SinkPump, type SinkPumpDeps } from '#audit/sinks/sink-pump.ts';
import { fakeExchange } from './audit-exchange.ts';
import { linesOf, type TestDirectory, testDirectory } from './audit-journal.ts';
import { LineWriter } from './audit-lines.ts';

export interface TestSink extends Sink<Buffer> {
  text: string;
  /** The most that one write takes; 0 is busy. */
  maxBytes: number;
  down: boolean;
  attempts: number;
  encoded: number;
  /** What it rejects with while it is down. */
  failure: Error;
}

export function testSink(): TestSink {
  const sink: TestSink = {
    text: '',
    maxBytes: Number.MAX_SAFE_INTEGER,
    down: false,
    attempts: 0,
    encoded: 0,
    failure: Object.assign(new Error('planted'), { code: 'ECONNREFUSED' }),
    encode(records) {
      sink.encoded += records.length;
      return ndjson(records);
    },
    write(lines, from) {
      sink.attempts += 1;
      if (sink.down) return Promise.reject(sink.failure);
      const taken = Math.min(sink.maxBytes, lines.length - from);
      sink.text += lines.toString('utf8', from, from + taken);
      return Promise.resolve(taken);
    },
    sync: () => Promise.resolve(),
    reopen: () => undefined,
    close: () => Promise.resolve(),
  };
  return sink;
}

/** The journal as the writer would leave it, segment by segment; `end` is what is durable. */
export class TestJournalFiles implements Disposable {
  readonly lines: LineWriter;
  segment = 1;
  length = 0;
  /** Records that the lines publish. */
  records = 0;
  readonly #directory: TestDirectory;

  constructor(lines = new LineWriter()) {
    this.lines = lines;
    this.#directory = testDirectory();
    mkdirSync(this.path, { recursive: true });
    this.append(firstLine(this.segment));
  }

  get path(): string {
    return this.#directory.path;
  }

  get end(): { readonly segment: number; readonly offset: number; readonly records: number } {
    return { segment: this.segment, offset: this.length, records: this.records };
  }

  append(text: string, records = 0): this {
    appendFileSync(segmentPath(this.path, this.segment), text);
    this.length += Buffer.byteLength(text);
    this.records += records;
    return this;
  }

  /** Refusals, each a record. */
  refusals(count: number): string[] {
    const exchanges = Array.from({ length: count }, () => fakeExchange({ reason: 'no_grant', status: 403 }));
    this.append(exchanges.map((x) => this.lines.refused(x)).join(''), count);
    return exchanges.map((x) => x.requestId);
  }

  nextSegment(): this {
    this.lines.newSegment();
    this.segment += 1;
    this.length = 0;
    return this.append(firstLine(this.segment));
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

function firstLine(segment: number): string {
  return `{"k":"segment","v":1,"chain":"c","segment":${segment},"group":1,"prev":"","key":"","t":1,"instance":"gw-1"}\n`;
}

export interface PumpBench<S> {
  readonly pump: SinkPump;
  readonly sink: S;
  readonly progress: SinkProgress[];
  readonly notices: { readonly fields: object; readonly text: string }[];
}

type Changes = Partial<Pick<SinkPumpDeps, 'start' | 'nowMs' | 'sleep' | 'random' | 'name'>> & {
  readonly keys?: SourceKeys;
};

export function startPump<S extends Sink>(
  journal: TestJournalFiles,
  sink: S,
  changes: Changes = {},
): PumpBench<S> {
  const progress: SinkProgress[] = [];
  const notices: { fields: object; text: string }[] = [];
  const pump = new SinkPump({
    name: 'test',
    directory: journal.path,
    instance: 'gw-1',
    sink,
    keys: journal.lines.subjects,
    start: journal.end,
    nowMs: () => performance.now(),
    report: (one) => progress.push(one),
    notice: (fields, text) => notices.push({ fields, text }),
    ...changes,
  });
  void pump.run();
  return { pump, sink, progress, notices };
}

export function idsOf(text: string): unknown[] {
  return linesOf(text).map(({ id }) => id);
}

/** Of every report: how many lines gave no record for that reason. */
export function droppedIn(progress: readonly SinkProgress[], reason: string): number {
  return progress.reduce((sum, { dropped }) => sum + (dropped[reason] ?? 0), 0);
}
