// `kind: ResponseGuard`: what must not leave, recognised on the way out. Reads one document into checked drafts and
// reports everything else; judging is response-guard-judge.ts. Assumes YAML without aliases, tags and duplicate
// keys. Cold.
import { matchParts } from './match-digest.ts';
import { type HostSet, readHosts } from './hosts.ts';
import { readMediaType } from './media-type.ts';
import { compilePattern, type PathPattern } from './pattern.ts';
import { compare, type Position } from './problem.ts';
import { GuardJudge, type Guards, NO_GUARDS } from './response-guard-judge.ts';
import { readMethod, readPaths, readQuery, readRuleHead, type RuleHead } from './route-policy.ts';
import { readSize } from './route-settings.ts';
import type { MatchDraft } from './rule-set.ts';
import { whenDigest } from './when.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, readBoolean, readFields, readItems, readList, readText } from './yaml-fields.ts';

/** What an answer is recognised by; one of these is enough. At least one is set. */
export interface AnswerSigns {
  /** Any `Content-Disposition` but `inline`. */
  readonly attachment: boolean;
  /** Patterns in lower case. May be empty. */
  readonly mediaTypes: readonly string[];
  /** Of file names, in lower case, without the dot. May be empty. */
  readonly extensions: readonly string[];
  readonly maxBytes: number | null;
}

export interface GuardDraft extends RuleHead {
  /** Null: every host. */
  readonly hosts: HostSet | null;
  /** Never empty; every route where the author names none. */
  readonly match: readonly MatchDraft[];
  readonly response: AnswerSigns;
}

/** A draft and where its id stands. */
export interface PlacedGuard {
  readonly draft: GuardDraft;
  readonly at: Position;
}

const SPEC = { what: 'the spec of a ResponseGuard', required: ['guards'], optional: ['hosts'] };
const GUARD = {
  what: 'a guard',
  required: ['id', 'category', 'response'],
  optional: ['mode', 'liftable', 'when', 'match', 'message'],
};
const MATCH = { what: 'a match of a guard', required: ['paths'], optional: ['methods', 'query'] };
const RESPONSE = {
  what: 'response',
  required: [],
  optional: ['attachment', 'mediaTypes', 'extensions', 'maxBytes'],
};
const EXTENSION = {
  pattern: /^[A-Za-z0-9]{1,16}$/,
  form: 'a file extension of letters and digits, without the dot, such as csv',
};
const EVERY_ROUTE: MatchDraft = {
  methods: null,
  paths: [compilePattern('/**', 'wide') as PathPattern],
  query: [],
  body: null,
};

export function readResponseGuard(reader: FileReader, spec: Field): readonly PlacedGuard[] {
  const fields = readFields(reader, spec.node, spec.valueOffset, SPEC);
  const guards = fields?.get('guards');
  if (guards === undefined) return [];
  const hosts = readHosts(reader, fields?.get('hosts'));
  const placed: PlacedGuard[] = [];
  for (const item of readItems(reader, guards) ?? []) {
    const guard = readGuard(reader, item, hosts);
    if (guard !== null) placed.push(guard);
  }
  return placed;
}

function readGuard(reader: FileReader, item: Field, hosts: HostSet | null): PlacedGuard | null {
  const fields = readFields(reader, item.node, item.offset, GUARD);
  if (fields === null) return null;
  const head = readRuleHead(reader, fields);
  const matchField = fields.get('match');
  const match = matchField === undefined ? [EVERY_ROUTE] : readMatches(reader, matchField);
  const responseField = fields.get('response');
  const response = responseField && readSigns(reader, responseField);
  if (head === null || match === null || !response) return null;
  return { draft: { ...head.draft, hosts, match, response }, at: head.at };
}

function readMatches(reader: FileReader, field: Field): readonly MatchDraft[] | null {
  const items = readItems(reader, field);
  if (items === null) return null;
  const matches = items.map((item) => readMatch(reader, item)).filter((match) => match !== null);
  return matches.length === items.length ? matches : null;
}

function readMatch(reader: FileReader, item: Field): MatchDraft | null {
  const fields = readFields(reader, item.node, item.offset, MATCH);
  if (fields === null) return null;
  const methodsField = fields.get('methods');
  const methods =
    methodsField === undefined ? undefined : readList(reader, methodsField, (one) => readMethod(reader, one));
  const pathsField = fields.get('paths');
  const paths = pathsField && readPaths(reader, pathsField, 'wide');
  const queryField = fields.get('query');
  const query = queryField === undefined ? [] : readQuery(reader, queryField);
  if (methods === null || !paths || query === null) return null;
  return { methods: methods ?? null, paths, query, body: null };
}

function readSigns(reader: FileReader, field: Field): AnswerSigns | null {
  const before = reader.problems.length;
  const fields = readFields(reader, field.node, field.valueOffset, RESPONSE);
  if (fields === null) return null;
  const attachmentField = fields.get('attachment');
  const attachment = attachmentField === undefined ? false : readBoolean(reader, attachmentField);
  const typesField = fields.get('mediaTypes');
  const mediaTypes = typesField && readList(reader, typesField, (item) => readMediaType(reader, item));
  const extensionsField = fields.get('extensions');
  const extensions =
    extensionsField && readList(reader, extensionsField, (item) => readExtension(reader, item));
  const maxField = fields.get('maxBytes');
  const maxBytes = maxField === undefined ? null : readSize(reader, maxField);
  if (reader.problems.length > before) return null;
  if (attachment !== true && fields.size === (attachmentField === undefined ? 0 : 1)) {
    report(reader, field.valueOffset, `response must name one of ${RESPONSE.optional.join(', ')}`);
    return null;
  }
  return {
    attachment: attachment === true,
    mediaTypes: mediaTypes ?? [],
    extensions: extensions ?? [],
    maxBytes,
  };
}

function readExtension(reader: FileReader, item: Field): string | null {
  return readText(reader, item, EXTENSION)?.toLowerCase() ?? null;
}

/** `drafts` in file and document order, with unique ids. */
export function compileGuards(drafts: readonly GuardDraft[]): Guards {
  return drafts.length === 0 ? NO_GUARDS : new GuardJudge(drafts);
}

/** For the digest: arrays only, sets sorted. */
export function guardDigest(draft: GuardDraft): unknown {
  const { attachment, mediaTypes, extensions, maxBytes } = draft.response;
  return [
    draft.id,
    draft.category,
    draft.mode,
    draft.liftable,
    draft.hosts?.names ?? null,
    whenDigest(draft.when),
    draft.message,
    draft.match.map(matchParts),
    [attachment, mediaTypes.toSorted(compare), extensions.toSorted(compare), maxBytes],
  ];
}
