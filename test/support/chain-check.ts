// A second reading of the chain, written without the code under test: every group's hash, the numbers of groups and
// segments, and that no tenant's number is missing or given twice. For journals of tests, which are small.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface Parsed {
  readonly k: string;
  readonly [key: string]: unknown;
}

/** What is wrong, one sentence each; empty when nothing is. */
export function chainProblems(directory: string): string[] {
  const problems: string[] = [];
  const seen = new Map<string, number[]>();
  let head = '0'.repeat(64);
  let group = 0;
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted();
  for (const [index, name] of names.entries()) {
    const text = readFileSync(path.join(directory, name), 'latin1');
    if (text === '' && index === names.length - 1) continue;
    let lines = '';
    for (const line of text.split(/(?<=\n)/)) {
      const parsed = JSON.parse(line) as Parsed;
      if (lines === '' && parsed.k === 'segment') {
        if (parsed['prev'] !== head) problems.push(`${name}: prev is not the last head`);
        if (parsed['group'] !== group + 1) problems.push(`${name}: begins group ${String(parsed['group'])}`);
        if (parsed['segment'] !== Number(name.slice(8, 20))) problems.push(`${name}: is numbered wrongly`);
      }
      if (parsed.k !== 'seal') {
        lines += line;
        note(parsed, seen);
        continue;
      }
      group += 1;
      head = createHash('sha256').update(Buffer.from(head, 'hex')).update(lines, 'latin1').digest('hex');
      if (parsed['n'] !== group) problems.push(`${name}: seal ${String(parsed['n'])} where ${group} is due`);
      if (parsed['h'] !== head) problems.push(`${name}: group ${group} does not hash to its seal`);
      lines = '';
    }
    if (lines !== '') problems.push(`${name}: ends without a seal`);
  }
  return [...problems, ...numberProblems(seen)];
}

function note(line: Parsed, seen: Map<string, number[]>): void {
  const tenant = line['tenant'];
  if (typeof tenant !== 'string') return;
  const numbers = seen.get(tenant) ?? [];
  seen.set(tenant, numbers);
  if (typeof line['n'] === 'number') numbers.push(line['n']);
  for (const [first, last] of (line['ranges'] ?? []) as [number, number][]) {
    for (let n = first; n <= last; n++) numbers.push(n);
  }
}

function numberProblems(seen: ReadonlyMap<string, readonly number[]>): string[] {
  return [...seen].flatMap(([tenant, numbers]) => {
    const sorted = numbers.toSorted((a, b) => a - b);
    const hole = sorted.findIndex((n, index) => n !== index + 1);
    return hole === -1 ? [] : [`${tenant}: number ${hole + 1} is ${String(sorted[hole])}`];
  });
}
