// `kind: RoutePolicy`: deny rules. Reads one document into checked drafts and reports everything else; compiling
// the drafts is rule-set.ts. Assumes YAML without aliases, tags and duplicate keys. Cold.
import { isScalar } from 'yaml';
import { readBodySelector } from './body-fields.ts';
import { type HostSet, readHosts } from './hosts.ts';
import { KNOWN_METHODS } from './methods.ts';
import { compilePattern, type PathPattern } from './pattern.ts';
import { type Position, suggestion } from './problem.ts';
import { foldName } from './query.ts';
import type { MatchDraft, QueryDraft, RuleDraft } from './rule-set.ts';
import { type FileReader, report } from './yaml-document.ts';
import {
  type Field,
  quoted,
  readBoolean,
  readChoice,
  readEntries,
  readFields,
  readItems,
  readList,
  readScalarText,
  readText,
  type TextRule,
} from './yaml-fields.ts';
import { readWhen, type When } from './when.ts';

/** A draft and where its id stands. */
export interface PlacedRule {
  readonly draft: RuleDraft;
  readonly at: Position;
}

export const RULE_ID: TextRule = {
  pattern: /^[a-z0-9][a-z0-9._-]{0,63}$/,
  form: 'at most 64 lower-case letters, digits, dots, hyphens and underscores',
};
export const CATEGORY: TextRule = {
  pattern: /^[a-z][a-z0-9-]{0,31}$/,
  form: 'at most 32 lower-case letters, digits and hyphens',
};
const METHOD = /^[A-Z][A-Z-]{0,31}$/;

/** What no grant may open, whatever a tenant's settings say. */
const NEVER_LIFTED = new Set(['self-grant', 'user-admin', 'permissions', 'credentials']);

const SPEC = { what: 'the spec of a RoutePolicy', required: ['rules'], optional: ['hosts'] };
const RULE = {
  what: 'a rule',
  required: ['id', 'category', 'match'],
  optional: ['mode', 'liftable', 'when', 'message'],
};
const MATCH = {
  what: 'a match',
  required: ['paths'],
  optional: ['methods', 'query', 'graphql', 'jsonrpc', 'json', 'form'],
};

export function readRoutePolicy(reader: FileReader, spec: Field): readonly PlacedRule[] {
  const fields = readFields(reader, spec.node, spec.valueOffset, SPEC);
  const rules = fields?.get('rules');
  if (rules === undefined) return [];
  const hosts = readHosts(reader, fields?.get('hosts'));
  const placed: PlacedRule[] = [];
  for (const item of readItems(reader, rules) ?? []) {
    const rule = readRule(reader, item, hosts);
    if (rule !== null) placed.push(rule);
  }
  return placed;
}

function readRule(reader: FileReader, item: Field, hosts: HostSet | null): PlacedRule | null {
  const fields = readFields(reader, item.node, item.offset, RULE);
  if (fields === null) return null;
  const head = readRuleHead(reader, fields);
  const matchField = fields.get('match');
  const match = matchField && readMatches(reader, matchField);
  if (head === null || !match) return null;
  return { draft: { ...head.draft, hosts, match }, at: head.at };
}

/** What deny rules and response guards have in common. */
export interface RuleHead {
  readonly id: string;
  readonly category: string;
  readonly mode: 'enforce' | 'shadow';
  readonly liftable: boolean;
  readonly when: When | null;
  readonly message: string | null;
}

/** Ids that are not an author's to give: decisions of the policy itself carry them. */
const RESERVED_IDS = /^policy[.]/;

/** The id of a rule, a guard or an allowance. */
export function readId(reader: FileReader, field: Field): string | null {
  const id = readText(reader, field, RULE_ID);
  if (id !== null && RESERVED_IDS.test(id)) {
    report(reader, field.valueOffset, 'an id must not begin with `policy.`: the policy names its own so');
  }
  return id;
}

