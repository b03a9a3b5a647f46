// What lines are numbered with, for tests of the lines alone: people's keys in memory instead of a store.
import { randomBytes } from 'node:crypto';
import { ContextTable } from '#audit/context-table.ts';
import type { LineNumbers } from '#audit/line-text.ts';
import type { Subject, SubjectStore } from '#audit/subjects/subject-store.ts';
import { TenantNumbers } from '#audit/tenant-numbers.ts';

/** Subjects as a store would give them, and how often it was asked. */
export type MemorySubjects = SubjectStore & { asked: number; fails: boolean };

export function memorySubjects(): MemorySubjects {
  const subjects = new Map<string, Subject>();
  const of = (key: string, id: string): Subject => {
    store.asked += 1;
    if (store.fails) throw Object.assign(new Error('planted'), { code: 'AUDIT_UNAVAILABLE' });
    const known = subjects.get(key);
    if (known !== undefined) return known;
    const made = { id, key: randomBytes(32) };
    subjects.set(key, made);
    return made;
  };
  const store: MemorySubjects = {
    asked: 0,
    fails: false,
    of: ({ kind, issuer, id }) => of(JSON.stringify([kind, issuer, id]), `sub_${subjects.size + 1}`),
    anonymous(dayStartMs) {
      const day = `anonymous-${new Date(dayStartMs).toISOString().slice(0, 10)}`;
      return of(day, day);
    },
    keyOf: (id) => [...subjects.values()].find((one) => one.id === id)?.key ?? null,
    find: () => [],
    erase: () => null,
    post: () => undefined,
    outbox: () => [],
    taken: () => undefined,
    version: () => 0,
    close: () => undefined,
  };
  return store;
}

export function testNumbers(subjects: SubjectStore = memorySubjects()): LineNumbers {
  return { tenants: new TenantNumbers(new Map()), context: new ContextTable(subjects) };
}
