// Strictly parsed YAML nodes → the plain value that JSON would have given. Bounded in depth. Assumes no aliases or
// tags (yaml-document.ts refuses them). Keys become own members, `__proto__` too. Cold.
import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';

/** Undefined: deeper than `depth`. */
export function plainValue(node: Node | null, depth: number): unknown {
  if (node === null) return null;
  if (isScalar(node)) return node.value ?? null;
  if (depth === 0) return undefined;
  if (isSeq(node)) return plainList(node.items as readonly (Node | null)[], depth);
  if (isMap(node)) return plainRecord(node.items as readonly Pair<Node, Node | null>[], depth);
  return null;
}

function plainList(items: readonly (Node | null)[], depth: number): unknown {
  const list: unknown[] = [];
  for (const item of items) {
    const value = plainValue(item, depth - 1);
    if (value === undefined) return undefined;
    list.push(value);
  }
  return list;
}

function plainRecord(items: readonly Pair<Node, Node | null>[], depth: number): unknown {
  const record: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const { key, value } of items) {
    const plain = plainValue(value, depth - 1);
    if (plain === undefined) return undefined;
    record[isScalar(key) ? String(key.value) : ''] = plain;
  }
  return record;
}
