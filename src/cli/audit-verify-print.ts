// How `postern audit verify` answers people: the verdict first, then what it rests on, then what was not checked. Nothing
// of a line is printed, only where it stands. Not hot.
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import { counted, type PolicyPrinter, printable } from './policy-print.ts';

export function printVerified(report: VerifyReport, directory: string, printer: PolicyPrinter): void {
  const { damage, groups, segments } = report;
  const verdict = report.verified
    ? printer.green('verified')
    : printer.red(`damaged: ${counted(damage.count, 'finding')}`);
  printer.out(`${printable(directory)}: ${verdict}`);
  for (const { segment, group, offset, what } of damage.findings) {
    printer.out(
      `  ${printer.red(`group ${group}`)} segment ${segment} at byte ${offset}: ${printable(what)}`,
    );
  }
  const more = damage.count - damage.findings.length;
  if (more > 0) printer.out(`  and ${counted(more, 'finding')} more`);
  printer.out(`  chain        ${printable(report.chain ?? 'none')}`);
  printer.out(`  segments     ${range(segments)}`);
  printer.out(`  groups       ${range(groups)}`);
  printer.out(`  lines        ${report.lines} in ${report.bytes} bytes`);
  printer.out(`  checkpoints  ${checkpointsText(report)}`);
  printer.out(`  keys         ${keysText(report)}`);
  if (report.kept !== null) printer.out(`  kept         ${keptText(report.kept)}`);
  for (const note of notesOf(report)) printer.out(`  ${printer.yellow('note:')} ${note}`);
}

function range({ count, first, last }: VerifyReport['groups']): string {
  return count === 0 ? 'none' : `${count} (${first} to ${last})`;
}

function checkpointsText({ checkpoints }: VerifyReport): string {
  const { count, last, unsignedGroups } = checkpoints;
  if (last === null) return `${count}, none of them signed by a trusted key`;
  const at = new Date(last.t).toISOString();
  return `${count}, the last of ${at} covers group ${last.to}; ${counted(unsignedGroups, 'group')} after it`;
}

function keysText({ keys }: VerifyReport): string {
  const whose = keys.given ? 'as given' : 'as the journal names itself';
  return keys.signed.length === 0 ? 'none' : `${keys.signed.join(', ')} (${whose})`;
}

function keptText({ count, found, older, otherChains }: NonNullable<VerifyReport['kept']>): string {
  const parts = [`${found} of ${count} found as they were`];
  if (older > 0) parts.push(`${older} of groups before the first that is kept`);
  if (otherChains > 0) parts.push(`${otherChains} of other chains`);
  return parts.join(', ');
}

/** What a reader could take for proven and is not. */
function notesOf(report: VerifyReport): string[] {
  const { before, checkpoints, keys, kept, tailBytes } = report;
  const notes: string[] = [];
  if (checkpoints.last === null)
    notes.push('nothing here is signed: whoever can write the files could have made them');
  else if (!keys.given)
    notes.push('the keys are the journal’s own word: give --public-key to know who signed');
  if (kept === null)
    notes.push('groups cut off at the end show only beside checkpoints kept elsewhere: give --checkpoint');
  if (before !== null) {
    const how = before.checked
      ? 'as a kept checkpoint says'
      : 'as its first line says; no kept checkpoint covers it';
    notes.push(`older segments are no longer kept: it follows on group ${before.group}, ${how}`);
  }
  if (checkpoints.rootsNotComputed > 0) {
    notes.push(
      `${counted(checkpoints.rootsNotComputed, 'checkpoint')} covers groups that are gone: its Merkle root was not computed`,
    );
  }
  if (tailBytes > 0)
    notes.push(
      `${counted(tailBytes, 'byte')} behind the last seal: a group being written, or torn by a crash`,
    );
  return notes;
}
