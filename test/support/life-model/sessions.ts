// Sessions in the model, and the one question that all of it is about: who may enter now, under what, and how.
import { accountNamed, type Account, type Tenant } from './actors.ts';
import {
  covers,
  FOREVER,
  isActive,
  isAlive,
  type Life,
  type LifeGrant,
  type LifeSession,
  replaced,
  told,
} from './life.ts';
import { isLocked } from './locks.ts';
import { type Effective, effective } from './settings.ts';

/** What carries somebody in: a grant by its id, or what stands without one. */
interface Authority {
  readonly id: string;
  readonly endsAt: number;
  readonly write: boolean;
  readonly caseRef: string | null;
}

/** What stands without a grant, the wider first. */
function standing(rules: Effective, { org }: Account): readonly Authority[] {
  if (rules.suspended || org !== 'vendor') return [];
  const always = { endsAt: FOREVER, caseRef: null };
  return [
    ...(rules.isTrial ? [{ ...always, id: 'class', write: true }] : []),
    ...(rules.standing ? [{ ...always, id: 'tier', write: false }] : []),
  ];
}

/** The latest of those that are for the account now; `ambiguous` where they act as different users. */
function latest(
  grants: readonly LifeGrant[],
  account: Account,
  when: number,
): LifeGrant | 'ambiguous' | null {
  const held = grants.filter((one) => isActive(one, when) && covers(one, account));
  if (new Set(held.map((one) => one.actAs)).size > 1) return 'ambiguous';
  return held.toSorted((a, b) => b.order - a.order)[0] ?? null;
}

interface Opening {
  readonly tenant: Tenant;
  readonly account: Account;
  /** Null: whichever is chosen. */
  readonly grant: string | null;
  readonly write: boolean;
  readonly caseRef: string | null;
  readonly hasReason: boolean;
}

type Found = { readonly authority: Authority } | { readonly codes: readonly string[] };

export function openCodes(life: Life, opening: Opening): readonly string[] {
  const { tenant, account, write, caseRef, hasReason } = opening;
  const rules = effective(life, tenant);
  const codes: string[] = [];
  if (rules.suspended) codes.push('session_support_disabled');
  if (rules.excludesVendor && account.org === 'vendor') codes.push('session_not_covered');
  if (!hasReason) codes.push('reason_required');
  if (isLocked(life, { account, tenant, caseRef }, life.now)) codes.push('session_locked');
  const found = authorityFor(life, opening, rules);
  if ('codes' in found) return [...codes, ...found.codes];
  const { authority } = found;
  if (authority.caseRef !== null && authority.caseRef !== caseRef) codes.push('session_case_mismatch');
  if (write && !authority.write) codes.push('session_write_not_granted');
  return codes;
}

function authorityFor(life: Life, opening: Opening, rules: Effective): Found {
  const { tenant, account, grant, caseRef } = opening;
  const there = life.grants.filter((one) => one.tenant === tenant && isAlive(one, life.now));
  const always = standing(rules, account);
  if (grant !== null) return named(there, { opening, always, now: life.now });
  // Whoever names a case means a grant of that case, then one that has none.
  const turns =
    caseRef === null
      ? [there]
      : [there.filter((one) => one.caseRef === caseRef), there.filter((one) => one.caseRef === null)];
  for (const turn of turns) {
    const found = latest(turn, account, life.now);
    if (found === 'ambiguous') return { codes: ['session_grant_ambiguous'] };
    if (found !== null) return { authority: found };
  }
  if (always[0] !== undefined) return { authority: always[0] };
  if (latest(there, account, life.now) !== null) return { codes: ['session_case_mismatch'] };
  return {
    codes: there.some((one) => covers(one, account)) ? ['session_grant_not_active'] : ['session_not_covered'],
  };
}

interface Naming {
  readonly opening: Opening;
  readonly always: readonly Authority[];
  readonly now: number;
}

function named(there: readonly LifeGrant[], { opening, always, now }: Naming): Found {
  const { grant, account } = opening;
  const stands = always.find((one) => one.id === grant);
  if (stands !== undefined) return { authority: stands };
  const found = there.find((one) => one.id === grant);
  if (found === undefined || !covers(found, account)) return { codes: ['session_not_covered'] };
  return isActive(found, now) ? { authority: found } : { codes: ['session_grant_not_active'] };
}

export function open(life: Life, opening: Opening, id: string): void {
  const { tenant, account, write, caseRef } = opening;
  const rules = effective(life, tenant);
  const found = authorityFor(life, opening, rules);
  if ('codes' in found) throw new Error('nothing carries this session');
  const before = openOf(life, account, tenant);
  if (before !== null) end(life, before, { by: 'replaced', note: null });
  const session: LifeSession = {
    id,
    tenant,
    account: account.name,
    grant: found.authority.id,
    write,
    caseRef,
    endsAt: Math.min(life.now + rules.sessionMs, found.authority.endsAt),
    idleMs: rules.idleMs,
    lastUsedAt: life.now,
    endedAt: null,
    endedBy: null,
    note: null,
  };
  life.sessions = [...life.sessions, session];
  told(life, id, 'open');
}

