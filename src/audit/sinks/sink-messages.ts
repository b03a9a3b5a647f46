// What the main thread and the sink worker say to each other: never records, only how far things are.
// Types only; every message is small.
import type { SigningKey } from '../chain/signing-key.ts';
import type { SinkOptions } from './sink-options.ts';

export interface WorkerStart {
  readonly directory: string;
  readonly instance: string;
  /** Null signs nothing. */
  readonly signingKey: SigningKey | null;
  readonly sinks: readonly { readonly name: string; readonly options: SinkOptions }[];
  /** What is durable at the start of the worker. */
  readonly segment: number;
  readonly length: number;
  /** The last group under a checkpoint of the worker before, which may not be in the journal yet; 0 for none. */
  readonly coveredTo: number;
}

/** What is durable now. */
export interface Durable {
  readonly segment: number;
  readonly length: number;
  /** How many records the main thread counted up to there since the worker was started. */
  readonly records: number;
}

export type ToWorker =
  | ({ readonly type: 'wrote' } & Durable)
  /** Like `wrote`, and to be answered with a last `checkpoint` where one is due, then `finished`. */
  | ({ readonly type: 'finish' } & Durable)
  /** Like `wrote`, and to be answered with `drained` once every sink has it all. */
  | ({ readonly type: 'drain' } & Durable)
  /** Segments with smaller numbers are gone. */
  | { readonly type: 'removed'; readonly belowSegment: number }
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
  /** A line to be journalled, and the last group under it. */
  | { readonly type: 'checkpoint'; readonly text: string; readonly to: number }
  | { readonly type: 'finished' }
  | { readonly type: 'drained' };
