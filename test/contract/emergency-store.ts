// The contract of every emergency store: what SQLite promises today and PostgreSQL must promise later.
import { describe, expect, it } from 'vitest';
import { type Actor, type Grant, grantCovers } from '#model/grant.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import type { EmergencyStore } from '#grants/emergencies/emergency-store.ts';
import type { LockStore } from '#grants/locks/lock-store.ts';
import { acme, admin, HOUR, sam, serviceForAda } from '../support/grants-fixtures.ts';
import {
  emergencyDraft,
  everything,
  IDP,
  later,
  type NoticeRow,
  onAcme,
  quinn,
  rita,
  securityPerson,
  withBreakGlass,
} from '../support/lock-fixtures.ts';
import type { ManualClock } from '../support/manual-clock.ts';

interface OpenedEmergencies {
  readonly emergencies: EmergencyStore;
  readonly locks: LockStore;
  notices(): Promise<readonly NoticeRow[]>;
  history(id: string): Promise<readonly object[]>;
}

export interface EmergencyHarness extends AsyncDisposable {
  readonly clock: ManualClock;
  /** Of every tenant, from now on. */
  settings: TenantSettings;
  open(): OpenedEmergencies;
}

const MINUTE = 60_000;

const principalOf = ({ id, issuer, email }: Actor): Principal => ({
  id,
  issuer,
  email,
  name: null,
  groups: [],
  org: 'vendor',
});

const users = (grant: Grant, people: readonly Actor[]) =>
  people.filter((one) => grantCovers(grant, principalOf(one))).map(({ id }) => id);

const forbidden: readonly (readonly [string, Partial<TenantSettings>, string])[] = [
  ['the tenant’s settings do not allow it', { breakGlass: false }, 'break_glass_off'],
  ['the tenant is suspended', { suspended: true }, 'tenant_suspended'],
  ['the organisation is excluded', { excludedOrgs: ['vendor'] }, 'org_excluded'],
];