/** The one that nobody has ended yet; by the clock it may be over. */
export function openOf({ sessions }: Life, { name }: Account, tenant: Tenant): LifeSession | null {
  return (
    sessions.find((one) => one.account === name && one.tenant === tenant && one.endedAt === null) ?? null
  );
}

function isOver({ endsAt, lastUsedAt, idleMs }: LifeSession, when: number): boolean {
  return when >= Math.min(endsAt, lastUsedAt + idleMs);
}

interface Ending {
  readonly by: string;
  readonly note: string | null;
}

/** What the clock had ended before stays ended as it was, and when. */
export function end(life: Life, session: LifeSession, { by, note }: Ending): void {
  if (session.endedAt !== null) {
    if (note === null || session.note !== null) return;
    life.sessions = replaced(life.sessions, { ...session, note });
    told(life, session.id, 'note');
    return;
  }
  const idleAt = session.lastUsedAt + session.idleMs;
  const isIdle = idleAt < session.endsAt;
  const overAt = Math.min(idleAt, session.endsAt);
  const byClock = isIdle ? 'idle' : by === 'grant_ended' ? by : 'limit';
  const ended = isOver(session, life.now)
    ? { endedAt: overAt, endedBy: byClock }
    : { endedAt: life.now, endedBy: by };
  life.sessions = replaced(life.sessions, { ...session, ...ended, note });
  told(life, session.id, 'end');
}

/** Uses are told late: what seems idle is left alone this long. */
const GRACE_MS = 10_000;

/** Ends what is over, by the clock or because nothing carries it any more. */
export function sweep(life: Life): void {
  for (const session of life.sessions) {
    if (session.endedAt !== null) continue;
    const account = accountNamed(session.account);
    const rules = effective(life, session.tenant);
    const isShut = rules.suspended || (rules.excludesVendor && account.org === 'vendor');
    const { endsAt, lastUsedAt, idleMs } = session;
    if (isShut) end(life, session, { by: 'tenant', note: null });
    else if (!isCarried(life, session, rules)) end(life, session, { by: 'grant_ended', note: null });
    else if (life.now >= endsAt || life.now >= lastUsedAt + idleMs + GRACE_MS)
      end(life, session, { by: 'limit', note: null });
  }
}

function isCarried(life: Life, session: LifeSession, rules: Effective): boolean {
  const account = accountNamed(session.account);
  if (standing(rules, account).some((one) => one.id === session.grant)) return true;
  const grant = life.grants.find((one) => one.id === session.grant);
  return grant !== undefined && isActive(grant, life.now) && covers(grant, account);
}

/** What somebody enters under; or every reason why not. */
export type Entry =
  | { readonly id: string; readonly write: boolean; readonly session: string | null }
  | { readonly codes: readonly string[] };

export function entryAt(life: Life, account: Account, tenant: Tenant, when: number): Entry {
  const rules = effective(life, tenant);
  const codes: string[] = [];
  const known = openOf(life, account, tenant);
  const session = known === null || isOver(known, when) ? null : known;
  if (rules.suspended) codes.push('tenant_support_disabled');
  if (session === null && rules.sessionsRequired)
    codes.push(known === null ? 'session_required' : 'session_ended');
  const found =
    session === null ? unbidden(life, { account, tenant, when }) : underSession(life, session, when);
  const caseRef = session?.caseRef ?? ('codes' in found ? null : found.authority.caseRef);
  // One that is over by the clock alone, and that nobody has put down as that yet, still says for which case.
  const cases = [caseRef, known?.caseRef ?? null];
  if (cases.some((one) => isLocked(life, { account, tenant, caseRef: one }, when))) codes.push('locked');
  if (rules.excludesVendor && account.org === 'vendor') codes.push('no_grant');
  if ('codes' in found) return { codes: [...codes, ...found.codes] };
  if (codes.length > 0) return { codes };
  const { id, write } = found.authority;
  return { id, write: write && (session === null || session.write), session: session?.id ?? null };
}

interface Coming {
  readonly account: Account;
  readonly tenant: Tenant;
  readonly when: number;
}

const NO_GRANT = ['no_grant', 'grant_pending', 'grant_expired', 'grant_revoked'];

function unbidden(life: Life, { account, tenant, when }: Coming): Found {
  const there = life.grants.filter((one) => one.tenant === tenant);
  const found = latest(there, account, when);
  if (found === 'ambiguous') return { codes: ['grant_ambiguous'] };
  if (found !== null) return { authority: found };
  const [always] = standing(effective(life, tenant), account);
  return always === undefined ? { codes: NO_GRANT } : { authority: always };
}

function underSession(life: Life, session: LifeSession, when: number): Found {
  const account = accountNamed(session.account);
  const always = standing(effective(life, session.tenant), account).find((one) => one.id === session.grant);
  if (always !== undefined) return { authority: always };
  const grant = life.grants.find((one) => one.id === session.grant);
  if (grant === undefined || !isAlive(grant, when))
    return { codes: ['session_ended', 'grant_expired', 'grant_revoked'] };
  const codes: string[] = [];
  if (!isActive(grant, when)) codes.push('grant_pending');
  if (!covers(grant, account)) codes.push('no_grant');
  if (grant.caseRef !== null && grant.caseRef !== session.caseRef) codes.push('session_ended');
  return codes.length > 0 ? { codes } : { authority: grant };
}
