// A record as an RFC 5424 message in an octet-counted frame (RFC 6587 section 3.4.1, RFC 5425 section 4.3). Pure; runs in
// the worker. The message is JSON in pure ASCII: the same bytes as UTF-8, so no byte order mark is due, and nothing in a
// value can end a frame or a line. A record that is too long loses whole fields, least important first, and says so.
import { ocsfOf } from '../ocsf.ts';
import { asciiJson, capped } from '../json-text.ts';
import type { PublishedRecord } from '../published-record.ts';
import type { SyslogOptions } from './sink-options.ts';

const APP_NAME = 'postern';
const MAX_SEQUENCE = 2_147_483_647;
const NOT_PRINTABLE = /[^\x21-\x7e]/g;
const SEVERITIES: Readonly<Record<string, number>> = { I: 6, W: 4, E: 3 };
const NOTICE = 5;

export type FrameOptions = Pick<SyslogOptions, 'facility' | 'maxMessageBytes' | 'format'> & {
  /** Of the machine; cut and cleaned as the header wants it. */
  readonly hostname: string;
};

/** `MSG-LEN SP SYSLOG-MSG`. */
export function syslogFrame(record: PublishedRecord, options: FrameOptions): Buffer {
  const head = headOf(record, options);
  let message = head + textOf(record, options);
  for (let steps = 1; message.length > options.maxMessageBytes && steps <= SHORTENINGS.length; steps++)
    message = head + textOf(shortened(record, steps), options);
  if (message.length > options.maxMessageBytes) message = head + textOf(identityOf(record), options);
  return Buffer.from(`${message.length} ${message}`, 'latin1');
}

/** ASCII, so a character is a byte. */
function textOf(record: PublishedRecord, { format }: FrameOptions): string {
  return asciiJson(format === 'ocsf' ? ocsfOf(record) : record);
}

/** RFC 5424 section 6.2, and the two registered elements that have something to say (section 7). */
function headOf(record: PublishedRecord, { facility, hostname }: FrameOptions): string {
  const priority = facility * 8 + (SEVERITIES[record.code.slice(-1)] ?? NOTICE);
  const host = nameOf(hostname, 255);
  const process = nameOf(record.instance, 128);
  const kind = nameOf(record.event, 32);
  const sequence = (((record.seq ?? 1) - 1) % MAX_SEQUENCE) + 1;
  const meta = `[meta sequenceId="${sequence}"][origin software="Postern"]`;
  return `<${priority}>1 ${timeOf(record.time)} ${host} ${APP_NAME} ${process} ${kind} ${meta} `;
}

/** What a header field may hold: printable ASCII without spaces, never empty. */
function nameOf(value: string, max: number): string {
  return value.replace(NOT_PRINTABLE, '_').slice(0, max) || '-';
}

function timeOf(instant: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(instant) ? instant : '-';
}

/** Any text, six bytes a character where it is not ASCII: 1 KiB must hold what says which record it was. */
const SHORTEST = 24;
const SHORT = 64;
const PATH = 256;

type Shortening = readonly [path: readonly string[], make: (value: unknown) => unknown];

const nothing = (): readonly unknown[] => [];
const cutTo =
  (length: number) =>
  (value: unknown): unknown =>
    typeof value === 'string' ? capped(value, length) : value;
const cutEach = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, text]) => [key, cutTo(SHORT)(text)]))
    : value;

/** What is given up for the rest, least important first. Who, when, what and why stay longest. */
const SHORTENINGS: readonly Shortening[] = [
  [['http', 'queryValues'], nothing],
  [['shadowRules'], nothing],
  [['http', 'queryKeys'], nothing],
  [['http', 'userAgent'], cutTo(SHORT)],
  [['details'], cutEach],
  [['reason', 'detail'], cutTo(SHORT)],
  [['note'], cutTo(SHORT)],
  [['grant', 'roles'], nothing],
  [['http', 'route'], cutTo(PATH)],
  [['http', 'path'], cutTo(PATH)],
  [['http', 'host'], cutTo(SHORT)],
];

function shortened(record: PublishedRecord, steps: number): PublishedRecord {
  let fields: Record<string, unknown> = { ...record, truncated: true };
  for (const [path, make] of SHORTENINGS.slice(0, steps)) fields = changedAt(fields, path, make);
  return fields as unknown as PublishedRecord;
}

function changedAt(
  fields: Record<string, unknown>,
  [key = '', ...deeper]: readonly string[],
  make: (value: unknown) => unknown,
): Record<string, unknown> {
  const value = fields[key];
  if (value === undefined || value === null) return fields;
  if (deeper.length === 0) return { ...fields, [key]: make(value) };
  return { ...fields, [key]: changedAt(value as Record<string, unknown>, deeper, make) };
}

const IDENTITY = [
  'schema',
  'event',
  'code',
  'id',
  'seq',
  'instance',
  'time',
  'tenant',
  'requestId',
  'decision',
  'outcome',
];

/** Of a record that no shortening makes fit: enough to find it in the journal. */
function identityOf(record: PublishedRecord): PublishedRecord {
  const kept = IDENTITY.filter((key) => record[key] !== undefined);
  const fields = kept.map((key) => [
    key,
    cutTo(key === 'tenant' || key === 'instance' ? SHORTEST : SHORT)(record[key]),
  ]);
  return { ...Object.fromEntries(fields), truncated: true } as PublishedRecord;
}
