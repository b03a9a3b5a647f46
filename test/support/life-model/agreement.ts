// How a wish is put to the real thing and to the model: both do it, or both refuse it for a reason that the model knows.
// Whoever knocks goes past the control API's own table first, unless the store alone is to stand in the way.
import { authorise, callerKindsOf, dutyOf, requireTenant } from '../../../src/control/authorise.ts';
import { ControlDenial, ControlProblem } from '../../../src/control/control-problem.ts';
import type { EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { type Account, type Door, doorCodes, type Tenant } from './actors.ts';
import { FOREVER, type Life, nth } from './life.ts';
import { effective } from './settings.ts';
import type { Step } from './wishes.ts';
import { identityOf, tenantId, type World } from './world.ts';

export const reason = { type: 'customer_initiated_support', detail: 'The invoice page is empty.' } as const;

export interface Place {
  readonly world: World;
  readonly life: Life;
  /** How often each kind of wish came true. */
  readonly done: Map<string, number>;
}

interface Knock {
  readonly by: Account;
  readonly door: Door;
  readonly tenant: Tenant;
  /** Past the table, where the store alone stands in the way; of the customers' people only at home. */
  readonly straight: boolean;
}

function isPast({ by, tenant, straight }: Knock): boolean {
  return straight && (by.home === null || by.home === tenant);
}

function knockCodes(knock: Knock): readonly string[] {
  if (isPast(knock)) return [];
  const { by, door, tenant } = knock;
  const codes = doorCodes(by, door);
  return by.home !== null && by.home !== tenant ? [...codes, 'tenant_mismatch'] : codes;
}

/** As the control API's guard does it. */
function pass(knock: Knock): void {
  if (isPast(knock)) return;
  const identity = identityOf(knock.by);
  const namesPerson = knock.by.side === 'service' && knock.by.human !== null;
  const scope = authorise(callerKindsOf(identity, namesPerson, dutyOf(knock.door)), knock.door);
  requireTenant(identity, scope, tenantId(knock.tenant));
}

type Outcome<T> = { readonly value: T } | { readonly code: string };

export async function outcome<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call() };
  } catch (error) {
    if (error instanceof GrantRefusal || error instanceof ControlProblem) return { code: error.code };
    if (error instanceof ControlDenial) return { code: error.reason };
    throw error;
  }
}

export function isAgreed<T>(answer: Outcome<T>, codes: readonly string[]): boolean {
  return 'code' in answer ? codes.includes(answer.code) : codes.length === 0;
}

export function disagreement<T>(answer: Outcome<T>, codes: readonly string[], what: unknown): Error {
  const said = 'code' in answer ? `refused as ${answer.code}` : 'done';
  const meant = codes.length === 0 ? 'allows it' : `refuses it as ${codes.join(', ')}`;
  return new Error(`it was ${said}, the model ${meant}: ${JSON.stringify(what)}`);
}

interface Trying<T> {
  readonly knock: Knock | null;
  readonly codes: readonly string[];
  readonly what: Step;
  readonly call: () => Promise<T>;
}

/** What came of it; null where both refuse. */
export async function agree<T>({ done }: Place, { knock, codes, what, call }: Trying<T>): Promise<T | null> {
  const atDoor = knock === null ? [] : knockCodes(knock);
  // Whoever is turned away at the door never comes before the store.
  const all = atDoor.length > 0 ? atDoor : codes;
  const answer = await outcome(async () => {
    if (knock !== null) pass(knock);
    return call();
  });
  if (!isAgreed(answer, all)) throw disagreement(answer, all, what);
  if ('code' in answer) {
    done.set(`${what.do}: ${answer.code}`, (done.get(`${what.do}: ${answer.code}`) ?? 0) + 1);
    return null;
  }
  done.set(what.do, (done.get(what.do) ?? 0) + 1);
  return answer.value;
}

/** The notice that somebody shows, once it is known which one is current. */
export function shownNotice(life: Life, tenant: Tenant, said: string | null): string | null {
  return said === 'current' ? effective(life, tenant).notice : said;
}

export const shown = (version: string | null) => (version === null ? {} : { notice: { version } });
export const endOf = (at: number) => (at === FOREVER ? null : at) as EpochMs | null;
export const accessOf = (write: boolean) => (write ? 'write' : 'read');
export const liftsOf = (lifts: boolean) => (lifts ? ['export'] : []);
export const expecting = (isStale: boolean, revision: number) =>
  isStale ? { expectedRevision: revision - 1 } : {};

/** Mostly one of those that something can still be done with. */
export function pick<T>(all: readonly T[], likely: readonly T[], n: number): T | null {
  return likely.length > 0 && n % 8 !== 0 ? nth(likely, n) : nth(all, n);
}
