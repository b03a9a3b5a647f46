// Locks and broken glass, one wish at a time. What was done is then done in the model too.
import { FOREVER } from './life.ts';
import * as locks from './locks.ts';
import type { Of } from './wishes.ts';
import { actorOf, targetOf, tenantId } from './world.ts';
import { accessOf, agree, endOf, pick, type Place, reason } from './agreement.ts';

export async function lock(place: Place, what: Of<'lock'>): Promise<void> {
  const { world, life } = place;
  const { by, target, length } = what;
  const endsAt = length === null ? FOREVER : life.now + length;
  const knock = { ...what, tenant: by.home ?? 'acme', door: 'locks.set' } as const;
  const draft = { target: targetOf(target), message: null, endsAt: endOf(endsAt) };
  const codes = locks.lockCodes(life, by, endsAt);
  const call = () => world.locks.set(draft, actorOf(by));
  const made = await agree(place, { knock, codes, what, call });
  if (made !== null) locks.lock(life, { id: made.id, target, endsAt });
}

export async function lift(place: Place, what: Of<'lift'>): Promise<void> {
  const { world, life } = place;
  const held = life.locks.filter((one) => locks.holds(one, life.now));
  const before = pick(life.locks, held, what.lock);
  if (before === null) return;
  const { by } = what;
  const knock = { ...what, tenant: by.home ?? 'acme', door: 'locks.lift' } as const;
  const codes = locks.liftCodes(life, by);
  const call = () => world.locks.lift(before.id, actorOf(by));
  if ((await agree(place, { knock, codes, what, call })) !== null) locks.lift(life, before);
}

export async function breakGlass(place: Place, what: Of<'break'>): Promise<void> {
  const { world, life } = place;
  const { tenant, by, responder, caseRef, write, ms } = what;
  const knock = { ...what, tenant: by.home ?? tenant, door: 'break_glass.ask' } as const;
  const draft = {
    tenant: tenantId(tenant),
    org: by.org,
    caseRef,
    reason,
    access: accessOf(write),
    durationMs: ms,
    responder: responder === null ? null : { issuer: responder.issuer, id: responder.id },
  } as const;
  const codes = locks.breakCodes(life, what);
  const call = () => world.emergencies.ask(draft, actorOf(by));
  const made = await agree(place, { knock, codes, what, call });
  if (made !== null) locks.breakGlass(life, what, made.id);
}

export async function confirm(place: Place, what: Of<'confirm'>): Promise<void> {
  const { world, life } = place;
  const pending = life.emergencies.filter((one) => !one.isConfirmed && life.now < one.lapsesAt);
  const before = pick(life.emergencies, pending, what.emergency);
  if (before === null) return;
  const { by } = what;
  const knock = { ...what, tenant: by.home ?? before.tenant, door: 'break_glass.second' } as const;
  const codes = locks.confirmCodes(life, before, by);
  const call = () => world.emergencies.confirm(before.id, actorOf(by));
  const answer = await agree(place, { knock, codes, what, call });
  if (answer !== null) locks.confirm(life, before, by, answer.grant.id);
}
