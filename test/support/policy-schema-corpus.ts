// Policy documents to hold the schema and the reader against each other: every shipped file, the examples of the
// schema, and documents that use every key; and what is wrong with them in turn.
import { globSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { parsePolicyFile } from '#policy/policy-file.ts';
import { kindsOf, type Path, POLICY_SCHEMA } from './policy-schema.ts';

export type Value = unknown;
export type Mapping = Readonly<Record<string, Value>>;

export interface LabelledDocument {
  readonly label: string;
  readonly document: Mapping;
}

/** Tables of labels that measure the lint; no policy documents. */
export const LABEL_TABLES = /^test\/policy\/[a-z-]+-sensitivity\.yaml$/;

export const SHIPPED_FILES: readonly string[] = globSync([
  'policies/**/*.yaml',
  'test/policy/**/*.yaml',
  'demo/policies/**/*.yaml',
])
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !LABEL_TABLES.test(file))
  .toSorted();

export function documentsOf(file: string): readonly LabelledDocument[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((parsed, i) => ({
    label: `${file}#${i}`,
    document: parsed.toJS() as Mapping,
  }));
}

/** What the reader says about a document, in order; empty when it accepts it. JSON is YAML, and quick to write. */
export function readerProblems(document: Value): readonly string[] {
  return problemsOfText(JSON.stringify(document));
}

export function problemsOfText(text: string): readonly string[] {
  return parsePolicyFile('p.yaml', Buffer.from(text)).problems.map(({ message }) => message);
}

export const KINDS = kindsOf(POLICY_SCHEMA).map(({ kind }) => kind);

export function documentOf(kind: string, spec: Value): Mapping {
  return {
    apiVersion: 'postern/v1',
    kind,
    metadata: { name: 'example', owner: 'security', description: 'An example.' },
    spec,
  };
}

/** The examples of each kind's spec: together they use every key of the language. */
export function exampleDocuments(): readonly LabelledDocument[] {
  return kindsOf(POLICY_SCHEMA).flatMap(({ kind, spec: { examples = [] } }) =>
    examples.map((spec, i) => ({ label: `${kind} example ${i}`, document: documentOf(kind, spec) })),
  );
}

/** Each list cut into lists of one, so that one mutation is one small document; one of each shape. */
export function smallDocuments(documents: readonly LabelledDocument[]): readonly LabelledDocument[] {
  const byShape = new Map<string, LabelledDocument>();
  for (const { label, document } of documents) {
    for (const [i, small] of singled(document).entries()) {
      const shape = shapeOf(small);
      if (!byShape.has(shape)) byShape.set(shape, { label: `${label}/${i}`, document: small });
    }
  }
  return [...byShape.values()];
}

const LISTS = ['rules', 'routes', 'scopes', 'guards', 'cases'];

function singled(document: Mapping): readonly Mapping[] {
  const spec = document['spec'] as Mapping;
  const list = LISTS.find((name) => Array.isArray(spec[name]));
  if (list === undefined) return [document];
  return (spec[list] as readonly Value[]).map(
    (item) => replaced(document, ['spec', list], [item]) as Mapping,
  );
}

/** Keys and types, without the words of the author. */
function shapeOf(value: Value): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].toSorted().join()}]`;
  if (!isMapping(value)) return typeof value;
  const open = Object.keys(value).some((key) => !/^[A-Za-z]+$/.test(key));
  const entries = Object.entries(value).map(([key, one]) => `${open ? '*' : key}:${shapeOf(one)}`);
  return `{${[...new Set(entries)].toSorted().join()}}`;
}

export function isMapping(value: Value): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every place of a document, the root first. */
export function pathsOf(value: Value, at: Path = []): readonly Path[] {
  const entries: readonly (readonly [string | number, Value])[] = Array.isArray(value)
    ? value.map((item, i) => [i, item] as const)
    : isMapping(value)
      ? Object.entries(value)
      : [];
  return [at, ...entries.flatMap(([key, one]) => pathsOf(one, [...at, key]))];
}

export function valueAt(value: Value, path: Path): Value {
  return path.reduce<Value>((one, key) => (one as Record<string | number, Value>)[key], value);
}

/** A copy with another value at `path`. */
export function replaced(value: Value, path: Path, by: Value): Value {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((item, i) => (i === key ? replaced(item, rest, by) : item));
  return Object.fromEntries(
    Object.entries(value as Mapping).map(([name, one]) => [
      name,
      name === key ? replaced(one, rest, by) : one,
    ]),
  );
}

const OTHER_VALUES: readonly Value[] = [
  null,
  true,
  false,
  0,
  7,
  -1.5,
  '',
  ' ',
  'x',
  '*',
  '{x}',
  '{principal.email}',
  'é',
  'X'.repeat(1001),
  [],
  {},
  ['x'],
  [null],
  { x: 'x' },
];

/** Everything that can be wrong at one place: dropped, renamed and added keys, other types, repeated items. */
export function mutationsAt(document: Value, path: Path): readonly Value[] {
  const value = valueAt(document, path);
  return [...OTHER_VALUES, ...variantsOf(value)].map((by) => replaced(document, path, by));
}

/** Each place of the documents once: the same keys beside it, in the same mapping of the same kind, are one place. */
export function placesOf(
  documents: readonly LabelledDocument[],
): readonly (LabelledDocument & { readonly path: Path })[] {
  const seen = new Set<string>();
  return documents.flatMap(({ label, document }) =>
    pathsOf(document).flatMap((path) => {
      const around = path.length === 0 ? document : valueAt(document, path.slice(0, -1));
      const keys = isMapping(around) ? Object.keys(around).filter((key) => /^[A-Za-z]+$/.test(key)) : [];
      const generic = path.map((key) => (typeof key === 'number' ? '#' : key));
      const place = JSON.stringify([document['kind'], generic, keys.toSorted()]);
      if (seen.has(place)) return [];
      seen.add(place);
      return [{ label: `${label} at ${generic.join('.')}`, document, path }];
    }),
  );
}

function variantsOf(value: Value): readonly Value[] {
  if (typeof value === 'string') {
    return [
      `${value} `,
      `!${value}`,
      `${value}\u0001`,
      value.toUpperCase(),
      value.toLowerCase(),
      `/${value}`,
    ];
  }
  if (typeof value === 'number') return [value + 0.5, -value, String(value)];
  if (Array.isArray(value)) {
    return [[...value, value[0]], [value], value.slice(1), { ...value }, value[0]];
  }
  if (!isMapping(value)) return [];
  const entries = Object.entries(value);
  return [
    { ...value, 'no-such-key': 'x' },
    [value],
    ...entries.map(([name]) => Object.fromEntries(entries.filter(([other]) => other !== name))),
    ...entries.map(([name]) =>
      Object.fromEntries(entries.map(([other, one]) => [other === name ? `${name}Q` : other, one])),
    ),
    ...entries.map(([name, one]) => Object.fromEntries([...entries, [name.toUpperCase(), one]])),
  ];
}
