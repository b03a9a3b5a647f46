// The contract of the subjects' store: who people are, and the key of each, outside of the chain, so that it can be
// destroyed. Synchronous, since a line is being built when it is asked; asked once per person, place and segment.
import type { SubjectKind } from '../journal-lines.ts';

/** A person as the gateway knows them at this moment. */
export interface Person {
  readonly kind: SubjectKind;
  readonly id: string;
  readonly issuer: string;
  readonly org: string | null;
  readonly email: string | null;
  readonly name: string | null;
}

export interface Subject {
  /** Random, and the only name the chain has for the person; `anonymous-2026-01-31` where nobody was identified. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** What is known of a subject outside of the chain. All null but `id` once erased. */
export interface SubjectRow {
  readonly id: string;
  readonly kind: SubjectKind;
  readonly issuer: string | null;
  readonly personId: string | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly firstSeenAt: number;
  readonly erasedAt: number | null;
}

/** An event that another process asked the gateway to journal: a reading or an erasure at the command line. */
export interface OutboxEvent {
  readonly id: number;
  /** A LifecycleEvent as JSON. */
  readonly event: string;
}

/** Every method throws AUDIT_UNAVAILABLE when the store cannot be used. */
export interface SubjectStore {
  /** The subject of an identified person (same kind, issuer and id), made when new or erased; its email and name brought up to date. */
  of(person: Person): Subject;
  /** The subject shared by all who were not identified on that UTC day. */
  anonymous(dayStartMs: number): Subject;
  /** Null when it was erased or never there. */
  keyOf(subjectId: string): Buffer | null;
  /** By subject id, by a person's id or by email (case folded); may be empty. */
  find(text: string): readonly SubjectRow[];
  /** Destroys key and fields and leaves a `subject.erased` event in the outbox; null when there is no such subject. Idempotent. */
  erase(subjectId: string, nowMs: number): SubjectRow | null;
  /** Adds an event for the gateway to journal. */
  post(event: string): void;
  /** Oldest first, at most `limit`. */
  outbox(limit: number): readonly OutboxEvent[];
  /** Once they were written. */
  taken(ids: readonly number[]): void;
  /** Changes whenever another connection changed the store. Cheap. */
  version(): number;
  close(): void;
}
