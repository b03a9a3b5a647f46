// Who is told of a notice, and over which channel: the table of events and sides, then the people behind the sides.
// Guarantees: each recipient once per channel, whatever names it twice; no message to what is no address. A lock that is
// about no one tenant is told to the operator's own webhooks and to the staff it names, to nobody else. Cold.
import type { EpochMs } from '#model/clock.ts';
import { isMailAddress } from '#model/mail-address.ts';
import type { Notice, NoticeEvent } from '#model/notice.ts';
import type { Addressee, DeliveryDraft, NoticeAudience, NoticeSettings, Side } from './notice-outbox.ts';

/** Somebody who was not seen for so long is not taken for a member of a group any more. */
const SEEN_WITHIN_MS = 90 * 86_400_000;

interface Told {
  readonly tenant: boolean;
  /** Whom the notice is about: not where they did it themselves. */
  readonly staff: boolean;
  /** The groups of the vendor's that have to decide something now, where the notice names any. */
  readonly deciders: boolean;
}

/** docs/notifications.md shows the same table; a test holds them together. */
export const TOLD: Readonly<Record<NoticeEvent, Told>> = {
  'grant.given': { tenant: true, staff: true, deciders: true },
  'grant.changed': { tenant: true, staff: true, deciders: true },
  'grant.revoked': { tenant: true, staff: true, deciders: false },
  'grant.ending': { tenant: true, staff: true, deciders: false },
  'grant.ended': { tenant: true, staff: true, deciders: false },
  'grant.verified': { tenant: true, staff: true, deciders: false },
  'request.made': { tenant: true, staff: false, deciders: true },
  'request.lead_approved': { tenant: true, staff: true, deciders: false },
  'request.decided': { tenant: true, staff: true, deciders: false },
  'session.started': { tenant: true, staff: false, deciders: false },
  'session.ended': { tenant: true, staff: true, deciders: false },
  'lock.set': { tenant: true, staff: true, deciders: false },
  'lock.lifted': { tenant: true, staff: true, deciders: false },
  'break_glass.asked': { tenant: true, staff: true, deciders: true },
  'break_glass.used': { tenant: true, staff: true, deciders: false },
};

export interface RecipientDeps {
  readonly audience: NoticeAudience;
  /** Where the mail of a group goes instead of to each of its members. */
  readonly groups: ReadonlyMap<string, string>;
  readonly operatorWebhooks: readonly { readonly id: string }[];
  /** Without it nothing is planned for e-mail. */
  readonly hasEmail: boolean;
}

/** Rejects with STORE_UNAVAILABLE. */
export async function recipientsOf(
  notice: Notice,
  now: EpochMs,
  deps: RecipientDeps,
): Promise<readonly DeliveryDraft[]> {
  const told = toldOf(notice);
  const drafts = new Map<string, DeliveryDraft>();
  const add = (draft: DeliveryDraft): void => {
    const key = `${draft.channel} ${draft.recipient}`;
    if (!drafts.has(key)) drafts.set(key, draft);
  };
  for (const { id } of deps.operatorWebhooks) {
    add({ channel: 'operator_webhook', recipient: id, side: 'operator', address: null });
  }
  const { tenant } = notice;
  const settings = tenant !== null && told.tenant ? await deps.audience.settingsOf(tenant) : null;
  for (const { id } of settings?.webhooks ?? []) {
    add({ channel: 'webhook', recipient: id, side: 'tenant', address: null });
  }
  if (!deps.hasEmail) return [...drafts.values()];
  for (const address of await tenantAddresses(notice, settings, deps)) addMail(add, address, 'tenant');
  const looking: Looking = { deps, now };
  const staff = told.staff ? await staffAddresses(notice, looking) : [];
  for (const address of staff) addMail(add, address, 'staff');
  // A lead is one whatever organisation a grant is for.
  const deciders = told.deciders ? await groupAddresses(notice.deciders ?? [], null, looking) : [];
  for (const address of deciders) addMail(add, address, 'decider');
  return [...drafts.values()];
}

const NOBODY: Told = { tenant: false, staff: false, deciders: false };

/**
 * An event that a newer version wrote concerns the operator alone. A request that a lead has first is not the customer's
 * yet. Whoever ended their own session knows it.
 */
function toldOf({ event, facts }: Notice): Told {
  const told = Object.hasOwn(TOLD, event) ? TOLD[event] : NOBODY;
  if (event === 'request.made' && facts['status'] === 'awaiting_lead') return { ...told, tenant: false };
  const hasLeft = facts['endedBy'] === 'left' || facts['endedBy'] === 'replaced';
  return event === 'session.ended' && hasLeft ? { ...told, staff: false } : told;
}

async function tenantAddresses(
  { tenant, users = [] }: Notice,
  settings: NoticeSettings | null,
  { audience }: RecipientDeps,
): Promise<readonly string[]> {
  if (tenant === null || settings === null) return [];
  const admins = await audience.adminsOf(tenant);
  return [...settings.notifyEmails, ...emailsOf(admins), ...emailsOf(users)];
}

interface Looking {
  readonly deps: RecipientDeps;
  readonly now: EpochMs;
}

/** Named principals where there are any: the groups then only narrow whom the grant is for. */
async function staffAddresses({ staff, facts }: Notice, looking: Looking): Promise<readonly string[]> {
  const { principals, groups } = staff;
  if (principals.length > 0) {
    const stated = principals.flatMap(({ email }) => email ?? []);
    const unstated = principals.filter(({ email }) => email === undefined || email === null);
    return [...stated, ...emailsOf(await looking.deps.audience.staffNamed(unstated))];
  }
  const org = facts['audienceOrg'];
  return groupAddresses(groups, typeof org === 'string' ? org : null, looking);
}

/** A group's own address, or else everyone of it, of this organisation (null: of any), who was seen lately. */
async function groupAddresses(
  groups: readonly string[],
  org: string | null,
  { deps, now }: Looking,
): Promise<readonly string[]> {
  const configured = groups.flatMap((group) => deps.groups.get(group) ?? []);
  const others = groups.filter((group) => !deps.groups.has(group));
  if (others.length === 0) return configured;
  const since = (now - SEEN_WITHIN_MS) as EpochMs;
  return [...configured, ...emailsOf(await deps.audience.staffIn(others, org, since))];
}

function emailsOf(people: readonly Addressee[]): readonly string[] {
  return people.map(({ email }) => email);
}

function addMail(add: (draft: DeliveryDraft) => void, address: string, side: Side): void {
  if (!isMailAddress(address)) return;
  add({ channel: 'email', recipient: address.toLowerCase(), side, address });
}
