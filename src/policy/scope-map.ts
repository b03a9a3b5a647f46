// `kind: ScopeMap`: where a request names its workspace or tenant. Reads documents into checked drafts; judging is
// scope-map-judge.ts. Cold.
// `required` is about headers and query keys, which a request may leave out; its default is false. A path that is
// captured from always names something, so there it changes nothing.
import type { RouteFacts, WorkspaceSink } from './compiled-policy.ts';
import { PASS, type Verdict } from '#model/verdict.ts';
import { type HostSet, readHosts } from './hosts.ts';
import type { PathPattern } from './pattern.ts';
import { compare } from './problem.ts';
import { foldName } from './query.ts';
import { readPaths } from './route-policy.ts';
import { captureIndex, ScopeJudge } from './scope-map-judge.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, quoted, readBoolean, readFields, readItems, readText } from './yaml-fields.ts';

/** Where a name stands. */
export interface NameSource {
  readonly kind: 'path' | 'header' | 'query';
  /** Of a capture, of a header in lower case, or of a query key as written. */
  readonly name: string;
}

export interface ScopeDraft {
  /** Null: every host. */
  readonly hosts: HostSet | null;
  /** Compiled wide. Each has the captures that are named, and no `**` in front of them. */
  readonly paths: readonly PathPattern[];
  /** At least one of the two. */
  readonly workspace: NameSource | null;
  readonly tenant: NameSource | null;
  readonly required: boolean;
}

export interface Scopes {
  /** Folded keys that some map reads: without their values a record cannot be judged again. */
  readonly queryNames: ReadonlySet<string>;
  /** Lower case. */
  readonly headerNames: ReadonlySet<string>;
  /**
   * `tenant_mismatch`, `workspace_out_of_scope`, `bad_request_target` or `bad_header` for what cannot be read in one
   * way, or PASS; then `into.workspace` is the one that was named, and null otherwise.
   */
  scope(facts: RouteFacts, into: WorkspaceSink): Verdict;
}

const SPEC = { what: 'the spec of ScopeMap', required: ['scopes'], optional: ['hosts'] };
const SCOPE = { what: 'a scope', required: ['paths'], optional: ['workspace', 'tenant', 'required'] };
const KINDS = ['path', 'header', 'query'] as const;
const CAPTURE = { pattern: /^[A-Za-z][A-Za-z0-9_]*$/, form: 'the name of a {capture}', maxLength: 128 };
/** RFC 9110 section 5.6.2, token. */
const TOKEN = { pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, form: 'a header name', maxLength: 128 };

/** The scopes that could be read, in document order. */
export function readScopeMap(reader: FileReader, spec: Field): readonly ScopeDraft[] {
  const fields = readFields(reader, spec.node, spec.valueOffset, SPEC);
  const hosts = readHosts(reader, fields?.get('hosts'));
  const list = fields?.get('scopes');
  const drafts: ScopeDraft[] = [];
  for (const item of (list && readItems(reader, list)) ?? []) {
    const draft = readScope(reader, item, hosts);
    if (draft !== null) drafts.push(draft);
  }
  return drafts;
}

function readScope(reader: FileReader, item: Field, hosts: HostSet | null): ScopeDraft | null {
  const before = reader.problems.length;
  const fields = readFields(reader, item.node, item.offset, SCOPE);
  if (fields === null) return null;
  const pathsField = fields.get('paths');
  const paths = pathsField && readPaths(reader, pathsField, 'wide');
  const workspace = readSource(reader, fields.get('workspace'), paths ?? []);
  const tenant = readSource(reader, fields.get('tenant'), paths ?? []);
  if (!fields.has('workspace') && !fields.has('tenant')) {
    report(reader, item.offset, 'a scope needs workspace or tenant');
  }
  const requiredField = fields.get('required');
  const required = requiredField === undefined ? false : readBoolean(reader, requiredField);
  if (requiredField !== undefined && required === false && isCertain(workspace) && isCertain(tenant)) {
    report(reader, requiredField.offset, 'a capture of the path is always there: leave required out');
  }
  if (reader.problems.length > before || !paths) return null;
  return { hosts, paths, workspace, tenant, required: required ?? false };
}

function isCertain(source: NameSource | null): boolean {
  return source === null || source.kind === 'path';
}

function readSource(
  reader: FileReader,
  field: Field | undefined,
  paths: readonly PathPattern[],
): NameSource | null {
  if (field === undefined) return null;
  const shape = { what: field.name, required: [], optional: KINDS };
  const fields = readFields(reader, field.node, field.valueOffset, shape);
  if (fields === null) return null;
  const named = KINDS.filter((kind) => fields.has(kind));
  const [kind] = named;
  if (kind === undefined || named.length > 1) {
    report(reader, field.valueOffset, `${field.name} must name exactly one of ${KINDS.join(', ')}`);
    return null;
  }
  const source = readName(reader, fields.get(kind) as Field, kind);
  if (source?.kind === 'path') checkCaptures(reader, fields.get(kind) as Field, source.name, paths);
  return source;
}

function readName(reader: FileReader, field: Field, kind: NameSource['kind']): NameSource | null {
  if (kind === 'path') {
    const name = readText(reader, field, CAPTURE);
    return name === null ? null : { kind, name };
  }
  if (kind === 'header') {
    const name = readText(reader, field, TOKEN);
    return name === null ? null : { kind, name: name.toLowerCase() };
  }
  const name = readText(reader, field, { maxLength: 128 });
  if (name === null) return null;
  if (foldName(name) !== '') return { kind, name };
  report(reader, field.valueOffset, `query key ${quoted(name)} holds nothing that a request could name`);
  return null;
}

/** Behind a `**` nobody could say for certain which segment is the one that is captured. */
function checkCaptures(reader: FileReader, field: Field, name: string, paths: readonly PathPattern[]): void {
  for (const { text, segments } of paths) {
    const at = captureIndex(segments, name);
    if (at === -1) report(reader, field.valueOffset, `path ${quoted(text)} does not capture {${name}}`);
    else if (segments.slice(0, at).some(({ kind }) => kind === 'deep')) {
      const why = 'so that which segment it is depends on the reading';
      report(reader, field.valueOffset, `path ${quoted(text)} has \`**\` in front of {${name}}, ${why}`);
    }
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** `drafts` of all documents. Without any, nothing is out of scope and no workspace is ever known. */
export function createScopes(drafts: readonly ScopeDraft[]): Scopes {
  if (drafts.length > 0) return new ScopeJudge(drafts);
  return {
    queryNames: NO_NAMES,
    headerNames: NO_NAMES,
    scope(_facts, into) {
      into.workspace = null;
      return PASS;
    },
  };
}

/** For the digest: arrays only, sets sorted. */
export function scopeDigest(draft: ScopeDraft): unknown {
  return [
    draft.hosts?.names ?? null,
    draft.paths.map((path) => path.text).toSorted(compare),
    sourceDigest(draft.workspace),
    sourceDigest(draft.tenant),
    draft.required,
  ];
}

function sourceDigest(source: NameSource | null): unknown {
  return source === null ? null : [source.kind, source.name];
}
