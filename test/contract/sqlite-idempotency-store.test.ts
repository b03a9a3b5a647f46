// What remembers calls with a key: each is carried out once, and a crash at any point leaves a repetition that either does
// what was not done or says that it was done. Two stores on one file are two processes.
import { AsyncResource } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import type { Claim, ClaimAnswer, IdempotencyStore, KeyedCall } from '#grants/idempotency-store.ts';
import { admin, at, DAY, draft, HOUR, SECOND } from '../support/grants-fixtures.ts';
import { requestsUnderTest, type RequestsUnderTest } from '../support/request-fixtures.ts';

const CALL: KeyedCall = { caller: 'c-1', key: 'k-1', requestHash: 'h-1' };
const ANSWER = { status: 201, headers: { etag: '"1"' }, body: '{"id":"grt_1"}' };
const LEASE = 60 * SECOND;

async function claimed(store: IdempotencyStore, call = CALL): Promise<Claim> {
  const answer = await store.claim(call);
  if (answer.kind !== 'claimed') throw new Error(`was ${answer.kind}`);
  return answer.claim;
}

/** Makes a grant under the claim, as a handler does. */
function effect(t: RequestsUnderTest, claim: Claim): Promise<unknown> {
  return new Promise((resolve, reject) => {
    t.idempotency.under(claim, () => {
      t.grants.create(draft(), admin).then(resolve, reject);
    });
  });
}

const kindOf = async (answer: Promise<ClaimAnswer>): Promise<string> => (await answer).kind;
const grantsOf = async (t: RequestsUnderTest): Promise<number> => t.grants.countActive();

describe('a call with a key', () => {
  it('is claimed once, and answered as the first time ever after', async () => {
    await using t = await requestsUnderTest();
    const claim = await claimed(t.idempotency);
    expect(await kindOf(t.idempotency.claim(CALL))).toBe('under_way');
    await effect(t, claim);
    expect(await kindOf(t.idempotency.claim(CALL))).toBe('under_way');
    await t.idempotency.settle(claim, ANSWER);
    expect(await t.idempotency.claim(CALL)).toEqual({ kind: 'answered', answer: ANSWER });
    const other = await t.again();
    expect(await other.idempotency.claim(CALL)).toEqual({ kind: 'answered', answer: ANSWER });
  });

  it('is claimed once by two that come in the same turn', async () => {
    await using t = await requestsUnderTest();
    const kinds = await Promise.all([t.idempotency.claim(CALL), t.idempotency.claim(CALL)].map(kindOf));
    expect(kinds).toEqual(['claimed', 'under_way']);
  });

  it('is another call under another hash, and each caller has keys of their own', async () => {
    await using t = await requestsUnderTest();
    const claim = await claimed(t.idempotency);
    expect(await kindOf(t.idempotency.claim({ ...CALL, requestHash: 'h-2' }))).toBe('other_call');
    await claimed(t.idempotency, { ...CALL, caller: 'c-2', requestHash: 'h-2' });
    await t.idempotency.settle(claim, ANSWER);
    expect(await kindOf(t.idempotency.claim({ ...CALL, requestHash: 'h-2' }))).toBe('other_call');
  });

  it('frees its key when it was refused, and is forgotten after a day', async () => {
    await using t = await requestsUnderTest();
    await t.idempotency.settle(await claimed(t.idempotency), 'refused');
    await t.idempotency.settle(await claimed(t.idempotency, { ...CALL, requestHash: 'h-2' }), ANSWER);
    t.clock.advance(DAY - 1);
    expect(await kindOf(t.idempotency.claim(CALL))).toBe('other_call');
    t.clock.advance(1);
    await claimed(t.idempotency);
    const count = await t.core.read((s) => s.sql('SELECT count(*) AS count FROM idempotency').get());
    expect(count).toEqual({ count: 1 });
  });

  it('keeps no answer that held secrets, only that it was carried out', async () => {
    await using t = await requestsUnderTest();
    await t.idempotency.settle(await claimed(t.idempotency), 'done');
    expect(await t.idempotency.claim(CALL)).toEqual({ kind: 'not_kept' });
  });

  it('is carried out by the repetition when the process died before its effect', async () => {
    await using t = await requestsUnderTest();
    await claimed(t.idempotency);
    const next = await t.again();
    t.clock.advance(LEASE - 1);
    expect(await kindOf(next.idempotency.claim(CALL))).toBe('under_way');
    t.clock.advance(1);
    const claim = await claimed(next.idempotency);
    await effect(next, claim);
    await next.idempotency.settle(claim, ANSWER);
    expect(await grantsOf(t)).toBe(1);
  });

  it('is not carried out again when the process died after its effect, before the answer was kept', async () => {
    await using t = await requestsUnderTest();
    await effect(t, await claimed(t.idempotency));
    const next = await t.again();
    expect(await kindOf(next.idempotency.claim(CALL))).toBe('under_way');
    t.clock.advance(LEASE);
    expect(await kindOf(next.idempotency.claim(CALL))).toBe('not_kept');
    t.clock.advance(HOUR);
    expect(await kindOf(next.idempotency.claim({ ...CALL, requestHash: 'h-2' }))).toBe('other_call');
    expect(await grantsOf(t)).toBe(1);
  });

  it('takes no effect twice when the first process was only slow', async () => {
    await using t = await requestsUnderTest();
    const slow = await claimed(t.idempotency);
    const next = await t.again();
    t.clock.advance(LEASE);
    const claim = await claimed(next.idempotency);
    await expect(effect(t, slow)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await t.idempotency.settle(slow, 'refused');
    expect(await grantsOf(t)).toBe(0);
    await effect(next, claim);
    await next.idempotency.settle(claim, ANSWER);
    await t.idempotency.settle(slow, { ...ANSWER, body: 'another' });
    expect(await t.idempotency.claim(CALL)).toEqual({ kind: 'answered', answer: ANSWER });
    expect(await grantsOf(t)).toBe(1);
  });

  it('is not free after a refusal that came when something was committed already', async () => {
    await using t = await requestsUnderTest();
    const claim = await claimed(t.idempotency);
    await effect(t, claim);
    await t.idempotency.settle(claim, 'refused');
    expect(await kindOf(t.idempotency.claim(CALL))).toBe('not_kept');
  });

  it('marks nothing for what was refused inside the transaction, nor for what others write meanwhile', async () => {
    await using t = await requestsUnderTest();
    const claim = await claimed(t.idempotency);
    await new Promise<void>((resolve, reject) => {
      t.idempotency.under(claim, () => {
        t.grants.create(draft({ expiresAt: at(99 * DAY) }), admin).then(
          () => reject(new Error('made')),
          () => resolve(),
        );
      });
    });
    await t.grants.create(draft(), admin);
    await t.idempotency.settle(claim, 'refused');
    await claimed(t.idempotency);
  });

  it('does not own what a timer that it left behind writes when it is over', async () => {
    await using t = await requestsUnderTest();
    const claim = await claimed(t.idempotency);
    let late: (() => Promise<unknown>) | null = null;
    t.idempotency.under(claim, () => {
      // A bound function keeps the context in which it was made, as a timer does.
      late = AsyncResource.bind(() => t.grants.create(draft(), admin));
    });
    await t.idempotency.settle(claim, 'refused');
    await (late as (() => Promise<unknown>) | null)?.();
    expect(await grantsOf(t)).toBe(1);
    await claimed(t.idempotency);
  });
});
