// Grants, the switch and the settings, one wish at a time. What was done is then done in the model too.
import type { EpochMs } from '#model/clock.ts';
import type { GrantId } from '#model/ids.ts';
import * as grants from './grants.ts';
import { copyOf, FOREVER, isAlive, type Life, type LifeGrant } from './life.ts';
import { settle as settleInModel, settleCodes, type Settling } from './settings.ts';
import type { Creating, Of } from './wishes.ts';
import { actorOf, audienceOf, patchOf, principalOf, tenantId } from './world.ts';
import {
  accessOf,
  agree,
  disagreement,
  endOf,
  expecting,
  isAgreed,
  liftsOf,
  outcome,
  pick,
  type Place,
  reason,
  shown,
  shownNotice,
} from './agreement.ts';

function givingOf(life: Life, wish: Creating): grants.Giving {
  const { tenant, by, delay, length, write, audience, lifts, actAs, caseRef, notice } = wish;
  const startsAt = life.now + delay;
  const endsAt = length === null ? FOREVER : startsAt + length;
  const version = shownNotice(life, tenant, notice);
  return {
    tenant,
    by,
    startsAt,
    endsAt,
    write,
    audience,
    lifts,
    actAs,
    caseRef,
    notice: version,
    source: 'direct',
  };
}

function created({ world }: Place, giving: grants.Giving): Promise<{ readonly id: string }> {
  return world.grants.create(
    {
      tenant: tenantId(giving.tenant),
      startsAt: giving.startsAt as EpochMs,
      expiresAt: endOf(giving.endsAt),
      access: accessOf(giving.write),
      audience: audienceOf(giving.audience),
      roles: [],
      workspaces: [],
      actAs: giving.actAs,
      lifts: liftsOf(giving.lifts),
      caseRef: giving.caseRef,
      reason,
      ...shown(giving.notice),
    },
    actorOf(giving.by),
  );
}

export async function create(place: Place, what: Of<'create'>): Promise<void> {
  const { life } = place;
  const giving = givingOf(life, what);
  const knock = { ...what, door: 'grants.create' } as const;
  const codes = grants.createCodes(life, giving);
  const made = await agree(place, { knock, codes, what, call: () => created(place, giving) });
  if (made !== null) grants.create(life, giving, made.id);
}

/** Two at once: whichever came first, no more was given than one after the other could have had. */
export async function both(place: Place, what: Of<'both'>): Promise<void> {
  const { life } = place;
  const first = givingOf(life, what.first);
  const second = { ...givingOf(life, what.second), ...(what.sameCase ? caseOf(first) : {}) };
  const answers = await Promise.all([
    outcome(() => created(place, first)),
    outcome(() => created(place, second)),
  ]);
  const turns = [
    { giving: first, answer: answers[0] },
    { giving: second, answer: answers[1] },
  ];
  for (const order of [turns, turns.toReversed()]) {
    const trial = copyOf(life);
    const isPossible = order.every(({ giving, answer }) => {
      const codes = grants.createCodes(trial, giving);
      if (!isAgreed(answer, codes)) return false;
      if ('value' in answer) grants.create(trial, giving, answer.value.id);
      return true;
    });
    if (!isPossible) continue;
    Object.assign(life, trial);
    if (answers.every((one) => 'value' in one)) place.done.set(what.do, (place.done.get(what.do) ?? 0) + 1);
    return;
  }
  throw disagreement(answers[1], grants.createCodes(life, second), { what, first: answers[0] });
}

const caseOf = ({ tenant, caseRef }: grants.Giving) => ({ tenant, caseRef });

const alive = ({ grants: all, now }: Life) => all.filter((one) => isAlive(one, now));

