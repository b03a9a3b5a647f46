// Records as OpenTelemetry log records, in the JSON encoding of OTLP 1.x (ExportLogsServiceRequest). Pure; runs in the
// worker. The body is the record's own JSON as one string: exporters pass a string on as it is, whereas maps are
// flattened by each in its own way and lose nulls and empty lists; a record then reads the same in every sink.
// Attributes are what one searches by: the semantic conventions where they have a name, `postern.*` for the rest.
import type { PublishedRecord } from '../published-record.ts';
import { recordText } from './ndjson.ts';
import type { RecordFormat } from './sink-options.ts';

/** One record, encoded once, with the instance whose resource it belongs to. */
export interface LogRecord {
  readonly instance: string;
  /** A JSON object. */
  readonly text: string;
  readonly bytes: number;
}

const SEVERITIES: Readonly<Record<string, readonly [number: number, text: string]>> = {
  I: [9, 'INFO'],
  W: [13, 'WARN'],
  E: [17, 'ERROR'],
};
const UNSPECIFIED = [0, ''] as const;
/** Without a place in the convention, which wants a closed set. */
const OTHER_METHOD = '_OTHER';
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** `observedAt`: epoch milliseconds, when the sink saw the record. */
export function logRecordOf(
  record: PublishedRecord,
  format: RecordFormat | undefined,
  observedAt: number,
): LogRecord {
  const [severityNumber, severityText] = SEVERITIES[record.code.slice(-1)] ?? UNSPECIFIED;
  const trace = record['traceId'];
  const text = JSON.stringify({
    timeUnixNano: nanosOf(Date.parse(record.time)),
    observedTimeUnixNano: nanosOf(observedAt),
    severityNumber,
    severityText,
    eventName: `postern.${record.event}`,
    body: { stringValue: recordText(record, format) },
    attributes: attributesOf(record),
    ...(isTraceId(trace) ? { traceId: trace } : {}),
  });
  return { instance: record.instance, text, bytes: Buffer.byteLength(text) };
}

/** Nanoseconds do not fit into a double: 64-bit numbers are strings in the JSON encoding. */
function nanosOf(epochMs: number): string {
  return Number.isFinite(epochMs) && epochMs > 0 ? `${Math.trunc(epochMs)}000000` : '0';
}

/** 16 bytes, hex in OTLP and unlike the rest of the encoding not base64; all zeros is none. */
function isTraceId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value) && !/^0+$/.test(value);
}

/** Where an attribute is found in a record: `http.status` is the field `status` of the field `http`. */
const ATTRIBUTES: readonly (readonly [attribute: string, path: string])[] = [
  ['log.record.uid', 'id'],
  ['url.path', 'http.path'],
  ['server.address', 'http.host'],
  ['network.protocol.version', 'http.version'],
  ['http.response.status_code', 'http.status'],
  ['http.request.body.size', 'http.bytesIn'],
  ['http.response.body.size', 'http.bytesOut'],
  ['user_agent.original', 'http.userAgent'],
  ['client.address', 'client.ip'],
  ['network.peer.address', 'client.peerIp'],
  ['user.id', 'actor.id'],
  ['user.email', 'actor.email'],
  ['user.full_name', 'actor.name'],
  ['enduser.id', 'actAs'],
  ['session.id', 'session.id'],
  ['postern.code', 'code'],
  ['postern.seq', 'seq'],
  ['postern.tenant', 'tenant'],
  ['postern.tenant_seq', 'tenantSeq'],
  ['postern.workspace', 'workspace'],
  ['postern.subject', 'actor.subject'],
  ['postern.issuer', 'actor.issuer'],
  ['postern.org', 'actor.org'],
  ['postern.grant.id', 'grant.id'],
  ['postern.grant.revision', 'grant.revision'],
  ['postern.case', 'caseRef'],
  ['postern.reason.type', 'reason.type'],
  ['postern.request.id', 'requestId'],
  ['postern.effect', 'effect'],
  ['postern.decision', 'decision'],
  ['postern.reason_code', 'reasonCode'],
  ['postern.rule.id', 'rule.id'],
  ['postern.rule.category', 'rule.category'],
  ['postern.policy.digest', 'policyDigest'],
  ['postern.outcome', 'outcome'],
  ['postern.ended_by', 'endedBy'],
  ['postern.network', 'client.network'],
  ['postern.count', 'count'],
];
const PLACES = ATTRIBUTES.map(([key, path]) => ({ key, steps: path.split('.') }));

interface Attribute {
  readonly key: string;
  readonly value: AnyValue;
}
type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number };

function attributesOf(record: PublishedRecord): Attribute[] {
  const attributes: Attribute[] = [];
  for (const { key, steps } of PLACES) {
    let value: unknown = record;
    for (const step of steps)
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : null;
    const typed = anyValueOf(value);
    if (typed !== null) attributes.push({ key, value: typed });
  }
  attributes.push(...methodOf(record), ...errorOf(record));
  return attributes;
}

function methodOf(record: PublishedRecord): readonly Attribute[] {
  const { http } = record as { readonly http?: { readonly method?: unknown } | null };
  const method = http?.method;
  if (typeof method !== 'string') return [];
  if (METHODS.has(method)) return [attributeOf('http.request.method', method)];
  return [
    attributeOf('http.request.method', OTHER_METHOD),
    attributeOf('http.request.method_original', method),
  ];
}

/** Of what failed, and not of what was refused: a refusal is the gate at work. */
function errorOf(record: PublishedRecord): readonly Attribute[] {
  const reason = record['reasonCode'];
  const isError = record.code.endsWith('E') && typeof reason === 'string';
  return isError ? [attributeOf('error.type', reason)] : [];
}

function attributeOf(key: string, text: string): Attribute {
  return { key, value: stringValueOf(text) };
}

/** Half a surrogate pair is no UTF-8, and a collector may refuse the whole request for it. */
function stringValueOf(text: string): AnyValue {
  return { stringValue: text.toWellFormed() };
}

function anyValueOf(value: unknown): AnyValue | null {
  if (typeof value === 'string') return value === '' ? null : stringValueOf(value);
  if (typeof value !== 'number') return null;
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/**
 * The body of one request: the log records by the instance that wrote them, each instance a resource. `resource` is
 * what the configuration adds to it, or puts in place of `service.name`. `records` is not empty.
 */
export function exportRequest(
  records: readonly LogRecord[],
  resource: Readonly<Record<string, string>>,
): string {
  const byInstance = Map.groupBy(records, ({ instance }) => instance);
  const parts = [...byInstance].map(([instance, texts]) => {
    const all = { 'service.name': 'postern', ...resource, 'service.instance.id': instance };
    const attributes = Object.entries(all).map(([key, value]) => attributeOf(key, value));
    const lines = texts.map(({ text }) => text).join(',');
    return (
      `{"resource":${JSON.stringify({ attributes })},` +
      `"scopeLogs":[{"scope":{"name":"postern.audit"},"logRecords":[${lines}]}]}`
    );
  });
  return `{"resourceLogs":[${parts.join(',')}]}`;
}
