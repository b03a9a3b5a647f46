// The main thread's side of publishing: starts the worker that signs the journal, indexes it and ships its records,
// wakes it when a group was written, keeps count of how far each sink is, and starts it again should it die.
// Warm: `wrote` runs once per group and posts at most every few milliseconds.
import { Worker } from 'node:worker_threads';
import type { Clock } from '#model/clock.ts';
import type { AuditLog } from '../audit-log.ts';
import type { SigningKey } from '../chain/signing-key.ts';
import { namesOf, type SinkOptions } from './sink-options.ts';
import type { Durable, FromWorker, SinkProgress, ToWorker, WorkerStart } from './sink-messages.ts';

/** How long what was written may wait for the worker: a wake costs as much as several requests. */
const WAKE_MS = 25;
/** Without a sink nobody is in a hurry: what was written is signed and indexed once a second. */
const IDLE_WAKE_MS = 200;
const RESTART_MS = 1000;
const YOUNG_MB = 8;
/** The index is a sink that is always there. */
const INDEX = 'index';

/** How far a sink is, for metrics and `doctor`. */
export interface SinkStatus {
  readonly name: string;
  /** Records written and not yet accepted by the sink; after a restart an estimate until it has caught up. */
  readonly lagRecords: number;
  readonly errors: number;
  /** Journal lines that gave no record, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface Publisher {
  /** Everything up to `length` of `segment` is durable and may be read; `records` counts since the start. */
  wrote(segment: number, length: number, records: number): void;
  /** Segments with smaller numbers have left through every sink. */
  shippedBelow(): number;
  status(): readonly SinkStatus[];
  /** Called with each checkpoint, a line to be journalled. Set once, before the first `wrote`. */
  onCheckpoint(take: (text: string) => void): void;
  /** Segments with numbers smaller than `belowSegment` were removed, shipped or not. */
  dropped(records: number, belowSegment: number): void;
  /** Segments with numbers smaller than that are gone: the index forgets them. */
  removed(belowSegment: number): void;
  /** Asks for the last checkpoint, at most so long; it is taken before this resolves. */
  finish(deadlineMs: number): Promise<void>;
  /** Opens files again, after they were rotated from outside. */
  reopen(): void;
  /** Waits until everything is shipped, at most so long, and ends the worker. */
  close(deadlineMs: number): Promise<void>;
}

export interface PublisherDeps {
  readonly directory: string;
  readonly instance: string;
  /** May be empty. */
  readonly sinks: readonly SinkOptions[];
  readonly signingKey: SigningKey | null;
  readonly clock: Clock;
  readonly log: AuditLog;
}

export function createPublisher(deps: PublisherDeps): Publisher {
  return new WorkerPublisher(deps);
}

interface Tally {
  errors: number;
  dropped: Map<string, number>;
  progress: SinkProgress | null;
}

