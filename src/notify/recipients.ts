// Who is told of a notice, and over which channel: the table of events and sides, then the people behind the sides.
// Guarantees: each recipient once per channel, whatever names it twice; no message to what is no address. A lock that is
// about no one tenant is told to the operator's own webhooks and to the staff it names, to nobody else. Cold.
import type { EpochMs } from '#model/clock.ts';
import { isMailAddress } from '#model/mail-address.ts';
import type { Notice, NoticeEvent } from '#model/notice.ts';
import type { Addressee, DeliveryDraft, NoticeAudience, NoticeSettings, Side } from './notice-outbox.ts';

/** Somebody who was not seen for so long is not taken for a member of a group any more. */
const SEEN_WITHIN_MS = 90 * 86_400_000;

/** `groups`: only the groups that a notice names, not the principals: whoever asked knows it. */
type StaffTold = 'all' | 'groups' | 'none';

interface Told {
  readonly tenant: boolean;
  readonly staff: StaffTold;
}

/** docs/notifications.md shows the same table; a test holds them together. */
export const TOLD: Readonly<Record<NoticeEvent, Told>> = {
  'grant.given': { tenant: true, staff: 'all' },
  'grant.changed': { tenant: true, staff: 'all' },
  'grant.revoked': { tenant: true, staff: 'all' },
  'grant.ending': { tenant: true, staff: 'all' },
  'grant.ended': { tenant: true, staff: 'all' },
  'grant.verified': { tenant: true, staff: 'all' },
  'request.made': { tenant: true, staff: 'groups' },
  'request.lead_approved': { tenant: true, staff: 'all' },
  'request.decided': { tenant: true, staff: 'all' },
  'session.started': { tenant: true, staff: 'none' },
  'session.ended': { tenant: true, staff: 'all' },
  'lock.set': { tenant: true, staff: 'all' },
  'lock.lifted': { tenant: true, staff: 'all' },
  'break_glass.asked': { tenant: true, staff: 'all' },
  'break_glass.used': { tenant: true, staff: 'all' },
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
  for (const address of await staffAddresses(notice, told.staff, { deps, now })) {
    addMail(add, address, 'staff');
  }
  return [...drafts.values()];
}

/**
 * An event that a newer version wrote concerns the operator alone. A request that a lead has first is not the customer's
 * yet. Whoever ended their own session knows it.
 */
function toldOf({ event, facts }: Notice): Told {
  const told = Object.hasOwn(TOLD, event) ? TOLD[event] : { tenant: false, staff: 'none' as const };
  if (event === 'request.made' && facts['status'] === 'awaiting_lead') return { ...told, tenant: false };
  const hasLeft = facts['endedBy'] === 'left' || facts['endedBy'] === 'replaced';
  return event === 'session.ended' && hasLeft ? { ...told, staff: 'none' } : told;
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
async function staffAddresses(
  { staff, facts }: Notice,
  told: StaffTold,
  { deps, now }: Looking,
): Promise<readonly string[]> {
  if (told === 'none') return [];
  const { principals, groups } = staff;
  if (principals.length > 0 && told === 'all') {
    const stated = principals.flatMap(({ email }) => email ?? []);
    const unstated = principals.filter(({ email }) => email === undefined || email === null);
    return [...stated, ...emailsOf(await deps.audience.staffNamed(unstated))];
  }
  const org = facts['audienceOrg'];
  const configured = groups.flatMap((group) => deps.groups.get(group) ?? []);
  const others = groups.filter((group) => !deps.groups.has(group));
  if (others.length === 0) return configured;
  const since = (now - SEEN_WITHIN_MS) as EpochMs;
  const seen = await deps.audience.staffIn(others, typeof org === 'string' ? org : null, since);
  return [...configured, ...emailsOf(seen)];
}

function emailsOf(people: readonly Addressee[]): readonly string[] {
  return people.map(({ email }) => email);
}

function addMail(add: (draft: DeliveryDraft) => void, address: string, side: Side): void {
  if (!isMailAddress(address)) return;
  add({ channel: 'email', recipient: address.toLowerCase(), side, address });
}
