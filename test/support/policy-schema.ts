// The shipped schemas of policy documents, compiled and walked as an editor does: which keys it offers at a place of a
// document, and what it shows there.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly enumDescriptions?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode | boolean>>;
  readonly propertyNames?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly allOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly if?: SchemaNode;
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema.
  readonly then?: SchemaNode;
  readonly else?: SchemaNode;
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
}

export type Path = readonly (string | number)[];

/** What editors know beside JSON Schema itself; anything else unknown is a typing error in the schema. */
const EDITOR_KEYWORDS = ['enumDescriptions', 'patternErrorMessage'];

export const POLICY_SCHEMA = readSchema('policy.schema.json');
export const GRANT_SCHEMA = readSchema('policy-grant.schema.json');
export const PRINCIPAL_SCHEMA = readSchema('policy-principal.schema.json');
export const SCHEMAS = [POLICY_SCHEMA, GRANT_SCHEMA, PRINCIPAL_SCHEMA] as const;

function readSchema(name: string): SchemaNode {
  return JSON.parse(readFileSync(`config/schemas/${name}`, 'utf8')) as SchemaNode;
}

export type Validate = (value: unknown) => boolean;

/** `node` is `root` or a part of it. */
export function compileSchema(root: SchemaNode, node: SchemaNode = root): Validate {
  const ajv = new Ajv({ allowUnionTypes: true, strictRequired: false, strictTypes: false });
  for (const keyword of EDITOR_KEYWORDS) ajv.addKeyword(keyword);
  const own = node === root ? root : { ...node, definitions: root.definitions };
  const validate = ajv.compile(own);
  return (value) => validate(value) as boolean;
}

/** With what stands beside the `$ref`, as editors merge it. */
export function resolve(root: SchemaNode, node: SchemaNode): SchemaNode {
  if (node.$ref === undefined) return node;
  const { $ref, ...beside } = node;
  const target = root.definitions?.[$ref.replace('#/definitions/', '')];
  if (target === undefined) throw new Error(`${$ref} names nothing`);
  return { ...resolve(root, target), ...beside };
}

export interface Kind {
  readonly kind: string;
  readonly spec: SchemaNode;
}

/** The kinds of the policy schema, and what the spec of each is. */
export function kindsOf(root: SchemaNode): readonly Kind[] {
  return (root.allOf ?? []).map((part) => {
    const kind = part.if?.properties?.['kind'];
    const spec = part.then?.properties?.['spec'];
    if (typeof kind !== 'object' || typeof spec !== 'object') throw new Error('a part without a kind');
    return { kind: String(kind.const), spec: resolve(root, spec) };
  });
}

const conditions = new WeakMap<SchemaNode, Validate>();

/** Every schema that is about `value` itself, conditions that hold included, in the order in which editors see them. */
function inForce(root: SchemaNode, schema: SchemaNode, value: unknown): readonly SchemaNode[] {
  const node = resolve(root, schema);
  const found: SchemaNode[] = [node];
  for (const part of [...(node.allOf ?? []), ...(node.anyOf ?? [])])
    found.push(...inForce(root, part, value));
  if (node.if !== undefined) {
    const holds = conditions.get(node.if) ?? compileSchema(root, node.if);
    conditions.set(node.if, holds);
    const branch = holds(value) ? node.then : node.else;
    if (branch !== undefined) found.push(...inForce(root, branch, value));
  }
  return found;
}

/** Every schema that is about the value at `path` of `document`. */
export function schemasAt(
  root: SchemaNode,
  document: unknown,
  path: Path,
  from: SchemaNode = root,
): readonly SchemaNode[] {
  const nodes = inForce(root, from, document);
  const [key, ...rest] = path;
  if (key === undefined) return nodes;
  const child = (document as Record<string | number, unknown>)[key];
  return nodes.flatMap((node) => {
    const next = childOf(node, key);
    return typeof next === 'object' ? schemasAt(root, child, rest, next) : [];
  });
}

function childOf(node: SchemaNode, key: string | number): SchemaNode | boolean | undefined {
  if (typeof key === 'number') return node.items;
  return Object.hasOwn(node.properties ?? {}, key) ? node.properties?.[key] : node.additionalProperties;
}

/** The keys that an editor offers in the mapping at `path`, sorted. */
export function offeredKeys(root: SchemaNode, document: unknown, path: Path): readonly string[] {
  const keys = schemasAt(root, document, path).flatMap((node) =>
    Object.entries(node.properties ?? {}).flatMap(([name, property]) => (property === false ? [] : [name])),
  );
  return [...new Set(keys)].toSorted();
}

/** The values that an editor offers at `path`. */
export function offeredValues(root: SchemaNode, document: unknown, path: Path): readonly unknown[] {
  return schemasAt(root, document, path).flatMap((node) => {
    const only = node.const === undefined ? [] : [node.const];
    return only.concat(node.enum ?? [], node.examples ?? []);
  });
}

/** What an editor shows over the key or item at `path`; empty when nothing. */
export function hoverAt(root: SchemaNode, document: unknown, path: Path): string {
  return (
    schemasAt(root, document, path).find(({ description }) => description !== undefined)?.description ?? ''
  );
}

export interface NamedNode {
  readonly where: string;
  readonly node: SchemaNode;
}

/** Every part of a schema that describes a value; conditions only narrow what is described elsewhere. */
export function describedParts(root: SchemaNode): readonly NamedNode[] {
  const parts: NamedNode[] = [];
  const walk = (where: string, node: SchemaNode | boolean | undefined): void => {
    if (typeof node !== 'object') return;
    parts.push({ where, node: resolve(root, node) });
    if (node.$ref !== undefined) return;
    for (const [name, property] of Object.entries(node.properties ?? {})) walk(`${where}.${name}`, property);
    walk(`${where}.*`, node.additionalProperties);
    walk(`${where}[]`, node.items);
    node.anyOf
      ?.filter(({ required }) => required === undefined)
      .forEach((one, i) => walk(`${where}|${i}`, one));
  };
  walk('', root);
  for (const [name, definition] of Object.entries(root.definitions ?? {})) walk(name, definition);
  return parts;
}

/** Every schema of a file, conditions included. */
export function everyPart(node: SchemaNode): readonly SchemaNode[] {
  const children = Object.entries(node).flatMap(([keyword, value]) => {
    if (typeof value !== 'object' || value === null || DATA.has(keyword)) return [];
    const parts: readonly unknown[] =
      MAPS.has(keyword) || Array.isArray(value) ? Object.values(value) : [value];
    return parts.filter((part): part is SchemaNode => typeof part === 'object' && part !== null);
  });
  return [node, ...children.flatMap(everyPart)];
}

const DATA = new Set(['const', 'default', 'enum', 'enumDescriptions', 'examples', 'required', 'type']);
const MAPS = new Set(['properties', 'definitions']);
