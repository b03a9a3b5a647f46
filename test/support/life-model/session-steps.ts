// Sessions, one wish at a time. What was done is then done in the model too.
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, SessionId } from '#model/ids.ts';
import { accountNamed, isStaff, STAFF } from './actors.ts';
import { covers, isActive, type Life, type LifeSession, nth } from './life.ts';
import * as sessions from './sessions.ts';
import type { Of } from './wishes.ts';
import { actorOf, principalOf, standingId, tenantId } from './world.ts';
import { accessOf, agree, pick, type Place } from './agreement.ts';

/** Somebody whom a grant covers, and where. */
function letIn({ grants: all, now }: Life, { who, grant, tenant }: Of<'open'>) {
  const active = all.filter((one) => isActive(one, now));
  const found = nth(active, grant ?? who);
  const covered = found === null ? [] : STAFF.filter((one) => covers(found, one));
  return { by: nth(covered, who) ?? accountNamed('sam'), tenant: found?.tenant ?? tenant };
}

export async function open(place: Place, what: Of<'open'>): Promise<void> {
  const { world, life } = place;
  const { write, hasReason } = what;
  const { by, tenant } = what.by === null ? letIn(life, what) : { by: what.by, tenant: what.tenant };
  const likely = life.grants.filter(
    (one) => one.tenant === tenant && isActive(one, life.now) && covers(one, by),
  );
  const picked = what.grant === null ? null : pick(life.grants, likely, what.grant);
  const stands = what.grant !== null && what.grant % 7 === 0 ? 'tier' : null;
  const grant = stands ?? picked?.id ?? null;
  const meant = picked ?? likely.at(-1) ?? null;
  const caseRef = what.caseRef === 'grants' ? (meant?.caseRef ?? null) : what.caseRef;
  const opening = { tenant, account: by, grant, write, caseRef, hasReason };
  const knock = { by, tenant, straight: false, door: 'sessions.open' } as const;
  const codes = sessions.openCodes(life, opening);
  const call = () =>
    world.sessions.open({
      tenant: tenantId(tenant),
      principal: principalOf(by),
      grantId: stands === null ? (grant as GrantId | null) : standingId(tenant, stands),
      access: accessOf(write),
      reason: { type: 'debug_log', detail: hasReason ? 'It hangs.' : '  ' },
      caseRef,
      launch: false,
    });
  const opened = await agree(place, { knock, codes, what, call });
  if (opened !== null) sessions.open(life, opening, opened.session.id);
}

/** As the gate's last stage does it, for whoever may enter. */
export async function use({ world, life, done }: Place, what: Of<'use'>): Promise<void> {
  const before = nth(
    life.sessions.filter((one) => one.endedAt === null),
    what.session,
  );
  if (before === null) return;
  const { account, tenant } = before;
  const entry = sessions.entryAt(life, accountNamed(account), tenant, life.now);
  if ('codes' in entry || entry.session !== before.id) return;
  const known = await world.sessionCache.activeOf(tenantId(tenant), principalOf(accountNamed(account)));
  if (known === null) throw new Error('a session that carries somebody is not known');
  world.sessionCache.used(known, world.clock.now());
  const used: LifeSession = { ...before, lastUsedAt: life.now };
  life.sessions = life.sessions.map((one) => (one === before ? used : one));
  done.set('use', (done.get('use') ?? 0) + 1);
}

const ENDINGS = { admin: 'tenant', security: 'vendor' } as const;

export async function end(place: Place, what: Of<'end'>): Promise<void> {
  const { world, life } = place;
  const likely = life.sessions.filter((one) => one.endedAt === null);
  const before = pick(life.sessions, likely, what.session);
  if (before === null) return;
  const by = what.by ?? accountNamed(before.account);
  const isOwn = by.name === before.account;
  const note = isOwn ? what.note : null;
  const isReached = isOwn || by.side === 'security' || !isStaff(by);
  const ending = isOwn ? 'left' : ENDINGS[by.side === 'admin' ? 'admin' : 'security'];
  const knock = { by, tenant: before.tenant, straight: false, door: 'sessions.end' } as const;
  const call = () => {
    // Whose it is, is asked by the route.
    if (!isReached) throw new GrantRefusal('session_unknown', 'It is somebody else’s.');
    return world.sessions.end(before.id as SessionId, { ending, by: actorOf(by), note });
  };
  const codes = isReached ? [] : ['session_unknown'];
  if ((await agree(place, { knock, codes, what, call })) !== null)
    sessions.end(life, before, { by: ending, note });
}
