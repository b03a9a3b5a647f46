// The rows of subjects.db as people: looked for, made, brought up to date and opened. Assumes a connection of
// subject-database.ts around each call, and a write transaction where something is written. Warm.
import { randomBytes } from 'node:crypto';
import { PosternError } from '#model/fault.ts';
import type { SubjectKind } from '../journal-lines.ts';
import { lookupHash, openedFields, sealedFields, type StoredFields } from './subject-fields.ts';
import type { Person, Subject, SubjectRow } from './subject-store.ts';
import { numberOf, type SubjectStatements } from './subject-tables.ts';

const KEY_BYTES = 32;
const ID_BYTES = 16;

/** As SQLite has it. */
export interface Row {
  readonly n: number;
  readonly id: string;
  readonly kind: SubjectKind;
  /** Null once erased. */
  readonly fields: Uint8Array | null;
  readonly key: Uint8Array | null;
  readonly first_seen_at: number;
  readonly last_seen_at: number;
  readonly erased_at: number | null;
}

/** Somebody who was not erased. */
export interface Known {
  readonly n: number;
  readonly subject: Subject;
  readonly email: string | null;
  readonly name: string | null;
  readonly seenAt: number;
}

/** Names a person: kind, issuer and id, which may hold any characters. */
export function tupleOf({ kind, issuer, id }: Person): string {
  return JSON.stringify([kind, issuer, id]);
}

/** Null for whoever was never seen, or erased. */
export function rowOf({ person, pepper }: SubjectStatements, tuple: string): Row | null {
  return (person.get(lookupHash(pepper, 'person', tuple)) as Row | undefined) ?? null;
}

interface Sighting {
  readonly person: Person;
  /** As the cache has it. */
  readonly tuple: string;
  readonly at: number;
}

/** Makes or brings up to date. In a write transaction: asks again, since another process may have been first. */
export function written(statements: SubjectStatements, { person, tuple, at }: Sighting): Known {
  const { pepper, refresh, insert, insertKey } = statements;
  const { kind, issuer, id, email, name } = person;
  const fields = { issuer, id, email, name };
  const emailHash = email === null ? null : lookupHash(pepper, 'email', email.toLowerCase());
  const row = rowOf(statements, tuple);
  if (row !== null) {
    const stored = knownFrom(row);
    const seenAt = Math.max(at, stored.seenAt);
    refresh.run(stored.n, emailHash, sealedFields(fields, stored.subject), seenAt);
    return { ...stored, email, name, seenAt };
  }
  const subject: Subject = { id: newId(statements, person), key: randomBytes(KEY_BYTES) };
  const isAnybody = kind === 'anonymous';
  const personHash = lookupHash(pepper, 'person', tuple);
  const idHash = isAnybody ? null : lookupHash(pepper, 'id', id);
  const sealed = sealedFields(fields, subject);
  const n = Number(insert.run(subject.id, kind, personHash, idHash, emailHash, sealed, at).lastInsertRowid);
  insertKey.run(n, subject.key);
  return { n, subject, email, name, seenAt: at };
}

/** A day whose people were erased while it lasted gets another subject for the rest of it. */
function newId(statements: SubjectStatements, { kind, id }: Person): string {
  if (kind !== 'anonymous') return `sub_${randomBytes(ID_BYTES).toString('hex')}`;
  const first = `anonymous-${id}`;
  const ids = numberOf(statements.idsOfDay.get(first), 'ids');
  return ids === 0 ? first : `${first}-${ids + 1}`;
}

/** Throws AUDIT_UNAVAILABLE for a row that was changed from outside. */
export function knownFrom(row: Row): Known {
  const fields = fieldsOf(row);
  if (fields === null || row.key === null) {
    throw new PosternError('AUDIT_UNAVAILABLE', 'a subject that was not erased cannot be read');
  }
  const { email, name } = fields;
  return {
    n: row.n,
    subject: { id: row.id, key: Buffer.from(row.key) },
    email,
    name,
    seenAt: row.last_seen_at,
  };
}

/** Null once erased. */
export function fieldsOf({ id, key, fields }: Row): StoredFields | null {
  return key === null || fields === null ? null : openedFields(fields, { id, key: Buffer.from(key) });
}

/** What may be said of a subject outside of this folder. */
export function shown(row: Row): SubjectRow {
  const fields = fieldsOf(row);
  const named = row.kind === 'anonymous' ? null : fields;
  return {
    id: row.id,
    kind: row.kind,
    issuer: named?.issuer ?? null,
    personId: named?.id ?? null,
    email: named?.email ?? null,
    name: named?.name ?? null,
    firstSeenAt: row.first_seen_at,
    erasedAt: row.erased_at,
  };
}
