// What compose has of a journal besides the contract that the gateway sees: how it does, its sinks, its people.
// Types only.
import type { Journal, LifecycleEvent } from './journal.ts';
import type { SinkStatus } from './sinks/publisher.ts';
import type { OpenSubjectStore } from './subjects/sqlite-subject-store.ts';

export interface JournalStatus {
  readonly available: boolean;
  /** Records written since the start. */
  readonly records: number;
  /** Of all segments in the directory. */
  readonly bytes: number;
  /** Empty without sinks. */
  readonly sinks: readonly SinkStatus[];
}

/** The journal, and what only compose needs of it. */
export interface OpenJournal extends Journal {
  /** For metrics and readiness; cheap. */
  status(): JournalStatus;
  /** After SIGHUP: file sinks open their files again. */
  reopenSinks(): void;
  /** As `event`, and whether it was written: false while the journal is unavailable; it follows when it can be. */
  eventWritten(event: LifecycleEvent): Promise<boolean>;
  /** Who people are. Closed with the journal. */
  readonly subjects: OpenSubjectStore;
  /** People were erased: whoever comes back is somebody new. */
  subjectsErased(): void;
}
