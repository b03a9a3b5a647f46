// What the commands that show records have in common: people's names and keys, and that reading is itself recorded, by
// an event left for the gateway to journal. On a copy, or without leave to write, they say that no record is left.
// Not hot.
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import type { People } from '#audit/index/record-pages.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import type { SubjectStore } from '#audit/subjects/subject-store.ts';
import { PosternError } from '#model/fault.ts';
import { COULD_NOT_BE_ASKED } from './exit-codes.ts';
import { type PolicyPrinter, printable } from './policy-print.ts';

export interface Reading extends Disposable {
  readonly people: People;
  /** To be called before anything is shown. `details`: which command, which filters, how much; never their values. */
  record(tenant: string | null, details: LifecycleEvent['details']): void;
}

export function openReading(directory: string, printer: PolicyPrinter): Reading {
  const writable = openedForWriting(directory);
  const store = writable ?? openSubjectStore({ directory, readOnly: true });
  return {
    people: store,
    record(tenant, details) {
      try {
        if (writable === null) throw new PosternError('AUDIT_UNAVAILABLE', 'no store');
        writable.post(JSON.stringify(readingOf(tenant, details)));
      } catch (error) {
        if (!(error instanceof PosternError)) throw error;
        const why = 'subjects.db is missing or cannot be written';
        printer.err(`${printer.yellow('warning:')} this reading leaves no record: ${why}`);
      }
    },
    [Symbol.dispose]: () => store.close(),
  };
}

/** Null on a copy without the store, and where it may only be read. */
function openedForWriting(directory: string): SubjectStore | null {
  if (!existsSync(path.join(directory, 'subjects.db'))) return null;
  try {
    return openSubjectStore({ directory });
  } catch (error) {
    if (error instanceof PosternError) return null;
    throw error;
  }
}

function readingOf(tenant: string | null, details: LifecycleEvent['details']): LifecycleEvent {
  return { event: 'audit.read', tenant, grant: null, actor: operator(), details };
}

/** Whoever runs the command, as the operating system names them. */
export function operator(): NonNullable<LifecycleEvent['actor']> {
  return { id: userName(), issuer: 'cli', email: null, name: null };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without a name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** The exit code of a command that cannot be answered, after saying why; other errors are thrown on. */
export function refused(error: unknown, directory: string, printer: PolicyPrinter): number {
  if (!(error instanceof PosternError) && !(error instanceof RangeError)) throw error;
  const code = error.cause instanceof Error && 'code' in error.cause ? ` (${String(error.cause.code)})` : '';
  printer.err(`${printer.red('error:')} ${printable(directory)}: ${printable(error.message)}${code}`);
  return COULD_NOT_BE_ASKED;
}
