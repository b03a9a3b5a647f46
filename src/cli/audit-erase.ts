// `postern audit erase`: destroys a subject's key and fields, beside a running gateway or without one, which journals
// `subject.erased` when it next looks. Prints no more of the person than their subject's id, unless several match and
// one must be chosen. Not hot.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type OpenSubjectStore, openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import type { SubjectRow } from '#audit/subjects/subject-store.ts';
import { PosternError } from '#model/fault.ts';
import { operator } from './audit-reading.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { type PolicyPrinter, printable } from './policy-print.ts';

export interface EraseOptions {
  readonly directory: string;
  /** A subject's id, or the id or email address of a person. */
  readonly subject: string;
  readonly json: boolean;
  /** Null: nobody is asked. */
  readonly confirm: ((question: string) => Promise<boolean>) | null;
}

const SHIPPED =
  'Records that sinks were already sent are not reached: erase there too. Nor are backups of subjects.db.';

/** The exit code: 0 erased, now or before; 1 nobody, or not confirmed; 2 several match, or no store. */
export async function eraseSubject(options: EraseOptions, printer: PolicyPrinter): Promise<number> {
  const file = path.join(options.directory, 'subjects.db');
  if (!existsSync(file))
    return refuse(printer, `there is no ${file}: name the audit directory with --journal`);
  try {
    const store = openSubjectStore({ directory: options.directory });
    try {
      return await eraseIn(store, options, printer);
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof PosternError) return refuse(printer, error.message);
    throw error;
  }
}

async function eraseIn(
  store: OpenSubjectStore,
  options: EraseOptions,
  printer: PolicyPrinter,
): Promise<number> {
  const rows = matching(store, options.subject);
  const [row, ...others] = rows;
  if (row === undefined) {
    if (options.json) printer.out(JSON.stringify({ erased: null }));
    else printer.err('nobody of that id or address is in the records');
    return DID_NOT_HOLD;
  }
  if (others.length > 0) return listMatches(rows, options, printer);
  if (row.erasedAt === null && options.confirm !== null) {
    const question = `Erase the subject ${row.id} (${printable(row.kind)})? This cannot be undone.`;
    if (!(await options.confirm(question))) {
      printer.err('nothing was erased');
      return DID_NOT_HOLD;
    }
  }
  // Asked for again even if it was erased before: that clears what a reader held up then.
  const erased = store.erase(row.id, Date.now(), operator()) ?? row;
  say(erased, { before: row.erasedAt !== null, json: options.json }, printer);
  return HELD;
}

/** A subject's own id is nobody else's name, whatever ids people have. */
function matching(store: OpenSubjectStore, text: string): readonly SubjectRow[] {
  const rows = store.find(text);
  const exact = rows.find((row) => row.id === text);
  return exact === undefined ? rows : [exact];
}

function listMatches(rows: readonly SubjectRow[], { json }: EraseOptions, printer: PolicyPrinter): number {
  if (json) printer.out(JSON.stringify({ erased: null, matches: rows.map(matchJson) }));
  else for (const row of rows) printer.out(matchText(row));
  printer.err(`${rows.length} subjects match: name one by its subject id`);
  return COULD_NOT_BE_ASKED;
}

function matchText(row: SubjectRow): string {
  const parts = [row.id, row.kind, row.issuer, row.personId, row.email, row.name];
  return parts.map((part) => printable(part ?? '-')).join('  ');
}

function matchJson({ id, kind, issuer, personId, email, name, firstSeenAt }: SubjectRow): object {
  return { subject: id, kind, issuer, personId, email, name, firstSeenAt: instantText(firstSeenAt) };
}

function say(
  { id, erasedAt }: SubjectRow,
  { before, json }: { readonly before: boolean; readonly json: boolean },
  printer: PolicyPrinter,
): void {
  const at = erasedAt === null ? null : instantText(erasedAt);
  if (json) {
    printer.out(JSON.stringify({ erased: { subject: id, erasedAt: at, before }, sinksReached: false }));
    return;
  }
  printer.out(before ? `${id} was erased before, at ${at}` : `erased ${id}`);
  printer.err(SHIPPED);
}

function refuse(printer: PolicyPrinter, message: string): number {
  printer.err(`${printer.red('error:')} ${printable(message)}`);
  return COULD_NOT_BE_ASKED;
}

function instantText(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
