// Lines as the journal writes them, for tests of what reads them: with the context lines before them, and with people
// whose keys are kept in memory. No files.
import type { SubjectKind } from '#audit/journal-lines.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import { ContextTable } from '#audit/context-table.ts';
import { eventText } from '#audit/event-text.ts';
import { doneText, intentText, type LineNumbers, refusedText, startedText } from '#audit/line-text.ts';
import type {
  OutboxEvent,
  Person,
  Subject,
  SubjectRow,
  SubjectStore,
} from '#audit/subjects/subject-store.ts';
import { TenantNumbers } from '#audit/tenant-numbers.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import { randomBytes } from 'node:crypto';

/** The subjects' store without a file: whoever is erased is gone. */
export class MemorySubjects implements SubjectStore {
  readonly #keys = new Map<string, Buffer>();
  readonly #ids = new Map<string, string>();
  #version = 1;
  /** How often a key was asked for. */
  asked = 0;
  /** Thrown by `keyOf`, as by a store that cannot be read. */
  failure: Error | null = null;

  of({ kind, issuer, id }: Pick<Person, 'kind' | 'issuer' | 'id'>): Subject {
    return this.#subject(`${kind} ${issuer} ${id}`, `${kind}-${this.#ids.size + 1}`);
  }
  anonymous(dayStartMs: number): Subject {
    const name = `anonymous-${new Date(dayStartMs).toISOString().slice(0, 10)}`;
    return this.#subject(name, name);
  }
  keyOf(subjectId: string): Buffer | null {
    if (this.failure !== null) throw this.failure;
    this.asked += 1;
    return this.#keys.get(subjectId) ?? null;
  }
  /** The subject of a person that was seen. */
  idOf(kind: SubjectKind, issuer: string, id: string): string {
    return this.#ids.get(`${kind} ${issuer} ${id}`) ?? '';
  }
  find(): readonly SubjectRow[] {
    return [];
  }
  erase(subjectId: string): null {
    this.#version += 1;
    this.#keys.delete(subjectId);
    return null;
  }
  post(): void {}
  outbox(): readonly OutboxEvent[] {
    return [];
  }
  taken(): void {}
  version(): number {
    return this.#version;
  }
  close(): void {}

  #subject(who: string, name: string): Subject {
    const id = this.#ids.get(who) ?? name;
    const key = this.#keys.get(id) ?? randomBytes(32);
    this.#ids.set(who, id);
    this.#keys.set(id, key);
    return { id, key };
  }
}

/** Writes the lines of one segment; `text` of each is whole lines, those it refers to first. */
export class LineWriter {
  readonly subjects: MemorySubjects;
  readonly #numbers: LineNumbers;

  constructor(subjects = new MemorySubjects()) {
    this.subjects = subjects;
    this.#numbers = { tenants: new TenantNumbers(new Map()), context: new ContextTable(subjects) };
  }

  intent(x: ExchangeFacts): string {
    return this.#whole(intentText(x, this.#numbers));
  }
  refused(x: ExchangeFacts): string {
    return this.#whole(refusedText(x, this.#numbers));
  }
  started(x: ExchangeFacts): string {
    return this.#whole(startedText(x, this.#numbers));
  }
  done(x: ExchangeFacts): string {
    return this.#whole(doneText(x, this.#numbers));
  }
  event(event: LifecycleEvent, t = 1): string {
    return this.#whole(eventText(event, t, this.#numbers));
  }
  /** What stands in the next segment refers to nothing of this one. */
  newSegment(): void {
    this.#numbers.context.forget();
  }

  #whole(line: string): string {
    return this.#numbers.context.taken() + line;
  }
}
