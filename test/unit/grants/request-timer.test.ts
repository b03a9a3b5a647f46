import { describe, expect, it, vi } from 'vitest';
import type { RequestEvent } from '#grants/requests/request-authority.ts';
import { createRequestAuthority } from '#grants/requests/request-authority.ts';
import type { GrantEvent } from '#grants/grant-authority.ts';
import { startRequestTimer } from '#grants/requests/request-timer.ts';
import type { LogFields } from '#model/log.ts';
import { acme, admin, DAY, sam } from '../../support/grants-fixtures.ts';
import { requestsUnderTest, wish, yes } from '../../support/request-fixtures.ts';

const log = { debug() {}, info() {}, warn: (_fields: LogFields) => {}, error() {} };

describe('the request timer', () => {
  it('says once that a request has lapsed, when the clock has come to it', async () => {
    await using t = await requestsUnderTest();
    await t.requests.ask(wish(), sam);
    const events: RequestEvent[] = [];
    const deps = { clock: t.clock, onEvent: (event: RequestEvent) => void events.push(event), log };
    using _timer = startRequestTimer({ ...deps, store: t.requests });
    const other = await t.again();
    using _second = startRequestTimer({ ...deps, store: other.requests });
    t.clock.advance(DAY);
    // Any change of a request makes it look again.
    await t.requests.ask(wish({ caseRef: 'CASE-2' }), sam);
    await vi.waitFor(() => expect(events).toHaveLength(1), { timeout: 10_000, interval: 5 });
    expect(events).toMatchObject([
      { event: 'request.decided', tenant: acme, actor: null, details: { status: 'lapsed' } },
    ]);
    expect(await t.requests.nextLapse()).toBe(t.clock.now() + DAY);
  });

  it('goes on when the store was away', async () => {
    await using t = await requestsUnderTest();
    await t.requests.ask(wish(), sam);
    t.clock.advance(DAY);
    let away = true;
    const wakes: (() => void)[] = [];
    const events: RequestEvent[] = [];
    const warned = vi.fn();
    using _timer = startRequestTimer({
      store: {
        nextLapse: () => t.requests.nextLapse(),
        claimLapsed: (limit) => (away ? Promise.reject(new Error('away')) : t.requests.claimLapsed(limit)),
        watch(onChange) {
          wakes.push(onChange);
          return { [Symbol.dispose]() {} };
        },
      },
      clock: t.clock,
      onEvent: (event) => void events.push(event),
      log: { ...log, warn: warned },
    });
    await vi.waitFor(() => expect(warned).toHaveBeenCalledOnce(), { timeout: 10_000, interval: 5 });
    away = false;
    wakes[0]?.();
    await vi.waitFor(() => expect(events).toHaveLength(1), { timeout: 10_000, interval: 5 });
  });
});

describe('the request authority', () => {
  it('drops the tenant’s cache entry before it says that a grant was made, and says nothing of a refusal', async () => {
    await using t = await requestsUnderTest();
    const order: string[] = [];
    const events: (GrantEvent | RequestEvent)[] = [];
    const authority = createRequestAuthority({
      store: t.requests,
      cache: { invalidate: (tenant) => void order.push(`drop ${tenant}`) },
      onEvent(event) {
        order.push(event.event);
        events.push(event);
      },
    });
    const { id } = await authority.ask(wish(), sam);
    await expect(authority.approve(id, yes({ ...admin, email: sam.email }))).rejects.toMatchObject({
      code: 'own_request',
    });
    const { grant } = await authority.approve(id, yes(admin));
    expect(order).toEqual(['request.made', 'drop acme', 'request.decided', 'grant.created']);
    expect(events).toMatchObject([
      {
        actor: { kind: 'principal', id: 'sam' },
        grant: null,
        details: { request: id, status: 'awaiting_tenant' },
      },
      { actor: { kind: 'customer', id: 'u-1' }, grant: { id: grant?.id }, details: { status: 'approved' } },
      { actor: { kind: 'customer', id: 'u-1' }, grant: { id: grant?.id } },
    ]);
    for (const { details } of events) expect(JSON.stringify(details)).not.toMatch(/sam|ada|invoice/);
  });

  it('says who denied and who withdrew', async () => {
    await using t = await requestsUnderTest();
    const events: (GrantEvent | RequestEvent)[] = [];
    const onEvent = (event: GrantEvent | RequestEvent) => void events.push(event);
    const authority = createRequestAuthority({ store: t.requests, cache: { invalidate() {} }, onEvent });
    const first = await authority.ask(wish(), sam);
    await authority.deny(first.id, { ...yes(admin), why: 'Not now.' });
    const second = await authority.ask(wish(), sam);
    await authority.withdraw(second.id, { by: sam });
    expect(events.map(({ event, actor, details }) => [event, actor?.id, details['status']])).toEqual([
      ['request.made', 'sam', 'awaiting_tenant'],
      ['request.decided', 'u-1', 'denied'],
      ['request.made', 'sam', 'awaiting_tenant'],
      ['request.decided', 'sam', 'withdrawn'],
    ]);
  });
});
