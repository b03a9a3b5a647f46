// Whom the gate lets in: its own stages, from what holds for a tenant to the second look at the locks, asked for everybody
// and every instant at which the answer may change; and what must be true of whoever is let in, whatever the model says.
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import type { SupportSession } from '#model/session.ts';
import { PASS, type Verdict } from '#model/verdict.ts';
import { Exchange } from '../../../src/gateway/exchange.ts';
import type { LiveExchanges } from '../../../src/gateway/live-exchanges.ts';
import type { Stage } from '../../../src/gateway/stage.ts';
import { grantStage } from '../../../src/gateway/stages/grant.ts';
import { lockStage } from '../../../src/gateway/stages/lock.ts';
import { sessionStage } from '../../../src/gateway/stages/session.ts';
import { settingsStage } from '../../../src/gateway/stages/settings.ts';
import { viewStage } from '../../../src/gateway/stages/view.ts';
import { type Account, STAFF, type Tenant, TENANTS } from './actors.ts';
import { edgesOf, type Life } from './life.ts';
import { type Entry, entryAt } from './sessions.ts';
import { principalOf, standingId, tenantId, type World } from './world.ts';

const CREDENTIALS = new Map(
  STAFF.map((one) => [one.name, { principal: principalOf(one), keyId: 'k', expiresAt: 8.64e15 as EpochMs }]),
);

interface Stages {
  readonly view: Stage;
  readonly judging: readonly Stage[];
}

export function stagesOf({ cache, sessionCache: sessions, board: locks, clock }: World): Stages {
  const live = { add() {} } as unknown as LiveExchanges;
  const lock = lockStage({ locks, clock });
  const session = sessionStage({ sessionsRequired: false, sessions, clock });
  return {
    view: viewStage({ grants: cache, sessions, clock }),
    judging: [lock, settingsStage, session, grantStage({ live, clock }), lock],
  };
}

/** An exchange that has come as far as its tenant. */
function arrived(account: Account, tenant: Tenant): Exchange {
  return Object.assign(Object.create(Exchange.prototype) as Exchange, {
    tenant: tenantId(tenant),
    credential: CREDENTIALS.get(account.name) ?? null,
    phase: 'judging',
    cookieHash: '',
    view: null,
    session: null,
    sessionIsKnown: false,
    grant: null,
    mustLookAgain: false,
    looks: 0,
  });
}

async function read(x: Exchange, view: Stage): Promise<void> {
  for (;;) {
    const verdict = await view.run(x);
    if (verdict !== PASS) throw new Error(`the tenant could not be read: ${verdict.reason}`);
    if (x.view !== null && x.sessionIsKnown) return;
  }
}

function judged(x: Exchange, judging: readonly Stage[]): Verdict {
  for (const stage of judging) {
    const verdict = stage.run(x) as Verdict;
    if (verdict !== PASS) return verdict;
  }
  return PASS;
}

interface Looking {
  readonly world: World;
  readonly life: Life;
  readonly stages: Stages;
}

/** Now, and at each instant to come at which something ends or begins, a millisecond before it and at it. */
export async function look({ world, life, stages }: Looking): Promise<void> {
  const whens = new Set([life.now, ...edgesOf(life).flatMap((at) => [at - 1, at])]);
  for (const tenant of TENANTS) {
    for (const account of STAFF) {
      const x = arrived(account, tenant);
      await read(x, stages.view);
      const { session } = x;
      for (const when of whens) {
        world.at.now = when;
        x.session = session;
        x.grant = null;
        const verdict = judged(x, stages.judging);
        compare({ x, verdict, account, tenant, when }, entryAt(life, account, tenant, when));
      }
      world.at.now = life.now;
    }
  }
}

interface Judged {
  readonly x: Exchange;
  readonly verdict: Verdict;
  readonly account: Account;
  readonly tenant: Tenant;
  readonly when: number;
}

function compare({ x, verdict, account, tenant, when }: Judged, expected: Entry): void {
  const who = `${account.name} at ${tenant}, ${when}`;
  if (verdict !== PASS) {
    if ('codes' in expected && expected.codes.includes(verdict.reason)) return;
    throw new Error(`${who}: refused as ${verdict.reason}, the model says ${JSON.stringify(expected)}`);
  }
  const grant = x.grant as Grant;
  checkLaws(grant, { x, account, when, who });
  const found = {
    id: nameOf(grant, tenant),
    write: grant.access === 'write',
    session: x.session?.id ?? null,
  };
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new Error(`${who}: let in as ${JSON.stringify(found)}, the model says ${JSON.stringify(expected)}`);
}

function nameOf({ id, source }: Grant, tenant: Tenant): string {
  if (source !== 'standing') return id;
  return id === standingId(tenant, 'class') ? 'class' : 'tier';
}

interface Entering {
  readonly x: Exchange;
  readonly account: Account;
  readonly when: number;
  readonly who: string;
}

/** Of whoever is in: not under their own hand, not a millisecond past an end. */
function checkLaws(grant: Grant, { x, account, when, who }: Entering): void {
  const hands = [grant.grantedBy, ...(grant.widenedBy ?? []), grant.verification?.by ?? null];
  if (hands.some((one) => one !== null && isTheirs(one, account)))
    throw new Error(`${who}: uses a grant of their own`);
  if (grant.tenant !== x.tenant) throw new Error(`${who}: uses a grant of another tenant`);
  if (when < grant.startsAt || (grant.expiresAt !== null && when >= grant.expiresAt))
    throw new Error(`${who}: in outside of the grant's time`);
  if (grant.revokedAt !== null || grant.verification?.at === null)
    throw new Error(`${who}: in under a grant that does not hold`);
  if (x.session !== null) checkSession(x.session, when, who);
  if (x.view?.settings.suspended !== false)
    throw new Error(`${who}: in while the tenant has suspended support`);
}

function checkSession({ endsAt, endedAt }: SupportSession, when: number, who: string): void {
  if (endedAt !== null || when >= endsAt) throw new Error(`${who}: in under a session that is over`);
}

function isTheirs(actor: Actor, { id, issuer, email }: Account): boolean {
  if (actor.id === id && actor.issuer === issuer) return true;
  const addresses = [actor.email, actor.onBehalfOf?.email ?? null];
  return email !== null && addresses.some((one) => one?.toLowerCase() === email.toLowerCase());
}
