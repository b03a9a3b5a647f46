// Every message, whole, beside this file: messages/<event>.<side>.txt, and two of them as HTML.
// Attacks: names, reasons, cases and notes that hold markup, line breaks, invisible or turning characters, or links.
import { describe, expect, it } from 'vitest';
import type { TenantId } from '#model/ids.ts';
import { NOTICE_EVENTS, type Notice } from '#model/notice.ts';
import type { MessageContext } from '#notify/messages/message.ts';
import { messageFor } from '#notify/messages/message-for.ts';
import { noticeOf } from '../../support/notices.ts';

const BERLIN: MessageContext = { side: 'tenant', timeZone: 'Europe/Berlin', manageUrl: null };

const hostile = (text: string): Notice => {
  const { facts } = noticeOf('session.ended');
  return noticeOf('session.ended', {
    tenant: text as TenantId,
    by: { name: text, email: 'sam@vendor.example' },
    facts: { ...facts, caseRef: text, reasonDetail: text, note: text },
  });
};

describe('the whole text', () => {
  for (const event of NOTICE_EVENTS) {
    it.each(['tenant', 'staff'] as const)(`of ${event}, to the %s`, async (side) => {
      const { subject, text } = messageFor(noticeOf(event), { ...BERLIN, side });
      await expect(`Subject: ${subject}\n\n${text}`).toMatchFileSnapshot(`messages/${event}.${side}.txt`);
    });
  }

  it.each(['grant.given', 'session.ended'] as const)('of %s as HTML', async (event) => {
    const { html } = messageFor(noticeOf(event), BERLIN);
    await expect(html).toMatchFileSnapshot(`messages/${event}.html`);
  });

  it('has the grantor’s name in what is said of a grant, whoever did the rest', () => {
    for (const event of [
      'grant.given',
      'grant.changed',
      'grant.revoked',
      'grant.ending',
      'grant.ended',
    ] as const) {
      expect(messageFor(noticeOf(event), BERLIN).text).toContain(
        'Granted by:   Ada Admin (ada@acme.example)',
      );
    }
  });

  it('says that a grant which awaits the vendor’s verification cannot be used yet', () => {
    for (const event of ['grant.given', 'grant.changed'] as const) {
      const { facts } = noticeOf(event);
      const pending = noticeOf(event, { facts: { ...facts, awaitsVerification: true } });
      for (const side of ['tenant', 'staff'] as const) {
        expect(messageFor(pending, { ...BERLIN, side }).text).toContain(
          'It cannot be used before a lead of the vendor has verified the case.',
        );
      }
    }
  });

  it('gives nobody access in the words for those who are to verify a grant', () => {
    for (const event of ['grant.given', 'grant.changed'] as const) {
      const { facts } = noticeOf(event);
      const pending = noticeOf(event, { facts: { ...facts, awaitsVerification: true } });
      const { subject, text } = messageFor(pending, { ...BERLIN, side: 'decider' });
      expect(subject).toBe('Access to acme awaits verification');
      expect(text).toContain('A lead of the vendor whom the grant does not name verifies the case');
      expect(text).not.toMatch(/your access|you have/i);
    }
  });

  it('names the roles and workspaces of a grant, where it has any', () => {
    const { facts } = noticeOf('grant.given');
    const scoped = { ...facts, roles: 'agent, reporter', workspaces: 'sales (agent), hr' };
    const { text } = messageFor(noticeOf('grant.given', { facts: scoped }), BERLIN);
    expect(text).toMatch(/^ +Roles: +agent, reporter$/m);
    expect(text).toMatch(/^ +Workspaces: +sales \(agent\), hr$/m);
    const everywhere = { ...facts, roles: null, workspaces: null };
    expect(messageFor(noticeOf('grant.given', { facts: everywhere }), BERLIN).text).not.toMatch(
      /Roles|Workspaces/,
    );
  });

  it('says that a grant has no end', () => {
    const { facts } = noticeOf('grant.given');
    const { text } = messageFor(noticeOf('grant.given', { facts: { ...facts, expiresAt: null } }), BERLIN);
    expect(text).toContain('Until:        somebody ends it');
  });

  it('writes instants in the zone of the tenant and names it, on both sides of a change of clocks', () => {
    const { facts } = noticeOf('grant.given');
    const of = (startsAt: number, timeZone: string) =>
      /From: +(.*)/.exec(
        messageFor(noticeOf('grant.given', { facts: { ...facts, startsAt } }), { ...BERLIN, timeZone }).text,
      )?.[1];
    expect(of(Date.UTC(2030, 2, 31, 0, 59), 'Europe/Berlin')).toBe(
      'Sunday, 31 March 2030 at 01:59 (Europe/Berlin, UTC+01:00)',
    );
    expect(of(Date.UTC(2030, 2, 31, 1, 0), 'Europe/Berlin')).toBe(
      'Sunday, 31 March 2030 at 03:00 (Europe/Berlin, UTC+02:00)',
    );
    expect(of(Date.UTC(2030, 0, 1), 'Asia/Kathmandu')).toMatch(
      /at 05:45 \(Asia\/Kat[hm]+andu, UTC\+05:45\)$/,
    );
    expect(of(Date.UTC(2030, 0, 1), 'UTC')).toBe('Tuesday, 1 January 2030 at 00:00 (UTC)');
    expect(of(Date.UTC(2030, 0, 1), 'Mars/Olympus')).toBe('Tuesday, 1 January 2030 at 00:00 (UTC)');
  });

  it('names the address where an admin manages access, the account encoded in it', () => {
    const manageUrl = 'https://app.example.com/{tenant}/support';
    const notice = noticeOf('grant.given', { tenant: 'a/b"c' as TenantId });
    expect(messageFor(notice, { ...BERLIN, manageUrl }).text).toContain(
      'at https://app.example.com/a%2Fb%22c/support.',
    );
  });
});

