// `DELETE /v1/subjects/{id}`: a person is erased from the records, by the vendor's security staff or a service. The
// key is gone when the call returns; the event follows into the journal. Nobody erases themselves: whoever may look
// into accounts must not be able to take their own name off what they did there. Cold.
import type { FastifyInstance } from 'fastify';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { SubjectRow } from '#audit/subjects/subject-store.ts';
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { Clock, EpochMs } from '#model/clock.ts';
import { isSamePerson } from '#model/principal.ts';
import { askedBy } from './audit-json.ts';
import * as schemas from './audit-schemas.ts';
import { callerOf } from './caller.ts';
import { ControlDenial, ControlProblem } from './control-problem.ts';
import { formatInstant } from './instants.ts';
import { route } from './route.ts';

export interface SubjectErasure {
  /** By subject id among others; may be empty. */
  find(text: string): readonly SubjectRow[];
  /**
   * Null when there is no such subject. Idempotent. Rejects with a fault when not everything could be erased: asking
   * again does the rest.
   */
  erase(subjectId: string, nowMs: number, by: LifecycleEvent['actor']): Promise<SubjectRow | null>;
}

export interface SubjectRoutesDeps {
  readonly audit: { readonly subjects: SubjectErasure };
  readonly clock: Clock;
}

export function registerSubjectRoutes(app: FastifyInstance, { audit, clock }: SubjectRoutesDeps): void {
  app.route<{ Params: { readonly id: string } }>({
    method: 'DELETE',
    url: '/v1/subjects/:id',
    ...route(
      'subjects.erase',
      'Erase a person’s fields from the records: what sinks were already sent is not reached',
      { params: schemas.subjectParams, response: { 200: schemas.erasedAnswer } },
    ),
    handler: async (request) => {
      const { identity } = callerOf(request);
      const { id } = request.params;
      const { subjects } = audit;
      const row = subjects.find(id).find((one) => one.id === id);
      if (row !== undefined && isSelf(row, identity)) {
        throw new ControlProblem('own_subject', 'Ask somebody else of the security staff to do this.');
      }
      const now = clock.now();
      const erased = await subjects.erase(id, now, askedBy(identity));
      if (erased === null)
        throw new ControlDenial('not_found', 'Name a subject by the id that stands in the records.');
      return { subject: id, erasedAt: formatInstant((erased.erasedAt ?? now) as EpochMs) };
    },
  });
}

/** As everywhere: the same issuer and id, or the same verified address. */
function isSelf({ issuer, personId, email }: SubjectRow, identity: ControlIdentity): boolean {
  return (
    identity.kind === 'staff' &&
    isSamePerson({ id: personId ?? '', issuer: issuer ?? '', email }, identity.principal)
  );
}