class WorkerPublisher implements Publisher {
  readonly #deps: PublisherDeps;
  readonly #names: readonly string[];
  readonly #wakeMs: number;
  readonly #tallies = new Map<string, Tally>();
  #worker: Worker | null = null;
  #segment = 0;
  #length = 0;
  #records = 0;
  /** Records written before the running worker was started: it knows these only by their bytes. */
  #recordsAtStart = 0;
  #started = false;
  #waking = false;
  #closing = false;
  #onDrained: (() => void) | null = null;
  #onFinished: (() => void) | null = null;
  /** The last group under a checkpoint that was taken: it may not be in the journal yet. */
  #coveredTo = 0;
  #takeCheckpoint: (text: string) => void = () => undefined;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#names = [...namesOf(deps.sinks), INDEX];
    this.#wakeMs = deps.sinks.length === 0 ? IDLE_WAKE_MS : WAKE_MS;
    for (const name of this.#names) {
      this.#tallies.set(name, { errors: 0, dropped: new Map(), progress: null });
    }
  }

  wrote(segment: number, length: number, records: number): void {
    this.#segment = segment;
    this.#length = length;
    this.#records = records;
    if (!this.#started) this.#start();
    if (this.#waking) return;
    this.#waking = true;
    setTimeout(() => this.#wake(), this.#wakeMs);
  }

  shippedBelow(): number {
    let lowest = Number.MAX_SAFE_INTEGER;
    for (const { progress } of this.#tallies.values()) lowest = Math.min(lowest, progress?.segment ?? 0);
    return lowest;
  }

  status(): readonly SinkStatus[] {
    return this.#names.map((name) => {
      const tally = this.#tallies.get(name);
      const progress = tally?.progress ?? null;
      const written = this.#records - this.#recordsAtStart;
      return {
        name,
        lagRecords: Math.max(0, written - (progress?.shipped ?? 0)) + (progress?.backlog ?? 0),
        errors: tally?.errors ?? 0,
        dropped: Object.fromEntries(tally?.dropped ?? []),
      };
    });
  }

  onCheckpoint(take: (text: string) => void): void {
    this.#takeCheckpoint = take;
  }

  dropped(records: number, belowSegment: number): void {
    for (const [name, { progress, dropped }] of this.#tallies) {
      if (name === INDEX || (progress?.segment ?? 0) >= belowSegment) continue;
      dropped.set('journal_full', (dropped.get('journal_full') ?? 0) + records);
    }
  }

  removed(belowSegment: number): void {
    this.#post({ type: 'removed', belowSegment });
  }

  async finish(deadlineMs: number): Promise<void> {
    if (!this.#started || this.#worker === null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#onFinished = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#post({ type: 'finish', ...this.#durable() });
    });
  }

  reopen(): void {
    this.#post({ type: 'reopen' });
  }

  async close(deadlineMs: number): Promise<void> {
    this.#closing = true;
    if (!this.#started) return;
    const worker = this.#worker ?? this.#start();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#onDrained = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#post({ type: 'drain', ...this.#durable() });
    });
    const behind = this.status().filter((sink) => sink.lagRecords > 0);
    if (behind.length > 0)
      this.#deps.log.warn({ sinks: behind }, 'audit sinks are behind; they go on at the next start');
    await worker.terminate();
    this.#worker = null;
  }

  #wake(): void {
    this.#waking = false;
    if (this.#closing) return;
    this.#post({ type: 'wrote', ...this.#durable() });
  }

  #durable(): Durable {
    const records = this.#records - this.#recordsAtStart;
    return { segment: this.#segment, length: this.#length, records };
  }

  #post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #start(): Worker {
    this.#started = true;
    this.#recordsAtStart = this.#records;
    for (const tally of this.#tallies.values()) tally.progress = null;
    const { directory, instance, sinks, signingKey } = this.#deps;
    const start: WorkerStart = {
      directory,
      instance,
      signingKey,
      sinks: sinks.map((options, index) => ({ name: this.#names[index] ?? '', options })),
      segment: this.#segment,
      length: this.#length,
      coveredTo: this.#coveredTo,
    };
    const fromSource = import.meta.filename.endsWith('.ts');
    const url = fromSource
      ? new URL('./sink-worker.ts', import.meta.url)
      : new URL('./sink-worker.js', import.meta.url);
    const worker = new Worker(url, {
      workerData: start,
      execArgv: fromSource ? ['--conditions=source'] : [],
      // Its garbage stays in the processor's cache instead of pushing the gate's data out of it.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#heard(message));
    worker.on('error', (error) => this.#deps.log.error({ err: error }, 'the audit sink worker failed'));
    worker.on('exit', () => this.#ended(worker));
    this.#worker = worker;
    return worker;
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#onFinished?.();
    if (this.#closing) {
      this.#onDrained?.();
      return;
    }
    for (const tally of this.#tallies.values()) tally.errors += 1;
    setTimeout(() => {
      if (!this.#closing) this.#start();
    }, RESTART_MS).unref();
  }

  #heard(message: FromWorker): void {
    switch (message.type) {
      case 'drained':
        this.#onDrained?.();
        return;
      case 'finished':
        this.#onFinished?.();
        return;
      case 'checkpoint':
        this.#coveredTo = message.to;
        this.#takeCheckpoint(message.text);
        return;
      case 'notice':
        this.#deps.log.warn(message.fields, message.text);
        return;
      default:
        this.#progressed(message.sink, message.progress);
    }
  }

  #progressed(sink: string, progress: SinkProgress): void {
    const tally = this.#tallies.get(sink);
    if (tally === undefined) return;
    tally.errors += progress.errors;
    for (const [reason, count] of Object.entries(progress.dropped)) {
      tally.dropped.set(reason, (tally.dropped.get(reason) ?? 0) + count);
    }
    tally.progress = progress;
  }
}
