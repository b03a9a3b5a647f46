// The tables of docs/policy-language.md, written from the schema, so that editor, reader and documentation cannot drift.
import { kindsOf, resolve, type SchemaNode } from './policy-schema.ts';

/** Parts with a table of their own, since several kinds or keys have them in common. */
const SHARED = ['attributes', 'when', 'graphqlSelector', 'graphqlWanted', 'principal', 'testGrant'];
/** How single values are written. */
const VALUES = {
  hosts: 'hosts',
  path: 'paths',
  method: 'methods',
  ruleId: 'id',
  category: 'category',
  bodyValues: 'values of `json` and `form`',
  size: 'sizes',
  duration: 'durations',
  instant: 'instants',
} as const;

export const markers = (name: string): readonly [string, string] => [
  `<!-- ${name}: written from config/schemas/policy.schema.json -->`,
  `<!-- end of ${name} -->`,
];

/** By the name of a marker: kinds, shared parts, and `values`. */
export function referenceTables(root: SchemaNode): ReadonlyMap<string, string> {
  const tables = new Map<string, string>();
  for (const { kind, spec } of kindsOf(root)) tables.set(kind, keyTable(root, spec));
  for (const name of SHARED) {
    tables.set(name, keyTable(root, resolve(root, { $ref: `#/definitions/${name}` })));
  }
  tables.set('values', valueTable(root));
  return tables;
}

function keyTable(root: SchemaNode, node: SchemaNode): string {
  const rows = node.properties === undefined ? [] : rowsOf(root, node, '');
  return `| key | value | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}`;
}

function rowsOf(root: SchemaNode, node: SchemaNode, prefix: string): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property !== 'object') return [];
    const key = `${prefix}${name}`;
    const whole = resolve(root, property);
    const isRequired = node.required?.includes(name) === true;
    return [row(root, key, whole, isRequired)].concat(innerRows(root, property, whole, key));
  });
}

function innerRows(
  root: SchemaNode,
  property: SchemaNode,
  whole: SchemaNode,
  key: string,
): readonly string[] {
  if (isShared(property)) return [];
  if (whole.properties !== undefined) return rowsOf(root, whole, `${key}.`);
  const { items } = whole;
  if (items === undefined || isShared(items)) return [];
  const item = resolve(root, items);
  return item.properties === undefined ? [] : rowsOf(root, item, `${key}[].`);
}

function isShared({ $ref }: SchemaNode): boolean {
  return $ref !== undefined && SHARED.includes($ref.replace('#/definitions/', ''));
}

function row(root: SchemaNode, key: string, node: SchemaNode, isRequired: boolean): string {
  const fallback = isRequired ? '**required**' : node.default === undefined ? '' : code(node.default);
  return `| \`${key}\` | ${cell(valueOf(root, node))} | ${cell(fallback)} | ${cell(meaningOf(node))} |`;
}

function meaningOf(node: SchemaNode): string {
  const [example] = node.examples ?? [];
  const isShown = example !== undefined && node.enum === undefined && !isLong(example);
  const values = (node.enumDescriptions ?? []).map((text, i) => `${code(node.enum?.[i])}: ${text}`);
  return [node.description ?? '', ...values, ...(isShown ? [`Example: ${code(example)}`] : [])].join(' ');
}

function isLong(example: unknown): boolean {
  return JSON.stringify(example).length > 90;
}

function valueOf(root: SchemaNode, node: SchemaNode): string {
  if (node.const !== undefined) return code(node.const);
  if (node.enum !== undefined) return node.enum.length > 8 ? 'a code' : node.enum.map(code).join(' ');
  if (node.items !== undefined) {
    const item = resolve(root, node.items);
    return item.enum === undefined ? `list of ${nounOf(item)}` : `list of ${item.enum.map(code).join(' ')}`;
  }
  if (node.anyOf?.length === 2 && node.type === undefined) return 'one or a list';
  if (node.type === 'boolean') return '`true` or `false`';
  if (node.type === 'integer') return `${node.minimum ?? 0} to ${node.maximum ?? ''}`;
  return node.type === 'object' ? 'mapping' : Array.isArray(node.type) ? 'text or JSON' : 'text';
}

function nounOf(item: SchemaNode): string {
  return item.type === 'object' ? 'mappings' : 'text';
}

function valueTable(root: SchemaNode): string {
  const rows = Object.entries(VALUES).map(([name, label]) => {
    const node = resolve(root, { $ref: `#/definitions/${name}` });
    const one = node.items === undefined ? node : resolve(root, node.items);
    const examples = (one.examples ?? node.examples ?? []).slice(0, 6).map(code).join(' ');
    const text = [one.description ?? '', one.patternErrorMessage ?? '']
      .filter((part) => part !== '')
      .join(' ');
    return `| ${label} | ${cell(text)} | ${cell(examples)} |`;
  });
  return `| what | how it is written | examples |\n|---|---|---|\n${rows.join('\n')}`;
}

function code(value: unknown): string {
  return `\`${flow(value)}\``;
}

/** As it would stand in a file. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, inner]) => `${key}: ${flow(inner)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return typeof value === 'string' && /[{}:,*[\s]/.test(value) ? JSON.stringify(value) : String(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