export function readRuleHead(
  reader: FileReader,
  fields: ReadonlyMap<string, Field>,
): { readonly draft: RuleHead; readonly at: Position } | null {
  const idField = fields.get('id');
  const id = idField && readId(reader, idField);
  const categoryField = fields.get('category');
  const category = categoryField && readText(reader, categoryField, CATEGORY);
  const modeField = fields.get('mode');
  const mode = modeField === undefined ? 'enforce' : readChoice(reader, modeField, ['enforce', 'shadow']);
  const liftable = readLiftable(reader, fields.get('liftable'), category ?? null);
  const when = readWhen(reader, fields.get('when'));
  const messageField = fields.get('message');
  const message = messageField === undefined ? null : readText(reader, messageField, { maxLength: 300 });
  if (!idField || !id || !category || mode === null || when === null) return null;
  return {
    draft: { id, category, mode, liftable, when: when ?? null, message },
    at: reader.positionAt(idField.valueOffset),
  };
}

function readLiftable(reader: FileReader, field: Field | undefined, category: string | null): boolean {
  if (field === undefined) return false;
  const liftable = readBoolean(reader, field) ?? false;
  if (liftable && category !== null && NEVER_LIFTED.has(category)) {
    report(reader, field.valueOffset, `a rule of the category ${category} can never be lifted`);
    return false;
  }
  return liftable;
}

function readMatches(reader: FileReader, field: Field): readonly MatchDraft[] | null {
  const items = readItems(reader, field);
  if (items === null) return null;
  const matches: MatchDraft[] = [];
  for (const item of items) {
    const match = readMatch(reader, item);
    if (match !== null) matches.push(match);
  }
  return matches;
}

function readMatch(reader: FileReader, item: Field): MatchDraft | null {
  const fields = readFields(reader, item.node, item.offset, MATCH);
  if (fields === null) return null;
  const methodsField = fields.get('methods');
  const methods =
    methodsField === undefined ? null : readList(reader, methodsField, (one) => readMethod(reader, one));
  const pathsField = fields.get('paths');
  const paths = pathsField && readPaths(reader, pathsField, 'wide');
  const queryField = fields.get('query');
  const query = queryField === undefined ? [] : readQuery(reader, queryField);
  const body = readBodySelector(reader, fields, item);
  return paths && query && body !== undefined ? { methods, paths, query, body } : null;
}

export function readMethod(reader: FileReader, field: Field): string | null {
  const value = isScalar(field.node) ? field.node.value : null;
  if (typeof value === 'string' && METHOD.test(value)) return value;
  const hint = typeof value === 'string' ? suggestion(value, KNOWN_METHODS) : '';
  report(reader, field.valueOffset, `${field.name} must be an upper-case method${hint}`);
  return null;
}

/** Patterns of one width; the same path written twice is reported. */
export function readPaths(
  reader: FileReader,
  field: Field,
  width: 'wide' | 'narrow',
): readonly PathPattern[] | null {
  const texts = readList(reader, field, (item) => {
    const text = readText(reader, item, { maxLength: 10_000 });
    if (text === null) return null;
    const pattern = compilePattern(text, width);
    if (typeof pattern !== 'string') return text;
    report(reader, item.offset, `path ${quoted(text)} ${pattern}`);
    return null;
  });
  if (texts === null) return null;
  return texts.map((text) => compilePattern(text, width) as PathPattern);
}

export function readQuery(reader: FileReader, field: Field): readonly QueryDraft[] | null {
  const entries = readEntries(reader, field.node, field.valueOffset, 'query');
  if (entries === null) return null;
  if (entries.length === 0) {
    report(reader, field.valueOffset, 'query must not be empty');
    return null;
  }
  const drafts: QueryDraft[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    const name = foldName(entry.name);
    if (name === '') report(reader, entry.offset, 'a query key must not be empty');
    else if (seen.has(name))
      report(reader, entry.offset, `query key ${quoted(entry.name)} is read like an earlier one`);
    seen.add(name);
    const values = readQueryValues(reader, entry);
    if (values !== undefined) drafts.push({ key: entry.name, values });
  }
  return drafts.length === entries.length ? drafts : null;
}

/** Null is presence; undefined after a report. */
function readQueryValues(reader: FileReader, entry: Field): readonly string[] | null | undefined {
  if (isScalar(entry.node)) {
    if (entry.node.value === '*') return null;
    report(reader, entry.valueOffset, `${quoted(entry.name)} must be a list of values, or "*" for presence`);
    return undefined;
  }
  const values = readList(reader, entry, (item) => {
    const text = readScalarText(reader, item);
    if (text !== '*') return text;
    report(reader, item.offset, 'presence is written "*" alone, not in a list');
    return null;
  });
  return values ?? undefined;
}
