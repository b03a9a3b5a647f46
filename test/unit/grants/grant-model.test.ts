// Random lives of grants by random people, held against a simple model after each step: nothing is done that the model
// forbids, nothing refused that it allows, nobody uses what they gave or verified, and nothing holds a millisecond past its
// end. `POSTERN_GRANT_RUNS` sets how many sequences are tried; 300 by default.
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import { type Actor, type Audience, chooseInView, grantStatusAt } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import type { GrantStore } from '#grants/grant-store.ts';
import { createSqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import {
  addressOf,
  AUDIENCES,
  chosen,
  isAlive,
  isNamed,
  isWidening,
  mayConsent,
  mayStand,
  mayTouch,
  type ModelActor,
  type ModelAudience,
  type ModelGrant,
  type ModelScope,
  type ModelSettings,
  type ModelStaff,
} from '../../support/grant-model.ts';
import { START, settingsWith, temporaryFolder } from '../../support/grants-fixtures.ts';

const RUNS = Number(process.env['POSTERN_GRANT_RUNS'] ?? 300);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const nobody = { email: null, person: null, permission: false, licence: false };
const ACTORS: readonly ModelActor[] = [
  { ...nobody, kind: 'tenant_admin', id: 'ada', email: 'ada@acme.example', permission: true },
  // Also works for the vendor, under another issuer and the same address.
  { ...nobody, kind: 'tenant_admin', id: 'bob', email: 'bob@acme.example', licence: true, permission: true },
  { ...nobody, kind: 'tenant_user', id: 'uma', email: 'uma@acme.example', licence: true },
  { ...nobody, kind: 'tenant_user', id: 'uli' },
  { ...nobody, kind: 'service', id: 'key' },
  { ...nobody, kind: 'service', id: 'key', person: 'ada@acme.example', permission: true, licence: true },
  { ...nobody, kind: 'service', id: 'key', person: 'sam@vendor.example', permission: true },
  { ...nobody, kind: 'staff', id: 'sam', email: 'sam@vendor.example', permission: true, licence: true },
  { ...nobody, kind: 'security', id: 'sue', email: 'sue@vendor.example', permission: true, licence: true },
];
const STAFF: readonly ModelStaff[] = [
  { id: 'sam', email: 'sam@vendor.example', org: 'vendor', groups: ['support'] },
  { id: 'lea', email: 'lea@vendor.example', org: 'vendor', groups: ['leads'] },
  { id: 'lou', email: 'lou@desk.example', org: 'desk', groups: ['support', 'leads'] },
  { id: 'bob@acme.example', email: 'bob@acme.example', org: 'vendor', groups: ['support'] },
];
const IDP = 'https://idp.vendor.example';
const AUDIENCE: Readonly<Record<ModelAudience, Audience>> = {
  vendor: { org: 'vendor', groups: null, principals: null },
  support: { org: null, groups: ['support'], principals: null },
  sam: { org: null, groups: null, principals: [{ issuer: IDP, id: 'sam' }] },
  desk: { org: 'desk', groups: null, principals: null },
  vendor_support: { org: 'vendor', groups: ['support'], principals: null },
  bob: { org: null, groups: null, principals: [{ issuer: IDP, id: 'bob@acme.example' }] },
};

function actorOf({ kind, id, email, person, permission, licence }: ModelActor): Actor {
  const holds = { permissions: permission ? ['manage'] : [], products: licence ? ['desk'] : [] };
  const onBehalfOf =
    person === null ? null : { id: `person ${person}`, email: person.toUpperCase(), name: null };
  return { kind, id, issuer: 'https://app.example.com', email, name: null, onBehalfOf, holds };
}

function principalOf(staff: ModelStaff): Principal {
  return { ...staff, issuer: IDP, name: null };
}

function settingsOf(model: ModelSettings): TenantSettings {
  const rules = {
    admins: { kind: 'admins' },
    permission: { kind: 'permission', permission: 'manage' },
    users: { kind: 'users' },
    licensed_users: { kind: 'licensed_users', product: 'desk' },
    nobody: { kind: 'nobody' },
  } as const;
  return settingsWith({
    mayGrant: rules[model.mayGrant],
    liftable: model.liftable ? ['export'] : [],
    excludedOrgs: model.excludesVendor ? ['vendor'] : [],
    vendorVerification: model.verifies ? 'required' : 'none',
    standing: model.standing ? 'read' : 'none',
    switchGrant: { access: 'read', audience: AUDIENCE.vendor, roles: [], workspaces: [] },
    notice: model.notice === null ? null : { version: model.notice, text: 'Your data will be seen.' },
    durations: {
      max: model.max,
      maxPerCase: model.maxPerCaseDays === null ? null : `${model.maxPerCaseDays}d`,
      indefinite: model.indefinite,
    },
  });
}

const index = (length: number) => fc.nat({ max: length - 1 });
/** Mostly somebody who may, or nothing would ever happen. */
const actor = fc.oneof(
  { weight: 3, arbitrary: index(3).map((i) => ACTORS[i] as ModelActor) },
  { weight: 2, arbitrary: index(ACTORS.length).map((i) => ACTORS[i] as ModelActor) },
);
const staff = index(STAFF.length).map((i) => STAFF[i] as ModelStaff);
const audience = fc.constantFrom(...AUDIENCES);
/** Around the limits as often as anywhere: 14 days and a month of the calendar, each with its next millisecond. */
const length = fc.oneof(
  fc.constantFrom<number | null>(null, 0, 999, 1000, DAY, 10 * DAY, 10 * DAY + 1, 14 * DAY, 14 * DAY + 1),
  fc.integer({ min: 28, max: 31 }).map((days) => days * DAY),
  fc.integer({ min: HOUR, max: 6 * DAY }),
  fc.integer({ min: HOUR, max: 6 * DAY }),
  fc.integer({ min: -HOUR, max: 20 * DAY }),
);
const delay = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 12 * DAY }));
/** `current`: whatever the settings say when it comes to it. */
const notice = fc.constantFrom<string | null>('current', 'current', 'current', 'current', null, '1', '2');
const settings: fc.Arbitrary<ModelSettings> = fc.record({
  mayGrant: fc.constantFrom(
    'admins',
    'admins',
    'admins',
    'permission',
    'users',
    'users',
    'users',
    'licensed_users',
    'nobody',
  ),
  max: fc.constantFrom('14d', '1mo'),
  maxPerCaseDays: fc.constantFrom(null, null, 10, 14),
  indefinite: fc.boolean(),
  liftable: fc.boolean(),
  excludesVendor: fc.nat({ max: 5 }).map((n) => n === 0),
  verifies: fc.boolean(),
  standing: fc.boolean(),
  notice: fc.constantFrom(null, null, null, '1', '2'),
});
const wish = {
  create: fc.record({
    do: fc.constant('create' as const),
    by: actor,
    delay,
    length,
    write: fc.boolean(),
    audience,
    lifts: fc.nat({ max: 4 }).map((n) => n === 0),
    actAs: fc.constantFrom<string | null>(null, null, 'uma', 'uli'),
    case: fc.constantFrom('CASE-1', 'CASE-2', 'case-1'),
    notice,
  }),
  change: fc.record({
    do: fc.constant('change' as const),
    by: actor,
    grant: fc.nat(),
    start: fc.option(delay, { freq: 5 }),
    length: fc.option(length, { nil: undefined, freq: 1 }),
    write: fc.option(fc.boolean(), { nil: undefined }),
    audience: fc.option(audience, { nil: undefined, freq: 3 }),
    lifts: fc.option(fc.boolean(), { nil: undefined, freq: 3 }),
    notice,
  }),
  revoke: fc.record({ do: fc.constant('revoke' as const), by: actor, grant: fc.nat() }),
  verify: fc.record({ do: fc.constant('verify' as const), lead: staff, grant: fc.nat() }),
  wait: fc.record({
    do: fc.constant('wait' as const),
    ms: fc.oneof(fc.integer({ min: 1, max: 3 * DAY }), fc.constantFrom(1, HOUR, DAY, 10 * DAY)),
  }),
  settle: fc.record({ do: fc.constant('settle' as const), settings }),
};
const step = fc.oneof(
  { weight: 6, arbitrary: wish.create },
  { weight: 6, arbitrary: wish.change },
  { weight: 1, arbitrary: wish.revoke },
  { weight: 3, arbitrary: wish.verify },
  { weight: 3, arbitrary: wish.wait },
  { weight: 1, arbitrary: wish.settle },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
/** The notice that somebody shows, once it is known which one is current. */
function noticeOf(
  { notice: said }: { readonly notice: string | null },
  { settings: rules }: World,
): string | null {
  return said === 'current' ? rules.notice : said;
}

type Of<Name extends Step['do']> = Extract<Step, { readonly do: Name }>;

/** One tenant's world, in the store and in the model. */
class World {
  readonly tenant: TenantId;
  readonly store: GrantStore;
  readonly clock: { at: number };
  settings: ModelSettings;
  grants: ModelGrant[] = [];

  constructor(tenant: TenantId, store: GrantStore, clock: { at: number }, settings: ModelSettings) {
    this.tenant = tenant;
    this.store = store;
    this.clock = clock;
    this.settings = settings;
  }

  get now(): number {
    return this.clock.at;
  }
}

async function outcome<T>(call: Promise<T>): Promise<T | GrantRefusal> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof GrantRefusal) return error;
    throw error;
  }
}

