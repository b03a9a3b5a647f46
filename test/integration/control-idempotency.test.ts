// `Idempotency-Key` and the rate limit over real HTTP: a repetition is answered as the first time and done once; another
// body, a call under way and an answer that is not kept have problem types of their own.
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { guardRoutes } from '#control/caller.ts';
import { keyCalls } from '#control/idempotency.ts';
import { createRateLimit } from '#control/rate-limit.ts';
import type { IdempotencyStore } from '#grants/idempotency-store.ts';
import { ASK, startRequestsControl } from '../support/control-requests.ts';
import { DAY, sam, SECOND } from '../support/grants-fixtures.ts';
import { manualClock } from '../support/manual-clock.ts';
import { requestsUnderTest } from '../support/request-fixtures.ts';

const REQUESTS = '/v1/access-requests';
const GRANTS = '/v1/tenants/acme/grants';
const WISH = { audience: { org: 'vendor' }, caseRef: 'CASE-1', reason: ASK.reason };
const KEY = { 'idempotency-key': 'b7c1-0001' };
const problem = (code: string) => ({ type: `urn:postern:problem:${code}` });

describe('a POST with a key', () => {
  it('is carried out once and answered the same, headers too, whatever the order of the keys in its body', async () => {
    await using t = await startRequestsControl();
    const first = await t.call('ada', `POST ${GRANTS}`, WISH, KEY);
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const { audience, caseRef, reason } = WISH;
    const again = await t.call('ada', `POST ${GRANTS}`, { reason, caseRef, audience }, KEY);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
    for (const name of ['location', 'content-type', 'etag', 'cache-control']) {
      expect(again.headers.get(name), name).toBe(first.headers.get(name));
    }
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await t.store.grants.activeFor('acme' as never)).toHaveLength(1);
    expect(t.events).toHaveLength(1);
    t.store.clock.advance(DAY);
    expect((await t.call('ada', `POST ${GRANTS}`, WISH, KEY)).body['id']).not.toBe(first.body['id']);
  });

  it('is refused with another body, path or query, and each caller has keys of their own', async () => {
    await using t = await startRequestsControl();
    const id = String((await t.call('ada', `POST ${GRANTS}`, WISH, KEY)).body['id']);
    for (const [path, body] of [
      [GRANTS, { ...WISH, access: 'write' }],
      [`${GRANTS}?`, WISH],
      [`/v1/grants/${id}/revoke`, undefined],
    ] as const) {
      const answer = await t.call('ada', `POST ${path}`, body, KEY);
      expect(answer, path).toMatchObject({ status: 422, body: problem('key_reused') });
    }
    expect((await t.call('abe', `POST ${GRANTS}`, { ...WISH, access: 'write' }, KEY)).status).toBe(201);
    expect((await t.call('sam', `POST ${REQUESTS}`, ASK, KEY)).status).toBe(201);
    expect((await t.store.grants.get(id as never))?.revokedAt).toBeNull();
  });

  it('is done once when many come at the same time', async () => {
    await using t = await startRequestsControl();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => t.call('ada', `POST ${GRANTS}`, WISH, KEY)),
    );
    for (const answer of all) {
      if (answer.status === 201) continue;
      expect(answer).toMatchObject({ status: 409, body: problem('call_under_way') });
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(new Set(all.filter(({ status }) => status === 201).map(({ body }) => body['id'])).size).toBe(1);
    expect(await t.store.grants.countActive()).toBe(1);
  });

  it('keeps nothing of a refusal: the key is free for the call as it should have been', async () => {
    await using t = await startRequestsControl();
    const wrong = await t.call('ada', `POST ${GRANTS}`, { ...WISH, duration: '99d' }, KEY);
    expect(wrong).toMatchObject({ status: 422, body: problem('too_long') });
    expect((await t.call('ada', `POST ${GRANTS}`, WISH, KEY)).status).toBe(201);
    const none = await t.store.core.read((s) => s.sql('SELECT count(*) AS count FROM idempotency').get());
    expect(none).toEqual({ count: 1 });
  });

  it('makes one grant of an approval that is sent twice', async () => {
    await using t = await startRequestsControl();
    const id = String((await t.call('sam', `POST ${REQUESTS}`, ASK)).body['id']);
    const approve = () => t.call('ada', `POST ${REQUESTS}/${id}/approve`, undefined, KEY);
    const first = await approve();
    expect(first.body['status']).toBe('approved');
    expect(await approve()).toMatchObject({ status: 200, body: first.body });
    expect(await t.store.grants.countActive()).toBe(1);
  });

  it('is not answered to whoever may no longer call, nor without a well-formed key', async () => {
    await using t = await startRequestsControl();
    await t.call('ada', `POST ${GRANTS}`, WISH, KEY);
    // The same person by the same id, no admin any more.
    expect(await t.call('uwe', `POST ${GRANTS}`, WISH, KEY)).toMatchObject({ status: 403 });
    for (const key of ['x'.repeat(256), 'with space', '']) {
      const answer = await t.call('ada', `POST ${GRANTS}`, WISH, { 'idempotency-key': key });
      expect(answer, key).toMatchObject({ status: 400, body: problem('invalid_request') });
    }
  });

  it('says that it was done when its answer could not be kept, and never does it again', async () => {
    let failing = true;
    const idempotency = (store: IdempotencyStore): IdempotencyStore => ({
      claim: (call) => store.claim(call),
      under: (claim, work) => store.under(claim, work),
      async settle(claim, result) {
        // As a process that dies here: what was done stands, the answer is lost.
        await store.settle(claim, failing ? 'done' : result);
        if (failing) throw new Error('away');
      },
    });
    await using t = await startRequestsControl({ idempotency });
    expect((await t.call('ada', `POST ${GRANTS}`, WISH, KEY)).status).toBe(201);
    failing = false;
    const again = await t.call('ada', `POST ${GRANTS}`, WISH, KEY);
    expect(again).toMatchObject({ status: 409, body: problem('answer_not_kept') });
    expect(await t.store.grants.countActive()).toBe(1);
    expect(t.logged).toHaveLength(1);
    expect(JSON.stringify(t.logged)).not.toContain(KEY['idempotency-key']);
  });

  it('leaves no name, address or key of a caller in the table', async () => {
    await using t = await startRequestsControl();
    await t.call('sam', `POST ${REQUESTS}`, ASK, KEY);
    const row = await t.store.core.read((s) => s.sql('SELECT caller, request_hash FROM idempotency').get());
    expect(JSON.stringify(row)).not.toMatch(/sam|vendor|invoice/i);
  });

  it('changes nothing for a GET', async () => {
    await using t = await startRequestsControl();
    expect((await t.call('ada', `GET ${GRANTS}`, undefined, KEY)).body['items']).toEqual([]);
    await t.call('ada', `POST ${GRANTS}`, WISH);
    expect((await t.call('ada', `GET ${GRANTS}`, undefined, KEY)).body['items']).toHaveLength(1);
  });
});