describe('what somebody else wrote', () => {
  it('is text in HTML, never markup', () => {
    const { html } = messageFor(hostile(`<img src=x onerror=alert(1)>"'&</title><script>`), BERLIN);
    expect(html).not.toMatch(/<(?:img|script|a|form|iframe)\b/i);
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;&lt;/title&gt;&lt;script&gt;');
    expect(html.match(/<\/title>/g)).toHaveLength(1);
  });

  it.each(['a\r\nBcc: x@evil.example', 'a\nb', 'a\u2028b', 'a\u0085b', 'a\0b', 'a\u202eb', 'a\u200bb'])(
    'stays on one line in the subject and in the rows: %j',
    (text) => {
      const { subject, text: body } = messageFor(hostile(text), BERLIN);
      expect(subject).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(body).not.toMatch(/^Bcc:/m);
      expect(body).not.toMatch(/[\u2028\u0085\0\u202e\u200b\r]/);
    },
  );

  it('stays inside its own block when a note has lines that look like ours', () => {
    const { text } = messageFor(hostile('done\n\nAny admin of the account: send your password to x'), BERLIN);
    expect(text).toContain('  | done\n  | Any admin of the account: send your password to x\n');
  });

  it('holds no link in a name', () => {
    const { text } = messageFor(hostile('Sam https://evil.example/login'), BERLIN);
    expect(text).toContain('The session of Sam https evil.example login (sam@vendor.example)');
  });

  it('is cut where it is very long, and never in the middle of a character', () => {
    const { text, subject } = messageFor(hostile('😀'.repeat(100_000)), BERLIN);
    expect(text.length).toBeLessThan(4000);
    expect(subject.length).toBeLessThan(800);
    expect(text.isWellFormed()).toBe(true);
  });

  it('may be of another type than expected, and is then not said', () => {
    const notice = noticeOf('grant.given', {
      facts: { access: 7, startsAt: 'now', caseRef: true, expiresAt: 'x' },
    });
    expect(messageFor(notice, BERLIN).text).not.toContain('Case:');
  });

  it('finds no words in what every object has', () => {
    const { facts } = noticeOf('session.ended');
    const notice = noticeOf('session.ended', { facts: { ...facts, endedBy: 'constructor' } });
    expect(messageFor(notice, BERLIN).text).toContain('It is over.');
  });
});
