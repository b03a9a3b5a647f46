// What may be changed in a piece of code, one change at a time: operators, boundaries, conditions, literals, early
// exits, statements, calls. Each answer is an edit of the text of one node. Deterministic: in order of the tree.
import { isNode, type SyntaxNode } from './source-tree.ts';
import { changedRegex } from './regex-operators.ts';

/** `text` takes the place of what stands from `start` to `end`; `shown` is `text` as a reader sees it. */
export interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly shown: string;
}

/** Of a whole node. */
type Swap = Pick<Change, 'text' | 'shown'>;
type Operator = (node: SyntaxNode, source: string) => readonly Swap[];

const BINARY: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '&': ['|'],
  '|': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
};

const LOGICAL: Readonly<Record<string, string>> = { '&&': '||', '||': '&&', '??': '&&' };

const ASSIGNMENT: Readonly<Record<string, string>> = {
  '+=': '-=',
  '-=': '+=',
  '|=': '&=',
  '&=': '|=',
  '&&=': '||=',
  '||=': '&&=',
  '??=': '&&=',
};

/** A method whose name gives way to another's. */
const SWAPPED: Readonly<Record<string, string>> = {
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  some: 'every',
  every: 'some',
  indexOf: 'lastIndexOf',
  lastIndexOf: 'indexOf',
  toUpperCase: 'toLowerCase',
  toLowerCase: 'toUpperCase',
  min: 'max',
  max: 'min',
};

/** A method whose call gives way to what it is called on. */
const DROPPED: ReadonlySet<string> = new Set(
  'slice trim filter toSorted sort replace replaceAll normalize toLowerCase toUpperCase reverse'.split(' '),
);

/** The changes of this very node; those of its children are asked for apart. */
export function changesOf(node: SyntaxNode, source: string): readonly Change[] {
  const tests = CONDITIONS[node.type];
  const test = node['test'];
  if (tests !== undefined && isNode(test)) {
    return tests.map((text) => ({ start: test.start, end: test.end, text, shown: text }));
  }
  const { start, end } = node;
  const swaps = OPERATORS[node.type]?.(node, source) ?? [];
  return swaps.map(({ text, shown }) => ({ start, end, text, shown }));
}

/** What the condition is set to; `true` in a loop would be endless or what removing its end does. */
const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  IfStatement: ['true', 'false'],
  ConditionalExpression: ['true', 'false'],
  WhileStatement: ['false'],
  ForStatement: ['false'],
};

const OPERATORS: Readonly<Record<string, Operator>> = {
  BinaryExpression: (node, source) =>
    (BINARY[String(node['operator'])] ?? []).map((operator) => joined(node, source, operator)),
  LogicalExpression: changedLogic,
  UnaryExpression: changedUnary,
  UpdateExpression: (node, source) => {
    const text = textOf(node, source);
    return [plain(text.includes('++') ? text.replace('++', '--') : text.replace('--', '++'))];
  },
  AssignmentExpression: changedAssignment,
  Literal: changedLiteral,
  TemplateLiteral: (node, source) => (textOf(node, source) === '``' ? [] : [plain('``')]),
  ArrayExpression: (node) => ((node['elements'] as unknown[]).length > 0 ? [plain('[]')] : []),
  CallExpression: changedCall,
  MemberExpression: (node, source) => changedChain(node, source),
  ExpressionStatement: removed,
  ReturnStatement: removed,
  ThrowStatement: removed,
  BreakStatement: removed,
  ContinueStatement: removed,
};

function textOf(node: SyntaxNode, source: string): string {
  return source.slice(node.start, node.end);
}

function child(node: SyntaxNode, field: string): SyntaxNode {
  const value = node[field];
  if (!isNode(value)) throw new Error(`${node.type} has no ${field}`);
  return value;
}

function plain(text: string): Swap {
  return { text, shown: text };
}

/** Both sides in brackets of their own: another operator may bind otherwise. */
function joined(node: SyntaxNode, source: string, operator: string): Swap {
  const at = operatorAt(node, source);
  const left = source.slice(node.start, at).trim();
  const right = source.slice(at + String(node['operator']).length, node.end).trim();
  return { text: `((${left}) ${operator} (${right}))`, shown: `${left} ${operator} ${right}` };
}

function operatorAt(node: SyntaxNode, source: string): number {
  return source.indexOf(String(node['operator']), child(node, 'left').end);
}

function changedLogic(node: SyntaxNode, source: string): readonly Swap[] {
  const at = operatorAt(node, source);
  const left = source.slice(node.start, at).trim();
  const right = source.slice(at + 2, node.end).trim();
  const other = LOGICAL[String(node['operator'])] as string;
  return [joined(node, source, other), ...[left, right].map((text) => ({ text: `(${text})`, shown: text }))];
}

function changedUnary(node: SyntaxNode, source: string): readonly Swap[] {
  if (node['operator'] !== '!' && node['operator'] !== '-') return [];
  const text = textOf(child(node, 'argument'), source);
  return [{ text: `(${text})`, shown: text }];
}

function changedAssignment(node: SyntaxNode, source: string): readonly Swap[] {
  const operator = String(node['operator']);
  const other = ASSIGNMENT[operator];
  if (other === undefined) return [];
  const at = operatorAt(node, source);
  return [plain(`${source.slice(node.start, at)}${other}${source.slice(at + operator.length, node.end)}`)];
}

function changedLiteral(node: SyntaxNode, source: string): readonly Swap[] {
  const value = node['value'];
  if (isRegex(node['regex'])) return changedRegex(node['regex'].pattern, node['regex'].flags).map(plain);
  if (typeof value === 'boolean') return [plain(String(!value))];
  if (typeof value === 'string') return [plain(value === '' ? "'mutant'" : "''")];
  if (typeof value !== 'number') return [];
  const numbers = value === 0 ? [1] : [value + 1, value - 1];
  const hex = textOf(node, source).startsWith('0x');
  return numbers.map((number) => plain(hex ? `0x${number.toString(16)}` : String(number)));
}

function isRegex(value: unknown): value is { readonly pattern: string; readonly flags: string } {
  return typeof value === 'object' && value !== null && 'pattern' in value && 'flags' in value;
}

function changedCall(node: SyntaxNode, source: string): readonly Swap[] {
  const changes = [...changedChain(node, source)];
  const callee = child(node, 'callee');
  if (callee.type !== 'MemberExpression' || callee['computed'] === true) return changes;
  const property = child(callee, 'property');
  const name = textOf(property, source);
  const swapped = SWAPPED[name];
  if (swapped !== undefined) {
    changes.push(
      plain(source.slice(node.start, property.start) + swapped + source.slice(property.end, node.end)),
    );
  }
  const owner = textOf(child(callee, 'object'), source);
  if (DROPPED.has(name)) changes.push({ text: `(${owner})`, shown: owner });
  const [first] = node['arguments'] as readonly SyntaxNode[];
  if (owner === 'Object' && name === 'freeze' && first !== undefined) {
    changes.push({ text: `(${textOf(first, source)})`, shown: textOf(first, source) });
  }
  return changes;
}

function changedChain(node: SyntaxNode, source: string): readonly Swap[] {
  if (node['optional'] !== true) return [];
  const owner = child(node, node.type === 'CallExpression' ? 'callee' : 'object');
  const at = source.indexOf('?.', owner.end);
  const rest = source.slice(at + 2, node.end);
  const dot = rest.startsWith('[') || rest.startsWith('(') ? '' : '.';
  return [plain(`${source.slice(node.start, at)}${dot}${rest}`)];
}

function removed(): readonly Swap[] {
  return [{ text: ';', shown: '(removed)' }];
}