/** Both, or neither: the store's answer is the model's. */
async function agree<T>(call: Promise<T>, allowed: boolean, what: unknown): Promise<T | null> {
  const answer = await outcome(call);
  const refused = answer instanceof GrantRefusal;
  if (refused === allowed) {
    const said = refused ? `refused as ${answer.code}` : 'done';
    throw new Error(`the model ${allowed ? 'allows' : 'forbids'} what was ${said}: ${JSON.stringify(what)}`);
  }
  return refused ? null : answer;
}

const reason = { type: 'customer_initiated_support', detail: 'The invoice page is empty.' } as const;
const shown = (version: string | null) => (version === null ? {} : { notice: { version } });

async function create(world: World, wish: Of<'create'>): Promise<void> {
  const { now, settings: rules, grants } = world;
  const startsAt = now + wish.delay;
  const endsAt = wish.length === null ? null : startsAt + wish.length;
  const scope: ModelScope = { ...wish, startsAt, endsAt };
  const caseRef = wish.case.toUpperCase();
  const version = noticeOf(wish, world);
  const allowed =
    mayConsent(wish.by, wish.actAs, rules) &&
    version === rules.notice &&
    mayStand({ ...scope, id: '', caseRef }, wish.by, world);
  const call = world.store.create(
    {
      tenant: world.tenant,
      startsAt: startsAt as EpochMs,
      expiresAt: endsAt as EpochMs | null,
      access: wish.write ? 'write' : 'read',
      audience: AUDIENCE[wish.audience],
      roles: [],
      workspaces: [],
      actAs: wish.actAs,
      lifts: wish.lifts ? ['export'] : [],
      caseRef: wish.case,
      reason,
      ...shown(version),
    },
    actorOf(wish.by),
  );
  const made = await agree(call, allowed, wish);
  if (made === null) return;
  const { write, audience: forWhom, lifts, actAs } = wish;
  grants.push({
    id: made.id,
    order: grants.length,
    startsAt,
    endsAt,
    write,
    audience: forWhom,
    lifts,
    actAs,
    caseRef,
    revokedAt: null,
    consented: [addressOf(wish.by) ?? ''],
    verification: rules.verifies ? 'pending' : 'none',
    notice: version,
  });
}

