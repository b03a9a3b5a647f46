// What Node says when an embedded database or its file fails, read by code and never by message, for whichever room keeps
// one: whether it is that at all, whether only another process's lock was in the way, and the fault it becomes. Pure. Cold.
import { type FaultCode, PosternError } from './fault.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

interface CodedError {
  readonly code: string;
  readonly errcode?: number;
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
}

/** Node's errors of SQLite and of the file system; everything else is a refusal or a defect. */
export function isStorageError(error: unknown): boolean {
  if (!isCoded(error) || error instanceof PosternError) return false;
  return error.code === 'ERR_SQLITE_ERROR' || error.code === 'ERR_INVALID_STATE' || 'errno' in error;
}

/** SQLite's primary result code (sqlite.org/rescode.html); 0 for everything else. */
export function sqliteCodeOf(error: unknown): number {
  return isCoded(error) && error.code === 'ERR_SQLITE_ERROR' ? (error.errcode ?? 0) & 0xff : 0;
}

/** Another process or connection holds the lock: nothing is wrong with this one. */
export function isSqliteBusy(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** `what`: such as `the grant store failed`; the code follows it, and nothing that the database says of values. */
export function storageFault(fault: FaultCode, what: string, error: unknown): PosternError {
  const { code, errcode } = isCoded(error) ? error : { code: 'JSON' };
  return new PosternError(fault, `${what} (${errcode === undefined ? code : `${code} ${errcode}`})`, error);
}
