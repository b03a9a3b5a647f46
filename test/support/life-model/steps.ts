// Every wish there is, and what time does by itself.
import { DAY, edgesOf, nth } from './life.ts';
import * as requests from './requests.ts';
import * as sessions from './sessions.ts';
import type { Of, Step } from './wishes.ts';
import type { Place } from './agreement.ts';
import { change, create, both, press, revoke, settle, verify } from './grant-steps.ts';
import { approve, ask, deny, withdraw } from './request-steps.ts';
import { end, open, use } from './session-steps.ts';
import { breakGlass, confirm, lift, lock } from './lock-steps.ts';

function wait({ world, life }: Place, { edge, ms }: Of<'wait'>): void {
  const to = edge === null ? life.now : (nth(edgesOf(life), edge) ?? life.now + DAY);
  life.now = Math.max(life.now, to + ms);
  world.at.now = life.now;
}

/** What the timers do when they come to it. */
async function tick({ world, life }: Place): Promise<void> {
  for (const tenant of ['acme', 'globex']) await world.sessions.endOverdue({ kind: 'settings', id: tenant });
  sessions.sweep(life);
  const lapsed = await world.requestStore.claimLapsed(100);
  const overdue = requests.overdueRequests(life);
  if (lapsed.length !== overdue.length) throw new Error('other requests lapse than the model’s');
  for (const one of overdue) requests.endRequest(life, one, 'lapsed');
}

export async function take(place: Place, wish: Step): Promise<void> {
  switch (wish.do) {
    case 'create':
      return create(place, wish);
    case 'both':
      return both(place, wish);
    case 'change':
      return change(place, wish);
    case 'revoke':
      return revoke(place, wish);
    case 'verify':
      return verify(place, wish);
    case 'press':
      return press(place, wish);
    case 'settle':
      return settle(place, wish);
    case 'ask':
      return ask(place, wish);
    case 'approve':
      return approve(place, wish);
    case 'deny':
      return deny(place, wish);
    case 'withdraw':
      return withdraw(place, wish);
    case 'open':
      return open(place, wish);
    case 'use':
      return use(place, wish);
    case 'end':
      return end(place, wish);
    case 'lock':
      return lock(place, wish);
    case 'lift':
      return lift(place, wish);
    case 'break':
      return breakGlass(place, wish);
    case 'confirm':
      return confirm(place, wish);
    case 'wait':
      return wait(place, wish);
    case 'tick':
      return tick(place);
  }
}
