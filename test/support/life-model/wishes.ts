// What random people wish for: anything, but mostly something that may come true, or nothing would ever happen.
import * as fc from 'fast-check';
import {
  type Account,
  ACCOUNTS,
  ADA,
  ADMINS,
  CUSTOMERS,
  KEY,
  LEADS,
  SECURITY,
  STAFF,
  SUPPORT,
  type Tenant,
  TENANTS,
} from './actors.ts';
import { AUDIENCES, DAY, HOUR, MINUTE } from './life.ts';
import type { OwnWord, VendorWord } from './settings.ts';

// A counterexample names people, and does not describe them.
for (const account of ACCOUNTS) Object.assign(account, { [fc.toStringMethod]: () => account.name });

const oneOf = <T>(...things: readonly T[]) => fc.constantFrom(...things);
/** True once in so many times. */
const once = (times: number) => fc.nat({ max: times - 1 }).map((n) => n === 0);
const or = <T>(weight: number, usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: other });
const anybody = oneOf(...ACCOUNTS);
const admin = or(6, oneOf(ADA, ADA, ADA, ...ADMINS), or(2, oneOf(...CUSTOMERS), anybody));
const customer = or(6, or(2, oneOf(ADA, ADA, ...ADMINS), oneOf(...CUSTOMERS)), anybody);
const asker = or(20, oneOf(...SUPPORT, ...SUPPORT, ...STAFF), anybody);
const staff = oneOf(...SUPPORT, ...STAFF);
const lead = or(12, oneOf(...LEADS), oneOf(...STAFF));
const security = or(12, or(7, oneOf(...SECURITY.slice(0, 3)), oneOf(...SECURITY)), anybody);
const tenant = or(9, fc.constant(TENANTS[0]), fc.constant(TENANTS[1]));
/** Past the control API's table, where the store alone stands in the way. */
const straight = once(3);
const isStale = once(15);
const caseRef = or(
  12,
  oneOf<string | null>('CASE-1', 'CASE-1', 'CASE-2', 'case-1', 'CASE-3'),
  fc.constant(null),
);

/** Around the limits as often as anywhere: 14 days and a month of the calendar, each with its next millisecond. */
const length = fc.oneof(
  oneOf<number | null>(null, 0, 999, 1000, DAY, 10 * DAY, 10 * DAY + 1, 14 * DAY, 14 * DAY + 1),
  fc.integer({ min: 28, max: 31 }).map((days) => days * DAY),
  fc.integer({ min: HOUR, max: 6 * DAY }),
  fc.integer({ min: HOUR, max: 6 * DAY }),
  fc.integer({ min: -HOUR, max: 20 * DAY }),
);
const delay = or(
  3,
  fc.constant(0),
  fc.oneof(fc.integer({ min: 0, max: 12 * DAY }), oneOf(-MINUTE, -MINUTE - 1)),
);
/** `current`: whatever the settings say when it comes to it. */
const notice = or(9, fc.constant<string | null>('current'), oneOf<string | null>(null, '1', '2'));
const audience = oneOf(...AUDIENCES, 'vendor', 'support', 'vendor');
const actAs = or(4, fc.constant<string | null>(null), oneOf<string | null>('uma', 'uli'));
const wanted = fc.record({ write: fc.boolean(), days: oneOf(1, 1, 3, 3, 10, 14, 15, 30), lifts: once(5) });

export const vendorWord: fc.Arbitrary<VendorWord> = fc.record({
  class: or(5, fc.constant('standard'), oneOf('trial', 'gov')),
  mayGrant: or(
    2,
    oneOf('admins', 'users', 'users'),
    oneOf('permission', 'users', 'licensed_users', 'nobody'),
  ),
  max: oneOf('14d', '1mo'),
  maxPerCaseDays: oneOf(null, null, 10, 14),
  indefinite: fc.boolean(),
  liftable: fc.boolean(),
  verifies: once(3),
  standing: once(3),
  notice: oneOf(null, null, null, '1', '2'),
  approvals: oneOf(1, 1, 2),
  leadFirst: once(3),
  requestHours: oneOf(1, 24, 24),
  sessionsRequired: fc.boolean(),
  idleMinutes: oneOf(null, null, 20),
  sessionHours: oneOf(null, null, 2),
  breakGlass: or(3, fc.constant(true), fc.constant(false)),
  caseRequired: or(3, fc.constant(true), fc.constant(false)),
  switchWrites: fc.boolean(),
});

