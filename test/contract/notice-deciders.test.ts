// Who of the vendor's staff is told that they have something to decide: from the transaction that wrote the notice to the
// addresses it goes to. A request, a grant or an emergency that waits for somebody who never hears of it lapses unseen.
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { createSqliteNoticeAudience } from '#grants/sqlite/notice-audience.ts';
import { createSqliteNoticeOutbox } from '#grants/sqlite/notice-outbox.ts';
import { createSqlitePeopleSeen } from '#grants/sqlite/people-seen.ts';
import type { StoreCore } from '#grants/sqlite/store-core.ts';
import { recipientsOf } from '#notify/recipients.ts';
import { webhookBody } from '#notify/webhook-sender.ts';
import { acme, admin, at, draft, HOUR, sam } from '../support/grants-fixtures.ts';
import { emergencyDraft, lockPlace, quinn } from '../support/lock-fixtures.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { asStaff, lea, requestsUnderTest, wish, yes } from '../support/request-fixtures.ts';

const settings = () => DEFAULT_TENANT_SETTINGS;

/** Leads of two organisations, the security team, and an admin of the tenant are known. */
async function tellingOf(core: StoreCore, clock: ManualClock) {
  const people = createSqlitePeopleSeen(core);
  const outbox = createSqliteNoticeOutbox(core);
  const audience = createSqliteNoticeAudience({ core, settings, people });
  const deps = { audience, groups: new Map(), operatorWebhooks: [], hasEmail: true };
  const seen = (id: string, group: string, org: string) =>
    people.staffSeen({ issuer: sam.issuer, id, email: `${id}@${org}.example`, groups: [group], org });
  await seen('sam', 'support', 'vendor');
  await seen('lea', 'leads', 'vendor');
  await seen('les', 'leads', 'partner');
  await seen('rita', 'security', 'vendor');
  await people.adminSeen(acme, { issuer: admin.issuer, id: admin.id, email: 'ada@acme.example' });
  return async () => {
    const notices = (await outbox.unplanned('', 50)).flatMap(({ notice }) => notice ?? []);
    const told = await Promise.all(
      notices.map(async (notice) => {
        const drafts = await recipientsOf(notice, clock.now(), deps);
        return [notice.event, drafts.map(({ side, address }) => `${side} ${address}`).toSorted()] as const;
      }),
    );
    return { notices, told };
  };
}

const ADA = 'tenant ada@acme.example';
const LEADS = ['decider lea@vendor.example', 'decider les@partner.example'];
const SAM = 'staff sam@vendor.example';

describe('a request', () => {
  it('that a lead has first is told to the leads’ groups, and to the customer once a lead has approved it', async () => {
    await using t = await requestsUnderTest({ leadFirst: true });
    const read = await tellingOf(t.core, t.clock);
    const { id } = await t.requests.ask(wish(), sam);
    await t.requests.approve(id, yes(asStaff(lea)));
    expect((await read()).told).toEqual([
      ['request.made', LEADS],
      ['request.lead_approved', [SAM, ADA]],
    ]);
  });

  it('that no lead decides is told to none of them', async () => {
    await using t = await requestsUnderTest();
    const read = await tellingOf(t.core, t.clock);
    await t.requests.ask(wish(), sam);
    expect((await read()).told).toEqual([['request.made', [ADA]]]);
  });
});

describe('a grant', () => {
  const forSam = { audience: { org: 'vendor', groups: null, principals: [sam] } } as const;

  it('that awaits the vendor’s verification is told to the leads’ groups, of whichever organisation', async () => {
    await using t = await requestsUnderTest({ vendorVerification: 'required' });
    const read = await tellingOf(t.core, t.clock);
    const { id } = await t.grants.create(draft(forSam), admin);
    await t.grants.change(id, { expiresAt: at(HOUR) }, admin);
    await t.grants.verify(id, lea);
    await t.grants.revoke(id, admin);
    expect((await read()).told).toEqual([
      ['grant.given', [...LEADS, SAM, ADA]],
      ['grant.changed', [...LEADS, SAM, ADA]],
      ['grant.verified', [SAM, ADA]],
      ['grant.revoked', [SAM, ADA]],
    ]);
  });

  it('that awaits nobody is told to none of them', async () => {
    await using t = await requestsUnderTest();
    const read = await tellingOf(t.core, t.clock);
    await t.grants.create(draft(forSam), admin);
    expect((await read()).told).toEqual([['grant.given', [SAM, ADA]]]);
  });
});

describe('an emergency', () => {
  it('that was asked for is told to the security team, who may agree to it, and names no group to a webhook', async () => {
    await using place = lockPlace();
    const { core, emergencies } = place.open();
    const read = await tellingOf(core, place.clock);
    await emergencies.ask(emergencyDraft(), quinn);
    const { notices, told } = await read();
    expect(told).toEqual([
      ['break_glass.asked', ['decider rita@vendor.example', 'staff quinn@vendor.example', ADA]],
    ]);
    for (const notice of notices) expect(webhookBody(notice).toString()).not.toContain('"security"');
  });
});
