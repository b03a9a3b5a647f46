// What a PolicyTest says about a request and its answer beside method and target: header lines, a body, a status.
// Everything is checked and reported where it stands. Cold.
import { isMap, isScalar, isSeq, type ParsedNode } from 'yaml';
import type { JudgedAnswer, RequestHeaders } from './judge.ts';
import { type FileReader, report } from './yaml-document.ts';
import {
  type Field,
  quoted,
  readEntries,
  readFields,
  readList,
  readScalarText,
  readText,
} from './yaml-fields.ts';
import { readMethod } from './route-policy.ts';

export interface DescribedBody {
  /** Empty: none. */
  readonly bytes: Buffer;
  /** Null: not said, by `contentType` or by the body's own form. */
  readonly type: string | null;
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const NO_BYTES = Buffer.alloc(0);

/** `body` as text, or as a mapping or sequence that stands for JSON; `formMethods` is short for a form of `_method`s. */
export function readBodyFields(reader: FileReader, fields: ReadonlyMap<string, Field>): DescribedBody {
  const body = fields.get('body');
  const formMethods = fields.get('formMethods');
  const typeField = fields.get('contentType');
  const type = typeField === undefined ? null : readText(reader, typeField, HEADER_VALUE);
  if (body !== undefined && formMethods !== undefined) {
    report(reader, formMethods.offset, 'formMethods is short for a body, so a case has one of both');
  }
  if (formMethods !== undefined) {
    const methods = readList(reader, formMethods, (one) => readMethod(reader, one)) ?? [];
    const form = methods.map((method) => `_method=${method}`).join('&');
    return { bytes: Buffer.from(form), type: type ?? FORM_TYPE };
  }
  if (body === undefined) return { bytes: NO_BYTES, type };
  if (!isMap(body.node) && !isSeq(body.node)) {
    const text = readScalarText(reader, body);
    return { bytes: Buffer.from(text ?? ''), type };
  }
  const json = jsonOf(reader, body.node, body.valueOffset);
  return { bytes: Buffer.from(json), type: type ?? JSON_TYPE };
}

/** Written from the nodes themselves, so that a member may have any name, `__proto__` included. */
function jsonOf(reader: FileReader, node: ParsedNode | null, offset: number): string {
  if (isSeq(node)) {
    const items = node.items as readonly (ParsedNode | null)[];
    return `[${items.map((item) => jsonOf(reader, item, item?.range[0] ?? offset)).join(',')}]`;
  }
  if (isMap(node)) {
    const entries = readEntries(reader, node as ParsedNode, offset, 'a body') ?? [];
    const members = entries.map((entry) => {
      return `${JSON.stringify(entry.name)}:${jsonOf(reader, entry.node, entry.valueOffset)}`;
    });
    return `{${members.join(',')}}`;
  }
  const value = isScalar(node) ? node.value : null;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    report(reader, offset, 'JSON has no such number: write the body as text');
  }
  return JSON.stringify(value) ?? 'null';
}

/** RFC 9110 section 5.6.2, token. */
const HEADER_NAME = { pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, form: 'a header name' };
const HEADER_VALUE = {
  pattern: /^[\t -~\u0080-\u00FF]*$/,
  form: 'a header value without control characters',
  maxLength: 8192,
};
const HEADER_VALUE_PATTERN = HEADER_VALUE.pattern;

/** What has a key of its own, or follows from one. */
const OWN_KEYS: Readonly<Record<string, string>> = {
  host: 'the key host says so',
  'content-type': 'the key contentType says so',
  'content-length': 'it follows from the body',
  'transfer-encoding': 'it follows from the body',
  upgrade: 'the key upgrade says so',
};

/** By name in lower case; names that differ only in case are one header. */
export function readRequestHeaders(
  reader: FileReader,
  field: Field | undefined,
  contentType: string | null,
): RequestHeaders {
  const lines = readHeaderLines(reader, field, OWN_KEYS);
  const headers = new Map<string, readonly string[]>();
  if (contentType !== null) headers.set('content-type', [contentType]);
  for (const [name, value] of lines) headers.set(name, [...(headers.get(name) ?? []), value]);
  return headers;
}

function readHeaderLines(
  reader: FileReader,
  field: Field | undefined,
  refused: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  if (field === undefined) return [];
  const lines: (readonly [string, string])[] = [];
  for (const entry of readEntries(reader, field.node, field.valueOffset, field.name) ?? []) {
    const name = entry.name.toLowerCase();
    if (!HEADER_NAME.pattern.test(entry.name)) {
      report(reader, entry.offset, `${quoted(entry.name)} is no ${HEADER_NAME.form.slice(2)}`);
    } else if (Object.hasOwn(refused, name)) {
      report(reader, entry.offset, `${name} cannot stand under headers: ${refused[name]}`);
    }
    for (const value of readHeaderValues(reader, entry)) lines.push([name, value]);
  }
  return lines;
}

function readHeaderValues(reader: FileReader, entry: Field): readonly string[] {
  if (isSeq(entry.node)) return readList(reader, entry, (item) => readHeaderValue(reader, item)) ?? [];
  const value = readHeaderValue(reader, entry);
  return value === null ? [] : [value];
}

function readHeaderValue(reader: FileReader, field: Field): string | null {
  const text = readScalarText(reader, field);
  if (text === null || HEADER_VALUE_PATTERN.test(text)) return text;
  report(reader, field.valueOffset, `${field.name} must be ${HEADER_VALUE.form}`);
  return null;
}

const RESPONSE = { what: 'a response', required: [], optional: ['status', 'headers', 'bytes'] };

/** Undefined where there is no such key, null after a report. */
export function readResponse(reader: FileReader, field: Field | undefined): JudgedAnswer | null | undefined {
  if (field === undefined) return undefined;
  const fields = readFields(reader, field.node, field.valueOffset, RESPONSE);
  if (fields === null) return null;
  const status = readWhole(reader, fields.get('status'), [200, 599]) ?? 200;
  const bytes = readWhole(reader, fields.get('bytes'), [0, Number.MAX_SAFE_INTEGER]) ?? 0;
  const headers = readHeaderLines(reader, fields.get('headers'), {});
  const declared = headers.find(([name]) => name === 'content-length')?.[1] ?? '';
  return {
    status,
    fields: headers.flat(),
    contentLength: /^(?:0|[1-9]\d{0,15})$/.test(declared) ? Number(declared) : -1,
    bytes,
  };
}

function readWhole(
  reader: FileReader,
  field: Field | undefined,
  [least, most]: readonly [number, number],
): number | null {
  if (field === undefined) return null;
  const value = isScalar(field.node) ? field.node.value : null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  report(reader, field.valueOffset, `${field.name} must be a whole number ${range}`);
  return null;
}
