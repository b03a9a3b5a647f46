// Small parts that every OCSF event is put together from: reading a record's fields without trusting their shape, and
// leaving out what says nothing. Pure; runs in the sink worker.
// A record's fields may be null (an erased person) or unknown (a later version): both must come out whole, never throw.
import type { PublishedRecord } from './published-record.ts';

/** The version of the public schema that events say they follow. */
export const OCSF_VERSION = '1.6.0';
const PRODUCT = { name: 'Postern', vendor_name: 'Postern' };

export type Fields = Readonly<Record<string, unknown>>;

export interface Activity {
  readonly category: readonly [uid: number, name: string];
  readonly class: readonly [uid: number, name: string];
  readonly activity: readonly [id: number, name: string];
}

/** An object's fields; none for anything else. */
export function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Whole milliseconds: the schema's times and durations are integers. */
export function wholeOf(value: unknown): number | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : Math.round(number);
}

const NONE: ReadonlySet<string> = new Set();

/** Without fields that are null, undefined, or objects and lists in which nothing is left. Keeps the order. */
export function compact(fields: Fields): Fields {
  return left(fields, NONE, false);
}

/** What is left of an object when the fields named were given a place; without nulls in its own objects either. */
export function rest(value: unknown, placed: ReadonlySet<string>): Fields {
  return left(fieldsOf(value), placed, true);
}

/** A loop, since every record comes through here a dozen times. */
function left(fields: Fields, without: ReadonlySet<string>, isDeep: boolean): Fields {
  const kept: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    if (without.has(key)) continue;
    const value = isDeep && isObject(fields[key]) ? left(fields[key], NONE, true) : fields[key];
    if (!isNothing(value)) kept[key] = value;
  }
  return kept;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _key in value) return false;
  return true;
}

const SEVERITIES: Readonly<Record<string, readonly [id: number, name: string]>> = {
  I: [1, 'Informational'],
  W: [2, 'Low'],
  E: [4, 'High'],
};

/** The base of every event. `profiles`: those whose attributes it uses. */
export function baseOf(record: PublishedRecord, kind: Activity, profiles: readonly string[]): Fields {
  const severity = SEVERITIES[record.code.slice(-1)] ?? [0, 'Unknown'];
  return {
    category_uid: kind.category[0],
    category_name: kind.category[1],
    class_uid: kind.class[0],
    class_name: kind.class[1],
    activity_id: kind.activity[0],
    activity_name: kind.activity[1],
    type_uid: kind.class[0] * 100 + kind.activity[0],
    type_name: `${kind.class[1]}: ${kind.activity[1]}`,
    severity_id: severity[0],
    severity: severity[1],
    time: epochOf(record.time),
    message: record.event,
    metadata: metadataOf(record, profiles),
  };
}

function metadataOf(record: PublishedRecord, profiles: readonly string[]): Fields {
  return compact({
    version: OCSF_VERSION,
    product: PRODUCT,
    profiles,
    uid: record.id,
    event_code: record.code,
    sequence: record.seq,
    log_name: 'postern.audit',
    log_version: record.schema,
    loggers: [{ name: 'postern', uid: record.instance }],
    original_time: record.time,
    tenant_uid: textOf(record['tenant']),
    correlation_uid: textOf(record['traceId']),
    is_truncated: record['truncated'] === true ? true : undefined,
  });
}

/** Of an RFC 3339 instant. */
export function epochOf(instant: unknown): number | undefined {
  const at = typeof instant === 'string' ? Date.parse(instant) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** The keys of a record that `baseOf` gives a place. */
export const BASE_KEYS = [
  'schema',
  'event',
  'code',
  'id',
  'seq',
  'instance',
  'time',
  'tenant',
  'traceId',
  'truncated',
] as const;

const ACTOR_KEYS = new Set(['subject', 'id', 'name', 'email', 'issuer', 'org']);

/**
 * Who did it. An erased person is the random subject that stands in its place; where nobody was identified there is
 * still a user, of unknown type, since the schema wants one.
 */
export function actorOf(value: unknown, session?: unknown): Fields {
  const actor = fieldsOf(value);
  const uid = textOf(actor['id']);
  const subject = textOf(actor['subject']);
  const org = textOf(actor['org']);
  const isKnown = (uid ?? subject) !== undefined;
  return compact({
    user: compact({
      uid: uid ?? subject,
      uid_alt: uid === undefined ? undefined : subject,
      name: isKnown ? undefined : 'unidentified',
      display_name: textOf(actor['name']),
      email_addr: textOf(actor['email']),
      org: compact({ name: org }),
      ...typeOf(isKnown, actor['kind']),
    }),
    idp: compact({ uid: textOf(actor['issuer']) }),
    session: compact({ uid: textOf(fieldsOf(session)['id']) }),
  });
}

function typeOf(isKnown: boolean, kind: unknown): Fields {
  if (!isKnown) return { type_id: 0, type: 'Unknown' };
  return kind === 'service' ? { type_id: 4, type: 'Service' } : { type_id: 1, type: 'User' };
}

/** What an actor says that `actorOf` gave no place. */
export function restOfActor(value: unknown): Fields {
  return rest(value, ACTOR_KEYS);
}
