// What an erasure writes, inside one transaction, and the outbox that tells of it. Guarantees: the key is overwritten,
// the fields and what they are found by are gone, and the event is there, or nothing of it happened. Not hot.
import type { LifecycleEvent } from '../journal.ts';
import { fieldsOf, type Row, shown, tupleOf, written } from './subject-rows.ts';
import type { OutboxEvent, Person, SubjectRow } from './subject-store.ts';
import type { SubjectStatements } from './subject-tables.ts';

interface Erasure {
  readonly subjectId: string;
  readonly nowMs: number;
  readonly by: LifecycleEvent['actor'];
}

/** Key and fields at once, and the event that says so. Null when there is no such subject. */
export function eraseRow(
  statements: SubjectStatements,
  { subjectId, nowMs, by }: Erasure,
): SubjectRow | null {
  const row = statements.byId.get(subjectId) as Row | undefined;
  if (row === undefined) return null;
  if (row.erased_at !== null) return shown(row);
  statements.erase.run(row.n, nowMs);
  statements.eraseKey.run(row.n);
  const event = {
    event: 'subject.erased',
    tenant: null,
    grant: null,
    actor: by,
    details: { subject: subjectId },
  };
  postEvent(statements, JSON.stringify(event), nowMs);
  return shown(statements.byId.get(subjectId) as unknown as Row);
}

type EventActor = NonNullable<LifecycleEvent['actor']>;

/** What waits in the outbox must not keep a name that is erased meanwhile: it has a subject's id for it. */
export function postEvent(statements: SubjectStatements, text: string, at: number): void {
  const event = eventOf(text);
  const actor = event?.actor ?? null;
  if (actor === null) statements.post.run(text, null);
  else statements.post.run(JSON.stringify({ ...event, actor: null }), actorSubject(statements, actor, at));
}

/** Null for what is none: the pump says so when it comes to it. */
function eventOf(text: string): LifecycleEvent | null {
  try {
    return JSON.parse(text) as LifecycleEvent | null;
  } catch {
    return null;
  }
}

function actorSubject(statements: SubjectStatements, by: EventActor, at: number): string {
  const { kind = 'principal', id, issuer, email, name } = by;
  const person: Person = { kind, id, issuer, org: null, email, name };
  return written(statements, { person, tuple: tupleOf(person), at }).subject.id;
}

/** Oldest first, with whoever asked as they are known now. */
export function outboxOf(statements: SubjectStatements, limit: number): readonly OutboxEvent[] {
  const rows = statements.outbox.all(limit) as unknown as (OutboxEvent & { readonly actor: string | null })[];
  return rows.map(({ id, event, actor }) => {
    if (actor === null) return { id, event };
    const named = { ...(JSON.parse(event) as LifecycleEvent), actor: actorOf(statements, actor) };
    return { id, event: JSON.stringify(named) };
  });
}

/** Null once they were erased themselves. */
function actorOf({ byId }: SubjectStatements, subjectId: string): LifecycleEvent['actor'] {
  const row = byId.get(subjectId) as Row | undefined;
  const fields = row === undefined ? null : fieldsOf(row);
  if (row === undefined || fields === null || row.kind === 'anonymous') return null;
  return { kind: row.kind, ...fields };
}