function picked(world: World, n: number): ModelGrant | null {
  return world.grants[n % Math.max(1, world.grants.length)] ?? null;
}

function replace(world: World, next: ModelGrant): void {
  world.grants = world.grants.map((one) => (one.id === next.id ? next : one));
}

async function change(world: World, wish: Of<'change'>): Promise<void> {
  const before = picked(world, wish.grant);
  if (before === null) return;
  const { now, settings: rules } = world;
  const startsAt = wish.start === null ? before.startsAt : now + wish.start;
  const scope: ModelScope = {
    startsAt,
    endsAt: wish.length === undefined ? before.endsAt : wish.length === null ? null : startsAt + wish.length,
    write: wish.write ?? before.write,
    audience: wish.audience ?? before.audience,
    lifts: wish.lifts ?? before.lifts,
  };
  const wider = isWidening(before, scope);
  const version = noticeOf(wish, world);
  const known = version ?? before.notice;
  const same = JSON.stringify(scopeOf(before)) === JSON.stringify(scope);
  const allowed =
    mayTouch(wish.by, before) &&
    isAlive(before, now) &&
    (same ||
      ((scope.startsAt === before.startsAt || now < before.startsAt) &&
        (wider
          ? mayConsent(wish.by, before.actAs, rules) &&
            known === rules.notice &&
            mayStand({ ...scope, id: before.id, caseRef: before.caseRef }, wish.by, world)
          : scope.endsAt === null || (scope.endsAt > now && scope.endsAt > scope.startsAt))));
  const call = world.store.change(
    before.id as GrantId,
    {
      startsAt: scope.startsAt as EpochMs,
      expiresAt: scope.endsAt as EpochMs | null,
      access: scope.write ? 'write' : 'read',
      audience: AUDIENCE[scope.audience],
      lifts: scope.lifts ? ['export'] : [],
      ...shown(version),
    },
    actorOf(wish.by),
  );
  if ((await agree(call, allowed, wish)) === null || same) return;
  if (!wider) return replace(world, { ...before, ...scope });
  replace(world, {
    ...before,
    ...scope,
    notice: known,
    consented: [...before.consented, addressOf(wish.by) ?? ''],
    verification: before.verification === 'none' && !rules.verifies ? 'none' : 'pending',
  });
}

