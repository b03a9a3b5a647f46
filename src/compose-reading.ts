// The audit as the control API reads it: records come from the reader's worker, readings and erasures go into the
// journal. Guarantees: whoever reads for a tenant sees nothing older than its retention; the reader ends with what was
// opened around it, after the control API that asks it; an erased person is out of the list of people seen too, before the
// subject forgets whose it was. Cold.
import { createRetainedReader } from '#audit/index/retained-reader.ts';
import { createWorkerAuditReader } from '#audit/index/worker-audit-reader.ts';
import type { AuditAccess } from '#control/audit-routes.ts';
import type { TenantId } from '#model/ids.ts';
import type { Rooms } from './compose-rooms.ts';

type ReadingRooms = Pick<Rooms, 'config' | 'clock' | 'journal' | 'outbox' | 'log' | 'access'>;

/** `opened` closes the reader. */
export function openReading(
  { config, clock, journal, outbox, log, access }: ReadingRooms,
  opened: AsyncDisposableStack,
): AuditAccess {
  const reader = createWorkerAuditReader({ directory: config.audit.directory, log });
  opened.defer(() => reader.close());
  return {
    reader: createRetainedReader({
      reader,
      // Of the store itself: a setting that was made stricter a moment ago holds.
      retentionOf: async (tenant) =>
        (await access.views.tenantView(tenant as TenantId)).settings.auditRetentionMs,
      clock,
    }),
    available: () => journal.available,
    record: (event) => journal.eventWritten(event),
    subjects: {
      find: (text) => journal.subjects.find(text),
      async erase(subjectId, nowMs, by) {
        const person = journal.subjects.find(subjectId).find(({ id }) => id === subjectId)?.personId ?? null;
        if (person !== null) await access.notices.people.erase(person);
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
