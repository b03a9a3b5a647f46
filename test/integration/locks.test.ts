// The vendor's own stop, through the whole gate: when the call that sets a lock has returned, what it concerns is over and
// nothing more of it is forwarded; when it is lifted, the same grant lets the same people in again.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '#model/clock.ts';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import { answerOn, ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { securityPerson } from '../support/lock-fixtures.ts';
import { startSecurityGate } from '../support/security-gate.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const targets: readonly (readonly [string, object])[] = [
  ['everything', { kind: 'everything' }],
  ['the tenant', { kind: 'tenant', tenant: 'acme' }],
  ['the case', { kind: 'case', caseRef: 'CASE-1' }],
  ['the case of the tenant', { kind: 'case', caseRef: 'CASE-1', tenant: 'acme' }],
  ['the principal', { kind: 'principal', issuer: 'https://idp.test', id: 'sam' }],
];
const others: readonly (readonly [string, object])[] = [
  ['another tenant', { kind: 'tenant', tenant: 'globex' }],
  ['another case', { kind: 'case', caseRef: 'CASE-2' }],
  ['the same case of another tenant', { kind: 'case', caseRef: 'CASE-1', tenant: 'globex' }],
  ['another principal', { kind: 'principal', issuer: 'https://idp.test', id: 'sue' }],
  ['the same id of another issuer', { kind: 'principal', issuer: 'https://other.test', id: 'sam' }],
];

async function streaming() {
  const upstream = await startRawUpstream(async (wire) => {
    await wire.seen('\r\n\r\n');
    wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
  });
  const gate = await startSecurityGate({ upstreamPort: upstream.port });
  await gate.grant({});
  const client = await dial(gate);
  client.send(await headFor(gate, 'GET /events'));
  await client.seen('data: 1');
  return {
    gate,
    client,
    wire: await upstream.next(),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** The locks of another process on the same file. */
function elsewhere(folder: string) {
  const core = createStoreCore({ path: join(folder, 'postern.db'), clock: systemClock });
  return Object.assign(createLockStore(core), { [Symbol.asyncDispose]: () => core.close() });
}

const quinn = securityPerson('quinn');
const stopAll = { target: { kind: 'everything' }, message: null, endsAt: null } as const;

describe('a lock', () => {
  it.each(targets)('on %s refuses with its message until it is lifted', async (_name, target) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startSecurityGate({ upstreamPort: upstream.port });
    await gate.grant({});
    expect(await ask(gate, 'GET /before')).toMatchObject({ status: 200 });
    const id = await gate.lock(target, 'Call the security desk.');
    const refused = await ask(gate, 'GET /during');
    expect(refused).toMatchObject({ status: 403, reason: 'locked' });
    expect(refused.body).toContain('Call the security desk.');
    await gate.lift(id);
    expect(await ask(gate, 'GET /after')).toMatchObject({ status: 200 });
    const asked = upstream.wires.map((wire) => wire.text).join('');
    expect(asked.match(/GET \S+/g)).toEqual(['GET /before', 'GET /after']);
  });

  it.each(targets)('on %s has cut what is in flight when the call returns', async (_name, target) => {
    await using t = await streaming();
    await t.gate.lock(target);
    if (!t.wire.socket.destroyed) t.wire.send(chunk('data: 2\n\n'));
    expect(await t.client.closed).toBe('reset');
    expect(await t.wire.closed).toBe('reset');
    expect(t.client.text).toContain('data: {"reason":"locked"}');
    expect(t.client.text).not.toContain('data: 2');
    expect(t.gate.postern.gateway.inFlight).toBe(0);
  });

  it.each(others)('on %s is nothing to others', async (_name, target) => {
    await using t = await streaming();
    await t.gate.lock(target);
    t.wire.send(chunk('data: 2\n\n'));
    await t.client.seen('data: 2');
  });

  it('that another process sets is enforced here, and let go here when it is lifted there', async () => {
    await using t = await streaming();
    await using there = elsewhere(t.gate.folder);
    const { id } = await there.set(stopAll, quinn);
    expect(await t.client.closed).toBe('reset');
    expect(await ask(t.gate, 'GET /during')).toMatchObject({ status: 403, reason: 'locked' });
    await there.lift(id, quinn);
    await expect
      .poll(
        async () => {
          using probe = await dial(t.gate);
          probe.send(await headFor(t.gate, 'GET /events'));
          await probe.until(() => probe.text.includes('\r\n\r\n'));
          return probe.text.slice(0, 12);
        },
        { timeout: 10_000 },
      )
      .toBe('HTTP/1.1 200');
  });

  it('that was set before the start holds from the first request on', async () => {
    await using upstream = await startAnswering(HELLO);
    let set: Promise<unknown> = Promise.resolve();
    await using gate = await startSecurityGate({
      upstreamPort: upstream.port,
      prepare(folder) {
        const before = elsewhere(folder);
        set = before.set(stopAll, quinn).finally(() => before[Symbol.asyncDispose]());
      },
    });
    await set;
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /first'));
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'locked' });
  });

  it('is in the journal without a word of whom it is on', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startSecurityGate({ upstreamPort: upstream.port });
    const id = await gate.lock({ kind: 'principal', issuer: 'https://idp.test', id: 'sam-the-person' });
    await gate.lift(id);
    const ofLocks = () =>
      gate.journal().filter((line) => line['k'] === 'event' && String(line['event']).startsWith('lock.'));
    await expect.poll(() => ofLocks().length, { timeout: 10_000 }).toBe(2);
    expect(ofLocks()).toMatchObject([
      { event: 'lock.set', tenant: null, details: { lock: id, kind: 'principal', endsAt: null } },
      { event: 'lock.lifted', tenant: null, details: { lock: id } },
    ]);
    expect(JSON.stringify(gate.journal())).not.toContain('sam-the-person');
  });
});
