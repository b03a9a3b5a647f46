// The outbox as the notify room asks for it (notify/notice-outbox.ts, satisfied structurally): notices to plan, and their
// deliveries. Guarantees: a notice is planned once, in one transaction with its deliveries; a claim is a lease, so that
// two processes on one file do not send the same and a killed one loses nothing. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Notice } from '#model/notice.ts';
import { frozen } from './grant-rows.ts';
import type { StoreCore, Transaction } from './store-core.ts';

type Channel = 'email' | 'webhook' | 'operator_webhook';
type Side = 'tenant' | 'staff' | 'operator';

interface DeliveryKey {
  readonly noticeId: string;
  readonly channel: Channel;
  readonly recipient: string;
}

interface DeliveryDraft extends Omit<DeliveryKey, 'noticeId'> {
  readonly side: Side;
  readonly address: string | null;
}

interface ClaimedDelivery extends DeliveryKey, DeliveryDraft {
  readonly attempts: number;
  readonly recipientAttempts: number;
  readonly plannedAt: EpochMs;
  readonly notice: Notice;
}

interface Claim {
  readonly channel: Channel;
  readonly limit: number;
  readonly leaseMs: number;
}

export interface SqliteNoticeOutbox {
  unplanned(
    after: string,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly notice: Notice | null }[]>;
  plan(noticeId: string, deliveries: readonly DeliveryDraft[]): Promise<boolean>;
  claim(claim: Claim): Promise<readonly ClaimedDelivery[]>;
  nextDue(): Promise<EpochMs | null>;
  done(key: DeliveryKey): Promise<void>;
  failed(key: DeliveryKey, nextAt: EpochMs, problem: string): Promise<void>;
  givenUp(key: DeliveryKey, problem: string): Promise<void>;
  release(keys: readonly DeliveryKey[]): Promise<void>;
  backlog(): Promise<{ readonly due: number; readonly oldestAt: EpochMs | null }>;
  forget(before: EpochMs, limit: number): Promise<number>;
}

const UNPLANNED =
  'SELECT id, document FROM notices WHERE planned = 0 AND id > :after ORDER BY id LIMIT :limit';
const MARK_PLANNED = 'UPDATE notices SET planned = 1 WHERE id = :id AND planned = 0';
const ADD_DELIVERY = `INSERT INTO deliveries
    (notice, channel, recipient, side, address, state, planned_at, due_at)
  VALUES (:notice, :channel, :recipient, :side, :address, 'due', :now, :now)
  ON CONFLICT (notice, channel, recipient) DO NOTHING`;

/**
 * The window bounds what one call reads, whatever waits. Of each recipient the delivery with the fewest attempts comes
 * first: one that a receiver never takes does not stand before the others.
 */
const CLAIMABLE = `WITH waiting AS (
    SELECT * FROM deliveries
    WHERE state = 'due' AND channel = :channel AND due_at <= :now AND leased_until <= :now AND recipient NOT IN (
      SELECT recipient FROM deliveries WHERE state = 'due' AND leased_until > :now AND channel = :channel)
    ORDER BY due_at LIMIT 500
  ), placed AS (
    SELECT *, row_number() OVER (PARTITION BY recipient ORDER BY attempts, notice) AS place,
      max(attempts) OVER (PARTITION BY recipient) AS recipient_attempts
    FROM waiting
  )
  SELECT placed.notice, placed.channel, placed.recipient, placed.side, placed.address, placed.attempts,
    placed.recipient_attempts, placed.planned_at, notices.document
  FROM placed JOIN notices ON notices.id = placed.notice
  WHERE place = 1 ORDER BY placed.due_at, placed.notice LIMIT :limit`;

const THIS = `notice = :notice AND channel = :channel AND recipient = :recipient AND state = 'due'`;
const LEASE = `UPDATE deliveries SET leased_until = :until WHERE ${THIS}`;
const DONE = `UPDATE deliveries SET state = 'done', attempts = attempts + 1, done_at = :now, problem = NULL WHERE ${THIS}`;
const HASTEN = `UPDATE deliveries SET due_at = :now
  WHERE channel = :channel AND recipient = :recipient AND state = 'due' AND attempts = 0 AND due_at > :now`;
const FAILED = `UPDATE deliveries SET attempts = attempts + 1, due_at = :next, leased_until = 0, problem = :problem WHERE ${THIS}`;
const POSTPONE = `UPDATE deliveries SET due_at = :next
  WHERE channel = :channel AND recipient = :recipient AND state = 'due' AND due_at < :next`;
const GIVEN_UP = `UPDATE deliveries
  SET state = 'failed', attempts = attempts + 1, done_at = :now, problem = :problem WHERE ${THIS}`;
