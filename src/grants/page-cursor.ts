// The opaque cursor of a keyset page: where the page before ended, by (createdAt, id), newest first.
// It grants nothing: the query beside it still decides what is read. Cold.
import { type EpochMs, NEVER } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { type IdPrefix, isRecordId } from './record-id.ts';

export interface PagePosition {
  readonly createdAt: EpochMs;
  /** Empty before the first page. */
  readonly id: string;
}

/** Before the newest: a position that everything comes after. */
const FIRST_PAGE: PagePosition = Object.freeze({ createdAt: NEVER, id: '' });

const MAX_CURSOR_CHARS = 128;

export function encodeCursor(last: PagePosition): string {
  return Buffer.from(JSON.stringify([last.createdAt, last.id])).toString('base64url');
}

/** Throws GrantRefusal `cursor_invalid` for anything that `encodeCursor` does not write of this kind of id. */
export function decodeCursor(cursor: string | null, prefix: IdPrefix = 'grt'): PagePosition {
  if (cursor === null) return FIRST_PAGE;
  const parsed = cursor.length > MAX_CURSOR_CHARS ? null : parse(cursor);
  if (Array.isArray(parsed) && parsed.length === 2) {
    const [createdAt, id] = parsed as readonly unknown[];
    if (Number.isSafeInteger(createdAt) && typeof id === 'string' && isRecordId(prefix, id)) {
      return { createdAt: createdAt as EpochMs, id };
    }
  }
  throw new GrantRefusal('cursor_invalid', 'Pass `nextCursor` of the page before, unchanged, or none.');
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