function scopeOf({ startsAt, endsAt, write, audience: forWhom, lifts }: ModelScope): ModelScope {
  return { startsAt, endsAt, write, audience: forWhom, lifts };
}

async function revoke(world: World, wish: Of<'revoke'>): Promise<void> {
  const before = picked(world, wish.grant);
  if (before === null) return;
  const call = world.store.revoke(before.id as GrantId, actorOf(wish.by));
  if ((await agree(call, mayTouch(wish.by, before), wish)) === null) return;
  if (before.revokedAt === null) replace(world, { ...before, revokedAt: world.now });
}

async function verify(world: World, wish: Of<'verify'>): Promise<void> {
  const before = picked(world, wish.grant);
  if (before === null) return;
  const { lead } = wish;
  const isUser = isNamed(before.audience, lead) || before.consented.includes(lead.email);
  const pending = before.verification === 'pending';
  const allowed = isAlive(before, world.now) && before.verification !== 'none' && (!pending || !isUser);
  const call = world.store.verify(before.id as GrantId, principalOf(lead));
  if ((await agree(call, allowed, wish)) !== null && pending)
    replace(world, { ...before, verification: lead.email });
}

async function take(world: World, wish: Step): Promise<void> {
  switch (wish.do) {
    case 'create':
      return create(world, wish);
    case 'change':
      return change(world, wish);
    case 'revoke':
      return revoke(world, wish);
    case 'verify':
      return verify(world, wish);
    case 'wait':
      world.clock.at += wish.ms;
      return;
    case 'settle':
      world.settings = wish.settings;
  }
}

/** Now, and at each start and end there is, a millisecond before it and at it: whom each grant lets in. */
async function look(world: World): Promise<void> {
  const { tenant, grants, now } = world;
  const real = settingsOf(world.settings);
  const view = {
    grants: await world.store.activeFor(tenant),
    settings: real,
    standing: standingGrants(tenant, real),
  };
  const edges = grants.flatMap(({ startsAt, endsAt }) => [
    startsAt - 1,
    startsAt,
    (endsAt ?? now) - 1,
    endsAt ?? now,
  ]);
  for (const when of [now, ...edges.filter((at) => at > now)]) {
    for (const one of STAFF) {
      const found = chooseInView(view, principalOf(one), when as EpochMs);
      const expected = chosen(grants, world.settings, { staff: one, when });
      if (typeof found === 'string') {
        expect(found === 'grant_ambiguous' ? 'ambiguous' : null).toBe(expected);
        continue;
      }
      expect(found.source === 'standing' ? 'standing' : found.id).toBe(expected);
      expect(grantStatusAt(found, when as EpochMs)).toBe('active');
    }
  }
}

describe('the life of grants', () => {
  it(`agrees with the model in ${RUNS} random sequences`, { timeout: 60_000 + RUNS * 200 }, async () => {
    using folder = temporaryFolder();
    const at = { at: START as number };
    const clock: Clock = { now: () => at.at as EpochMs, monotonic: () => at.at as MonotonicMs };
    let world: World | null = null;
    const store = createSqliteGrantStore({
      path: join(folder.path, 'g.db'),
      clock,
      settings: () => settingsOf((world as World).settings),
    });
    let run = 0;
    let done = 0;
    await fc.assert(
      fc.asyncProperty(
        settings,
        fc.array(step, { minLength: 12, maxLength: 30, size: 'max' }),
        async (first, steps) => {
          at.at = START;
          world = new World(`tenant-${run++}` as TenantId, store, at, first);
          for (const one of steps) {
            await take(world, one);
            await look(world);
          }
          done += world.grants.length;
        },
      ),
      { numRuns: RUNS },
    );
    await store.close();
    // A model that lets nothing happen proves nothing.
    expect(done).toBeGreaterThan(RUNS);
  });
});
