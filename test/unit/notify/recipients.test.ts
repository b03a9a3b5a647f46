import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { NOTICE_EVENTS, type Notice } from '#model/notice.ts';
import type { NoticeAudience } from '#notify/notice-outbox.ts';
import { type RecipientDeps, recipientsOf, TOLD } from '#notify/recipients.ts';
import { AT, noticeOf } from '../../support/notices.ts';

const DAY = 86_400_000;
const word = (isTold: boolean) => (isTold ? 'yes' : 'no');
const asked: unknown[] = [];

const audience: NoticeAudience = {
  settingsOf: async () => ({
    notifyEmails: ['Office@Acme.example', 'not an address', 'ada@acme.example'],
    webhooks: [{ id: 'hook_1', url: 'https://acme.example/hook', secret: 'x' }],
    timeZone: 'UTC',
  }),
  adminsOf: async () => [{ email: 'ada@acme.example' }, { email: 'bo@acme.example' }],
  staffIn: async (groups, org, since) => {
    asked.push({ groups, org, since });
    return [{ email: 'tia@vendor.example' }];
  },
  staffNamed: async (principals) => principals.map(({ id }) => ({ email: `${id}@seen.example` })),
};

const deps: RecipientDeps = {
  audience,
  groups: new Map([['tier-1', 'tier-1@vendor.example']]),
  operatorWebhooks: [{ id: 'op_1' }],
  hasEmail: true,
};

async function told(notice: Notice, over: Partial<RecipientDeps> = {}): Promise<string[]> {
  const drafts = await recipientsOf(notice, AT, { ...deps, ...over });
  return drafts.map(({ channel, recipient, side, address }) => `${channel} ${side} ${address ?? recipient}`);
}

const HOOKS = ['operator_webhook operator op_1', 'webhook tenant hook_1'];
const TENANT = [
  'email tenant Office@Acme.example',
  'email tenant ada@acme.example',
  'email tenant bo@acme.example',
];

describe('a notice of a grant', () => {
  it('goes to the webhooks, the settings’ addresses, every admin seen, and the principals it names, each once', async () => {
    expect(await told(noticeOf('grant.given'))).toEqual([
      ...HOOKS,
      ...TENANT,
      'email staff sam@vendor.example',
    ]);
  });

  it('is deduplicated by the address without regard to case', async () => {
    const drafts = await recipientsOf(noticeOf('grant.given'), AT, deps);
    expect(drafts.find(({ address }) => address === 'Office@Acme.example')?.recipient).toBe(
      'office@acme.example',
    );
  });

  it('goes to the customer’s users who gave it for themselves, beside the admins, each once', async () => {
    const users = [{ email: 'uma@acme.example' }, { email: 'ADA@acme.example' }];
    for (const event of ['grant.given', 'grant.ending', 'session.started', 'session.ended'] as const) {
      const addresses = await told(noticeOf(event, { users }));
      expect(addresses.slice(0, 6)).toEqual([...HOOKS, ...TENANT, 'email tenant uma@acme.example']);
      expect(addresses.join()).not.toContain('ADA@');
    }
  });

  it('finds the address of a principal it only names by id', async () => {
    const staff = {
      principals: [
        { issuer: 'i', id: 'pia' },
        { issuer: 'i', id: 'sam', email: null },
      ],
      groups: [],
    };
    expect((await told(noticeOf('grant.given', { staff }))).slice(5)).toEqual([
      'email staff pia@seen.example',
      'email staff sam@seen.example',
    ]);
  });

  it('goes to a group’s configured address, else to everyone of it and of its organisation seen in 90 days', async () => {
    asked.length = 0;
    const staff = { principals: [], groups: ['tier-1', 'tier-2'] };
    expect((await told(noticeOf('grant.given', { staff }))).slice(5)).toEqual([
      'email staff tier-1@vendor.example',
      'email staff tia@vendor.example',
    ]);
    expect(asked).toEqual([{ groups: ['tier-2'], org: 'vendor', since: (AT - 90 * DAY) as EpochMs }]);
  });

  it('goes to the named principals alone where the groups only narrow them', async () => {
    const staff = {
      principals: [{ issuer: 'i', id: 'sam', email: 'sam@vendor.example' }],
      groups: ['tier-1'],
    };
    expect((await told(noticeOf('grant.given', { staff }))).slice(5)).toEqual([
      'email staff sam@vendor.example',
    ]);
  });

  it('goes to the webhooks alone where there is no mail server', async () => {
    expect(await told(noticeOf('grant.given'), { hasEmail: false })).toEqual(HOOKS);
  });
});

describe('other notices', () => {
  it('leave out the principal who asked or came in, and whoever ended their own session', async () => {
    expect(await told(noticeOf('request.made'))).toEqual([...HOOKS, ...TENANT]);
    expect(await told(noticeOf('session.started'))).toEqual([...HOOKS, ...TENANT]);
    const { facts } = noticeOf('session.ended');
    expect(await told(noticeOf('session.ended'))).toContain('email staff sam@vendor.example');
    expect(await told(noticeOf('session.ended', { facts: { ...facts, endedBy: 'left' } }))).toEqual([
      ...HOOKS,
      ...TENANT,
    ]);
  });

  it('are not the customer’s while a lead has a request first', async () => {
    const { facts } = noticeOf('request.made');
    const awaiting = { ...facts, status: 'awaiting_lead' };
    expect(await told(noticeOf('request.made', { facts: awaiting, deciders: ['tier-1'] }))).toEqual([
      'operator_webhook operator op_1',
      'email decider tier-1@vendor.example',
    ]);
  });

  it('go to those who have something to decide, of whichever organisation, and once to who is told anyway', async () => {
    asked.length = 0;
    const emailOnly = { operatorWebhooks: [] };
    const given = noticeOf('grant.given', { deciders: ['tier-1', 'leads'] });
    expect((await told(given, emailOnly)).slice(4)).toEqual([
      'email staff sam@vendor.example',
      'email decider tier-1@vendor.example',
      'email decider tia@vendor.example',
    ]);
    expect(asked).toEqual([{ groups: ['leads'], org: null, since: (AT - 90 * DAY) as EpochMs }]);
    const staff = { principals: [{ issuer: 'i', id: 'tia', email: 'tia@vendor.example' }], groups: [] };
    const emergency = noticeOf('break_glass.asked', { staff, deciders: ['leads'] });
    expect((await told(emergency, emailOnly)).slice(4)).toEqual(['email staff tia@vendor.example']);
  });

  it('of no one tenant go to the operator’s webhooks and to the staff they name', async () => {
    expect(await told(noticeOf('lock.set', { tenant: null }))).toEqual([
      'operator_webhook operator op_1',
      'email staff sam@vendor.example',
    ]);
  });

  it('of an event that a newer version wrote go to the operator alone', async () => {
    const newer = {
      ...noticeOf('lock.set', { deciders: ['tier-1'] }),
      event: 'constructor' as Notice['event'],
    };
    expect(await told(newer)).toEqual(['operator_webhook operator op_1']);
  });
});

describe('docs/notifications.md', () => {
  it('has the table of events and recipients as the code has it', () => {
    const text = readFileSync('docs/notifications.md', 'utf8');
    for (const event of NOTICE_EVENTS) {
      const { tenant, staff, deciders } = TOLD[event];
      expect(text).toContain(`| \`${event}\` | ${word(tenant)} | ${word(staff)} | ${word(deciders)} |`);
    }
  });
});