export function describeEmergencyStore(name: string, harness: () => EmergencyHarness): void {
  describe(`${name}: break glass`, () => {
    it('gives nothing when it is asked for, and tells the tenant', async () => {
      await using place = harness();
      const { emergencies, notices, history } = place.open();
      const asked = await emergencies.ask(emergencyDraft(), quinn);
      expect(asked).toMatchObject({
        ...emergencyDraft(),
        askedBy: quinn,
        createdAt: later(0),
        lapsesAt: later(30 * MINUTE),
        confirmedBy: null,
        grantId: null,
      });
      expect(asked.id).toMatch(/^emg_[0-9A-Z]{26}$/);
      expect(await emergencies.get(asked.id)).toEqual(asked);
      expect(await history(asked.id)).toMatchObject([{ kind: 'emergency', operation: 'ask', tenant: acme }]);
      expect(await notices()).toMatchObject([
        {
          event: 'break_glass.asked',
          tenant: acme,
          by: { name: 'quinn' },
          facts: { emergencyId: asked.id, grantId: null, access: 'write', caseRef: 'CASE-1' },
        },
      ]);
    });

    it('gives the asker and the one named access once another person confirmed, and the tenant is told', async () => {
      await using place = harness();
      const { emergencies, notices, history } = place.open();
      const responder = { issuer: IDP, id: 'omar' };
      const { id } = await emergencies.ask(emergencyDraft({ responder, durationMs: 4 * HOUR }), quinn);
      place.clock.advance(10 * MINUTE);
      const { emergency, grant } = await emergencies.confirm(id, rita);
      expect(grant).toMatchObject({
        tenant: acme,
        source: 'break_glass',
        access: 'write',
        startsAt: later(10 * MINUTE),
        expiresAt: later(10 * MINUTE + 4 * HOUR),
        lifts: [],
        roles: [],
        actAs: null,
        caseRef: 'CASE-1',
        grantedBy: rita,
        audience: { org: 'vendor', groups: null, principals: [{ issuer: IDP, id: 'quinn' }, responder] },
      });
      expect(emergency).toMatchObject({ confirmedBy: rita, confirmedAt: grant.startsAt, grantId: grant.id });
      expect(await emergencies.get(id)).toEqual(emergency);
      expect(await history(grant.id)).toMatchObject([{ kind: 'grant', operation: 'create', by: rita }]);
      expect((await notices()).map(({ event, tenant }) => [event, tenant])).toEqual([
        ['break_glass.asked', acme],
        ['break_glass.used', acme],
      ]);
    });

    it('covers the asker and the one named, never whoever confirmed, under no issuer', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      const responder = { issuer: IDP, id: 'omar' };
      const { id } = await emergencies.ask(emergencyDraft({ responder }), quinn);
      const { grant } = await emergencies.confirm(id, rita);
      const ritaToo = securityPerson('omar', { email: 'Rita@Vendor.example' });
      expect(users(grant, [quinn, rita, securityPerson('omar'), ritaToo, securityPerson('sam')])).toEqual([
        'quinn',
        'omar',
      ]);
      expect(grantCovers(grant, { ...principalOf(quinn), org: 'partner' })).toBe(false);
    });

    it.each<[string, Partial<Actor>]>([
      ['the same account', {}],
      ['the same address under another issuer', { issuer: 'https://other.example', id: 'q-2' }],
      ['the same address in capitals', { id: 'q-2', email: 'QUINN@VENDOR.EXAMPLE' }],
      ['the same account with another address', { email: 'other@vendor.example' }],
    ])('is not confirmed by %s', async (_name, over) => {
      await using place = harness();
      const { emergencies, notices } = place.open();
      const { id } = await emergencies.ask(emergencyDraft(), quinn);
      const by = { ...quinn, ...over };
      await expect(emergencies.confirm(id, by)).rejects.toMatchObject({ code: 'second_person_required' });
      expect((await emergencies.get(id))?.grantId).toBeNull();
      expect(await notices()).toHaveLength(1);
    });

    it('is neither asked for nor confirmed by somebody without a verified address', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      const nameless = securityPerson('nia', { email: null });
      const code = 'verified_email_required';
      await expect(emergencies.ask(emergencyDraft(), nameless)).rejects.toMatchObject({ code });
      const { id } = await emergencies.ask(emergencyDraft(), quinn);
      await expect(emergencies.confirm(id, nameless)).rejects.toMatchObject({ code });
    });

    it.each([
      ['their account', { issuer: IDP, id: 'rita' }],
      [
        'their address, where ids are addresses',
        { issuer: 'https://other.example', id: 'rita@vendor.example' },
      ],
    ])('is not confirmed by whoever it names as its user, by %s', async (_name, responder) => {
      await using place = harness();
      const { emergencies } = place.open();
      const { id } = await emergencies.ask(emergencyDraft({ responder }), quinn);
      await expect(emergencies.confirm(id, rita)).rejects.toMatchObject({ code: 'second_person_required' });
    });

    it.each([
      admin,
      serviceForAda,
      { ...quinn, kind: 'staff' as const },
      { ...quinn, kind: 'system' as const },
    ])('is for security alone ($kind)', async (by) => {
      await using place = harness();
      const { emergencies } = place.open();
      const code = 'security_required';
      await expect(emergencies.ask(emergencyDraft(), by)).rejects.toMatchObject({ code });
      const { id } = await emergencies.ask(emergencyDraft(), rita);
      await expect(emergencies.confirm(id, by)).rejects.toMatchObject({ code });
    });

    it.each(forbidden)('is refused at the asking when %s', async (_name, over, code) => {
      await using place = harness();
      const { emergencies, notices } = place.open();
      place.settings = { ...withBreakGlass, ...over };
      await expect(emergencies.ask(emergencyDraft(), quinn)).rejects.toMatchObject({ code });
      expect(await notices()).toEqual([]);
    });

    it.each(forbidden)('is refused at the confirmation when meanwhile %s', async (_name, over, code) => {
      await using place = harness();
      const { emergencies } = place.open();
      const { id } = await emergencies.ask(emergencyDraft(), quinn);
      place.settings = { ...withBreakGlass, ...over };
      await expect(emergencies.confirm(id, rita)).rejects.toMatchObject({ code });
      expect((await emergencies.get(id))?.confirmedAt).toBeNull();
    });

    it.each([
      ['everything', everything],
      ['the tenant', onAcme],
      ['the case', { kind: 'case', caseRef: 'CASE-1', tenant: null }],
      ['the asker', { kind: 'principal', issuer: IDP, id: 'quinn', email: null }],
      ['the asker by address', { kind: 'principal', issuer: 'x', id: 'y', email: 'quinn@vendor.example' }],
      ['the one named', { kind: 'principal', issuer: IDP, id: 'omar', email: null }],
      ['whoever confirms', { kind: 'principal', issuer: IDP, id: 'rita', email: null }],
    ] as const)('never stands against a lock on %s', async (whom, target) => {
      await using place = harness();
      const { emergencies, locks } = place.open();
      const code = 'break_glass_locked';
      const responder = { issuer: IDP, id: 'omar' };
      const { id } = await emergencies.ask(emergencyDraft({ responder }), quinn);
      const held = await locks.set({ target, message: null, endsAt: null }, securityPerson('zoe'));
      await expect(emergencies.confirm(id, rita)).rejects.toMatchObject({ code });
      if (whom !== 'whoever confirms') {
        const again = emergencies.ask(emergencyDraft({ responder }), quinn);
        await expect(again).rejects.toMatchObject({ code });
      }
      await locks.lift(held.id, securityPerson('zoe'));
      expect((await emergencies.confirm(id, rita)).grant.source).toBe('break_glass');
    });

    it('is confirmed within half an hour or never, and once', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      const first = await emergencies.ask(emergencyDraft(), quinn);
      place.clock.advance(30 * MINUTE - 1);
      await emergencies.confirm(first.id, rita);
      await expect(emergencies.confirm(first.id, rita)).rejects.toMatchObject({
        code: 'emergency_confirmed',
      });
      const second = await emergencies.ask(emergencyDraft(), quinn);
      place.clock.advance(30 * MINUTE);
      await expect(emergencies.confirm(second.id, rita)).rejects.toMatchObject({ code: 'emergency_lapsed' });
    });

    it('is asked for once at a time by the same person for the same tenant', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      await emergencies.ask(emergencyDraft(), quinn);
      const elsewhere = { ...quinn, issuer: 'https://other.example', id: 'q-2' };
      const code = 'emergency_pending';
      await expect(emergencies.ask(emergencyDraft(), elsewhere)).rejects.toMatchObject({ code });
      await emergencies.ask(emergencyDraft(), rita);
      place.clock.advance(30 * MINUTE);
      await emergencies.ask(emergencyDraft(), quinn);
    });

    it.each([
      [MINUTE - 1, 'too_short'],
      [MINUTE, null],
      [4 * HOUR, null],
      [4 * HOUR + 1, 'too_long'],
    ])('lasts %i ms: %s', async (durationMs, code) => {
      await using place = harness();
      const { emergencies } = place.open();
      const asked = emergencies.ask(emergencyDraft({ durationMs }), quinn);
      if (code === null) await expect(asked).resolves.toMatchObject({ durationMs });
      else await expect(asked).rejects.toMatchObject({ code });
    });

    it('names a case in the form the tenant asks for, or none', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      place.settings = { ...withBreakGlass, caseRefPattern: '[0-9]{5,8}' };
      const code = 'case_ref_mismatch';
      await expect(emergencies.ask(emergencyDraft(), quinn)).rejects.toMatchObject({ code });
      await emergencies.ask(emergencyDraft({ caseRef: null }), quinn);
      await emergencies.ask(emergencyDraft({ caseRef: '12345' }), rita);
    });

    it('lists newest first, those that can be confirmed or all', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      const { id: a } = await emergencies.ask(emergencyDraft(), quinn);
      const { id: b } = await emergencies.ask(emergencyDraft(), rita);
      await emergencies.confirm(a, rita);
      place.clock.advance(30 * MINUTE);
      const { id: c } = await emergencies.ask(emergencyDraft(), quinn);
      const all = await emergencies.list({ status: 'all', cursor: null, limit: 2 });
      expect(all.items.map(({ id }) => id)).toEqual([c, b]);
      const rest = await emergencies.list({ status: 'all', cursor: all.nextCursor, limit: 2 });
      expect(rest).toMatchObject({ items: [{ id: a }], nextCursor: null });
      const pending = await emergencies.list({ status: 'pending', cursor: null, limit: 2 });
      expect(pending).toMatchObject({ items: [{ id: c }], nextCursor: null });
    });

    it('knows nothing of an id that was never given', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      expect(await emergencies.get('emg_00000000000000000000000000')).toBeNull();
      await expect(emergencies.confirm('emg_00000000000000000000000000', rita)).rejects.toMatchObject({
        code: 'emergency_unknown',
      });
    });

    it('covers nobody else of the staff', async () => {
      await using place = harness();
      const { emergencies } = place.open();
      const { id } = await emergencies.ask(emergencyDraft(), quinn);
      const { grant } = await emergencies.confirm(id, rita);
      expect(grantCovers(grant, sam)).toBe(false);
    });
  });
}
