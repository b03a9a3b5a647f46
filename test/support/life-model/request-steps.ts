// Access requests, one wish at a time. What was done is then done in the model too.
import { accountNamed, isStaff } from './actors.ts';
import type { Life } from './life.ts';
import * as requests from './requests.ts';
import type { Of } from './wishes.ts';
import { actorOf, principalOf, tenantId } from './world.ts';
import {
  accessOf,
  agree,
  expecting,
  liftsOf,
  pick,
  type Place,
  reason,
  shown,
  shownNotice,
} from './agreement.ts';

const waiting = ({ requests: all, now }: Life) => all.filter((one) => requests.isWaiting(one, now));
const wantedOf = ({ write, days, lifts }: requests.Asking['wanted']) =>
  ({ access: accessOf(write), duration: `${days}d`, lifts: liftsOf(lifts) }) as const;

export async function ask(place: Place, what: Of<'ask'>): Promise<void> {
  const { world, life } = place;
  const { tenant, by, caseRef, actAs, wanted } = what;
  const likely = life.requests.filter((one) => one.status === 'approved');
  const escalates = what.escalates === null ? null : pick(life.requests, likely, what.escalates);
  const mine = escalates === null || what.escalates === 0 ? by : accountNamed(escalates.asker);
  const asking = { tenant, asker: mine, caseRef, actAs, wanted, escalates };
  // Only staff have a principal that the store could be asked for.
  const knock = { by: mine, tenant, straight: false, door: 'requests.make' } as const;
  const wish = {
    tenant: tenantId(tenant),
    caseRef,
    reason,
    escalates: escalates?.id ?? null,
    wanted: { ...wantedOf(wanted), roles: [], workspaces: [], actAs },
  };
  const codes = requests.askCodes(life, asking);
  const call = () => world.requests.ask(wish, principalOf(mine));
  const made = await agree(place, { knock, codes, what, call });
  if (made !== null) requests.ask(life, asking, made.id);
}

export async function approve(place: Place, what: Of<'approve'>): Promise<void> {
  const { world, life } = place;
  const before = pick(life.requests, waiting(life), what.request);
  if (before === null) return;
  const isLeads = (before.status === 'awaiting_lead') !== what.isOutOfTurn;
  const by = isLeads ? what.lead : what.admin;
  const { isStale, narrowing } = what;
  // Whoever asks for a narrower one mostly knows what is left.
  const narrower =
    narrowing === null || what.isStale
      ? narrowing
      : { ...narrowing, days: Math.min(narrowing.days, before.left.days + 1) };
  const notice = isLeads ? null : shownNotice(life, before.tenant, what.notice);
  const approving = {
    by,
    stage: isLeads ? ('lead' as const) : ('tenant' as const),
    narrowing: narrower,
    notice,
    isStale,
  };
  const knock = { ...what, by, tenant: before.tenant, door: 'requests.approve' } as const;
  const step = {
    stage: approving.stage,
    by: actorOf(by),
    narrowing: narrower === null ? null : wantedOf(narrower),
    ...shown(notice),
    ...expecting(isStale, before.revision),
  };
  const codes = requests.approveCodes(life, before, approving);
  const call = () => world.requests.approve(before.id, step);
  const answer = await agree(place, { knock, codes, what, call });
  if (answer === null) return;
  if ((answer.grant === null) === requests.isLast(life, before, approving))
    throw new Error('the last approval makes a grant, and no other does');
  requests.approve(life, before, approving, answer.grant?.id ?? null);
}

export async function deny(place: Place, what: Of<'deny'>): Promise<void> {
  const { world, life } = place;
  const before = pick(life.requests, waiting(life), what.request);
  if (before === null) return;
  const { by, isStale } = what;
  const stage = isStaff(by) ? ('lead' as const) : ('tenant' as const);
  const knock = { ...what, tenant: before.tenant, door: 'requests.deny' } as const;
  const codes = requests.denyCodes(life, before, { by, stage, isStale, narrowing: null, notice: null });
  const denial = { stage, by: actorOf(by), why: null, ...expecting(isStale, before.revision) };
  const call = () => world.requests.deny(before.id, denial);
  if ((await agree(place, { knock, codes, what, call })) !== null)
    requests.endRequest(life, before, 'denied');
}

export async function withdraw(place: Place, what: Of<'withdraw'>): Promise<void> {
  const { world, life } = place;
  const before = pick(life.requests, waiting(life), what.request);
  if (before === null) return;
  const by = what.by ?? accountNamed(before.asker);
  const knock = { by, tenant: before.tenant, straight: false, door: 'requests.withdraw' } as const;
  const codes = requests.withdrawCodes(life, before, by);
  const call = () => world.requests.withdraw(before.id, { by: principalOf(by) });
  if ((await agree(place, { knock, codes, what, call })) !== null)
    requests.endRequest(life, before, 'withdrawn');
}
