// What every store of tenant settings and of the switch must do; run by sqlite-settings-store.test.ts, by each later one.
import { describe, expect, it } from 'vitest';
import type { AccessSwitchStore, SwitchWish } from '#grants/settings/access-switch.ts';
import type { GrantStore } from '#grants/grant-store.ts';
import type { SettingsPatch, SettingsStore } from '#grants/settings/settings-store.ts';
import type { StoreChange } from '#grants/store-change.ts';
import type { TenantViews } from '#grants/tenant-view.ts';
import type { Actor } from '#model/grant.ts';
import type { SettingsDefaults } from '#model/settings-layer.ts';
import { acme, admin, bareService, DAY, globex, serviceForAda, START } from '../support/grants-fixtures.ts';
import type { ManualClock } from '../support/manual-clock.ts';

export interface SettingsStoreUnderTest extends AsyncDisposable {
  readonly settings: SettingsStore;
  readonly accessSwitch: AccessSwitchStore;
  readonly views: TenantViews;
  readonly grants: GrantStore;
  readonly clock: ManualClock;
  readonly changes: StoreChange[];
  /** Everything that the store's files hold, as text. */
  history(): string;
}

/** A profile with offered periods and a trial class, as account assumption has them. */
export const TEST_DEFAULTS: SettingsDefaults = {
  file: { durations: { default: '7d', max: '14d' }, sessionsRequired: true },
  floor: { required: true, idleMs: 1_800_000, maxMs: 28_800_000 },
  profile: 'account-assumption',
  profiles: new Map([
    [
      'account-assumption',
      {
        name: 'account-assumption',
        settings: {
          standing: 'read',
          liftable: ['destructive'],
          durations: {
            presets: ['1d', '1w', '1mo', '1y'],
            default: '1w',
            min: '1d',
            max: '1y',
            indefinite: true,
          },
          reasonRequired: false,
          caseRefRequired: false,
          switchGrant: {
            access: 'write',
            audience: { org: 'vendor', groups: null, principals: null },
            roles: ['agent'],
          },
        },
        classes: { trial: { systemAccess: 'write' } },
      },
    ],
    ['plain', { name: 'plain', settings: { durations: { presets: [] } }, classes: {} }],
  ]),
  over: {},
  classes: { gov: { excludedOrgs: ['vendor'] } },
  recordsKeptMs: 400 * DAY,
};

const staff: Actor = { ...admin, kind: 'staff', issuer: 'https://idp.vendor.example', id: 'sam' };
const user: Actor = { ...admin, kind: 'tenant_user' };

const change = (t: SettingsStoreUnderTest, patch: SettingsPatch, expectedRevision = 0, by?: Actor) =>
  t.settings.change(
    { tenant: acme, patch, expectedRevision },
    by ?? (patch.part === 'vendor' ? bareService : admin),
  );
const press = (t: SettingsStoreUnderTest, wish: SwitchWish, by = admin) => t.accessSwitch.set(acme, wish, by);

