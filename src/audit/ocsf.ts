// A published record as an event of the Open Cybersecurity Schema Framework: requests as API Activity, everything else
// as `ocsf-events.ts` says. Pure, runs in the sink worker; the table that explains each choice is
// docs/audit-field-mapping.md, and a test holds that no field of the record is missing there.
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
  wholeOf,
} from './ocsf-parts.ts';
import { ocsfOfEvent } from './ocsf-events.ts';
import type { PublishedRecord } from './published-record.ts';

/** A JSON object. What has no place in the schema stands once, under `unmapped`; what is null stands nowhere. */
export function ocsfOf(record: PublishedRecord): object {
  return record['decision'] === undefined ? ocsfOfEvent(record) : ocsfOfRequest(record);
}

const API_ACTIVITY = {
  category: [6, 'Application Activity'],
  class: [6003, 'API Activity'],
} as const;
const READ = [2, 'Read'] as const;
/** A map, for a client may call its method `constructor`. */
const WRITES = new Map<string, readonly [number, string]>([
  ['POST', [1, 'Create']],
  ['PUT', [3, 'Update']],
  ['PATCH', [3, 'Update']],
  ['DELETE', [4, 'Delete']],
]);
const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** A request, or a sum of refusals, of which no method is known. */
function ocsfOfRequest(record: PublishedRecord): object {
  const http = fieldsOf(record['http']);
  const activity = activityOf(textOf(http['method']), record['effect']);
  const kind: Activity = { ...API_ACTIVITY, activity };
  return compact({
    ...baseOf(record, kind, ['security_control']),
    ...timesOf(record),
    ...statusOf(record),
    ...controlOf(record),
    count: numberOf(record['count']),
    actor: { ...actorOf(record['actor'], record['session']), ...authorizationsOf(record) },
    api: apiOf(record, http),
    src_endpoint: sourceOf(fieldsOf(record['client'])),
    dst_endpoint: compact({ hostname: textOf(http['host']) }),
    http_request: requestOf(record, http),
    http_response: responseOf(http),
    resources: resourcesOf(record),
    unmapped: unmappedOf(record, http),
  });
}

function activityOf(method: string | undefined, effect: unknown): readonly [number, string] {
  if (method === undefined) return [0, 'Unknown'];
  if (effect === 'read' || (effect === undefined && READING_METHODS.has(method))) return READ;
  return WRITES.get(method) ?? [99, method];
}

function timesOf(record: PublishedRecord): Fields {
  const start = epochOf(record.time);
  const duration = wholeOf(record['durationMs']);
  if (start === undefined || duration === undefined) return {};
  return { start_time: start, end_time: start + duration, duration };
}

const STATUSES = new Map<unknown, readonly [id: number, name: string]>([
  ['completed', [1, 'Success']],
  ['open', [99, 'Open']],
  ['unknown', [0, 'Unknown']],
]);

function statusOf(record: PublishedRecord): Fields {
  const [id, name] = STATUSES.get(record['outcome']) ?? [2, 'Failure'];
  return {
    status_id: id,
    status: name,
    status_code: textOf(record['reasonCode']),
    status_detail: textOf(record['note']),
  };
}

/** Endings by which the gate took back what it had allowed, because the authority for it ended. */
const REVOKED = new Set<unknown>([
  'revoked',
  'expired',
  'narrowed',
  'session_ended',
  'locked',
  'suspended',
  'credential_expired',
  'policy',
]);

/** The security control profile: what the gate did about it, by which rule of which policy. */
function controlOf(record: PublishedRecord): Fields {
  const rule = fieldsOf(record['rule']);
  const [actionId, action, dispositionId, disposition] = dispositionOf(record);
  return {
    action_id: actionId,
    action,
    disposition_id: dispositionId,
    disposition,
    policy: compact({ uid: textOf(record['policyDigest']) }),
    firewall_rule: compact({ uid: textOf(rule['id']), category: textOf(rule['category']) }),
  };
}

function dispositionOf(record: PublishedRecord): readonly [number, string, number, string] {
  if (record['decision'] !== 'allow') return [2, 'Denied', 2, 'Blocked'];
  if (record['outcome'] !== 'cut') return [1, 'Allowed', 1, 'Allowed'];
  return REVOKED.has(record['endedBy']) ? [2, 'Denied', 24, 'Access Revoked'] : [2, 'Denied', 21, 'Reset'];
}

