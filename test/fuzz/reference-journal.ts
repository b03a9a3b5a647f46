// What a journal holds, read slowly and obviously right: where its groups end, which of its lines are lines of a journal,
// which numbers its tenants' lines have, and where a gate goes on with it.
import type { MemorySegment } from '../tamper/journal.ts';

const SEAL = /^\{"k":"seal","n":([1-9]\d{0,14}),"h":"([0-9a-f]{64})"\}$/;
const KINDS =
  'intent done refused started summed event gap opened segment tenants subject grant policy unused checkpoint seal';
const BEGINS = new RegExp(`^\\{"k":"(?:${KINDS.replaceAll(' ', '|')})"`);
const LINE_ENDS = /[\n\u2028]/;
const NUMBERED = new Set(['intent', 'done', 'refused', 'started', 'event']);

/** Every byte of the journal, and where segments meet. */
export function wholeText(segments: readonly MemorySegment[]): string {
  return segments.map(({ bytes }) => bytes.toString('latin1')).join('\u2028');
}

/** Where the group `group` ends in a text that nobody changed; 0 for the group 0. */
export function endOfGroup(text: string, group: number): number {
  if (group === 0) return 0;
  const at = text.indexOf(`{"k":"seal","n":${group},`);
  return at === -1 ? text.length : text.indexOf('\n', at) + 1;
}

/** Lines that are none of a journal, in what verification took for whole. */
export function foreignLines(text: string): readonly string[] {
  return text.split(LINE_ENDS).filter((line) => line !== '' && !BEGINS.test(line));
}

export function checkpointLines(text: string): readonly string[] {
  return text.split(LINE_ENDS).filter((line) => line.startsWith('{"k":"checkpoint"'));
}

/** Whether a writer may have been stopped here: whole lines, the beginning of one, and zeros that a disk left. */
export function mayBeTorn(tail: string): boolean {
  const [written = ''] = tail.split('\0', 1);
  if (/[^\n -~]/.test(written)) return false;
  const lines = written.split('\n');
  const last = lines.pop() as string;
  const isBegun = last.startsWith('{"k":"')
    ? /^[a-z]*(?:"|$)/.test(last.slice(6))
    : '{"k":"'.startsWith(last);
  return isBegun && foreignLines(lines.join('\n')).length === 0 && !lines.includes('');
}

/** Tenants whose numbers have a gap or a number twice; null where a line is not as the gate writes it, or explains gaps. */
export function tenantsOutOfCount(text: string): readonly string[] | null {
  const numbers = new Map<string, number[]>();
  for (const line of text.split(LINE_ENDS).filter((one) => one !== '')) {
    const read = parsed(line);
    if (read === null || read['k'] === 'unused') return null;
    const { k, tenant, n } = read;
    if (typeof k !== 'string' || typeof tenant !== 'string' || !NUMBERED.has(k)) continue;
    numbers.set(tenant, [...(numbers.get(tenant) ?? []), Number(n ?? -1)]);
  }
  return [...numbers].filter(([, list]) => isOff(list)).map(([tenant]) => tenant);
}

function isOff(list: readonly number[]): boolean {
  return list.toSorted((a, b) => a - b).some((n, i) => n !== i + 1);
}

function parsed(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return JSON.stringify(value) === line ? value : null;
  } catch {
    return null;
  }
}

/** How much of a segment a gate keeps at its start, and the group it goes on behind; null where there is none. */
export function lastSealOf(
  segment: MemorySegment,
): { readonly wholeBytes: number; readonly group: number; readonly head: string } | null {
  let end = 0;
  let last: ReturnType<typeof lastSealOf> = null;
  const lines = segment.bytes.toString('latin1').split('\n').slice(0, -1);
  for (const [i, line] of lines.entries()) {
    if (line.includes('\0')) break;
    end += line.length + 1;
    const seal = i === 0 ? null : SEAL.exec(line);
    if (seal !== null) last = { wholeBytes: end, group: Number(seal[1]), head: seal[2] as string };
  }
  return last;
}