const ownWord: fc.Arbitrary<OwnWord> = fc.record({
  suspended: once(3),
  mayGrant: oneOf(null, null, null, 'admins', 'permission', 'nobody'),
  noStanding: once(4),
  sessionsRequired: once(4),
  approvals: oneOf(null, null, null, 1, 2),
  noBreakGlass: once(4),
  idleMinutes: oneOf(null, null, 10, 30),
  maxDays: oneOf(null, null, null, 10),
});

const giving = {
  tenant,
  by: customer,
  straight,
  delay,
  length,
  write: fc.boolean(),
  audience,
  lifts: once(6),
  actAs,
  caseRef,
  notice,
};
/** Mostly whoever wishes something for a tenant is of it. */
function atHome<T extends { readonly tenant: Tenant; readonly by: Account }>(wish: fc.Arbitrary<T>) {
  return fc.tuple(wish, once(8)).map(([one, abroad]) => (abroad ? one : homed(one)));
}

function homed<T extends { readonly by: Account }>(one: T): T {
  return one.by.home === null ? one : { ...one, tenant: one.by.home };
}

const creating = atHome(fc.record(giving));

export type Creating = typeof creating extends fc.Arbitrary<infer T> ? T : never;

const target = fc.oneof(
  fc.record({
    kind: fc.constant('principal' as const),
    account: staff.map(({ name }) => name),
    withEmail: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('tenant' as const), tenant }),
  fc.record({
    kind: fc.constant('case' as const),
    caseRef: oneOf('CASE-1', 'CASE-2', 'case-1'),
    tenant: fc.option(tenant, { freq: 2 }),
  }),
  fc.record({ kind: fc.constant('everything' as const) }),
);

