// Endless loops made visible: every loop of a file counts its turns and throws beyond a limit. So a mutant that never
// ends fails on any machine alike, and no clock decides. The unchanged file is run with the same guards.
import { childrenOf, type SyntaxNode } from './source-tree.ts';

/** Far above what any loop of the guarded files takes in their tests: the longest path there has 16 KiB. */
const MAX_TURNS = 200_000;

const LOOPS: ReadonlySet<string> = new Set([
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'WhileStatement',
  'DoWhileStatement',
]);

export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** In the order in which they stand in the text, those at one place as they nest. */
export function loopGuards(program: SyntaxNode): readonly Insertion[] {
  const insertions: Insertion[] = [];
  guardWithin(program, insertions);
  return insertions.toSorted((a, b) => a.at - b.at);
}

function guardWithin(node: SyntaxNode, insertions: Insertion[]): void {
  // A label must keep its loop: the counter then stands before the label.
  const loop = node.type === 'LabeledStatement' ? (node['body'] as SyntaxNode) : node;
  if (!LOOPS.has(loop.type)) {
    for (const child of childrenOf(node)) guardWithin(child, insertions);
    return;
  }
  const body = loop['body'] as SyntaxNode;
  const counter = `turns${loop.start}`;
  insertions.push({ at: node.start, text: `{ let ${counter} = 0; ` });
  for (const child of childrenOf(loop)) if (child !== body) guardWithin(child, insertions);
  const check = `if (++${counter} > ${MAX_TURNS}) throw new Error('endless loop');`;
  insertions.push({ at: body.start, text: `{ ${check} ` });
  guardWithin(body, insertions);
  insertions.push({ at: body.end, text: ' }' });
  insertions.push({ at: node.end, text: ' }' });
}
