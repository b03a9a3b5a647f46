// Opens the journal and, where there are sinks, the publisher that ships it. Options are checked here, once.
// One process per directory: two would read each other's open requests as lost.
import path from 'node:path';
import type { Clock } from '#model/clock.ts';
import { AppendJournal, type OpenJournal } from './append-journal.ts';
import type { AuditLog } from './audit-log.ts';
import { openedText } from './event-text.ts';
import { type JournalFiles, nodeJournalFiles } from './journal-files.ts';
import { createPublisher } from './sinks/publisher.ts';
import { RefusalSummary } from './refusal-summary.ts';
import { SegmentWriter, type SegmentWriterOptions } from './segment-writer.ts';
import type { SinkOptions } from './sinks/sink-options.ts';

const HOUR_MS = 3_600_000;

export interface JournalOptions {
  /** Created for the owner alone. Holds segments and the sinks' cursors, nothing else. */
  readonly directory: string;
  /** Names this process in the records. */
  readonly instance: string;
  /** `os` survives a kill of the process, `disk` a power failure. Default `os`. */
  readonly durability?: 'os' | 'disk';
  /** Of all segments; beyond it every request is refused. Default 20 GiB. */
  readonly maxBytes?: number;
  /** Default 64 MiB. */
  readonly segmentBytes?: number;
  /** Default 24 h. */
  readonly segmentAgeMs?: number;
  /** Segments older than this are removed whole, once every sink has shipped them. Default 400 days. */
  readonly retentionMs?: number;
  /** Refusals without a principal, per second, that get a line of their own. Default 100. */
  readonly anonymousPerSecond?: number;
  /** How often an unavailable journal tries again. Default 1 s. */
  readonly retryMs?: number;
  /** May be empty: then there is no worker, and nothing is published. */
  readonly sinks: readonly SinkOptions[];
}

export interface JournalDeps {
  readonly options: JournalOptions;
  readonly clock: Clock;
  readonly log: AuditLog;
  /** Of tests that plant faults. */
  readonly files?: JournalFiles;
}

/**
 * Throws a RangeError for an option out of range and AUDIT_UNAVAILABLE when the directory cannot be opened.
 * A disk that is full is no reason to throw: the journal is then unavailable, and recovers by itself.
 */
export function createJournal(deps: JournalDeps): OpenJournal {
  const { clock, log, options } = deps;
  const files = deps.files ?? nodeJournalFiles;
  const { directory, instance, sinks } = options;
  const segments = segmentOptionsOf(options);
  const anonymousPerSecond = atLeast('anonymousPerSecond', options.anonymousPerSecond ?? 100, 0);
  const retryMs = atLeast('retryMs', options.retryMs ?? 1000, 1);
  if (instance === '') throw new RangeError('instance is empty');

  const publisher =
    sinks.length === 0
      ? null
      : createPublisher({ directory: segments.directory, instance, sinks, clock, log });
  const shippedBelow = (): number => publisher?.shippedBelow() ?? Number.MAX_SAFE_INTEGER;
  const writer = new SegmentWriter(segments, { files, clock, shippedBelow });
  if (writer.tornBytes > 0) {
    log.warn(
      { directory, bytes: writer.tornBytes },
      'the end of an audit segment was torn and has been cut off',
    );
  }
  return new AppendJournal({
    clock,
    log,
    files,
    writer,
    summary: new RefusalSummary(anonymousPerSecond, clock),
    publisher,
    durability: segments.durability,
    retryMs,
    opening: openedText({ t: clock.now(), instance, tornBytes: writer.tornBytes }),
  });
}

function segmentOptionsOf(options: JournalOptions): SegmentWriterOptions {
  if (options.directory === '') throw new RangeError('directory is empty');
  return {
    directory: path.resolve(options.directory),
    durability: options.durability ?? 'os',
    maxBytes: atLeast('maxBytes', options.maxBytes ?? 20 * 1024 ** 3, 64 * 1024),
    segmentBytes: atLeast('segmentBytes', options.segmentBytes ?? 64 * 1024 ** 2, 4096),
    segmentAgeMs: atLeast('segmentAgeMs', options.segmentAgeMs ?? 24 * HOUR_MS, 1000),
    retentionMs: atLeast('retentionMs', options.retentionMs ?? 400 * 24 * HOUR_MS, HOUR_MS),
  };
}

function atLeast(name: string, value: number, minimum: number): number {
  if (Number.isFinite(value) && value >= minimum) return value;
  throw new RangeError(`${name} is ${value}; it must be a number of at least ${minimum}`);
}
