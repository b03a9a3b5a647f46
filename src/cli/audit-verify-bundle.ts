// `postern audit verify-bundle`: what a customer runs on the bundle they were given, without the vendor's journal. With
// `--records` the records in readable form, and only of a bundle that holds. Not hot.
import { readFile } from 'node:fs/promises';
import { BundleRecords } from '#audit/bundle/bundle-records.ts';
import type { BundleReport } from '#audit/bundle/bundle-report.ts';
import { type VerifyDeps, verifyBundle } from '#audit/bundle/verify-bundle.ts';
import { readPublicKey } from '#audit/chain/signing-key.ts';
import { visibleJson } from '#audit/json-text.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { counted, type PolicyPrinter, printable } from './policy-print.ts';

export interface VerifyBundleOptions {
  readonly file: string;
  /** PEM files; empty: whatever keys the bundle names are trusted. */
  readonly publicKeys: readonly string[];
  readonly json: boolean;
  readonly records: boolean;
}

/** 0 it holds, 1 it does not, 2 the bundle or a public key cannot be read. */
export async function verifyBundleFile(
  options: VerifyBundleOptions,
  printer: PolicyPrinter,
): Promise<number> {
  const keys = await publicKeysOf(options.publicKeys);
  if (typeof keys === 'string') return refuse(keys, printer);
  try {
    const report = verifyBundle(options.file, { publicKeys: keys });
    if (options.json) printer.out(JSON.stringify(jsonOf(report, keys !== null), null, 2));
    else if (report.problemCount > 0) complain(report, options, printer);
    else return say(report, { ...options, keys }, printer);
    return report.problemCount === 0 ? HELD : DID_NOT_HOLD;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    return refuse(`${options.file} cannot be read (${code})`, printer);
  }
}

/** What it could not read; null without files. */
async function publicKeysOf(files: readonly string[]): Promise<readonly string[] | null | string> {
  if (files.length === 0) return null;
  const keys: string[] = [];
  for (const file of files) {
    let key: string | null = null;
    try {
      key = readPublicKey(await readFile(file, 'utf8'));
    } catch (error) {
      return `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
    }
    if (key === null) return `${file} is not an Ed25519 public key in PEM`;
    keys.push(key);
  }
  return keys;
}

function jsonOf(report: BundleReport, isTrusted: boolean): object {
  const { header, problems, problemCount, numbered, first, last, unused, named, erased, checkpoints } =
    report;
  return {
    ok: problemCount === 0,
    tenant: header?.tenant ?? null,
    chain: header?.chain ?? null,
    made: header?.made ?? null,
    since: header?.since ?? null,
    until: header?.until ?? null,
    lines: numbered,
    first,
    last,
    unused,
    people: { named, erased },
    checkpoints,
    signedFrom: instantText(report.signedFrom),
    signedTo: instantText(report.signedTo),
    keys: report.keys,
    keysGiven: isTrusted,
    problemCount,
    problems,
  };
}

function complain(report: BundleReport, { file }: VerifyBundleOptions, printer: PolicyPrinter): void {
  const name = printable(file);
  for (const { line, text } of report.problems)
    printer.err(`${name}:${line}: ${printer.red('error:')} ${text}`);
  printer.out(`${name} does not hold: ${counted(report.problemCount, 'problem')}`);
}

/** `keys` as `VerifyDeps` has them. */
type Said = VerifyBundleOptions & { readonly keys: readonly string[] | null };

/** The exit code. */
function say(report: BundleReport, said: Said, printer: PolicyPrinter): number {
  const { file, records, keys } = said;
  const tell = records ? printer.err : printer.out;
  if (records && !printRecords(said, printer)) {
    printer.err('the file was changed while it was read: what was printed counts for nothing');
    return DID_NOT_HOLD;
  }
  const { header, first, last, unused, named, erased, checkpoints } = report;
  tell(`${printable(file)} holds: ${counted(report.numbered, 'line')} of ${printable(header?.tenant ?? '')}`);
  if (first !== null) {
    const gaps =
      unused === 0 ? 'none missing' : `none missing but ${counted(unused, 'line')} that could not be written`;
    tell(`numbers   ${first} to ${last}, ${gaps}`);
  }
  const range = `${header?.since ?? 'the beginning'} to ${header?.until ?? header?.made ?? 'the end'}`;
  tell(`asked for ${range}`);
  const [from, to] = [instantText(report.signedFrom), instantText(report.signedTo)];
  if (from !== null) tell(`signed    ${counted(checkpoints, 'checkpoint')} from ${from} to ${to}`);
  tell(`people    ${named} can be read, ${erased} erased`);
  for (const key of report.keys) tell(`key       ${key}`);
  if (keys === null) {
    const warning = printer.yellow('warning:');
    printer.err(
      `${warning} the key is the one that the bundle names: give yours with --public-key to know who signed`,
    );
  }
  return HELD;
}

/** Whether it still holds. */
function printRecords({ file, keys }: Said, printer: PolicyPrinter): boolean {
  const records = new BundleRecords((record) => printer.out(visibleJson(record)));
  const onGroup: VerifyDeps['onGroup'] = (group, context) => records.take(group, context);
  const { problemCount } = verifyBundle(file, { publicKeys: keys, onGroup });
  if (records.open > 0)
    printer.err(`${counted(records.open, 'request')} had not ended, or later than this bundle does`);
  if (records.unmatched > 0)
    printer.err(`${counted(records.unmatched, 'line')} end requests that began before this bundle`);
  return problemCount === 0;
}

function instantText(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

function refuse(message: string, printer: PolicyPrinter): number {
  printer.err(`${printer.red('error:')} ${printable(message)}`);
  return COULD_NOT_BE_ASKED;
}
