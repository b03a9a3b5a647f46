// The audit as the control API reads it: records come from the reader's worker, readings and erasures go into the
// journal. Guarantees: the reader ends with what was opened around it, after the control API that asks it. Cold.
import { createWorkerAuditReader } from '#audit/index/worker-audit-reader.ts';
import type { AuditAccess } from '#control/audit-routes.ts';
import type { Rooms } from './compose-rooms.ts';

type ReadingRooms = Pick<Rooms, 'config' | 'journal' | 'outbox' | 'log'>;

/** `opened` closes the reader. */
export function openReading(
  { config, journal, outbox, log }: ReadingRooms,
  opened: AsyncDisposableStack,
): AuditAccess {
  const reader = createWorkerAuditReader({ directory: config.audit.directory, log });
  opened.defer(() => reader.close());
  return {
    reader,
    available: () => journal.available,
    record: (event) => journal.eventWritten(event),
    subjects: {
      find: (text) => journal.subjects.find(text),
      erase(subjectId, nowMs, by) {
        try {
          return journal.subjects.erase(subjectId, nowMs, by);
        } finally {
          // An erasure that could not clear everything stands all the same: the writer must forget, the event go out.
          outbox.poke();
        }
      },
    },
  };
}
