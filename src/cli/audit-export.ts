// `postern audit export`: a signed bundle of one tenant's records. Works beside a running gateway, which journals that
// the records were read; where that cannot be noted down, no bundle is made. Not hot.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { operator } from './audit-reading.ts';
import type { BundleCounts } from '#audit/bundle/bundle-format.ts';
import { type ExportResult, exportBundle } from '#audit/bundle/export-bundle.ts';
import { importSigningKey, type SigningKey } from '#audit/chain/signing-key.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { PosternError } from '#model/fault.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { counted, type PolicyPrinter, printable } from './policy-print.ts';

export interface ExportCommandOptions {
  readonly directory: string;
  readonly tenant: string;
  /** Epoch milliseconds; null: no bound. */
  readonly since: number | null;
  readonly until: number | null;
  readonly out: string;
  /** The file of the private key. */
  readonly key: string;
  readonly json: boolean;
}

/** 0 made; 1 the journal does not verify; 2 there is no journal, no store of subjects, no key, or it cannot be written. */
export async function exportTenant(options: ExportCommandOptions, printer: PolicyPrinter): Promise<number> {
  try {
    const key = await readKey(options.key);
    return answerOf(made(options, key), options, printer);
  } catch (error) {
    if (error instanceof PosternError) return refuse(error.message, options, printer);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    return refuse(`the journal cannot be read, or the bundle not written (${code})`, options, printer);
  }
}

async function readKey(file: string): Promise<SigningKey> {
  let pem: string;
  try {
    pem = await readFile(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new PosternError(
      'INTERNAL',
      `the signing key ${file} cannot be read (${code}): name it with --key`,
    );
  }
  return importSigningKey(pem);
}

function made(options: ExportCommandOptions, key: SigningKey): ExportResult {
  const { directory, tenant } = options;
  const file = path.join(directory, 'subjects.db');
  if (!existsSync(file)) {
    throw new PosternError('INTERNAL', `there is no ${file}: name the audit directory with --journal`);
  }
  const people = openSubjectStore({ directory });
  try {
    const record = (counts: BundleCounts): void => people.post(JSON.stringify(readingOf(tenant, counts)));
    return exportBundle({ ...options, key, people, now: Date.now(), record });
  } finally {
    people.close();
  }
}

function readingOf(tenant: string, { numbered, first, last }: BundleCounts): LifecycleEvent {
  const details = { by: 'export', lines: numbered, first, last };
  return { event: 'audit.read', tenant, grant: null, actor: operator(), details };
}

function answerOf(result: ExportResult, options: ExportCommandOptions, printer: PolicyPrinter): number {
  switch (result.kind) {
    case 'empty':
      return refuse('there is no journal segment', options, printer);
    case 'foreign_key':
      return refuse(`${options.key} is not a key of this journal: name it with --key`, options, printer);
    case 'damaged':
      if (options.json) printer.out(JSON.stringify({ ok: false, problem: result.problem }));
      else {
        printer.err(`${printer.red('error:')} ${printable(result.problem)}`);
        printer.err('no bundle was made; `postern audit verify` says what is wrong with the journal');
      }
      return DID_NOT_HOLD;
    case 'made':
      say(result, options, printer);
      return HELD;
  }
}

type Made = Extract<ExportResult, { kind: 'made' }>;

function say(
  { counts, unsigned, erased }: Made,
  options: ExportCommandOptions,
  printer: PolicyPrinter,
): void {
  const { tenant, out } = options;
  if (options.json) {
    const { numbered: lines, first, last, checkpoints } = counts;
    const facts = {
      ok: true,
      tenant,
      out,
      lines,
      first,
      last,
      checkpoints,
      unsigned,
      erased,
    };
    printer.out(JSON.stringify(facts));
    return;
  }
  const numbers = counts.first === null ? '' : `, numbers ${counts.first} to ${counts.last}`;
  printer.out(
    `${printable(out)}: ${counted(counts.numbered, 'line')} of ${printable(tenant)}${numbers}, ` +
      `proven by ${counted(counts.checkpoints, 'checkpoint')}`,
  );
  if (counts.numbered === 0) printer.err('the journal has no signed line of that tenant and time');
  if (unsigned > 0) printer.err(`${counted(unsigned, 'line')} not yet signed: ask again in a second`);
  if (erased > 0)
    printer.err(`${counted(erased, 'reference')} to people who were erased: they cannot be named`);
}

function refuse(message: string, { json }: ExportCommandOptions, printer: PolicyPrinter): number {
  if (json) printer.out(JSON.stringify({ ok: false, problem: message }));
  else printer.err(`${printer.red('error:')} ${printable(message)}`);
  return COULD_NOT_BE_ASKED;
}