/** The gate's decision as it was, and the grant it was made under. */
function authorizationsOf(record: PublishedRecord): Fields {
  const grant = fieldsOf(record['grant']);
  const revision = numberOf(grant['revision']);
  const policy = compact({
    name: textOf(grant['id']) === undefined ? undefined : 'grant',
    uid: textOf(grant['id']),
    version: revision === undefined ? undefined : String(revision),
  });
  return { authorizations: [compact({ decision: record['decision'], policy })] };
}

function apiOf(record: PublishedRecord, http: Fields): Fields {
  const method = textOf(http['method']);
  const status = numberOf(http['status']);
  const failed = textOf(record['reasonCode']);
  return compact({
    operation: method === undefined ? 'unknown' : `${method} ${textOf(http['route']) ?? ''}`.trimEnd(),
    request: compact({ uid: textOf(record['requestId']) }),
    response: compact({ code: status, error: failed === 'ok' ? undefined : failed }),
  });
}

/** The client as the gate knows it; `unknown` where its address was erased, since the schema wants a name at least. */
function sourceOf(client: Fields): Fields {
  const ip = textOf(client['ip']);
  const peer = textOf(client['peerIp']);
  const network = textOf(client['network']);
  return compact({
    ip,
    intermediate_ips: peer === undefined || peer === ip ? [] : [peer],
    name: network ?? (ip === undefined ? 'unknown' : undefined),
  });
}

function requestOf(record: PublishedRecord, http: Fields): Fields {
  if (http['method'] === undefined) return {};
  const keys = Array.isArray(http['queryKeys']) ? (http['queryKeys'] as unknown[]) : [];
  const names = keys.filter((key) => typeof key === 'string');
  return compact({
    uid: textOf(record['requestId']),
    http_method: textOf(http['method']),
    version: textOf(http['version']),
    user_agent: textOf(http['userAgent']),
    args: textOf(names.map((name) => encodeURIComponent(name.toWellFormed())).join('&')),
    body_length: numberOf(http['bytesIn']),
    url: compact({ hostname: textOf(http['host']), path: textOf(http['path']) }),
  });
}

function responseOf(http: Fields): Fields {
  const code = numberOf(http['status']);
  return code === undefined ? {} : compact({ code, body_length: numberOf(http['bytesOut']) });
}

function resourcesOf(record: PublishedRecord): readonly Fields[] {
  const named = ['tenant', 'workspace'] as const;
  return named.flatMap((type) => {
    const uid = textOf(record[type]);
    return uid === undefined ? [] : [{ type, uid }];
  });
}

const REQUEST_KEYS = new Set([
  ...BASE_KEYS,
  'durationMs',
  'workspace',
  'actor',
  'grant',
  'session',
  'requestId',
  'http',
  'client',
  'decision',
  'reasonCode',
  'note',
  'rule',
  'policyDigest',
  'count',
]);
const HTTP_KEYS = new Set([
  'method',
  'route',
  'path',
  'queryKeys',
  'host',
  'version',
  'status',
  'bytesIn',
  'userAgent',
  'bytesOut',
]);
const UNANSWERED_HTTP_KEYS = new Set([...HTTP_KEYS].filter((key) => key !== 'bytesOut'));
const GRANT_KEYS = new Set(['id', 'revision']);
const SESSION_KEYS = new Set(['id']);
const RULE_KEYS = new Set(['id', 'category']);
const CLIENT_KEYS = new Set(['ip', 'peerIp', 'network']);

/** Everything else under the record's own names, later fields included: nothing is lost by the format. */
function unmappedOf(record: PublishedRecord, http: Fields): Fields {
  const isAnswered = numberOf(http['status']) !== undefined;
  return compact({
    ...rest(record, REQUEST_KEYS),
    actor: restOfActor(record['actor']),
    grant: rest(record['grant'], GRANT_KEYS),
    session: rest(record['session'], SESSION_KEYS),
    rule: rest(record['rule'], RULE_KEYS),
    client: rest(record['client'], CLIENT_KEYS),
    http: rest(http, isAnswered ? HTTP_KEYS : UNANSWERED_HTTP_KEYS),
  });
}
