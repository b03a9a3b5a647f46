// That somebody reads who came into an account is in the journal before they see it, so that the customer can see who
// looked: lists of visits and sessions, records, reports, and a session of somebody else's. What somebody reads of their
// own sessions' head is not. Filters are kept by name, never by value: whom somebody looked for is personal too. Cold.
import type { FastifyRequest } from 'fastify';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { TenantId } from '#model/ids.ts';
import { askedBy } from './audit-json.ts';
import { callerOf } from './caller.ts';
import { ControlDenial } from './control-problem.ts';

/** Resolves when the event is in the journal; false when it cannot be now. */
export type RecordReading = (event: LifecycleEvent) => Promise<boolean>;

export interface Reading {
  readonly tenant: TenantId;
  /** Things read out. */
  readonly count: number;
  /** Names, joined by commas; may be empty. */
  readonly filters: string;
}

/** Rejects with ControlDenial `audit_unavailable` when the journal takes no record: then nothing is read out. */
export async function journalReading(
  record: RecordReading,
  request: FastifyRequest,
  { tenant, count, filters }: Reading,
): Promise<void> {
  const isRecorded = await record({
    event: 'audit.read',
    tenant,
    grant: null,
    actor: askedBy(callerOf(request).identity),
    details: { call: request.routeOptions.config.operation ?? '', count, filters },
  });
  if (!isRecorded) throw unrecorded();
}

export function unrecorded(): ControlDenial {
  return new ControlDenial(
    'audit_unavailable',
    'Reading is recorded, and the journal takes no record now: ask again.',
  );
}
