// Records that are no requests as OCSF events: each kind in the class whose readers look for it. Pure.
// What is managed (grants, policies, keys, subjects) is Entity Management, the gateway's own life Application Lifecycle,
// and what concerns the record itself Event Log Activity, where rules about silenced logging look.
import {
  type Activity,
  actorOf,
  BASE_KEYS,
  baseOf,
  compact,
  epochOf,
  type Fields,
  fieldsOf,
  numberOf,
  rest,
  restOfActor,
  textOf,
} from './ocsf-parts.ts';
import type { PublishedRecord } from './published-record.ts';

const ENTITY = {
  category: [3, 'Identity & Access Management'],
  class: [3004, 'Entity Management'],
} as const;
const LIFECYCLE = {
  category: [6, 'Application Activity'],
  class: [6002, 'Application Lifecycle'],
} as const;
const EVENT_LOG = {
  category: [1, 'System Activity'],
  class: [1008, 'Event Log Activity'],
} as const;

interface Kind extends Activity {
  /** What an Entity Management event is about. */
  readonly entity?: string;
  /** It did not succeed. */
  readonly failed?: true;
}

const CREATE = [1, 'Create'] as const;
const READ = [2, 'Read'] as const;
const UPDATE = [3, 'Update'] as const;
const DELETE = [4, 'Delete'] as const;
const DELETE_LOG = [2, 'Delete'] as const;
const ACTIVATE = [10, 'Activate'] as const;
const DEACTIVATE = [11, 'Deactivate'] as const;

/** A revoked or expired grant is deactivated and not deleted: it is kept, and shown to the customer. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['grant.created', { ...ENTITY, activity: CREATE, entity: 'grant' }],
  ['grant.changed', { ...ENTITY, activity: UPDATE, entity: 'grant' }],
  ['grant.revoked', { ...ENTITY, activity: DEACTIVATE, entity: 'grant' }],
  ['grant.expired', { ...ENTITY, activity: DEACTIVATE, entity: 'grant' }],
  ['settings.changed', { ...ENTITY, activity: UPDATE, entity: 'settings' }],
  ['request.made', { ...ENTITY, activity: CREATE, entity: 'access request' }],
  ['request.approved', { ...ENTITY, activity: UPDATE, entity: 'access request' }],
  ['request.decided', { ...ENTITY, activity: UPDATE, entity: 'access request' }],
  ['session.started', { ...ENTITY, activity: ACTIVATE, entity: 'session' }],
  ['session.ended', { ...ENTITY, activity: DEACTIVATE, entity: 'session' }],
  ['policy.reloaded', { ...ENTITY, activity: ACTIVATE, entity: 'policy' }],
  ['policy.reload_failed', { ...ENTITY, activity: ACTIVATE, entity: 'policy', failed: true }],
  ['lock.set', { ...ENTITY, activity: ACTIVATE, entity: 'lock' }],
  ['lock.lifted', { ...ENTITY, activity: DEACTIVATE, entity: 'lock' }],
  // Only wished for: an entity that nobody has confirmed gives nothing yet.
  ['break_glass.asked', { ...ENTITY, activity: CREATE, entity: 'emergency' }],
  ['break_glass.used', { ...ENTITY, activity: ACTIVATE, entity: 'grant' }],
  ['keys.withdrawn', { ...ENTITY, activity: DEACTIVATE, entity: 'signing key' }],
  ['subject.erased', { ...ENTITY, activity: DELETE, entity: 'subject' }],
  ['audit.read', { ...ENTITY, activity: READ, entity: 'audit records' }],
  ['gateway.started', { ...LIFECYCLE, activity: [3, 'Start'] }],
  ['gateway.stopped', { ...LIFECYCLE, activity: [4, 'Stop'] }],
  ['audit.gap', { ...EVENT_LOG, activity: [7, 'Stop'], failed: true }],
  ['audit.dropped', { ...EVENT_LOG, activity: DELETE_LOG, failed: true }],
  ['audit.checkpoint', { ...EVENT_LOG, activity: [99, 'Checkpoint'] }],
]);

/** An event of a later version is still an event about something that is managed. */
function kindOf(event: string): Kind {
  const known = KINDS.get(event);
  if (known !== undefined) return known;
  return { ...ENTITY, activity: [99, event], entity: event.split('.')[0] as string };
}

export function ocsfOfEvent(record: PublishedRecord): object {
  const kind = kindOf(record.event);
  const details = fieldsOf(record['details']);
  return compact({
    ...baseOf(record, kind, []),
    ...timesOf(record),
    status_id: kind.failed === true ? 2 : 1,
    status: kind.failed === true ? 'Failure' : 'Success',
    count: numberOf(record['count']),
    ...subjectOf(record, kind, details),
    unmapped: unmappedOf(record, kind),
  });
}

/** Of a gap: from when to when nothing could be recorded. */
function timesOf(record: PublishedRecord): Fields {
  return { start_time: epochOf(record['since']), end_time: epochOf(record['until']) };
}

/** The attributes that the event's class requires. */
function subjectOf(record: PublishedRecord, kind: Kind, details: Fields): Fields {
  if (kind.class[0] === LIFECYCLE.class[0])
    return {
      app: compact({ name: 'Postern', vendor_name: 'Postern', version: textOf(details['version']) }),
    };
  if (kind.class[0] === EVENT_LOG.class[0])
    return { log_name: 'postern.audit', log_provider: record.instance };
  const isOurs = record['actor'] === null || record['actor'] === undefined;
  const entity = { type: kind.entity, ...entityOf(record, kind, details) };
  return { actor: isOurs ? { app_name: 'Postern' } : actorOf(record['actor']), entity };
}

/** Which one: the schema wants its name or its identifier. */
function entityOf(record: PublishedRecord, kind: Kind, details: Fields): Fields {
  const grant = fieldsOf(record['grant']);
  const grantId = textOf(grant['id']);
  if (grantId !== undefined) {
    const revision = numberOf(grant['revision']);
    return compact({ uid: grantId, version: revision === undefined ? undefined : String(revision) });
  }
  const uid = textOf(details[UID_OF[kind.entity ?? ''] ?? '']);
  return uid === undefined ? { name: kind.entity } : { uid };
}

/** The detail that names the entity. */
const UID_OF: Readonly<Record<string, string>> = {
  policy: 'digest',
  subject: 'subject',
  'signing key': 'keyId',
  session: 'session',
  settings: 'revision',
  'access request': 'request',
  lock: 'lock',
  emergency: 'emergency',
};

const EVENT_KEYS = new Set([...BASE_KEYS, 'actor', 'grant', 'details', 'since', 'until', 'count']);
const GRANT_KEYS = new Set(['id', 'revision']);

function unmappedOf(record: PublishedRecord, kind: Kind): Fields {
  const isOurs = kind.class[0] === LIFECYCLE.class[0];
  const placed = (isOurs ? 'version' : UID_OF[kind.entity ?? '']) ?? '';
  const isPlaced = textOf(fieldsOf(record['details'])[placed]) !== undefined;
  return compact({
    ...rest(record, EVENT_KEYS),
    actor: restOfActor(record['actor']),
    grant: rest(record['grant'], GRANT_KEYS),
    details: rest(record['details'], new Set(isPlaced ? [placed] : [])),
  });
}
