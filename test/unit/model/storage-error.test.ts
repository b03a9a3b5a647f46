import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { PosternError } from '#model/fault.ts';
import { isSqliteBusy, isStorageError, sqliteCodeOf, storageFault } from '#model/storage-error.ts';

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const failed = (code: string, errcode?: number) =>
  Object.assign(new Error('secret words'), { code, errcode });

describe('what an embedded database throws', () => {
  it('is a storage error where SQLite or the file system says it, and nothing else is', () => {
    const db = new DatabaseSync(':memory:');
    const ofSqlite = thrown(() => db.exec('SELECT * FROM nowhere'));
    db.close();
    const closed = thrown(() => db.exec('SELECT 1'));
    const noFile = thrown(() => readFileSync('/nowhere/at/all'));
    for (const error of [ofSqlite, closed, noFile]) expect(isStorageError(error)).toBe(true);
    expect(sqliteCodeOf(ofSqlite)).toBe(1);
    for (const error of [
      new TypeError('x'),
      failed('ERR_OTHER'),
      new PosternError('INTERNAL', 'x'),
      null,
      'x',
    ])
      expect([isStorageError(error), sqliteCodeOf(error)]).toEqual([false, 0]);
  });

  it('is another’s lock by the primary code alone: SQLITE_BUSY_SNAPSHOT too', () => {
    for (const code of [5, 6, 517, 262]) expect(isSqliteBusy(failed('ERR_SQLITE_ERROR', code))).toBe(true);
    for (const code of [11, 13, 1]) expect(isSqliteBusy(failed('ERR_SQLITE_ERROR', code))).toBe(false);
    expect(isSqliteBusy(failed('ENOENT', 5))).toBe(false);
  });

  it('becomes a fault that says its code and none of its words', () => {
    const error = failed('ERR_SQLITE_ERROR', 13);
    const fault = storageFault('STORE_UNAVAILABLE', 'the store failed', error);
    expect([fault.code, fault.message, fault.cause]).toEqual([
      'STORE_UNAVAILABLE',
      'the store failed (ERR_SQLITE_ERROR 13)',
      error,
    ]);
    expect(storageFault('AUDIT_UNAVAILABLE', 'it failed', failed('ENOSPC')).message).toBe(
      'it failed (ENOSPC)',
    );
    expect(storageFault('AUDIT_UNAVAILABLE', 'it failed', new SyntaxError('x')).message).toBe(
      'it failed (JSON)',
    );
  });
});
