// Body selectors as a policy author writes them: `graphql`, `jsonrpc`, `json` or `form`, at most one in a match.
// Reads them into checked drafts and reports everything else, each at its own place. Cold.
import { isMap, isScalar, isSeq } from 'yaml';
import type { BodyFieldDraft, BodySelectorDraft, OperationType } from './body-selector.ts';
import { foldValue, VALUE_TEMPLATES } from './body-values.ts';
import { foldText, hasControl } from './fold.ts';
import { compilePointer } from './json-pointer.ts';
import { compare, suggestion } from './problem.ts';
import { foldName } from './query.ts';
import { type FileReader, report } from './yaml-document.ts';
import {
  type Field,
  isEmptyMapping,
  quoted,
  readChoice,
  readEntries,
  readFields,
  readItems,
  readList,
  readScalarText,
  readText,
} from './yaml-fields.ts';

/** The keys of a match that select by body. */
export const BODY_SELECTORS = ['graphql', 'jsonrpc', 'json', 'form'] as const;

export const OPERATION_TYPES: readonly OperationType[] = ['mutation', 'query', 'subscription'];

const GRAPHQL = { what: 'graphql', required: [], optional: ['type', 'operations'] };
const JSONRPC = { what: 'jsonrpc', required: ['methods'], optional: [] };
/** GraphQL, October 2021, section 2.1.9, and `*`. */
const ROOT_FIELD = {
  pattern: /^[A-Za-z_*][A-Za-z0-9_*]*$/,
  form: 'the name of a root field, letters, digits and underscores, with `*` for any of them',
  maxLength: 128,
};

/** `fields` are those of the match at `where`. Null: none of the four keys; undefined after a report. */
export function readBodySelector(
  reader: FileReader,
  fields: ReadonlyMap<string, Field>,
  where: Field,
): BodySelectorDraft | null | undefined {
  const present = BODY_SELECTORS.flatMap((name) => fields.get(name) ?? []);
  const [first, ...others] = present.toSorted((a, b) => a.offset - b.offset);
  if (first === undefined) return null;
  for (const other of others) {
    report(
      reader,
      other.offset,
      `${where.name} looks into the body by ${first.name} already: write ${other.name} as a match of its own`,
    );
  }
  const draft = readSelector(reader, first);
  return draft === null || others.length > 0 ? undefined : draft;
}

function readSelector(reader: FileReader, field: Field): BodySelectorDraft | null {
  switch (field.name) {
    case 'graphql':
      return readGraphqlSelector(reader, field);
    case 'jsonrpc':
      return readJsonrpc(reader, field);
    case 'json':
      return readBodyFields(reader, field, 'json');
    default:
      return readBodyFields(reader, field, 'form');
  }
}

function readGraphqlSelector(reader: FileReader, field: Field): BodySelectorDraft | null {
  const before = reader.problems.length;
  const fields = readFields(reader, field.node, field.valueOffset, GRAPHQL);
  if (fields === null) return null;
  const typeField = fields.get('type');
  const types = typeField === undefined ? null : readOperationTypes(reader, typeField);
  const operationsField = fields.get('operations');
  const operations =
    operationsField === undefined
      ? null
      : readNames(reader, operationsField, (item) => readText(reader, item, ROOT_FIELD));
  if (isEmptyMapping(field))
    report(reader, field.valueOffset, 'graphql must name a type, operations, or both');
  return reader.problems.length > before ? null : { kind: 'graphql', types, operations };
}

/** One type or a list of them; sorted. Null after a report. */
export function readOperationTypes(reader: FileReader, field: Field): readonly OperationType[] | null {
  if (!isSeq(field.node)) {
    const type = readChoice(reader, field, OPERATION_TYPES);
    return type === null ? null : [type];
  }
  const types = readList(reader, field, (item) => readChoice(reader, item, OPERATION_TYPES));
  return types === null ? null : types.toSorted(compare);
}

function readJsonrpc(reader: FileReader, field: Field): BodySelectorDraft | null {
  const methodsField = readFields(reader, field.node, field.valueOffset, JSONRPC)?.get('methods');
  if (methodsField === undefined) return null;
  const methods = readNames(reader, methodsField, (item) => {
    const text = readText(reader, item, { maxLength: 256 });
    if (text === null || !hasControl(text)) return text;
    report(reader, item.offset, `${item.name} must not hold a control character`);
    return null;
  });
  return methods === null ? null : { kind: 'jsonrpc', methods };
}

/** Sorted; those that are equal when folded are reported. */
function readNames(
  reader: FileReader,
  field: Field,
  readName: (item: Field) => string | null,
): readonly string[] | null {
  const names = readDistinct(reader, field, readName, (name) => foldText(name).trim());
  return names === null ? null : names.toSorted(compare);
}

