// The merge of settings: which layer wins, and that the customer's own part never makes anything looser.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OwnPart, SettingsDefaults, VendorPart } from '#model/settings-layer.ts';
import type { GrantorRule, TenantSettings } from '#model/tenant-settings.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import {
  effectiveSettings,
  isWithin,
  NO_SETTINGS_DEFAULTS,
  stricterGrantor,
  vendorSettings,
} from '#grants/settings/effective-settings.ts';

const HOUR = 3_600_000;

const PROFILE = {
  name: 'p',
  settings: { standing: 'read' as const, sessionIdleMs: 2 * HOUR, approvals: 2, durations: { max: '1y' } },
  classes: { trial: { systemAccess: 'write' as const, approvals: 3 }, gov: { excludedOrgs: ['vendor'] } },
};

const DEFAULTS: SettingsDefaults = {
  file: { durations: { default: '1d', max: '3d' }, sessionsRequired: false, sessionIdleMs: HOUR },
  floor: { required: false, idleMs: HOUR, maxMs: 8 * HOUR },
  profile: 'p',
  profiles: new Map([['p', PROFILE]]),
  over: { timeZone: 'Europe/Berlin' },
  classes: { trial: { leadFirst: true } },
  recordsKeptMs: 48 * HOUR,
};

const effective = (vendor: VendorPart = {}, own: OwnPart = {}): TenantSettings =>
  effectiveSettings(DEFAULTS, { vendor, own });