describe('an answer that holds a secret', () => {
  it('stands nowhere afterwards, and a repetition is not carried out', async () => {
    await using t = await requestsUnderTest();
    const app = fastify();
    const principal = { ...sam };
    guardRoutes(app, {
      authenticator: { authenticate: async () => ({ kind: 'staff', principal, roles: [] }) },
    });
    keyCalls(app, { idempotency: t.idempotency, log: { debug() {}, info() {}, warn() {}, error() {} } });
    let calls = 0;
    const config = { operation: 'grants.mine', answerNotKept: true } as const;
    app.post('/open', { config }, async () => ({ launch: `secret-${++calls}` }));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const post = () => fetch(`${url}/open`, { method: 'POST', headers: KEY });
    expect(await (await post()).json()).toEqual({ launch: 'secret-1' });
    const again = await post();
    expect(again.ok).toBe(false);
    expect(await again.text()).not.toContain('secret');
    expect(calls).toBe(1);
    const row = await t.core.read((s) => s.sql('SELECT took_effect, answer FROM idempotency').get());
    expect(row).toEqual({ took_effect: 1, answer: null });
    await app.close();
  });
});

describe('the rate limit', () => {
  it('answers 429 with Retry-After per caller, refused calls counted, until time has passed', async () => {
    const clock = manualClock();
    await using t = await startRequestsControl({
      rateLimit: createRateLimit(clock, { perSecond: 2, burst: 3 }),
    });
    for (const path of [GRANTS, REQUESTS, GRANTS] as const) await t.call('ada', `GET ${path}`);
    const limited = await t.call('ada', `GET ${GRANTS}`);
    expect(limited).toMatchObject({
      status: 429,
      body: { ...problem('rate_limited'), reason: 'rate_limited' },
    });
    expect(limited.headers.get('retry-after')).toBe('1');
    expect((await t.call('abe', `GET ${GRANTS}`)).status).toBe(200);
    expect((await t.call('nobody', `GET ${GRANTS}`)).status).toBe(401);
    clock.advance(SECOND / 2);
    expect((await t.call('ada', `GET ${GRANTS}`)).status).toBe(200);
    expect((await t.call('ada', `GET ${GRANTS}`)).status).toBe(429);
  });
});
