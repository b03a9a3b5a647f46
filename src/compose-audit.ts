// The audit: its key, the journal, and what people or commands left to be recorded. Guarantees: when this returns the
// journal takes records, or refuses and recovers by itself; closing it ships what was written. Cold.
import type { OpenJournal } from '#audit/open-journal.ts';
import { importSigningKey, loadOrCreateSigningKey, type SigningKey } from '#audit/chain/signing-key.ts';
import { createJournal, type JournalOptions } from '#audit/create-journal.ts';
import type { JournalFiles } from '#audit/journal-files.ts';
import { type OutboxPump, startOutboxPump } from '#audit/subjects/outbox-pump.ts';
import type { Config, SigningKey as KeySource } from '#config/config.ts';
import type { Clock } from '#model/clock.ts';
import type { Log } from '#telemetry/log.ts';
import { journalOptions } from './compose-options.ts';

/** What tests plant under the journal: a file system of theirs, small segments, a short wait before it tries again. */
export interface JournalTrial {
  readonly files?: JournalFiles;
  readonly options?: Partial<Pick<JournalOptions, 'segmentBytes' | 'segmentAgeMs' | 'retryMs'>>;
  /** Of benches: what stands between the gate and its journal. */
  readonly wrap?: (journal: OpenJournal) => OpenJournal;
}

export interface AuditStart {
  readonly config: Config;
  readonly clock: Clock;
  readonly trial: JournalTrial;
  readonly log: Log;
  readonly instance: string;
}

export interface Audit {
  readonly journal: OpenJournal;
  /** Erasures and readings of other processes, on their way into the journal. */
  readonly outbox: OutboxPump;
}

const CLOSE_MS = 5000;

export async function openAudit(start: AuditStart, opened: AsyncDisposableStack): Promise<Audit> {
  const { config, clock, trial, log, instance } = start;
  const signingKey = await signingKeyOf(config.audit.signingKey);
  const made = createJournal({
    options: { ...journalOptions(config, { instance, signingKey }), ...trial.options },
    clock,
    log,
    ...(trial.files === undefined ? {} : { files: trial.files }),
  });
  const journal = trial.wrap?.(made) ?? made;
  opened.defer(() => journal.close(CLOSE_MS));
  const outbox = startOutboxPump({
    store: journal.subjects,
    available: () => journal.available,
    onEvent: (event) => journal.event(event),
    onErased: () => journal.subjectsErased(),
    log,
  });
  opened.use(outbox);
  return { journal, outbox };
}

function signingKeyOf({ pem, file }: KeySource): Promise<SigningKey> {
  if (pem !== null) return Promise.resolve(importSigningKey(pem.reveal()));
  if (file === null) throw new TypeError('the audit signing key has neither a value nor a file');
  return loadOrCreateSigningKey(file);
}