describe('effective settings', () => {
  it('are the defaults where nobody says anything', () => {
    expect(effectiveSettings(NO_SETTINGS_DEFAULTS, { vendor: {}, own: {} })).toEqual(DEFAULT_TENANT_SETTINGS);
  });

  it('take each key from the highest layer that has it', () => {
    const settings = effective({ class: 'trial', durations: { default: '2d' } });
    expect(settings).toMatchObject({
      class: 'trial',
      standing: 'read',
      approvals: 3,
      leadFirst: true,
      systemAccess: 'write',
      timeZone: 'Europe/Berlin',
      sessionsRequired: false,
      durations: { default: '2d', max: '1y', min: '1s' },
    });
    expect(effective({ class: 'trial', approvals: 5 }).approvals).toBe(5);
    expect(effective({ class: 'gov' })).toMatchObject({ excludedOrgs: ['vendor'], systemAccess: null });
  });

  it('never promise records for longer than the journal is kept, and nothing where nobody has settled it', () => {
    const kept = [undefined, 47 * HOUR, 48 * HOUR, 49 * HOUR].map((auditRetentionMs) =>
      effective(auditRetentionMs === undefined ? {} : { auditRetentionMs }),
    );
    expect(kept.map(({ auditRetentionMs }) => auditRetentionMs)).toEqual([
      null,
      47 * HOUR,
      48 * HOUR,
      48 * HOUR,
    ]);
  });

  it('are frozen all the way down', () => {
    const settings = effective({
      switchGrant: { audience: { org: 'vendor', groups: ['a'], principals: null } },
    });
    for (const value of [settings, settings.durations, settings.switchGrant.audience.groups]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });

  it('never hold a session less strictly than the gateway’s floor', () => {
    expect(effective({ sessionIdleMs: 9 * HOUR, sessionMaxMs: 99 * HOUR })).toMatchObject({
      sessionIdleMs: HOUR,
      sessionMaxMs: 8 * HOUR,
    });
    const floor = { ...DEFAULTS.floor, required: true };
    const parts = { vendor: { sessionsRequired: false }, own: {} };
    expect(effectiveSettings({ ...DEFAULTS, floor }, parts).sessionsRequired).toBe(true);
  });

  it('never lift what nothing lifts, wherever it is written', () => {
    expect(effective({ liftable: ['destructive', 'self-grant', 'permissions'] }).liftable).toEqual([
      'destructive',
    ]);
    const over = { liftable: ['user-admin', 'credentials'] };
    expect(effectiveSettings({ ...DEFAULTS, over }, { vendor: {}, own: {} }).liftable).toEqual([]);
  });

  it('let nobody in where the class or the profile is no longer configured', () => {
    for (const vendor of [{ class: 'vip' }, { profile: 'gone' }, { class: 'constructor' }]) {
      expect(effective(vendor), JSON.stringify(vendor)).toMatchObject({
        suspended: true,
        systemAccess: null,
      });
    }
  });

  it('keep the customer’s suspension before the class’s own access', () => {
    expect(effective({ class: 'trial' }, { suspended: true })).toMatchObject({
      suspended: true,
      systemAccess: null,
    });
  });

  it('add the customer’s addresses to the vendor’s, and take none away', () => {
    const hook = { id: 'hook_a', url: 'https://a.example', secret: 'whsec_a' };
    const settings = effective(
      { notifyEmails: ['a@acme.example'], webhooks: [hook] },
      { notifyEmails: ['A@acme.example', 'b@acme.example'], webhooks: [{ ...hook, secret: 'whsec_b' }] },
    );
    expect(settings.notifyEmails).toEqual(['a@acme.example', 'b@acme.example']);
    expect(settings.webhooks).toEqual([hook]);
  });

  it('shorten with the customer’s maximum what is offered and what is usual', () => {
    const vendor: VendorPart = {
      durations: { presets: ['1d', '1w', '1mo'], default: '1w', max: '1mo', indefinite: true },
    };
    expect(effective(vendor, { durations: { max: '2d', indefinite: false } }).durations).toMatchObject({
      presets: ['1d'],
      default: '1d',
      max: '2d',
      indefinite: false,
    });
    // Thirty days are not within a month that may be February.
    expect(effective(vendor, { durations: { max: '30d' } }).durations.max).toBe('1mo');
  });

  it.each([
    // The vendor's durations, the customer's, the usual length then.
    [{ presets: ['1d', '1w'], default: '1w' }, {}, '1w'],
    [{ presets: ['1w', '1d', '3d'], default: '1w' }, { max: '6d' }, '3d'],
    [{ presets: ['1d', '1w'], default: '1w' }, { default: '3d' }, '1d'],
    // None on offer is as short: the shortest is, and never one longer than the vendor's.
    [{ presets: ['1w', '3d', '1mo'], default: '1w' }, { default: '2d' }, '3d'],
    [{ presets: ['1w', '1mo'], default: '3d' }, { default: '2d' }, '2d'],
    // Written in another unit it is the one that is offered.
    [{ presets: ['1d', '1w'], default: '1w' }, { max: '7d' }, '1w'],
    [{ presets: ['30d', '1d'], default: '30d' }, { max: '1mo' }, '1d'],
    [{ presets: ['1w', '1mo'], default: '1w' }, { max: '2d' }, '2d'],
    // What the vendor settled for requests, off the offer, stays until the customer shortens it.
    [{ presets: ['1d', '1w'], default: '4d' }, { max: '5d' }, '4d'],
    [{ presets: ['1d', '1w'], default: '4d' }, { max: '3d' }, '1d'],
  ] as const)('have with %j and the customer’s %j the usual length %s', (vendor, own, usual) => {
    const settings = effective({ durations: { max: '1y', ...vendor } }, { durations: own });
    expect(settings.durations.default).toBe(usual);
  });
});

const users: GrantorRule = { kind: 'users' };
const licensed: GrantorRule = { kind: 'licensed_users', product: 'backup' };
const admins: GrantorRule = { kind: 'admins' };
const permission: GrantorRule = { kind: 'permission', permission: 'p' };
const nobody: GrantorRule = { kind: 'nobody' };
const licensedAdmins: GrantorRule = { kind: 'admins', product: 'backup' };
const licensedPermission: GrantorRule = { kind: 'permission', permission: 'p', product: 'backup' };

describe('who may grant', () => {
  it.each([
    [users, licensed, licensed],
    [users, admins, admins],
    [admins, permission, permission],
    [admins, users, null],
    [permission, admins, null],
    [permission, { kind: 'permission', permission: 'q' }, null],
    [nobody, admins, null],
    [licensed, users, null],
    [licensed, { kind: 'licensed_users', product: 'other' }, null],
    [licensed, nobody, nobody],
    // The licence stays asked for: an admin without one could not grant before.
    [licensed, admins, { kind: 'admins', product: 'backup' }],
    [licensed, permission, { kind: 'permission', permission: 'p', product: 'backup' }],
    [licensed, { kind: 'admins', product: 'other' }, null],
    [licensedAdmins, admins, licensedAdmins],
    [admins, licensedAdmins, licensedAdmins],
    [licensedAdmins, licensedAdmins, licensedAdmins],
    [licensedAdmins, { kind: 'admins', product: 'other' }, null],
    [licensedAdmins, licensed, null],
    [permission, licensedPermission, licensedPermission],
    [licensedPermission, permission, licensedPermission],
    [licensedPermission, { ...licensedPermission, product: 'other' }, null],
    [permission, { ...licensedPermission, permission: 'q' }, null],
    [licensedPermission, { kind: 'permission', permission: 'q' }, null],
    [licensed, licensed, licensed],
    [users, users, users],
  ] as readonly (readonly [GrantorRule, GrantorRule, GrantorRule | null])[])(
    'under %j, made %j by the customer, is %j',
    (base, own, expected) => {
      expect(stricterGrantor(base, own)).toEqual(expected);
    },
  );
});

const grantor = fc.constantFrom(
  users,
  licensed,
  admins,
  permission,
  nobody,
  licensedAdmins,
  licensedPermission,
);
const lengths = fc.constantFrom('1h', '1d', '7d', '30d', '1mo', '31d', '1y', '366d', '5y');
const categories = fc.subarray(['destructive', 'sensitive', 'export', 'self-grant', 'permissions']);
const ms = fc.integer({ min: 60_000, max: 48 * HOUR });
const shared = {
  standing: fc.constantFrom('none' as const, 'read' as const),
  sessionsRequired: fc.boolean(),
  sessionIdleMs: ms,
  sessionMaxMs: ms,
  liftable: categories,
  mayGrant: grantor,
  reasonRequired: fc.boolean(),
  caseRefRequired: fc.boolean(),
  approvals: fc.integer({ min: 1, max: 4 }),
  requestLifetimeMs: ms,
  defaultAccess: fc.constantFrom('read' as const, 'write' as const),
  breakGlass: fc.boolean(),
};
const vendorPart = fc.record(
  {
    ...shared,
    class: fc.constantFrom('standard', 'trial', 'gov', 'gone'),
    durations: fc.record(
      {
        presets: fc.array(lengths, { maxLength: 3 }),
        default: lengths,
        max: lengths,
        indefinite: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);
/** Anything at all, also what no rule would let in: what holds must not depend on what was checked when it was set. */
const ownPart = fc.record(
  {
    ...shared,
    suspended: fc.boolean(),
    durations: fc.record({ default: lengths, max: lengths, indefinite: fc.boolean() }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

const never = (looser: boolean): void => expect(looser).toBe(false);

describe('the customer’s own part', () => {
  it('makes nothing looser, whatever it says', () => {
    fc.assert(
      fc.property(vendorPart, ownPart, (vendor, own) => {
        const base = vendorSettings(DEFAULTS, vendor as VendorPart);
        const now = effectiveSettings(DEFAULTS, { vendor: vendor as VendorPart, own: own as OwnPart });
        never(now.standing === 'read' && base.standing === 'none');
        never(now.systemAccess !== null && base.systemAccess === null);
        never(base.suspended && !now.suspended);
        never(now.suspended && now.systemAccess !== null);
        never(base.sessionsRequired && !now.sessionsRequired);
        never((now.sessionIdleMs ?? Infinity) > (base.sessionIdleMs ?? Infinity));
        never((now.sessionMaxMs ?? Infinity) > (base.sessionMaxMs ?? Infinity));
        never(now.liftable.some((one) => !base.liftable.includes(one)));
        never(now.approvals < base.approvals);
        never(base.reasonRequired && !now.reasonRequired);
        never(base.caseRefRequired && !now.caseRefRequired);
        never(now.requestLifetimeMs > base.requestLifetimeMs);
        never(now.defaultAccess === 'write' && base.defaultAccess === 'read');
        never(now.breakGlass && !base.breakGlass);
        never(now.durations.max !== base.durations.max && !isWithin(now.durations.max, base.durations.max));
        never(now.durations.indefinite && !base.durations.indefinite);
        never(now.durations.presets.some((one) => !base.durations.presets.includes(one)));
        never(
          now.durations.default !== base.durations.default &&
            !isWithin(now.durations.default, base.durations.default),
        );
        never(stricterGrantor(base.mayGrant, now.mayGrant) === null);
        // What was asked for and is stricter holds: it is not only accepted.
        const { mayGrant = base.mayGrant } = own as OwnPart;
        expect(now.mayGrant).toEqual(stricterGrantor(base.mayGrant, mayGrant) ?? base.mayGrant);
        expect([now.excludedOrgs, now.class, now.switchGrant]).toEqual([
          base.excludedOrgs,
          base.class,
          base.switchGrant,
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  it('says the same however often it is merged', () => {
    fc.assert(
      fc.property(vendorPart, ownPart, (vendor, own) => {
        const parts = { vendor: vendor as VendorPart, own: own as OwnPart };
        expect(effectiveSettings(DEFAULTS, parts)).toEqual(
          effectiveSettings(DEFAULTS, structuredClone(parts)),
        );
      }),
      { numRuns: 200 },
    );
  });
});
