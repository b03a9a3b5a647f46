// Opens the journal and the publisher that signs, indexes and ships it. Options are checked here, once.
// One process per directory: two would read each other's open requests as lost.
import path from 'node:path';
import type { Clock } from '#model/clock.ts';
import { AppendJournal } from './append-journal.ts';
import type { AuditLog } from './audit-log.ts';
import { openedText } from './event-text.ts';
import type { LifecycleEvent } from './journal.ts';
import type { SigningKey } from './chain/signing-key.ts';
import { ContextTable } from './context-table.ts';
import { type JournalFiles, nodeJournalFiles } from './journal-files.ts';
import type { OpenJournal } from './open-journal.ts';
import { createPublisher } from './sinks/publisher.ts';
import { RefusalSummary } from './refusal-summary.ts';
import { SegmentWriter, type SegmentWriterOptions } from './segment-writer.ts';
import type { SinkOptions } from './sinks/sink-options.ts';
import { type OpenSubjectStore, openSubjectStore } from './subjects/sqlite-subject-store.ts';
import { TenantNumbers } from './tenant-numbers.ts';

const HOUR_MS = 3_600_000;

export interface JournalOptions {
  /** Created for the owner alone. Holds segments, the index, people's keys and the sinks' cursors, nothing else. */
  readonly directory: string;
  /** Names this process in the records. */
  readonly instance: string;
  /** `os` survives a kill of the process, `disk` a power failure. Default `os`. */
  readonly durability?: 'os' | 'disk';
  /** Of all segments. Default 20 GiB. */
  readonly maxBytes?: number;
  /** Beyond `maxBytes`: every request is refused, or the oldest segments are removed, shipped or not. Default `refuse`. */
  readonly onFull?: 'refuse' | 'dropOldestUnshipped';
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
  /** May be empty: the journal is signed and indexed all the same. */
  readonly sinks: readonly SinkOptions[];
  /** Signs checkpoints. Null signs none. */
  readonly signingKey: SigningKey | null;
  /** False starts no worker: nothing is signed, indexed or published. Of tests and benches of the journal alone. */
  readonly worker?: boolean;
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
  const { directory, instance, sinks, signingKey } = options;
  const segments = segmentOptionsOf(options);
  const anonymousPerSecond = atLeast('anonymousPerSecond', options.anonymousPerSecond ?? 100, 0);
  const retryMs = atLeast('retryMs', options.retryMs ?? 1000, 1);
  if (instance === '') throw new RangeError('instance is empty');

  const publisher =
    options.worker === false
      ? null
      : createPublisher({ directory: segments.directory, instance, sinks, signingKey, clock, log });
  let journal: AppendJournal | null = null;
  const writer = new SegmentWriter(segments, {
    files,
    clock,
    shippedBelow: () => publisher?.shippedBelow() ?? Number.MAX_SAFE_INTEGER,
    onExpired: ({ untilMs, belowSegment }) => {
      publisher?.removed(belowSegment);
      // Nothing refers to whoever was last seen before then.
      if (journal !== null) forgetPeople(journal.subjects, untilMs, log);
    },
    onDropped: (dropped) => {
      publisher?.dropped(dropped.records, dropped.belowSegment);
      publisher?.removed(dropped.belowSegment);
      journal?.event(droppedEvent(dropped));
    },
  });
  if (writer.tornBytes > 0) {
    log.warn(
      { directory, bytes: writer.tornBytes },
      'the end of an audit segment was torn and has been cut off',
    );
  }
  const subjects = subjectsIn(writer, segments);
  if (subjects.created && writer.start.group > 0)
    log.warn({ directory }, 'subjects.db is new: who earlier records speak of can no longer be read');
  journal = new AppendJournal({
    clock,
    log,
    files,
    writer,
    summary: new RefusalSummary(anonymousPerSecond, clock),
    numbers: { tenants: new TenantNumbers(writer.start.tenants), context: new ContextTable(subjects) },
    subjects,
    publisher,
    durability: segments.durability,
    retryMs,
    opening: openedText({ t: clock.now(), instance, tornBytes: writer.tornBytes }),
  });
  return journal;
}

/** Opened after the directory was made; a fault closes what was opened before. */
function subjectsIn(
  writer: SegmentWriter,
  { directory, durability }: SegmentWriterOptions,
): OpenSubjectStore {
  try {
    return openSubjectStore({ directory, durability });
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Of no urgency: what cannot be removed now is removed with the next segment. */
function forgetPeople(subjects: OpenSubjectStore, untilMs: number, log: AuditLog): void {
  try {
    const removed = subjects.expire(untilMs);
    if (removed > 0) log.info({ removed }, 'people whom no audit record names any more were forgotten');
  } catch (error) {
    log.warn({ err: error }, 'people whom no audit record names any more could not be forgotten');
  }
}

function droppedEvent({
  segments,
  bytes,
}: {
  readonly segments: number;
  readonly bytes: number;
}): LifecycleEvent {
  return { event: 'audit.dropped', tenant: null, grant: null, actor: null, details: { segments, bytes } };
}

function segmentOptionsOf(options: JournalOptions): SegmentWriterOptions {
  if (options.directory === '') throw new RangeError('directory is empty');
  const maxBytes = atLeast('maxBytes', options.maxBytes ?? 20 * 1024 ** 3, 64 * 1024);
  return {
    directory: path.resolve(options.directory),
    durability: options.durability ?? 'os',
    maxBytes,
    // A journal that may drop its oldest segments must have several.
    segmentBytes: atLeast(
      'segmentBytes',
      options.segmentBytes ?? Math.min(64 * 1024 ** 2, maxBytes / 4),
      4096,
    ),
    onFull: options.onFull ?? 'refuse',
    instance: options.instance,
    publicKey: options.signingKey?.publicKey ?? '',
    segmentAgeMs: atLeast('segmentAgeMs', options.segmentAgeMs ?? 24 * HOUR_MS, 1000),
    retentionMs: atLeast('retentionMs', options.retentionMs ?? 400 * 24 * HOUR_MS, HOUR_MS),
  };
}

function atLeast(name: string, value: number, minimum: number): number {
  if (Number.isFinite(value) && value >= minimum) return value;
  throw new RangeError(`${name} is ${value}; it must be a number of at least ${minimum}`);
}
