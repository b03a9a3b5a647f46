// The embedded IdempotencyStore. The order is safe against a crash at any point: (1) the claim is committed, (2) the effect
// and the mark `took_effect` are one transaction, (3) the answer is kept, (4) it is sent. After a crash between 1 and 2 nothing
// was done, so a repetition does it; between 2 and 4 it is known to be done, so a repetition is told so and never does it
// again. A claim taken over from a process that is slow, not dead, has lost its token: its effect is rolled back (fencing).
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import type { Claim, ClaimAnswer, IdempotencyStore, KeptAnswer, KeyedCall } from '../idempotency-store.ts';
import type { StoreCore, Transaction } from './store-core.ts';

/** How long a key is remembered. */
const LIFETIME_MS = 86_400_000;
/** How long another process is believed to be at work: longer than any call of the control API may take. */
const LEASE_MS = 60_000;
/** Forgotten with each claim, so that no call has to clean up after many. */
const FORGET = 100;

const FORGET_OLD = `DELETE FROM idempotency WHERE (caller, key) IN
  (SELECT caller, key FROM idempotency WHERE created_at <= :before ORDER BY created_at LIMIT ${FORGET})`;
const FIND = `SELECT request_hash, created_at, claim, owner, claimed_at, took_effect, answer FROM idempotency
  WHERE caller = :caller AND key = :key`;
const CLAIM = `INSERT OR REPLACE INTO idempotency
    (caller, key, request_hash, created_at, claim, owner, claimed_at, took_effect, answer)
  VALUES (:caller, :key, :requestHash, :createdAt, :token, :owner, :now, 0, NULL)`;
const MARK = `UPDATE idempotency SET took_effect = 1
  WHERE caller = :caller AND key = :key AND claim = :token`;
const KEEP = `UPDATE idempotency SET took_effect = 1, answer = :answer
  WHERE caller = :caller AND key = :key AND claim = :token`;
const FREE = `DELETE FROM idempotency
  WHERE caller = :caller AND key = :key AND claim = :token AND took_effect = 0`;

interface Row {
  readonly request_hash: string;
  readonly created_at: number;
  readonly claim: string;
  readonly owner: string;
  readonly claimed_at: number;
  readonly took_effect: number;
  readonly answer: string | null;
}

export interface IdempotentCore {
  /** Hand this one to every part of the store whose changes calls with a key may make. */
  readonly core: StoreCore;
  readonly idempotency: IdempotencyStore;
}

/** Wraps a core: what is written through the wrapped one within `under` is marked in its own transaction. */
export function createIdempotentCore(core: StoreCore): IdempotentCore {
  const owner = randomUUID();
  const context = new AsyncLocalStorage<Claim>();
  /** Tokens of the calls that this process is carrying out. */
  const underWay = new Set<string>();
  return {
    core: {
      ...core,
      write(work) {
        const claim = context.getStore();
        // A call that is over may have left timers behind: what they write is not the call's.
        return claim === undefined || !underWay.has(claim.token)
          ? core.write(work)
          : core.write(marked(claim, work));
      },
    },
    idempotency: {
      async claim(call) {
        // Under way before its commit: a repetition in the same turn must not find a claim that nobody works on.
        const token = randomUUID();
        underWay.add(token);
        let answer: ClaimAnswer | null = null;
        try {
          answer = await core.write((tx) => claimIn(tx, call, { owner, underWay, token }));
          return answer;
        } finally {
          if (answer?.kind !== 'claimed') underWay.delete(token);
        }
      },
      under: (claim, work) => context.run(claim, work),
      async settle(claim, result) {
        try {
          await core.write((tx) => settleIn(tx, claim, result));
        } finally {
          underWay.delete(claim.token);
        }
      },
    },
  };
}

function marked<T>({ caller, key, token }: Claim, work: (tx: Transaction) => T): (tx: Transaction) => T {
  return (tx) => {
    let isChanged = false;
    const result = work({
      ...tx,
      changed(change) {
        isChanged = true;
        tx.changed(change);
      },
    });
    if (isChanged && tx.statements.sql(MARK).run({ caller, key, token }).changes === 0) {
      throw new PosternError('STORE_UNAVAILABLE', 'a call with a key was taken over by a repetition of it');
    }
    return result;
  };
}

interface Here {
  readonly owner: string;
  readonly underWay: ReadonlySet<string>;
  /** Of the claim that is made where there is none. */
  readonly token: string;
}

function claimIn(tx: Transaction, call: KeyedCall, here: Here): ClaimAnswer {
  const { statements, now } = tx;
  const { caller, key, requestHash } = call;
  statements.sql(FORGET_OLD).run({ before: now - LIFETIME_MS });
  const row = statements.sql(FIND).get({ caller, key }) as unknown as Row | undefined;
  const isKnown = row !== undefined && row.created_at > now - LIFETIME_MS;
  if (isKnown) {
    if (row.request_hash !== requestHash) return { kind: 'other_call' };
    if (row.answer !== null) return { kind: 'answered', answer: JSON.parse(row.answer) as KeptAnswer };
    if (isAtWork(row, here, now)) return { kind: 'under_way' };
    if (row.took_effect === 1) return { kind: 'not_kept' };
  }
  const { token, owner } = here;
  const createdAt = isKnown ? row.created_at : now;
  statements.sql(CLAIM).run({ caller, key, requestHash, createdAt, token, owner, now });
  return { kind: 'claimed', claim: { caller, key, token } };
}

/** Of this process it is known; another one is believed for a while. */
function isAtWork(row: Row, { owner, underWay }: Here, now: EpochMs): boolean {
  return row.owner === owner ? underWay.has(row.claim) : now - row.claimed_at < LEASE_MS;
}

function settleIn({ statements }: Transaction, claim: Claim, result: KeptAnswer | 'done' | 'refused'): void {
  const { caller, key, token } = claim;
  if (result === 'refused') statements.sql(FREE).run({ caller, key, token });
  else if (result === 'done') statements.sql(MARK).run({ caller, key, token });
  else statements.sql(KEEP).run({ caller, key, token, answer: JSON.stringify(result) });
}
