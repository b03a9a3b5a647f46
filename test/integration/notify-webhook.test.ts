// Notices to real webhooks over real HTTP: signed, tried again with the same id, one bad receiver holding up no other.
import { describe, expect, it } from 'vitest';
import { systemClock } from '#model/clock.ts';
import { testFolder } from '../support/config-files.ts';
import { leaveNotice } from '../support/notices.ts';
import { deliveriesOf, type NotifyGate, startNotify } from '../support/notify-gate.ts';
import { selfSigned } from '../support/upstream-certificate.ts';
import { type HookAnswer, startWebhookReceiver } from '../support/webhook-receiver.ts';

const clock = systemClock;
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const NOBODY = { staff: { principals: [], groups: [] } };

/** A clock that goes on by itself and can be pushed. */
function pushedClock() {
  let more = 0;
  return {
    ...clock,
    now: () => (Date.now() + more) as ReturnType<typeof clock.now>,
    push: (ms: number) => {
      more += ms;
    },
  };
}

function hooks(...urls: readonly string[]) {
  return { webhooks: urls.map((url, index) => ({ id: `hook_${index}`, url, secret: SECRET })) };
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const counted = (gate: NotifyGate, result: string): number =>
  gate.notifier.counts().reduce((sum, one) => sum + (one.result === result ? one.count : 0), 0);

describe('a webhook of a tenant', () => {
  it('gets a signed body with the facts as they are', async () => {
    using folder = testFolder();
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    await using gate = startNotify({
      folder: folder.path,
      clock,
      settings: hooks(receiver.url),
      allowPrivate: true,
    });
    await leaveNotice(gate.core, 'grant.given', NOBODY);
    await gate.idle();
    expect(receiver.deliveries).toMatchObject([
      {
        isSigned: true,
        method: 'POST',
        path: '/hook?x=1',
        body: {
          type: 'grant.given',
          data: { tenant: 'acme', by: { name: 'Ada Admin' }, facts: { access: 'write', caseRef: 'CASE-1' } },
        },
      },
    ]);
    const [{ headers, id } = {}] = receiver.deliveries;
    expect(headers).toMatchObject({ 'content-type': 'application/json', connection: 'close' });
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(headers).not.toHaveProperty('authorization');
  });

  it('is tried again after each kind of failure, with the same id and body, until it takes it', async () => {
    using folder = testFolder();
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    const failures: readonly HookAnswer[] = [
      { status: 503 },
      'reset',
      'hang',
      { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
      { status: 101, headers: { upgrade: 'x', connection: 'upgrade' } },
      { status: 400 },
    ];
    receiver.answers.push(...failures);
    const pushed = pushedClock();
    const options = { folder: folder.path, clock: pushed, settings: hooks(receiver.url), allowPrivate: true };
    await using gate = startNotify({ ...options, attemptMs: 1000, pollMs: 10 });
    await leaveNotice(gate.core, 'grant.given', NOBODY);
    for (let failed = 1; failed <= failures.length; failed++) {
      await until(() => counted(gate, 'failed') >= failed);
      pushed.push(3_600_000);
    }
    await gate.idle();
    expect(receiver.deliveries).toHaveLength(failures.length + 1);
    expect(new Set(receiver.deliveries.map(({ id }) => id)).size).toBe(1);
    expect(new Set(receiver.deliveries.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await deliveriesOf(gate.core)).toMatchObject([{ state: 'done', attempts: failures.length + 1 }]);
  });

  it('is given as long as it asks for', async () => {
    using folder = testFolder();
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    receiver.answers.push({ status: 429, headers: { 'retry-after': '600' } });
    await using gate = startNotify({
      folder: folder.path,
      clock,
      settings: hooks(receiver.url),
      allowPrivate: true,
    });
    await leaveNotice(gate.core, 'grant.given', NOBODY);
    await until(() => counted(gate, 'failed') === 1);
    const [row] = await deliveriesOf(gate.core);
    expect(Number(row?.['due_at']) - Date.now()).toBeGreaterThan(590_000);
  });

  it.each(['drip', 'flood'] as const)(
    'has taken it when its answer begins, whatever body follows: %s',
    async (answer) => {
      using folder = testFolder();
      await using receiver = await startWebhookReceiver({ secret: SECRET });
      receiver.answers.push(answer);
      await using gate = startNotify({
        folder: folder.path,
        clock,
        settings: hooks(receiver.url),
        allowPrivate: true,
      });
      await leaveNotice(gate.core, 'grant.given', NOBODY);
      await gate.idle();
      expect(counted(gate, 'sent')).toBe(1);
    },
  );

  it('is given up at once when it says that it is gone, and when it was removed', async () => {
    using folder = testFolder();
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    receiver.answers.push({ status: 410 });
    const settings = { webhooks: [...hooks(receiver.url).webhooks] };
    await using gate = startNotify({ folder: folder.path, clock, settings, allowPrivate: true });
    await leaveNotice(gate.core, 'grant.given', NOBODY);
    await gate.idle();
    expect(await deliveriesOf(gate.core)).toMatchObject([{ state: 'failed', problem: 'http_410' }]);
  });

  it('that is away for three days is given up with a line in the log, and later notices are tried anew', async () => {
    using folder = testFolder();
    const pushed = pushedClock();
    const settings = hooks('http://127.0.0.1:1/hook');
    await using gate = startNotify({
      folder: folder.path,
      clock: pushed,
      settings,
      allowPrivate: true,
      pollMs: 10,
    });
    await leaveNotice(gate.core, 'grant.given', NOBODY);
    await until(() => counted(gate, 'failed') === 1);
    pushed.push(3 * 86_400_000);
    await until(() => counted(gate, 'given_up') === 1);
    const said = gate.lines.filter(({ level }) => level === 'error');
    expect(said).toMatchObject([
      {
        text: 'a notice could not be delivered and was given up',
        fields: { channel: 'webhook', attempts: 2, problem: 'ECONNREFUSED' },
      },
    ]);
    expect(JSON.stringify(said)).not.toMatch(/127\.0\.0\.1|acme|Ada/);
    await leaveNotice(gate.core, 'grant.ended', NOBODY);
    await until(() => counted(gate, 'failed') === 2);
  });

  it('that hangs holds up neither the others, nor the operator’s', async () => {
    using folder = testFolder();
    await using slow = await startWebhookReceiver({ secret: SECRET });
    await using quick = await startWebhookReceiver({ secret: SECRET });
    await using own = await startWebhookReceiver({ secret: SECRET });
    slow.answers.push(...Array.from({ length: 50 }, (): HookAnswer => 'hang'));
    const operatorWebhooks = [{ id: 'op', url: own.url, secret: SECRET, ca: null }];
    const settings = hooks(slow.url, quick.url);
    await using gate = startNotify({
      folder: folder.path,
      clock,
      settings,
      operatorWebhooks,
      allowPrivate: true,
    });
    for (let i = 0; i < 20; i++) await leaveNotice(gate.core, 'grant.given', NOBODY);
    await Promise.all([quick.took(20), own.took(20)]);
    expect(slow.deliveries).toHaveLength(1);
    expect(new Set(quick.deliveries.map(({ id }) => id)).size).toBe(20);
  });
});

describe('a webhook of the operator', () => {
  it('hears of everything, of what belongs to no tenant too, over TLS with an authority of its own', async () => {
    using folder = testFolder();
    const tls = selfSigned();
    await using receiver = await startWebhookReceiver({ secret: SECRET, tls });
    const operatorWebhooks = [{ id: 'op', url: receiver.url, secret: SECRET, ca: tls.cert }];
    // The check of tenants' webhooks is on: what the operator configured is exempt.
    await using gate = startNotify({ folder: folder.path, clock, operatorWebhooks });
    await leaveNotice(gate.core, 'lock.set', { ...NOBODY, tenant: null });
    await gate.idle();
    expect(receiver.deliveries).toMatchObject([
      { isSigned: true, body: { type: 'lock.set', data: { tenant: null } } },
    ]);
  });

  it('gets nothing over TLS that it cannot prove to be itself', async () => {
    using folder = testFolder();
    await using receiver = await startWebhookReceiver({ secret: SECRET, tls: selfSigned() });
    const operatorWebhooks = [{ id: 'op', url: receiver.url, secret: SECRET, ca: selfSigned().cert }];
    await using gate = startNotify({ folder: folder.path, clock, operatorWebhooks });
    await leaveNotice(gate.core, 'lock.set', { ...NOBODY, tenant: null });
    await until(() => counted(gate, 'failed') === 1);
    expect(receiver.deliveries).toEqual([]);
  });
});

describe('the pump', () => {
  it('goes on when the store was away, and when a notice cannot be read', async () => {
    using folder = testFolder();
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    let isAway = true;
    await using gate = startNotify({
      folder: folder.path,
      clock,
      settings: hooks(receiver.url),
      allowPrivate: true,
      pollMs: 10,
      around: (outbox) => ({
        ...outbox,
        nextDue: () => (isAway ? Promise.reject(new Error('away')) : outbox.nextDue()),
      }),
    });
    await leaveNotice(gate.core, 'grant.given', NOBODY);
    await until(() => gate.lines.length > 0);
    await gate.core.write(({ statements }) =>
      statements.sql(`INSERT INTO notices (id, dedupe, at, document) VALUES ('ntc_0', 'x', 0, '{')`).run(),
    );
    isAway = false;
    await receiver.took(1);
    await gate.idle();
    expect(gate.lines).toContainEqual({
      level: 'error',
      fields: { notice: 'ntc_0' },
      text: 'a notice cannot be read; nobody is told of it',
    });
    expect(gate.lines.filter(({ text }) => text.includes('outbox is away'))).toHaveLength(1);
  });
});