export async function change(place: Place, what: Of<'change'>): Promise<void> {
  const { world, life } = place;
  const before = pick(life.grants, alive(life), what.grant);
  if (before === null) return;
  const { by, isStale } = what;
  const startsAt = what.start === null ? before.startsAt : life.now + what.start;
  const next = {
    startsAt,
    endsAt:
      what.length === undefined ? before.endsAt : what.length === null ? FOREVER : startsAt + what.length,
    write: what.write ?? before.write,
    audience: what.audience ?? before.audience,
    lifts: what.lifts ?? before.lifts,
    caseRef: what.caseRef === undefined ? before.caseRef : what.caseRef,
  };
  const notice = shownNotice(life, before.tenant, what.notice);
  const changing = { by, next, notice, isStale };
  const patch = {
    startsAt: startsAt as EpochMs,
    expiresAt: endOf(next.endsAt),
    access: accessOf(next.write),
    audience: audienceOf(next.audience),
    lifts: liftsOf(next.lifts),
    caseRef: next.caseRef,
    ...shown(notice),
    ...expecting(isStale, before.revision),
  } as const;
  const knock = { ...what, tenant: before.tenant, door: 'grants.change' } as const;
  const codes = grants.changeCodes(life, before, changing);
  const call = () => world.grants.change(before.id as GrantId, patch, actorOf(by));
  if ((await agree(place, { knock, codes, what, call })) !== null) grants.change(life, before, changing);
}

export async function revoke(place: Place, what: Of<'revoke'>): Promise<void> {
  const { world, life } = place;
  const before = pick(life.grants, alive(life), what.grant);
  if (before === null) return;
  const knock = { ...what, tenant: before.tenant, door: 'grants.revoke' } as const;
  const codes = grants.touchCodes(what.by, before);
  const call = () => world.grants.revoke(before.id as GrantId, actorOf(what.by));
  if ((await agree(place, { knock, codes, what, call })) !== null) grants.revoke(life, before);
}

export async function verify(place: Place, what: Of<'verify'>): Promise<void> {
  const { world, life } = place;
  const { lead } = what;
  const pending = life.grants.filter((one) => one.verification === 'pending' && isAlive(one, life.now));
  const before = pick(life.grants, pending, what.grant);
  if (before === null) return;
  const knock = { ...what, by: lead, tenant: before.tenant, door: 'grants.verify' } as const;
  const codes = grants.verifyCodes(life, before, lead);
  const call = () => world.grants.verify(before.id as GrantId, principalOf(lead));
  if ((await agree(place, { knock, codes, what, call })) !== null) grants.verify(life, before, lead);
}

export async function press(place: Place, what: Of<'press'>): Promise<void> {
  const { world, life } = place;
  const { tenant, by, open, days, write } = what;
  const notice = shownNotice(life, tenant, what.notice);
  const pressing = { tenant, by, open, days, write, notice };
  const current = grants.switchedOn(life, tenant);
  const wish = open
    ? {
        open: true as const,
        written: days === null ? null : `${days}d`,
        ...(write === null ? {} : ({ access: accessOf(write) } as const)),
        caseRef: grants.SWITCH_CASE,
        reason,
        ...shown(notice),
      }
    : { open: false as const };
  const knock = { ...what, door: 'access.switch' } as const;
  const codes = grants.switchCodes(life, pressing);
  const call = () => world.settings.switchAccess(tenantId(tenant), wish, actorOf(by));
  const answer = await agree(place, { knock, codes, what, call });
  if (answer === null || (current === null && !open)) return;
  if (!open) grants.revoke(life, current as LifeGrant);
  else if (current === null)
    grants.create(life, grants.switchGiving(life, pressing), answer.grant?.id as string);
  else grants.change(life, current, grants.switchChanging(life, current, pressing));
}

export async function settle(place: Place, what: Of<'settle'>): Promise<void> {
  const { world, life } = place;
  const { tenant, by, isStale } = what;
  const word = { part: what.part, says: what.says } as Settling['word'];
  const settling = { tenant, by, word, isStale };
  const { revision } = life.settled[tenant];
  const knock = { ...what, door: 'settings.change' } as const;
  const change = {
    tenant: tenantId(tenant),
    patch: patchOf(word),
    expectedRevision: isStale ? revision - 1 : revision,
  };
  const codes = settleCodes(life, settling);
  const call = () => world.settings.change(change, actorOf(by));
  if ((await agree(place, { knock, codes, what, call })) !== null) settleInModel(life, settling);
}
