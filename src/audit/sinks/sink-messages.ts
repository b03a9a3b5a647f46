// What the main thread and the sink worker say to each other: never records, only how far things are.
// Types only; every message is small.
import type { SinkOptions } from './sink-options.ts';

export interface WorkerStart {
  readonly directory: string;
  readonly instance: string;
  readonly sinks: readonly { readonly name: string; readonly options: SinkOptions }[];
  /** What is durable at the start of the worker. */
  readonly segment: number;
  readonly length: number;
}

export type ToWorker =
  | { readonly type: 'wrote'; readonly segment: number; readonly length: number }
  /** Like `wrote`, and to be answered with `drained` once every sink has it all. */
  | { readonly type: 'drain'; readonly segment: number; readonly length: number }
  | { readonly type: 'reopen' };

export interface SinkProgress {
  /** The segment the sink's saved cursor stands in: smaller ones are never read again. */
  readonly segment: number;
  /** Records shipped of those written since the worker was started. */
  readonly shipped: number;
  /** Estimate of the records before that which are still to be shipped. */
  readonly backlog: number;
  /** Since the message before: failed deliveries, and lines that gave no record, by reason. */
  readonly errors: number;
  readonly dropped: Readonly<Record<string, number>>;
}

export type FromWorker =
  | { readonly type: 'progress'; readonly sink: string; readonly progress: SinkProgress }
  | { readonly type: 'notice'; readonly fields: object; readonly text: string }
  | { readonly type: 'drained' };
