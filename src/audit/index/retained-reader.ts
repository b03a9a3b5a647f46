// The audit as it is read for a tenant: nothing older than the tenant's retention, by the clock at each use. Everything in
// the gate that reads records for somebody reads them here, so that no call can forget the bound. Guarantees: it is the
// asked tenant's own and no other's; while it cannot be found out nothing is read. Not for the forwarding loop.
import type { Clock, EpochMs } from '#model/clock.ts';
import { recordsShownSince } from '#model/tenant-settings.ts';
import type {
  AuditReader,
  LastActive,
  RecordPage,
  RecordQuery,
  VisitPage,
  VisitQuery,
} from './audit-reader.ts';

/** A query of one tenant's records: whose retention would others go by? */
export type TenantRecordQuery = RecordQuery & { readonly tenant: string };

/** `notBefore`: the bound that held, null where there is none; epoch milliseconds. */
export interface TenantRecordPage extends RecordPage {
  readonly notBefore: EpochMs | null;
}

export interface TenantReader {
  records(query: TenantRecordQuery): Promise<TenantRecordPage>;
  visits(query: VisitQuery): Promise<VisitPage>;
  lastActive(tenant: string): Promise<readonly LastActive[]>;
}

export interface RetainedReaderDeps {
  readonly reader: Pick<AuditReader, 'records' | 'visits' | 'lastActive'>;
  /** Milliseconds; null: as long as the journal is kept. Rejects when it cannot be found out. */
  readonly retentionOf: (tenant: string) => Promise<number | null>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Every method rejects as `AuditReader` says, and as `retentionOf` does. */
export function createRetainedReader({ reader, retentionOf, clock }: RetainedReaderDeps): TenantReader {
  async function boundOf(tenant: string): Promise<EpochMs | null> {
    // The clock after the settings: a store that answers late must not let older records through.
    const retentionMs = await retentionOf(tenant);
    return recordsShownSince(retentionMs, clock.now());
  }

  return {
    async records(query) {
      const notBefore = await boundOf(query.tenant);
      const page = await reader.records(
        notBefore === null ? query : { ...query, since: Math.max(query.since ?? 0, notBefore) },
      );
      return { ...page, notBefore };
    },
    async visits(query) {
      const notBefore = await boundOf(query.tenant);
      return reader.visits(notBefore === null ? query : { ...query, notBefore });
    },
    async lastActive(tenant) {
      const notBefore = (await boundOf(tenant)) ?? 0;
      const last = await reader.lastActive(tenant);
      return last.filter(({ lastAt }) => lastAt >= notBefore);
    },
  };
}
