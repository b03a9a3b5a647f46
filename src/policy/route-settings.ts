// `kind: RouteSettings`: opt-ins and limits of routes, matched narrowly. Reads documents and compiles them into
// one lookup. The lookup is hot: without settings it costs nothing, otherwise one walk over the trie.
import { parseDuration, DURATION_EXAMPLES } from '#model/duration.ts';
import type { RouteSettings } from './compiled-policy.ts';
import type { PathPattern } from './pattern.ts';
import { Reading, readNarrow } from './reading.ts';
import { readPaths } from './route-policy.ts';
import { Hits, Trie } from './trie.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, readChoice, readFields, readList, readText } from './yaml-fields.ts';

const OPT_INS = ['encodedSlash', 'encodedPercent', 'getBody'] as const;

export interface SettingsDraft {
  readonly paths: readonly PathPattern[];
  readonly allow: readonly (typeof OPT_INS)[number][];
  /** Lower case. */
  readonly headers: readonly string[];
  readonly maxBodyBytes: number | null;
  readonly maxInspectedBytes: number | null;
  readonly headersTimeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
}

/** Held in memory while its rules look at it, so it is small unless a route says otherwise. */
const DEFAULT_INSPECTED_BYTES = 1024 ** 2;

const SPEC = {
  what: 'the spec of RouteSettings',
  required: ['paths'],
  optional: ['allow', 'headers', 'maxBody', 'maxInspectedBody', 'timeouts'],
};
const TIMEOUTS = { what: 'timeouts', required: [], optional: ['headers', 'idle'] };

export function readRouteSettings(reader: FileReader, spec: Field): SettingsDraft | null {
  const fields = readFields(reader, spec.node, spec.valueOffset, SPEC);
  const pathsField = fields?.get('paths');
  if (fields === null || pathsField === undefined) return null;
  if (fields.size === 1) {
    report(reader, spec.valueOffset, `${SPEC.what} must set one of ${SPEC.optional.join(', ')}`);
  }
  const paths = readPaths(reader, pathsField, 'narrow');
  const allowField = fields.get('allow');
  const allow = allowField && readList(reader, allowField, (item) => readChoice(reader, item, OPT_INS));
  const headersField = fields.get('headers');
  const headers = headersField && readList(reader, headersField, (item) => readHeaderName(reader, item));
  const maxBody = fields.get('maxBody');
  const maxInspectedBody = fields.get('maxInspectedBody');
  const timeouts = readTimeouts(reader, fields.get('timeouts'));
  if (paths === null) return null;
  return {
    paths,
    allow: allow ?? [],
    headers: headers ?? [],
    maxBodyBytes: maxBody === undefined ? null : readSize(reader, maxBody),
    maxInspectedBytes: maxInspectedBody === undefined ? null : readInspected(reader, maxInspectedBody),
    headersTimeoutMs: timeouts.headers,
    idleTimeoutMs: timeouts.idle,
  };
}

/** RFC 9110 section 5.6.2, token. */
const TOKEN = { pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, form: 'a header name', maxLength: 128 };

function readHeaderName(reader: FileReader, item: Field): string | null {
  const name = readText(reader, item, TOKEN);
  if (name === null) return null;
  if (!/[_.]/.test(name)) {
    report(reader, item.offset, `${item.name} holds no underscore or dot, so it needs no permission`);
    return null;
  }
  return name.toLowerCase();
}

const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

export function readSize(reader: FileReader, field: Field): number | null {
  const text = readText(reader, field, {
    pattern: /^[1-9][0-9]{0,9}(?:B|KiB|MiB|GiB|TiB)$/,
    form: 'a size such as 64KiB, 10MiB, 2GiB',
  });
  if (text === null) return null;
  const unit = text.replace(/^[0-9]+/, '');
  const bytes = Number.parseInt(text, 10) * (UNIT_BYTES[unit] as number);
  if (Number.isSafeInteger(bytes)) return bytes;
  report(reader, field.valueOffset, `${field.name} is too large`);
  return null;
}

/** Each such request takes this much memory, twice while it is decompressed. */
const MAX_INSPECTED_BYTES = 64 * 1024 ** 2;

function readInspected(reader: FileReader, field: Field): number | null {
  const bytes = readSize(reader, field);
  if (bytes === null || bytes <= MAX_INSPECTED_BYTES) return bytes;
  report(reader, field.valueOffset, 'maxInspectedBody must be at most 64MiB: bodies are held in memory');
  return null;
}

function readTimeouts(
  reader: FileReader,
  field: Field | undefined,
): { readonly headers: number | null; readonly idle: number | null } {
  const fields = field && readFields(reader, field.node, field.valueOffset, TIMEOUTS);
  if (!field || !fields) return { headers: null, idle: null };
  if (fields.size === 0) report(reader, field.valueOffset, 'timeouts must not be empty');
  return {
    headers: readTimeout(reader, fields.get('headers')),
    idle: readTimeout(reader, fields.get('idle')),
  };
}

function readTimeout(reader: FileReader, field: Field | undefined): number | null {
  const text = field && readText(reader, field, {});
  if (!field || !text) return null;
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return ms;
  report(reader, field.valueOffset, `${field.name} must be a duration such as ${DURATION_EXAMPLES}`);
  return null;
}

export const DEFAULT_SETTINGS: RouteSettings = Object.freeze({
  allowEncodedSlash: false,
  allowEncodedPercent: false,
  allowGetBody: false,
  headers: Object.freeze([]),
  maxBodyBytes: null,
  maxInspectedBytes: DEFAULT_INSPECTED_BYTES,
  headersTimeoutMs: null,
  idleTimeoutMs: null,
});

/**
 * Of several drafts that name a route, opt-ins and headers add up; of each limit the first draft in file and
 * document order that sets it holds. Routes without settings share one object.
 */
export function createSettingsLookup(drafts: readonly SettingsDraft[]): (routePath: string) => RouteSettings {
  if (drafts.length === 0) return () => DEFAULT_SETTINGS;
  const trie = new Trie();
  drafts.forEach((draft, i) => draft.paths.forEach((path) => trie.add(path.segments, i)));
  const single = drafts.map((draft) => merge([draft]));
  const reading = new Reading();
  const hits = new Hits();
  return (routePath) => {
    readNarrow(routePath, reading);
    trie.walk(reading, hits);
    if (hits.length === 0) return DEFAULT_SETTINGS;
    if (hits.length === 1) return single[hits.payloads[0] as number] as RouteSettings;
    const found = [...new Set(hits.payloads.slice(0, hits.length))].toSorted((a, b) => a - b);
    return merge(found.map((i) => drafts[i] as SettingsDraft));
  };
}

function merge(drafts: readonly SettingsDraft[]): RouteSettings {
  const allow = new Set(drafts.flatMap((draft) => draft.allow));
  const first = <T>(pick: (draft: SettingsDraft) => T | null): T | null =>
    drafts.map(pick).find((value) => value !== null) ?? null;
  return Object.freeze({
    allowEncodedSlash: allow.has('encodedSlash'),
    allowEncodedPercent: allow.has('encodedPercent'),
    allowGetBody: allow.has('getBody'),
    headers: Object.freeze([...new Set(drafts.flatMap((draft) => draft.headers))]),
    maxBodyBytes: first((draft) => draft.maxBodyBytes),
    maxInspectedBytes: first((draft) => draft.maxInspectedBytes) ?? DEFAULT_INSPECTED_BYTES,
    headersTimeoutMs: first((draft) => draft.headersTimeoutMs),
    idleTimeoutMs: first((draft) => draft.idleTimeoutMs),
  });
}