export function settingsStoreContract(
  start: (defaults: SettingsDefaults) => Promise<SettingsStoreUnderTest>,
): void {
  const open = () => start(TEST_DEFAULTS);
  describe('settings', () => {
    it('are at revision 0 and the defaults for a tenant nobody has said anything about', async () => {
      await using t = await open();
      const stored = await t.settings.read(acme);
      expect(stored).toMatchObject({
        tenant: acme,
        revision: 0,
        vendor: {},
        own: {},
        effective: { standing: 'read' },
      });
      expect((await t.views.tenantView(acme)).settings).toEqual(stored.effective);
    });

    it('keep what was settled, one revision a change, and the other part and tenant as they were', async () => {
      await using t = await open();
      await change(t, { part: 'vendor', values: { approvals: 2, timeZone: 'Asia/Tokyo' } });
      const { settings, changed } = await change(t, { part: 'own', values: { approvals: 3 } }, 1);
      expect(settings).toMatchObject({
        revision: 2,
        vendor: { approvals: 2, timeZone: 'Asia/Tokyo' },
        own: { approvals: 3 },
        effective: { approvals: 3, timeZone: 'Asia/Tokyo' },
      });
      expect(changed).toBe(true);
      expect(await t.settings.read(acme)).toEqual(settings);
      expect((await t.settings.read(globex)).revision).toBe(0);
      expect(t.changes).toEqual([
        { kind: 'settings', id: acme, tenant: acme, elsewhere: false },
        { kind: 'settings', id: acme, tenant: acme, elsewhere: false },
      ]);
    });

    it('return to what they inherit with null, and make no revision where nothing differs', async () => {
      await using t = await open();
      await change(t, { part: 'own', values: { approvals: 3, timeZone: 'Asia/Tokyo' } });
      const same = await change(t, { part: 'own', values: { approvals: 3 } }, 1);
      expect(same).toMatchObject({ changed: false, settings: { revision: 1 } });
      const back = await change(t, { part: 'own', values: { approvals: null } }, 1);
      expect(back.settings).toMatchObject({
        revision: 2,
        own: { timeZone: 'Asia/Tokyo' },
        effective: { approvals: 1 },
      });
      expect(back.settings.own).not.toHaveProperty('approvals');
    });

    it('keep what stands beside a part of the durations or of the switch’s grant that is changed', async () => {
      await using t = await open();
      const audience = { org: null, groups: ['tier-2'], principals: null };
      const switchGrant = { audience, roles: ['helper'] };
      const durations = { maxPerCase: '14d', indefinite: false };
      await change(t, { part: 'vendor', values: { durations, switchGrant } });
      const values = { durations: { max: '2y' }, switchGrant: { access: 'read' } } as const;
      const { settings } = await change(t, { part: 'vendor', values }, 1);
      expect(settings).toMatchObject({
        vendor: {
          durations: { ...durations, max: '2y' },
          switchGrant: { ...switchGrant, access: 'read' },
        },
        effective: { durations: { ...durations, max: '2y' } },
      });
      await change(t, { part: 'own', values: { durations: { max: '1mo' } } }, 2);
      const own = await change(t, { part: 'own', values: { durations: { default: '1d' } } }, 3);
      expect(own.settings.own).toEqual({ durations: { max: '1mo', default: '1d' } });
      expect(own.settings.effective.durations).toMatchObject({ max: '1mo', default: '1d' });
      const same = await change(t, { part: 'own', values: { durations: { max: '1mo' } } }, 4);
      expect(same).toMatchObject({ changed: false, settings: { revision: 4 } });
    });

    it('replace the audience of the switch’s grant as a whole: two never become one', async () => {
      await using t = await open();
      const audience = { org: null, groups: ['tier-2'], principals: null };
      await change(t, { part: 'vendor', values: { switchGrant: { audience } } });
      const principals = [{ issuer: 'https://idp.vendor.example', id: 'sam' }];
      const named = { org: null, groups: null, principals };
      const { settings } = await change(
        t,
        { part: 'vendor', values: { switchGrant: { audience: named } } },
        1,
      );
      expect(settings.vendor.switchGrant).toEqual({ audience: named });
      expect(settings.effective.switchGrant).toMatchObject({ audience: named, access: 'write' });
    });

    it('return to what they inherit with a null within the durations, and with the last one leave nothing', async () => {
      await using t = await open();
      const durations = { max: '2y', maxPerCase: '14d' };
      await change(t, { part: 'vendor', values: { durations } });
      const back = await change(t, { part: 'vendor', values: { durations: { maxPerCase: null } } }, 1);
      expect(back.settings.vendor).toEqual({ durations: { max: '2y' } });
      const again = await change(t, { part: 'vendor', values: { durations: { maxPerCase: null } } }, 2);
      expect(again.changed).toBe(false);
      const none = await change(t, { part: 'vendor', values: { durations: { max: null } } }, 2);
      expect(none.settings).toMatchObject({ vendor: {}, effective: { durations: { max: '1y' } } });
      expect(none.settings.vendor).not.toHaveProperty('durations');
      await change(t, { part: 'vendor', values: { durations } }, 3);
      const all = await change(t, { part: 'vendor', values: { durations: null } }, 4);
      expect(all.settings.vendor).toEqual({});
    });

    it('hold the tenant to the vendor’s limits with what it settled before, and let it shorten', async () => {
      await using t = await open();
      await change(t, { part: 'own', values: { durations: { max: '1mo', default: '1w' } } });
      for (const [durations, code] of [
        [{ max: '2y' }, 'settings_looser'],
        [{ default: '2mo' }, 'durations_contradict'],
        [{ default: '1h' }, 'durations_contradict'],
      ] as const) {
        await expect(change(t, { part: 'own', values: { durations } }, 1)).rejects.toMatchObject({ code });
      }
      // The usual length that was settled before is no reason to refuse a shorter limit: it is shortened with it.
      const { settings } = await change(t, { part: 'own', values: { durations: { max: '3d' } } }, 1);
      expect(settings.own).toEqual({ durations: { max: '3d', default: '1w' } });
      expect(settings.effective.durations).toMatchObject({ max: '3d', default: '1d', presets: ['1d'] });
    });

    it('let admins without the licence that the tenant asks for give nothing', async () => {
      await using t = await open();
      const values = { mayGrant: { kind: 'admins', product: 'backup' } } as const;
      const { settings } = await change(t, { part: 'own', values });
      expect(settings.effective.mayGrant).toEqual(values.mayGrant);
      await expect(press(t, { open: true })).rejects.toMatchObject({ code: 'policy_licence' });
      const licensed = { ...admin, holds: { permissions: [], products: ['backup'] } };
      expect(await press(t, { open: true }, licensed)).toMatchObject({ operation: 'created' });
    });

    it('refuse a change made against another revision, also of two at once', async () => {
      await using t = await open();
      const both = await Promise.allSettled([
        change(t, { part: 'own', values: { suspended: true } }),
        change(t, { part: 'own', values: { approvals: 2 } }),
      ]);
      expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      await expect(change(t, { part: 'own', values: { approvals: 2 } }, 7)).rejects.toMatchObject({
        code: 'stale_revision',
      });
      expect((await t.settings.read(acme)).revision).toBe(1);
    });

    it('are nobody’s to settle but each part’s own side', async () => {
      await using t = await open();
      for (const by of [admin, staff, user, { ...staff, kind: 'security' } as const]) {
        await expect(change(t, { part: 'vendor', values: { class: 'trial' } }, 0, by)).rejects.toMatchObject({
          code: 'settings_not_yours',
        });
      }
      for (const by of [bareService, serviceForAda, staff, user]) {
        await expect(change(t, { part: 'own', values: { suspended: false } }, 0, by)).rejects.toMatchObject({
          code: 'settings_not_yours',
        });
      }
      expect(t.changes).toEqual([]);
    });

    it.each([
      [{ part: 'own', values: { liftable: ['sensitive'] } }, 'settings_looser'],
      [{ part: 'own', values: { liftable: ['self-grant'] } }, 'never_liftable'],
      [{ part: 'own', values: { sessionsRequired: false } }, 'settings_looser'],
      [{ part: 'own', values: { sessionIdleMs: 3_600_000 } }, 'settings_looser'],
      [{ part: 'own', values: { mayGrant: { kind: 'users' } } }, 'settings_looser'],
      [{ part: 'own', values: { durations: { max: '2y' } } }, 'settings_looser'],
      [{ part: 'own', values: { durations: { max: '1h' } } }, 'durations_contradict'],
      [{ part: 'own', values: { breakGlass: true } }, 'settings_looser'],
      [{ part: 'own', values: { timeZone: 'Nowhere' } }, 'time_zone_unknown'],
      [{ part: 'own', values: { webhooks: [{ url: 'http://a.example' }] } }, 'webhook_url_invalid'],
      [
        { part: 'own', values: { webhooks: [{ id: 'hook_x', url: 'https://a.example' }] } },
        'webhook_unknown',
      ],
      [
        { part: 'own', values: { notifyEmails: Array.from({ length: 51 }, (_, i) => `a${i}@b.example`) } },
        'notices_too_many',
      ],
      [{ part: 'vendor', values: { class: 'vip' } }, 'class_unknown'],
      [{ part: 'vendor', values: { profile: 'vip' } }, 'profile_unknown'],
      [{ part: 'vendor', values: { auditRetentionMs: 400 * DAY + 1 } }, 'retention_too_long'],
      [{ part: 'vendor', values: { durations: { min: '2y' } } }, 'durations_contradict'],
      [{ part: 'vendor', values: { durations: { presets: ['2y'] } } }, 'preset_out_of_limits'],
      [{ part: 'vendor', values: { caseRefPattern: '(a+)+' } }, 'case_pattern_unsafe'],
    ] as readonly (readonly [SettingsPatch, string])[])(
      'refuse %j as %s, and keep nothing',
      async (patch, code) => {
        await using t = await open();
        await expect(change(t, patch)).rejects.toMatchObject({
          code,
          message: expect.stringMatching(/^[A-Z].*\.$/),
        });
        expect((await t.settings.read(acme)).revision).toBe(0);
        expect(t.changes).toEqual([]);
      },
    );

    it('tell a webhook’s secret once, keep it out of the history, and never move it to another address', async () => {
      await using t = await open();
      const made = await change(t, {
        part: 'own',
        values: { webhooks: [{ url: 'https://a.example/hook' }] },
      });
      const [hook] = made.newWebhooks;
      expect(hook).toMatchObject({
        id: expect.stringMatching(/^hook_/),
        secret: expect.stringMatching(/^whsec_/),
      });
      const { id = '', secret = '' } = hook ?? {};
      const kept = await change(
        t,
        { part: 'own', values: { webhooks: [{ id, url: 'https://a.example/hook' }], approvals: 2 } },
        1,
      );
      expect(kept).toMatchObject({
        newWebhooks: [],
        settings: { effective: { webhooks: [{ id, secret }] } },
      });
      const moved = await change(
        t,
        { part: 'own', values: { webhooks: [{ id, url: 'https://b.example/hook' }] } },
        2,
      );
      expect(moved.newWebhooks).toMatchObject([{ id, secret: expect.stringMatching(/^whsec_/) }]);
      expect(moved.newWebhooks[0]?.secret).not.toBe(secret);
      expect(t.history()).not.toContain('whsec_');
    });
  });

  describe('a trial account', () => {
    it('has access by its class, which the customer can neither suspend nor switch', async () => {
      await using t = await open();
      const { view } = await change(t, { part: 'vendor', values: { class: 'trial' } });
      expect(view).toMatchObject({
        settings: { systemAccess: 'write' },
        standing: [{ access: 'write', source: 'standing' }, {}],
      });
      await expect(change(t, { part: 'own', values: { suspended: true } }, 1)).rejects.toMatchObject({
        code: 'suspension_not_available',
      });
      for (const wish of [{ open: true }, { open: false }] as const) {
        await expect(press(t, wish)).rejects.toMatchObject({ code: 'access_set_by_class' });
      }
    });

    it('has access off once it is converted, whatever was open before it became one', async () => {
      await using t = await open();
      const { grant } = await press(t, { open: true, written: '1y' });
      await change(t, { part: 'vendor', values: { class: 'trial' } });
      const { view, revoked } = await change(t, { part: 'vendor', values: { class: 'standard' } }, 1);
      expect(revoked.map(({ id }) => id)).toEqual([grant?.id]);
      expect(view).toMatchObject({
        grants: [],
        standing: [{ access: 'read' }],
        settings: { systemAccess: null },
      });
      expect(await t.views.tenantView(acme)).toEqual(view);
    });

    it('is not made of a tenant that has suspended access', async () => {
      await using t = await open();
      await change(t, { part: 'own', values: { suspended: true } });
      await expect(change(t, { part: 'vendor', values: { class: 'trial' } }, 1)).rejects.toMatchObject({
        code: 'tenant_suspended',
      });
    });
  });

  describe('the switch', () => {
    it('opens the profile’s grant, and is off where nobody has pressed it', async () => {
      await using t = await open();
      expect(await press(t, { open: false })).toMatchObject({ grant: null, operation: 'unchanged' });
      const { grant, operation, view } = await press(t, { open: true, written: '1w' });
      expect(operation).toBe('created');
      expect(grant).toMatchObject({
        source: 'switch',
        access: 'write',
        roles: ['agent'],
        audience: { org: 'vendor' },
        startsAt: START,
        expiresAt: START + 7 * DAY,
        grantedBy: { id: 'u-1' },
      });
      expect(view.grants).toEqual([grant]);
    });

    it('changes the one grant, longer and shorter, counted from the moment of the choice', async () => {
      await using t = await open();
      const first = await press(t, { open: true, written: '1mo' });
      t.clock.advance(20 * DAY);
      const longer = await press(t, { open: true, written: '1y' });
      expect(longer).toMatchObject({
        operation: 'changed',
        grant: { id: first.grant?.id, revision: 2, startsAt: START, expiresAt: START + 20 * DAY + 365 * DAY },
      });
      const shorter = await press(t, { open: true, written: '1d' });
      expect(shorter.grant).toMatchObject({ id: first.grant?.id, expiresAt: START + 21 * DAY });
      const endless = await press(t, { open: true, written: null });
      expect(endless.grant).toMatchObject({ id: first.grant?.id, expiresAt: null });
      const off = await press(t, { open: false }, serviceForAda);
      expect(off).toMatchObject({
        operation: 'revoked',
        grant: { id: first.grant?.id },
        view: { grants: [] },
      });
      expect(await press(t, { open: false })).toMatchObject({ grant: null, operation: 'unchanged' });
      const anew = await press(t, { open: true });
      expect(anew.operation).toBe('created');
      expect(anew.grant?.id).not.toBe(first.grant?.id);
    });

    it('is chosen anew after the vendor took its notice away, and keeps the one that was shown', async () => {
      await using t = await open();
      const notice = { version: '1' };
      await change(t, { part: 'vendor', values: { notice: { ...notice, text: 'Your data is seen.' } } });
      await press(t, { open: true, written: '1d', notice });
      await change(t, { part: 'vendor', values: { notice: null } }, 1);
      const longer = await press(t, { open: true, written: '1w' });
      expect(longer).toMatchObject({ operation: 'changed', grant: { expiresAt: START + 7 * DAY, notice } });
    });

    it('opens nothing while the tenant has suspended access, and still closes', async () => {
      await using t = await open();
      await press(t, { open: true });
      await change(t, { part: 'own', values: { suspended: true } });
      await expect(press(t, { open: true, written: '1y' })).rejects.toMatchObject({
        code: 'tenant_suspended',
      });
      expect(await press(t, { open: false })).toMatchObject({ operation: 'revoked' });
    });

    it.each([
      ['3d', { presets: ['1d'], default: '1d' }, DAY],
      ['1mo', { presets: ['1d', '1w', '1mo'], default: '1w' }, 7 * DAY],
    ])('opens without a word on the period after the tenant made %s its limit', async (max, holds, lasts) => {
      await using t = await open();
      const { settings } = await change(t, { part: 'own', values: { durations: { max } } });
      expect(settings.effective.durations).toMatchObject({ ...holds, max });
      expect((await press(t, { open: true })).grant).toMatchObject({ expiresAt: START + lasts });
    });

    it('opens for as long as the limit allows where that leaves none of the periods on offer', async () => {
      await using t = await open();
      await change(t, { part: 'vendor', values: { durations: { presets: ['1w', '1mo'] } } });
      const { settings } = await change(t, { part: 'own', values: { durations: { max: '3d' } } }, 1);
      expect(settings.effective.durations).toMatchObject({ presets: [], default: '3d' });
      expect((await press(t, { open: true })).grant).toMatchObject({ expiresAt: START + 3 * DAY });
    });

    it('makes one grant of two admins who press it together', async () => {
      await using t = await open();
      const both = await Promise.all([press(t, { open: true }), press(t, { open: true })]);
      expect(both.map(({ operation }) => operation)).toEqual(['created', 'unchanged']);
      expect(await t.grants.activeFor(acme)).toHaveLength(1);
    });

    it.each([
      [{ open: true, written: '2d' }, admin, 'not_a_preset'],
      [{ open: true, written: '2030-02-01' }, admin, 'not_a_preset'],
      [{ open: true, audience: { org: null, groups: null, principals: null } }, admin, 'empty_audience'],
      [{ open: true, notice: { version: '1' } }, admin, 'notice_not_current'],
      [{ open: true }, bareService, 'consent_required'],
      [{ open: true }, staff, 'consent_required'],
      [{ open: true }, user, 'policy_admins'],
    ] as readonly (readonly [SwitchWish, Actor, string])[])(
      'refuses %j as it should, and opens nothing',
      async (wish, by, code) => {
        await using t = await open();
        await expect(press(t, wish, by)).rejects.toMatchObject({ code });
        expect(await t.grants.activeFor(acme)).toEqual([]);
        expect(t.changes).toEqual([]);
      },
    );

    it('ends on no press of staff', async () => {
      await using t = await open();
      await press(t, { open: true });
      await expect(press(t, { open: false }, staff)).rejects.toMatchObject({ code: 'consent_required' });
      expect(await t.grants.activeFor(acme)).toHaveLength(1);
    });
  });
}
