// `postern audit verify`: verifies a journal beside a running gateway, without one, or a copy. Exit codes: 0 verified,
// 1 damaged, 2 it could not be asked: no journal, no such key or file. Not hot; the reading is.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { readPublicKey } from '#audit/chain/signing-key.ts';
import { directorySource } from '#audit/chain/verify-directory.ts';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import { readKeptCheckpoint } from '#audit/chain/verify-kept.ts';
import type { JournalSource, KeptCheckpoint, VerifyReport } from '#audit/chain/verify-report.ts';
import { printVerified } from './audit-verify-print.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { type PolicyPrinter, printable } from './policy-print.ts';

export interface VerifyAuditOptions {
  readonly directory: string;
  /** Files in PEM; empty: the keys that the journal names itself. */
  readonly publicKeys: readonly string[];
  /** Files of published records or journal lines. */
  readonly checkpoints: readonly string[];
  readonly json: boolean;
}

/** Said to whoever asked; its text quotes paths alone. */
class CannotBeAsked extends Error {}

export async function verifyAudit(options: VerifyAuditOptions, printer: PolicyPrinter): Promise<number> {
  try {
    const publicKeys = await readKeys(options.publicKeys);
    // Before the journal: whatever a sink holds by now is in the journal by then.
    const kept = await readKept(options.checkpoints);
    const report = verifyDirectory(options.directory, { publicKeys, kept }, printer);
    if (options.json) printer.out(JSON.stringify(report, null, 2));
    else printVerified(report, options.directory, printer);
    return report.verified ? HELD : DID_NOT_HOLD;
  } catch (error) {
    const message = messageOf(error);
    if (message === null) throw error;
    if (options.json) printer.out(JSON.stringify({ verified: null, error: message }, null, 2));
    else printer.err(`${printer.red('error: ')}${printable(message)}`);
    return COULD_NOT_BE_ASKED;
  }
}

/** Null for what is no error of reading. */
function messageOf(error: unknown): string | null {
  if (error instanceof CannotBeAsked) return error.message;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return null;
  return path === undefined ? `the journal cannot be read: ${code}` : `${path} cannot be read: ${code}`;
}

async function readKeys(files: readonly string[]): Promise<readonly string[] | null> {
  if (files.length === 0) return null;
  return await Promise.all(
    files.map(async (file) => {
      const key = readPublicKey(await readFile(file, 'utf8'));
      if (key === null) throw new CannotBeAsked(`${file} is not an Ed25519 public key in PEM`);
      return key;
    }),
  );
}

async function readKept(files: readonly string[]): Promise<readonly KeptCheckpoint[] | null> {
  if (files.length === 0) return null;
  const kept: KeptCheckpoint[] = [];
  for (const file of files) {
    const before = kept.length;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      const checkpoint = readKeptCheckpoint(line);
      if (checkpoint !== null) kept.push(checkpoint);
    }
    if (kept.length === before) throw new CannotBeAsked(`${file} holds no checkpoint`);
  }
  return kept;
}

interface Trusted {
  readonly publicKeys: readonly string[] | null;
  readonly kept: readonly KeptCheckpoint[] | null;
}

function verifyDirectory(directory: string, trusted: Trusted, printer: PolicyPrinter): VerifyReport {
  using source = directorySource(directory);
  const segments = source.segments();
  if (segments.length === 0 && trusted.kept === null)
    throw new CannotBeAsked(`${directory} holds no journal`);
  let size = 0;
  for (const { bytes } of segments) size += bytes;
  // Listed once: a running gateway writes on.
  const listed: JournalSource = { segments: () => segments, read: (...args) => source.read(...args) };
  let shown = -1;
  const onProgress = (bytes: number) => {
    const percent = Math.floor((100 * bytes) / size);
    if (percent === shown) return;
    shown = percent;
    printer.progress(`verifying: ${percent} %`);
  };
  const report = verifyJournal({ source: listed, ...trusted, onProgress });
  printer.progress(null);
  return report;
}
