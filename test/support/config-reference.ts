// The reference part of docs/configuration.md, written from the schema, so that the two cannot drift.
import { readFileSync } from 'node:fs';

interface Node {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node;
  readonly definitions?: Readonly<Record<string, Node>>;
}

export interface Entry {
  /** As in `identity.support[].issuer`. */
  readonly key: string;
  readonly node: Node;
  readonly isRequired: boolean;
}

export const REFERENCE_START = '<!-- reference: written from config/schemas/gateway.schema.json -->';
export const REFERENCE_END = '<!-- end of reference -->';

export function readSchema(): Node {
  return JSON.parse(readFileSync('config/schemas/gateway.schema.json', 'utf8')) as Node;
}

/** Every key that a file can have, in the order of the schema; shared definitions are followed once each. */
export function entriesOf(root: Node): readonly Entry[] {
  const entries: Entry[] = [];
  const walk = (node: Node, prefix: string): void => {
    for (const [name, property] of Object.entries(node.properties ?? {})) {
      const key = prefix === '' ? name : `${prefix}.${name}`;
      entries.push({ key, node: property, isRequired: node.required?.includes(name) === true });
      walk(property, key);
      if (property.items !== undefined) walk(property.items, `${key}[]`);
    }
  };
  walk(root, '');
  for (const name of ['secretReference', 'sink'] as const) {
    const definition = root.definitions?.[name];
    if (definition !== undefined) walk(definition, `(${WHERE[name]})`);
  }
  return entries;
}

const WHERE = { secretReference: 'any secret', sink: 'audit.sinks[]' } as const;

/** Markdown: one table per top-level key. */
export function referenceText(root: Node): string {
  const sections = new Map<string, string[]>();
  for (const entry of entriesOf(root)) {
    const section = (/^(?:\([^)]*\)|[^.[]+)/.exec(entry.key) ?? [''])[0];
    const rows = sections.get(section) ?? [];
    rows.push(row(entry, root));
    sections.set(section, rows);
  }
  const text = [...sections].map(
    ([name, rows]) =>
      `### \`${name}\`\n\n| key | value | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`,
  );
  return `${REFERENCE_START}\n\n${text.join('\n')}\n${REFERENCE_END}`;
}

function row({ key, node, isRequired }: Entry, root: Node): string {
  const fallback = isRequired
    ? '**required**'
    : node.default === undefined || isEmptyObject(node.default)
      ? ''
      : code(node.default);
  const example = node.examples?.[0];
  const shown =
    example === undefined ||
    JSON.stringify(example) === JSON.stringify(node.default) ||
    node.enum !== undefined;
  const meaning = `${node.description ?? ''}${shown ? '' : ` Example: ${code(example)}`}`;
  return `| \`${key}\` | ${cell(valueOf(node, root))} | ${cell(fallback)} | ${cell(meaning)} |`;
}

function valueOf(node: Node, root: Node): string {
  if (node.const !== undefined) return `only ${code(node.const)}`;
  if (node.enum !== undefined) return node.enum.map(code).join(' ');
  if (node.$ref !== undefined) {
    return root.definitions?.[node.$ref.replace('#/definitions/', '')]?.title ?? '';
  }
  if (node.type === 'integer') return `${node.minimum} to ${node.maximum}`;
  if (node.type === 'boolean') return '`true` or `false`';
  if (node.type === 'array')
    return node.items?.enum === undefined ? 'list' : `list of ${node.items.enum.map(code).join(' ')}`;
  return node.type === 'object' ? 'mapping' : 'text';
}

function isEmptyObject(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}

/** Flow YAML, as it would stand in the file. */
function code(value: unknown): string {
  return `\`${flow(value)}\``;
}

function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, inner]) => `${key}: ${flow(inner)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return typeof value === 'string' && /[{}:,\s]/.test(value) ? JSON.stringify(value) : String(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