const NEXT_DUE = `SELECT min(max(due_at, leased_until)) AS at FROM deliveries WHERE state = 'due'`;
const BACKLOG = `SELECT count(*) AS due, min(planned_at) AS oldest FROM deliveries WHERE state = 'due'`;
const FORGETTABLE = `SELECT id FROM notices WHERE planned = 1 AND at < :before AND NOT EXISTS (
    SELECT 1 FROM deliveries WHERE notice = notices.id AND state = 'due') ORDER BY at LIMIT :limit`;
const FORGET_DELIVERIES = 'DELETE FROM deliveries WHERE notice = :id';
/** The row stays, for `dedupe`; 2 is planned and emptied. */
const FORGET_NOTICE = `UPDATE notices SET planned = 2, document = '{}' WHERE id = :id`;

interface ClaimRow {
  readonly notice: string;
  readonly channel: string;
  readonly recipient: string;
  readonly side: string;
  readonly address: string | null;
  readonly attempts: number;
  readonly recipient_attempts: number;
  readonly planned_at: number;
  readonly document: string;
}

export function createSqliteNoticeOutbox(core: StoreCore): SqliteNoticeOutbox {
  return {
    unplanned: (after, limit) =>
      core.read(({ sql }) => {
        const rows = sql(UNPLANNED).all({ after, limit }) as unknown as { id: string; document: string }[];
        return rows.map(({ id, document }) => ({ id, notice: noticeIn(document) }));
      }),
    plan: (noticeId, deliveries) =>
      core.write((tx) => {
        if (tx.statements.sql(MARK_PLANNED).run({ id: noticeId }).changes === 0) return false;
        const add = tx.statements.sql(ADD_DELIVERY);
        for (const one of deliveries) add.run({ ...one, notice: noticeId, now: tx.now });
        return true;
      }),
    claim: (claim) => core.write((tx) => claimed(tx, claim)),
    nextDue: () => core.read(({ sql }) => (sql(NEXT_DUE).get() as { readonly at: EpochMs | null }).at),
    ...settling(core),
    backlog: () =>
      core.read(({ sql }) => {
        const { due, oldest } = sql(BACKLOG).get() as {
          readonly due: number;
          readonly oldest: EpochMs | null;
        };
        return { due, oldestAt: oldest };
      }),
    forget: (before, limit) =>
      core.write((tx) => {
        const { sql } = tx.statements;
        const rows = sql(FORGETTABLE).all({ before, limit }) as unknown as { readonly id: string }[];
        for (const { id } of rows) {
          sql(FORGET_DELIVERIES).run({ id });
          sql(FORGET_NOTICE).run({ id });
        }
        return rows.length;
      }),
  };
}

type Settling = Pick<SqliteNoticeOutbox, 'done' | 'failed' | 'givenUp' | 'release'>;

function settling(core: StoreCore): Settling {
  return {
    done: (key) =>
      core.write((tx) => {
        const values = { ...columnsOf(key), now: tx.now };
        tx.statements.sql(DONE).run(values);
        tx.statements.sql(HASTEN).run(values);
      }),
    failed: (key, nextAt, problem) =>
      core.write((tx) => {
        const values = { ...columnsOf(key), next: nextAt, problem };
        tx.statements.sql(FAILED).run(values);
        tx.statements.sql(POSTPONE).run(values);
      }),
    givenUp: (key, problem) =>
      core.write((tx) => {
        tx.statements.sql(GIVEN_UP).run({ ...columnsOf(key), now: tx.now, problem });
      }),
    release: (keys) =>
      core.write((tx) => {
        for (const key of keys) tx.statements.sql(LEASE).run({ ...columnsOf(key), until: 0 });
      }),
  };
}

function claimed(
  { statements, now }: Transaction,
  { channel, limit, leaseMs }: Claim,
): readonly ClaimedDelivery[] {
  const rows = statements.sql(CLAIMABLE).all({ channel, now, limit }) as unknown as ClaimRow[];
  return rows.flatMap((row) => {
    const key = { noticeId: row.notice, channel, recipient: row.recipient };
    const notice = noticeIn(row.document);
    if (notice === null) {
      // Given up here: it would stand before everything else of its channel for ever.
      statements.sql(GIVEN_UP).run({ ...columnsOf(key), now, problem: 'unreadable' });
      return [];
    }
    statements.sql(LEASE).run({ ...columnsOf(key), until: now + leaseMs });
    return [deliveryOf(row, key, notice)];
  });
}

function columnsOf({ noticeId, channel, recipient }: DeliveryKey): Record<string, string> {
  return { notice: noticeId, channel, recipient };
}

function deliveryOf(row: ClaimRow, key: DeliveryKey, notice: Notice): ClaimedDelivery {
  return {
    ...key,
    side: row.side as Side,
    address: row.address,
    attempts: row.attempts,
    recipientAttempts: row.recipient_attempts,
    plannedAt: row.planned_at as EpochMs,
    notice,
  };
}

/** Null for what cannot be read: one bad row must not keep all the others from being planned. */
function noticeIn(document: string): Notice | null {
  try {
    return frozen(JSON.parse(document) as Notice);
  } catch {
    return null;
  }
}
