// The audit as it is read in this thread: each question sees one snapshot of journal and index. Synchronous inside, and
// so for commands and for the worker of worker-audit-reader.ts, never for the forwarding loop.
import { PosternError } from '#model/fault.ts';
import type { AuditReader } from './audit-reader.ts';
import { lastActive } from './last-active.ts';
import { type People, recordPage } from './record-pages.ts';
import { Snapshot, type SnapshotOptions } from './snapshot.ts';
import { visitPage } from './visit-pages.ts';

const MOST_PAGE_BYTES = 256 * 1024 * 1024;

export interface AuditReaderDeps extends SnapshotOptions {
  readonly people: People;
  /** Of the journal, read for one page of records. Default: 256 MiB. */
  readonly maxPageBytes?: number;
}

/** Answers as `AuditReader` says; a limit that is no whole number above 0 is a RangeError. */
export function createAuditReader(deps: AuditReaderDeps): AuditReader {
  const { people, maxPageBytes: maxBytes = MOST_PAGE_BYTES } = deps;

  async function asked<T>(ask: (snapshot: Snapshot) => T): Promise<T> {
    const snapshot = new Snapshot(deps);
    try {
      return ask(snapshot);
    } catch (error) {
      if (error instanceof RangeError || error instanceof PosternError) throw error;
      throw new PosternError('AUDIT_UNAVAILABLE', 'the audit journal cannot be read', error);
    } finally {
      snapshot.close();
    }
  }

  return {
    records: (query) =>
      asked((snapshot) => {
        checkLimit(query.limit);
        return recordPage(snapshot, query, { people, maxBytes });
      }),
    visits: (query) =>
      asked((snapshot) => {
        checkLimit(query.limit);
        return visitPage(snapshot, query, people);
      }),
    lastActive: (tenant) => asked((snapshot) => lastActive(snapshot, tenant, people)),
    close: async () => undefined,
  };
}

function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('the limit is a whole number above 0');
}
