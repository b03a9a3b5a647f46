// A TypeScript file as a tree with positions, for the mutation runner: what is code, and what is only type.
// Cold; nothing here knows what a mutation is.
import { parseSync, visitorKeys } from 'oxc-parser';

/** A node of the ESTree form; its further fields depend on `type`. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Types wrap code here, and only here. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
]);

/** The program of `source`; null when it does not parse. */
export function parseSource(fileName: string, source: string): SyntaxNode | null {
  const { program, errors } = parseSync(fileName, source);
  return errors.length > 0 ? null : (program as unknown as SyntaxNode);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

/** The children that run, in order of the text: no types, no imports, no names of properties. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const key of visitorKeys[node.type] ?? []) {
    if (key === 'key' && node['computed'] !== true) continue;
    if (key === 'source' && node.type.startsWith('Export')) continue;
    const value = node[key];
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child) && isCode(child)) children.push(child);
    }
  }
  return children;
}

function isCode(node: SyntaxNode): boolean {
  if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return false;
  return !node.type.startsWith('TS') || TRANSPARENT.has(node.type);
}

/** The name of the function, method or constant that `node` declares; null for what declares nothing. */
export function nameOf(node: SyntaxNode): string | null {
  const named =
    node.type === 'MethodDefinition' || node.type === 'PropertyDefinition' ? node['key'] : node['id'];
  if (!isNode(named)) return null;
  return typeof named['name'] === 'string' ? named['name'] : null;
}