const wish = {
  create: atHome(fc.record({ do: fc.constant('create' as const), ...giving })),
  both: fc.record({
    do: fc.constant('both' as const),
    first: creating,
    second: creating,
    sameCase: fc.boolean(),
  }),
  change: fc.record({
    do: fc.constant('change' as const),
    by: customer,
    straight,
    grant: fc.nat(),
    start: fc.option(delay, { freq: 5 }),
    length: fc.option(length, { nil: undefined, freq: 1 }),
    write: fc.option(fc.boolean(), { nil: undefined }),
    audience: fc.option(audience, { nil: undefined, freq: 3 }),
    lifts: fc.option(fc.boolean(), { nil: undefined, freq: 3 }),
    caseRef: fc.option(caseRef, { nil: undefined, freq: 6 }),
    notice,
    isStale,
  }),
  revoke: fc.record({
    do: fc.constant('revoke' as const),
    by: or(3, customer, security),
    straight,
    grant: fc.nat(),
  }),
  verify: fc.record({ do: fc.constant('verify' as const), lead, straight, grant: fc.nat() }),
  press: atHome(
    fc.record({
      do: fc.constant('press' as const),
      tenant,
      by: admin,
      straight,
      open: or(3, fc.constant(true), fc.constant(false)),
      days: oneOf(1, 1, 7, 10, 14, 15, null),
      write: oneOf(null, null, true, false),
      notice,
    }),
  ),
  settleVendor: fc.record({
    do: fc.constant('settle' as const),
    tenant,
    by: or(15, fc.constant(KEY), anybody),
    straight,
    part: fc.constant('vendor' as const),
    says: vendorWord,
    isStale,
  }),
  settleOwn: atHome(
    fc.record({
      do: fc.constant('settle' as const),
      tenant,
      by: admin,
      straight,
      part: fc.constant('own' as const),
      says: ownWord,
      isStale,
    }),
  ),
  ask: fc.record({
    do: fc.constant('ask' as const),
    tenant,
    by: asker,
    caseRef,
    actAs,
    wanted,
    escalates: fc.option(fc.nat(), { freq: 1 }),
  }),
  approve: fc.record({
    do: fc.constant('approve' as const),
    /** `lead` picks the first, `tenant` the second, as the request stands. */
    lead,
    admin,
    request: fc.nat(),
    straight,
    isOutOfTurn: once(10),
    narrowing: fc.option(wanted, { freq: 3 }),
    notice,
    isStale,
  }),
  deny: fc.record({
    do: fc.constant('deny' as const),
    by: or(2, admin, lead),
    request: fc.nat(),
    straight,
    isStale,
  }),
  withdraw: fc.record({
    do: fc.constant('withdraw' as const),
    by: fc.option(asker, { freq: 3 }),
    request: fc.nat(),
  }),
  open: fc.record({
    do: fc.constant('open' as const),
    tenant,
    /** Null: somebody whom a grant lets in. */
    by: fc.option(asker, { freq: 1 }),
    who: fc.nat(),
    grant: fc.option(fc.nat(), { freq: 2 }),
    write: fc.boolean(),
    /** `grants`: that of the grant which would be chosen. */
    caseRef: or(2, fc.constant<string | null>('grants'), caseRef),
    hasReason: or(20, fc.constant(true), fc.constant(false)),
  }),
  use: fc.record({ do: fc.constant('use' as const), session: fc.nat() }),
  end: fc.record({
    do: fc.constant('end' as const),
    session: fc.nat(),
    by: fc.option(or(2, admin, security), { freq: 2 }),
    note: fc.option(fc.constant('Looked at the invoice.')),
  }),
  lock: fc.record({
    do: fc.constant('lock' as const),
    by: security,
    straight,
    target,
    length: oneOf(null, 0, -1, 1, HOUR, HOUR, DAY),
  }),
  lift: fc.record({ do: fc.constant('lift' as const), by: security, straight, lock: fc.nat() }),
  breakGlass: fc.record({
    do: fc.constant('break' as const),
    tenant,
    by: security,
    straight,
    responder: fc.option(staff),
    caseRef: or(3, caseRef, fc.constant(null)),
    write: fc.boolean(),
    ms: oneOf(MINUTE - 1, MINUTE, HOUR, HOUR, HOUR, 4 * HOUR, 4 * HOUR + 1),
  }),
  confirm: fc.record({ do: fc.constant('confirm' as const), by: security, straight, emergency: fc.nat() }),
  /** To an instant near an end or a start, or for a while. */
  wait: fc.oneof(
    fc.record({
      do: fc.constant('wait' as const),
      edge: fc.nat({ max: 5 }),
      ms: oneOf(-1, 0, 1),
    }),
    fc.record({
      do: fc.constant('wait' as const),
      edge: fc.constant(null),
      ms: or(
        4,
        oneOf(1, 5 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, HOUR, HOUR, DAY),
        or(3, fc.integer({ min: 1, max: 3 * DAY }), fc.constant(10 * DAY)),
      ),
    }),
  ),
  tick: fc.record({ do: fc.constant('tick' as const) }),
};

export const step = fc.oneof(
  { weight: 8, arbitrary: wish.create },
  { weight: 2, arbitrary: wish.both },
  { weight: 6, arbitrary: wish.change },
  { weight: 2, arbitrary: wish.revoke },
  { weight: 4, arbitrary: wish.verify },
  { weight: 4, arbitrary: wish.press },
  { weight: 1, arbitrary: wish.settleVendor },
  { weight: 2, arbitrary: wish.settleOwn },
  { weight: 6, arbitrary: wish.ask },
  { weight: 9, arbitrary: wish.approve },
  { weight: 1, arbitrary: wish.deny },
  { weight: 1, arbitrary: wish.withdraw },
  { weight: 12, arbitrary: wish.open },
  { weight: 5, arbitrary: wish.use },
  { weight: 3, arbitrary: wish.end },
  { weight: 2, arbitrary: wish.lock },
  { weight: 3, arbitrary: wish.lift },
  { weight: 3, arbitrary: wish.breakGlass },
  { weight: 3, arbitrary: wish.confirm },
  { weight: 7, arbitrary: wish.wait },
  { weight: 3, arbitrary: wish.tick },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
export type Of<Name extends Step['do']> = Extract<Step, { readonly do: Name }>;
