// Reads values of a checked shape out of YAML nodes and reports what does not fit, at its own line and column.
// A reader answers null after it has reported; callers go on, so that all problems of a file show at once. Cold.
import { isMap, isScalar, isSeq, type ParsedNode, type Pair } from 'yaml';
import { suggestion } from './problem.ts';
import { type FileReader, isFull, report } from './yaml-document.ts';

export interface Field {
  readonly name: string;
  /** Of the key. */
  readonly offset: number;
  readonly node: ParsedNode | null;
  /** Of the value; of the key where there is no value. */
  readonly valueOffset: number;
}

export interface Shape {
  /** What the mapping is, with its article: `a rule`. */
  readonly what: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The known fields of a mapping; unknown and missing ones are reported. Null when it is no mapping. */
export function readFields(
  reader: FileReader,
  node: ParsedNode | null,
  offset: number,
  shape: Shape,
): ReadonlyMap<string, Field> | null {
  const entries = readEntries(reader, node, offset, shape.what);
  if (entries === null) return null;
  const known = [...shape.required, ...shape.optional];
  const fields = new Map<string, Field>();
  for (const field of entries) {
    if (known.includes(field.name)) fields.set(field.name, field);
    else if (!isFull(reader)) {
      const hint = suggestion(field.name, known) || `; known here: ${known.join(', ')}`;
      report(reader, field.offset, `unknown key ${quoted(field.name)} in ${shape.what}${hint}`);
    }
  }
  const missing = shape.required.filter((name) => !fields.has(name));
  if (missing.length > 0) report(reader, offset, `${shape.what} needs ${missing.join(', ')}`);
  return fields;
}

/** A mapping without any key, known or not: where one of several keys is needed. */
export function isEmptyMapping({ node }: Field): boolean {
  return isMap(node) && node.items.length === 0;
}

/** Every entry of a mapping whose keys are the author's own. Null when it is no mapping. */
export function readEntries(
  reader: FileReader,
  node: ParsedNode | null,
  offset: number,
  what: string,
): readonly Field[] | null {
  if (!isMap(node)) {
    report(reader, offset, `${what} must be a mapping`);
    return null;
  }
  return (node.items as readonly Pair<ParsedNode, ParsedNode | null>[]).map((pair): Field => {
    const keyOffset = pair.key.range[0];
    const name = isScalar(pair.key) ? String(pair.key.value) : '';
    return { name, offset: keyOffset, node: pair.value, valueOffset: valueOffsetOf(pair.value, keyOffset) };
  });
}

function valueOffsetOf(node: ParsedNode | null, keyOffset: number): number {
  const isAbsent =
    node === null || (isScalar(node) && node.value === null && node.range[0] === node.range[1]);
  return isAbsent ? keyOffset : node.range[0];
}

/** The items of a sequence that holds at least one. */
export function readItems(reader: FileReader, field: Field): readonly Field[] | null {
  if (!isSeq(field.node)) {
    report(reader, field.valueOffset, `${field.name} must be a list`);
    return null;
  }
  if (field.node.items.length === 0) {
    report(reader, field.valueOffset, `${field.name} must not be empty`);
    return null;
  }
  return (field.node.items as readonly (ParsedNode | null)[]).map((node, i): Field => {
    const offset = valueOffsetOf(node, field.valueOffset);
    return { name: `${field.name}[${i}]`, offset, node, valueOffset: offset };
  });
}

export interface TextRule {
  readonly pattern?: RegExp;
  /** What the pattern asks for, as the end of "must be …". */
  readonly form?: string;
  readonly maxLength?: number;
}

export function readText(reader: FileReader, field: Field, rule: TextRule): string | null {
  if (!isScalar(field.node) || typeof field.node.value !== 'string') {
    report(reader, field.valueOffset, `${field.name} must be a string${quotesHint(field.node)}`);
    return null;
  }
  const text = field.node.value;
  if (text === '' || text.length > (rule.maxLength ?? 1000)) {
    report(reader, field.valueOffset, `${field.name} must have 1 to ${rule.maxLength ?? 1000} characters`);
    return null;
  }
  if (rule.pattern !== undefined && !rule.pattern.test(text)) {
    report(reader, field.valueOffset, `${field.name} must be ${rule.form}, not ${quoted(text)}`);
    return null;
  }
  return text;
}

export function readChoice<T extends string>(
  reader: FileReader,
  field: Field,
  choices: readonly T[],
): T | null {
  const value = isScalar(field.node) ? field.node.value : undefined;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const hint = typeof value === 'string' ? suggestion(value, choices) : '';
  report(reader, field.valueOffset, `${field.name} must be one of ${choices.join(', ')}${hint}`);
  return null;
}

export function readBoolean(reader: FileReader, field: Field): boolean | null {
  if (isScalar(field.node) && typeof field.node.value === 'boolean') return field.node.value;
  report(reader, field.valueOffset, `${field.name} must be true or false`);
  return null;
}

/** A string, or a number or boolean as its source has it; `.inf` and `.nan` are numbers to YAML alone. */
export function readScalarText(reader: FileReader, field: Field): string | null {
  const value = isScalar(field.node) ? field.node.value : null;
  if (isScalar(field.node) && value !== null && (typeof value !== 'number' || Number.isFinite(value))) {
    return typeof value === 'string' ? value : (field.node.source ?? String(value));
  }
  const what = 'must be a string, a number or a boolean';
  report(reader, field.valueOffset, `${field.name} ${what}${quotesHint(field.node)}`);
  return null;
}

/** Each item by its own reader; null when the list, or any item, did not fit. Repetitions are reported. */
export function readList<T>(
  reader: FileReader,
  field: Field,
  readItem: (item: Field) => T | null,
): readonly T[] | null {
  const items = readItems(reader, field);
  if (items === null) return null;
  const values: T[] = [];
  for (const item of items) {
    const value = readItem(item);
    if (value === null) continue;
    if (values.includes(value)) report(reader, item.offset, `${item.name} repeats an earlier item`);
    else values.push(value);
  }
  return values.length === items.length ? values : null;
}

function quotesHint(node: ParsedNode | null): string {
  return isScalar(node) && node.value !== null ? ': put it in quotes' : '';
}

/** Author's text in a message: escaped and bounded. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
