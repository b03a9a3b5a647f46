// Finds in the bytes of a block the lines that a query may want, by their first keys alone, and the completions beside
// them. What it lets pass is judged again as a record. Assumes whole lines. Warm: runs over up to 256 MiB per page.
import { ID_LENGTH, KIND, KIND_AT, LineHead, TENANT_AT } from './line-head.ts';

const NEWLINE = 0x0a;

export interface Wanted {
  /** JSON texts of the tenant's name; null: every tenant. */
  readonly tenants: readonly Buffer[] | null;
  /** Numbers of this segment's lines; null: all. */
  readonly subjects: ReadonlySet<number> | null;
  readonly grants: ReadonlySet<number> | null;
  /** Epoch milliseconds: from, and before. */
  readonly since: number;
  readonly until: number;
  readonly requestId: string | null;
  /** Whether lines may match that are no requests. */
  readonly others: boolean;
  /** Places in the block: only lines that begin after the one and before the other. */
  readonly after?: number;
  readonly before?: number;
}

/** A line, from where to where in the block. */
export interface Found {
  readonly from: number;
  readonly to: number;
  /** Of an intent: what its other half is found by. Null of lines that are whole. */
  readonly open: { readonly id: string; readonly idMs: number } | null;
}

/** Texts of the lines; a completion stands alone where its start was not seen. */
export interface Ends {
  done: string | null;
  started: string | null;
}

export interface Scan {
  /** In the order of the block. */
  readonly found: readonly Found[];
  /** By request, of those in `found`. */
  readonly ends: Map<string, Ends>;
}

export function scanBlock(bytes: Buffer, wanted: Wanted): Scan {
  const head = new LineHead();
  const found: Found[] = [];
  const ends = new Map<string, Ends>();
  const { after = -1, before = bytes.length } = wanted;
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(NEWLINE, from);
    if (to === -1) break;
    const isInside = from > after && from < before;
    const kind = bytes[from + KIND_AT];
    if (kind === KIND.i || kind === KIND.r) {
      const isIntent = kind === KIND.i;
      const at = from + (isIntent ? TENANT_AT.intent : TENANT_AT.refused);
      if (isInside && head.request(bytes, at) && isWanted(bytes, head, wanted)) {
        const id = bytes.toString('latin1', head.idFrom, head.idFrom + ID_LENGTH);
        if (isIntent) ends.set(id, { done: null, started: null });
        found.push({ from, to, open: isIntent ? { id, idMs: head.idMs } : null });
      }
    } else if (kind === KIND.d || isStarted(bytes, from)) {
      if (ends.size > 0) takeEnd(bytes, { from, to }, { head, ends });
    } else if (isInside && wanted.others && isOther(bytes, from)) {
      found.push({ from, to, open: null });
    }
    from = to + 1;
  }
  return { found, ends };
}

/** Completions of requests whose intents stand elsewhere. */
export function scanEnds(bytes: Buffer, ends: Map<string, Ends>): void {
  const head = new LineHead();
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(NEWLINE, from);
    if (to === -1) return;
    if (bytes[from + KIND_AT] === KIND.d || isStarted(bytes, from))
      takeEnd(bytes, { from, to }, { head, ends });
    from = to + 1;
  }
}

function takeEnd(
  bytes: Buffer,
  { from, to }: { readonly from: number; readonly to: number },
  { head, ends }: { readonly head: LineHead; readonly ends: Map<string, Ends> },
): void {
  const isDone = bytes[from + KIND_AT] === KIND.d;
  if (!head.end(bytes, from + (isDone ? TENANT_AT.done : TENANT_AT.started))) return;
  const one = ends.get(bytes.toString('latin1', head.idFrom, head.idFrom + ID_LENGTH));
  if (one === undefined) return;
  const text = bytes.toString('latin1', from, to);
  if (isDone) one.done = text;
  else one.started = text;
}

function isWanted(bytes: Buffer, head: LineHead, wanted: Wanted): boolean {
  const { tenants, subjects, grants, requestId } = wanted;
  if (head.t < wanted.since || head.t >= wanted.until) return false;
  if (subjects !== null && !subjects.has(head.s)) return false;
  if (grants !== null && !grants.has(head.g)) return false;
  if (tenants !== null && !tenants.some((raw) => isSame(bytes, head, raw))) return false;
  return requestId === null || bytes.toString('latin1', head.idFrom, head.idFrom + ID_LENGTH) === requestId;
}

function isSame(bytes: Buffer, { tenantFrom, tenantTo }: LineHead, raw: Buffer): boolean {
  return (
    tenantTo - tenantFrom === raw.length && bytes.compare(raw, 0, raw.length, tenantFrom, tenantTo) === 0
  );
}

function isStarted(bytes: Buffer, from: number): boolean {
  return bytes[from + KIND_AT] === KIND.s && bytes[from + KIND_AT + 1] === 0x74;
}

/** Events, checkpoints, gaps (not grants) and summed refusals (not subjects, segments or seals). */
function isOther(bytes: Buffer, from: number): boolean {
  const kind = bytes[from + KIND_AT];
  if (kind === KIND.e || kind === KIND.c) return true;
  if (kind === KIND.g) return bytes[from + KIND_AT + 1] === 0x61;
  return kind === KIND.s && bytes[from + KIND_AT + 1] === 0x75 && bytes[from + KIND_AT + 2] === 0x6d;
}
