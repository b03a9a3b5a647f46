// A sink's saved place in the journal: replaced atomically, so that it is always either the old or the new
// one. A cursor that is missing or unreadable means the beginning: shipped twice rather than never.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

export interface SinkCursor {
  readonly segment: number;
  readonly offset: number;
  /** The number of the next record. */
  readonly seq: number;
  /** Intents before this place that have no completion yet: segment, offset, whether they are streaming. */
  readonly open: readonly (readonly [segment: number, offset: number, streaming: boolean])[];
}

export const BEGINNING: SinkCursor = { segment: 0, offset: 0, seq: 1, open: [] };

export function cursorPath(directory: string, sink: string): string {
  return path.join(directory, `cursor-${sink}.json`);
}

/** Null when there is none that can be read. */
export function readCursor(file: string): SinkCursor | null {
  try {
    const cursor: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isCursor(cursor) ? cursor : null;
  } catch {
    return null;
  }
}

/** Throws the errors of node:fs. */
export function saveCursor(file: string, cursor: SinkCursor): void {
  const temporary = `${file}.new`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, JSON.stringify(cursor));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
}

function isCursor(value: unknown): value is SinkCursor {
  if (typeof value !== 'object' || value === null) return false;
  const { segment, offset, seq, open } = value as Record<string, unknown>;
  return isCount(segment) && isCount(offset) && isCount(seq) && Array.isArray(open) && open.every(isOpen);
}

function isOpen(value: unknown): boolean {
  return Array.isArray(value) && isCount(value[0]) && isCount(value[1]) && typeof value[2] === 'boolean';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