function readBodyFields(reader: FileReader, field: Field, kind: 'json' | 'form'): BodySelectorDraft | null {
  const entries = readEntries(reader, field.node, field.valueOffset, kind);
  if (entries === null) return null;
  if (entries.length === 0) {
    report(reader, field.valueOffset, `${kind} must not be empty`);
    return null;
  }
  const before = reader.problems.length;
  const drafts: BodyFieldDraft[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    const key = kind === 'json' ? pointerKey(reader, entry) : formKey(reader, entry);
    if (key !== null) {
      if (seen.has(key)) report(reader, entry.offset, `${quoted(entry.name)} is read like an earlier one`);
      seen.add(key);
    }
    const values = readBodyValues(reader, entry);
    if (values !== undefined) drafts.push({ name: entry.name, values });
  }
  return reader.problems.length > before ? null : { kind, fields: drafts };
}

/** What two spellings of one pointer have in common; null after a report. */
function pointerKey(reader: FileReader, entry: Field): string | null {
  const pointer = compilePointer(entry.name);
  if (typeof pointer !== 'string') return JSON.stringify(pointer);
  report(reader, entry.offset, `the JSON pointer ${quoted(entry.name)} ${pointer}`);
  return null;
}

function formKey(reader: FileReader, entry: Field): string | null {
  const name = foldName(entry.name);
  if (name !== '') return name;
  report(reader, entry.offset, 'the name of a form field must not be empty');
  return null;
}

/** Null is presence; undefined after a report. One template may stand without a list. */
function readBodyValues(reader: FileReader, entry: Field): readonly string[] | null | undefined {
  if (isScalar(entry.node)) {
    const { value } = entry.node;
    if (value === '*') return null;
    if (typeof value === 'string' && isTemplate(value)) {
      return isKnownTemplate(reader, value, entry.valueOffset) ? [value] : undefined;
    }
  }
  if (isScalar(entry.node) || isMap(entry.node)) {
    const hint = isMap(entry.node) ? ': put a template in quotes' : '';
    const what = `a list of values, "*" for presence, or a template such as "${VALUE_TEMPLATES[0]}"`;
    report(reader, entry.valueOffset, `${quoted(entry.name)} must be ${what}${hint}`);
    return undefined;
  }
  return readDistinct(reader, entry, (item) => readBodyValue(reader, item), foldValue) ?? undefined;
}

function readBodyValue(reader: FileReader, item: Field): string | null {
  const isUnquotedTemplate = isMap(item.node);
  if (isUnquotedTemplate) {
    report(reader, item.offset, `${item.name} is a mapping: put a template in quotes`);
    return null;
  }
  const text = readScalarText(reader, item);
  if (text === '*') {
    report(reader, item.offset, 'presence is written "*" alone, not in a list');
    return null;
  }
  if (text !== null && isTemplate(text) && !isKnownTemplate(reader, text, item.offset)) return null;
  return text;
}

function isTemplate(text: string): boolean {
  return /^\{[^{}]*\}$/.test(text);
}

function isKnownTemplate(reader: FileReader, text: string, offset: number): boolean {
  if (VALUE_TEMPLATES.some((known) => known === text)) return true;
  const hint = suggestion(text, VALUE_TEMPLATES) || `; known here: ${VALUE_TEMPLATES.join(', ')}`;
  report(reader, offset, `unknown template ${quoted(text)}${hint}`);
  return false;
}

/** Like `readList`, and two items that a request could not tell apart are reported. */
function readDistinct(
  reader: FileReader,
  field: Field,
  readItem: (item: Field) => string | null,
  fold: (text: string) => string,
): readonly string[] | null {
  const items = readItems(reader, field);
  if (items === null) return null;
  const texts: string[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    const text = readItem(item);
    if (text === null) continue;
    const folded = fold(text);
    if (seen.has(folded)) report(reader, item.offset, `${item.name} is read like an earlier item`);
    else texts.push(text);
    seen.add(folded);
  }
  return texts.length === items.length ? texts : null;
}

/** For the digest: arrays only, sorted, every part at its place. */
export function bodySelectorDigest(draft: BodySelectorDraft): unknown {
  switch (draft.kind) {
    case 'graphql':
      return ['graphql', draft.types, draft.operations];
    case 'jsonrpc':
      return ['jsonrpc', draft.methods];
    default:
      return [
        draft.kind,
        draft.fields
          .map(({ name, values }) => [name, values === null ? null : values.toSorted(compare)] as const)
          .toSorted(([a], [b]) => compare(a, b)),
      ];
  }
}
