// The audit as the control API reads it: in a worker thread of its own, so that no query stands on the forwarding loop or
// holds up a sink. Started at the first question, ended when nobody asks for some minutes, started again should it die.
// A question that takes too long ends the worker; how many may wait is bounded. Not hot.
import { Worker } from 'node:worker_threads';
import { PosternError } from '#model/fault.ts';
import type { AuditLog } from '../audit-log.ts';
import type { AuditReader, LastActive, RecordPage, VisitPage } from './audit-reader.ts';
import type { Answer, Question, ReaderStart } from './reader-messages.ts';

const IDLE_MS = 5 * 60 * 1000;
const TIMEOUT_MS = 60 * 1000;
const MOST_WAITING = 32;
/** Of journal that is not indexed: beyond that the index is being made, and will be there soon. */
const MOST_TAIL_BYTES = 1024 * 1024 * 1024;
const HEAP_MB = 512;

export interface WorkerAuditReaderDeps {
  readonly directory: string;
  readonly log: AuditLog;
  /** Default: 5 minutes. */
  readonly idleMs?: number;
  /** Default: a minute. */
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export function createWorkerAuditReader(deps: WorkerAuditReaderDeps): AuditReader {
  const thread = new ReaderThread(deps);
  return {
    records: (argument) => thread.ask({ method: 'records', argument }) as Promise<RecordPage>,
    visits: (argument) => thread.ask({ method: 'visits', argument }) as Promise<VisitPage>,
    lastActive: (argument) =>
      thread.ask({ method: 'lastActive', argument }) as Promise<readonly LastActive[]>,
    close: () => thread.close(),
  };
}

class ReaderThread {
  readonly #deps: WorkerAuditReaderDeps;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lastId = 0;
  #closed = false;

  constructor(deps: WorkerAuditReaderDeps) {
    this.#deps = deps;
  }

  ask(question: WithoutId<Question>): Promise<unknown> {
    if (this.#closed) return Promise.reject(unavailable('the audit is not read any more'));
    if (this.#waiting.size >= MOST_WAITING)
      return Promise.reject(unavailable('too many are reading the audit'));
    const worker = this.#worker ?? this.#started();
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#waiting.size === 1) this.#rearm();
      worker.postMessage({ ...question, id }, []);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#stop();
  }

  #started(): Worker {
    const worker = startWorker(this.#deps.directory);
    worker.on('message', (answer: Answer) => this.#heard(answer));
    worker.on('error', (error) =>
      this.#deps.log.error({ err: error }, 'the worker that reads the audit failed'),
    );
    worker.on('exit', () => this.#ended(worker));
    this.#worker = worker;
    return worker;
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    clearTimeout(this.#timer);
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of lost) reject(unavailable('the audit could not be read'));
  }

  async #stop(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#ended(worker);
    await worker.terminate();
  }

  /** Time runs for the oldest question; without one, until the worker is ended. */
  #rearm(): void {
    clearTimeout(this.#timer);
    if (this.#worker === null) return;
    const { idleMs = IDLE_MS, timeoutMs = TIMEOUT_MS, log } = this.#deps;
    const isIdle = this.#waiting.size === 0;
    if (isIdle) this.#worker.unref();
    else this.#worker.ref();
    this.#timer = setTimeout(
      () => {
        if (!isIdle) log.warn({ timeoutMs }, 'reading the audit took too long and was given up');
        void this.#stop();
      },
      isIdle ? idleMs : timeoutMs,
    );
    this.#timer.unref();
  }

  #heard(answer: Answer): void {
    const one = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    this.#rearm();
    if (one === undefined) return;
    if ('value' in answer) one.resolve(answer.value);
    else if (answer.fault === null) one.reject(new RangeError(answer.message));
    else one.reject(new PosternError(answer.fault, answer.message));
  }
}

type WithoutId<Q> = Q extends unknown ? Omit<Q, 'id'> : never;

function startWorker(directory: string): Worker {
  const start: ReaderStart = { directory, maxTailBytes: MOST_TAIL_BYTES };
  const fromSource = import.meta.filename.endsWith('.ts');
  const url = fromSource
    ? new URL('./reader-worker.ts', import.meta.url)
    : new URL('./reader-worker.js', import.meta.url);
  return new Worker(url, {
    workerData: start,
    execArgv: fromSource ? ['--conditions=source'] : [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
}

function unavailable(message: string): PosternError {
  return new PosternError('AUDIT_UNAVAILABLE', message);
}
