// Notices as e-mail over real SMTP: STARTTLS, TLS from the start, credentials, refusals, a server that hangs or is away.
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '#model/clock.ts';
import type { SmtpOptions } from '#notify/mail-sender.ts';
import { testFolder } from '../support/config-files.ts';
import { acme } from '../support/grants-fixtures.ts';
import { listen } from '../support/listen.ts';
import { type MailReceiver, partOf, startMailReceiver } from '../support/mail-receiver.ts';
import { leaveNotice } from '../support/notices.ts';
import { deliveriesOf, startNotify } from '../support/notify-gate.ts';

const clock = systemClock;

function smtpOf(receiver: MailReceiver, over: Partial<SmtpOptions> = {}): SmtpOptions {
  const from = 'support-access@vendor.example';
  return {
    host: '127.0.0.1',
    port: receiver.port,
    tls: 'starttls',
    credentials: null,
    ca: receiver.ca,
    from,
    ...over,
  };
}

const ADMIN = { issuer: 'https://app', id: 'u-1', email: 'ada@acme.example' };

describe('e-mail', () => {
  it('goes over STARTTLS to every address of the tenant and to the principal, each on its own', async () => {
    using folder = testFolder();
    await using receiver = await startMailReceiver();
    const settings = { notifyEmails: ['office@acme.example'] };
    await using gate = startNotify({ folder: folder.path, clock, smtp: smtpOf(receiver), settings });
    await gate.people.adminSeen(acme, ADMIN);
    await leaveNotice(gate.core, 'grant.given');
    await gate.idle();
    expect(receiver.mails.map(({ to }) => to).toSorted()).toEqual([
      ['ada@acme.example'],
      ['office@acme.example'],
      ['sam@vendor.example'],
    ]);
    for (const mail of receiver.mails) {
      expect(mail).toMatchObject({ secure: true, from: 'support-access@vendor.example' });
      expect(mail.headers.get('to')).toBe(mail.to[0]);
      expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
      expect(mail.headers.get('message-id')).toMatch(/^<msg_[0-9a-f]{32}@vendor\.example>$/);
      expect(mail.headers.has('bcc') || mail.headers.has('cc')).toBe(false);
    }
    const ids = new Set(receiver.mails.map(({ headers }) => headers.get('message-id')));
    expect(ids.size).toBe(3);
  });

  it('has text and HTML with the grantor’s name, the reason and the tenant’s time', async () => {
    using folder = testFolder();
    await using receiver = await startMailReceiver();
    const settings = { notifyEmails: ['office@acme.example'] };
    await using gate = startNotify({ folder: folder.path, clock, smtp: smtpOf(receiver), settings });
    await leaveNotice(gate.core, 'grant.given', {
      by: { name: 'Ada Łukasz <b>', email: null },
      staff: { principals: [], groups: [] },
    });
    await gate.idle();
    const [mail] = receiver.mails;
    if (mail === undefined) throw new Error('no mail came');
    expect(partOf(mail, 'text/plain')).toContain(
      'Ada Łukasz b has given support staff access to the account acme.',
    );
    expect(partOf(mail, 'text/plain')).toContain('at 13:00 (Europe/Berlin, UTC+01:00)');
    expect(partOf(mail, 'text/html')).toContain('<p><strong>Ada Łukasz b has given support staff access');
  });

  it('signs in over TLS from the start', async () => {
    using folder = testFolder();
    const credentials = { user: 'gate', password: 'p w:@/ü' };
    await using receiver = await startMailReceiver({ tls: 'implicit', credentials });
    const smtp = smtpOf(receiver, { tls: 'implicit', credentials });
    await using gate = startNotify({ folder: folder.path, clock, smtp });
    await leaveNotice(gate.core, 'grant.ended');
    await gate.idle();
    expect(receiver.mails).toMatchObject([{ secure: true, user: 'gate' }]);
  });

  it.each([
    ['does not offer STARTTLS', { tls: 'none' }, {}],
    ['has a certificate that nobody trusts', { tls: 'starttls' }, { ca: null }],
    [
      'has a certificate that nobody trusts, from the start',
      { tls: 'implicit' },
      { ca: null, tls: 'implicit' },
    ],
  ] as const)('sends nothing to a server that %s', async (_what, options, over) => {
    using folder = testFolder();
    await using receiver = await startMailReceiver(options);
    await using gate = startNotify({ folder: folder.path, clock, smtp: smtpOf(receiver, over) });
    await leaveNotice(gate.core, 'grant.ended');
    await failedOnce(gate);
    expect(receiver.mails).toEqual([]);
    expect(await deliveriesOf(gate.core)).toMatchObject([{ state: 'due', attempts: 1 }]);
  });

  it('goes in the clear only where the operator said so', async () => {
    using folder = testFolder();
    await using receiver = await startMailReceiver({ tls: 'none' });
    await using gate = startNotify({
      folder: folder.path,
      clock,
      smtp: smtpOf(receiver, { tls: 'plain', ca: null }),
    });
    await leaveNotice(gate.core, 'grant.ended');
    await gate.idle();
    expect(receiver.mails).toMatchObject([{ secure: false }]);
  });

  it('is given up at once for a mailbox that does not exist, tried again for one that is full, and holds up nobody', async () => {
    using folder = testFolder();
    await using receiver = await startMailReceiver();
    receiver.refusals.set('gone@acme.example', { code: 550, text: '5.1.1 No such user' });
    receiver.refusals.set('full@acme.example', { code: 452, text: '4.2.2 Mailbox full' });
    receiver.refusals.set('policy@acme.example', { code: 550, text: '5.7.1 Relaying denied' });
    const notifyEmails = ['gone', 'full', 'policy', 'office'].map((name) => `${name}@acme.example`);
    await using gate = startNotify({
      folder: folder.path,
      clock,
      smtp: smtpOf(receiver),
      settings: { notifyEmails },
    });
    await leaveNotice(gate.core, 'grant.ended', { staff: { principals: [], groups: [] } });
    await receiver.took(1);
    await settledOnce(gate, 4);
    expect(receiver.mails.map(({ to }) => to)).toEqual([['office@acme.example']]);
    expect(await deliveriesOf(gate.core)).toMatchObject([
      { recipient: 'full@acme.example', state: 'due', problem: 'EENVELOPE_452' },
      { recipient: 'gone@acme.example', state: 'failed', problem: 'EENVELOPE_550' },
      { recipient: 'office@acme.example', state: 'done', problem: null },
      { recipient: 'policy@acme.example', state: 'due', problem: 'EENVELOPE_550' },
    ]);
    const said = gate.lines.filter(({ level }) => level === 'error');
    expect(said).toMatchObject([{ fields: { channel: 'email', attempts: 1, problem: 'EENVELOPE_550' } }]);
    expect(JSON.stringify(gate.lines)).not.toMatch(/acme\.example|No such user|Ada/);
    expect(gate.notifier.counts()).toContainEqual({ channel: 'email', result: 'given_up', count: 1 });
  });

  it('that was planned while there was a mail server waits for one', async () => {
    using folder = testFolder();
    await using receiver = await startMailReceiver();
    receiver.refusals.set('sam@vendor.example', { code: 451, text: '4.7.1 Later' });
    const before = startNotify({ folder: folder.path, clock, smtp: smtpOf(receiver) });
    await leaveNotice(before.core, 'grant.ended');
    await failedOnce(before);
    await before[Symbol.asyncDispose]();
    const later = { ...clock, now: () => (Date.now() + 3_600_000) as ReturnType<typeof clock.now> };
    await using gate = startNotify({ folder: folder.path, clock: later });
    await failedOnce(gate);
    expect(await deliveriesOf(gate.core)).toMatchObject([{ state: 'due', problem: 'no_mail_server' }]);
  });

  it('comes when the server is back, once', async () => {
    using folder = testFolder();
    const gone = await startMailReceiver();
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    let now = Date.now();
    const moving = { ...clock, now: () => now as ReturnType<typeof clock.now> };
    await using gate = startNotify({
      folder: folder.path,
      clock: moving,
      smtp: { ...smtpOf(gone), port, tls: 'plain' },
    });
    await leaveNotice(gate.core, 'grant.ended');
    await failedOnce(gate);
    await using receiver = await startMailReceiver({ port });
    now += 10_001;
    await gate.idle();
    expect(receiver.mails).toHaveLength(1);
  });

  it('to a server that hangs ends in its time, and is due again at once when the gate stops', async () => {
    using folder = testFolder();
    const held = await listen(createServer(() => undefined));
    try {
      const smtp: SmtpOptions = {
        host: '127.0.0.1',
        port: held.port,
        tls: 'starttls',
        credentials: null,
        ca: null,
        from: 'a@b.example',
      };
      const gate = startNotify({ folder: folder.path, clock, smtp, attemptMs: 100, random: () => 0 });
      await leaveNotice(gate.core, 'grant.ended');
      await failedOnce(gate);
      expect(await deliveriesOf(gate.core)).toMatchObject([{ state: 'due', problem: 'timeout' }]);
      await gate[Symbol.asyncDispose]();

      let now = Date.now() + 3_600_000;
      const later = { ...clock, now: () => now++ as ReturnType<typeof clock.now> };
      const stopping = startNotify({
        folder: folder.path,
        clock: later,
        smtp,
        attemptMs: 60_000,
        drainMs: 20,
      });
      while ((await leased(stopping.core)) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await stopping.notifier.close();
      expect(await leased(stopping.core)).toBe(0);
      expect(await deliveriesOf(stopping.core)).toMatchObject([{ state: 'due', attempts: 1 }]);
      await stopping[Symbol.asyncDispose]();
    } finally {
      await held.close();
    }
  });
});

type Gate = ReturnType<typeof startNotify>;

async function failedOnce(gate: Gate): Promise<void> {
  while (gate.notifier.counts().every(({ result, count }) => result !== 'failed' || count === 0)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function settledOnce(gate: Gate, count: number): Promise<void> {
  while (gate.notifier.counts().reduce((sum, one) => sum + one.count, 0) < count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function leased(core: Gate['core']): Promise<number> {
  const rows = await core.read(({ sql }) => sql('SELECT 1 FROM deliveries WHERE leased_until > 0').all());
  return rows.length;
}
