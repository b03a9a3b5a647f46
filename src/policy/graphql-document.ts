// One GraphQL document → its operations with their root fields. Guarantees: every operation, whatever the request
// picks; aliases resolved; fragments at the root expanded, in whatever number and circle; directives do not matter.
// Assumes nothing of the text. Bounded: the parser stops at a number of tokens. Not hot.
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql/language/ast.js';
import { parse } from 'graphql/language/parser.js';
import type { GraphqlOperation } from './graphql-reading.ts';

export interface GraphqlDocument {
  readonly operations: readonly GraphqlOperation[];
  readonly flaw: string | null;
  readonly tokens: number;
}

/** Line ends in drafts of the specification, and in servers of that time: a comment would end there. */
const FORMER_LINE_END = /[\u0085\u2028\u2029]/;
/** Selections looked at; fragments that many operations spread would make it the square of the text. */
const MAX_STEPS = 50_000;
/** Several definitions may share one name; a server that does not validate may run any of them. */
type Fragments = ReadonlyMap<string, readonly FragmentDefinitionNode[]>;

/** Never throws. With a flaw, the operations that could be read are still told. */
export function readGraphqlDocument(text: string, maxTokens: number): GraphqlDocument {
  if (FORMER_LINE_END.test(text))
    return unread('the GraphQL document holds a line end that servers read in two ways');
  let document: DocumentNode;
  try {
    document = parse(text, { noLocation: true, maxLexicalTokens: maxTokens });
  } catch {
    // Too deep for the parser's stack comes here as well.
    return unread('the GraphQL document cannot be parsed, or is too large');
  }
  const definitions: OperationDefinitionNode[] = [];
  const fragments = new Map<string, FragmentDefinitionNode[]>();
  let flaw: string | null = null;
  for (const definition of document.definitions) {
    if (definition.kind === 'OperationDefinition') definitions.push(definition);
    else if (definition.kind === 'FragmentDefinition') {
      const known = fragments.get(definition.name.value);
      if (known === undefined) fragments.set(definition.name.value, [definition]);
      else known.push(definition);
    } else flaw ??= 'the GraphQL document defines what is neither an operation nor a fragment';
  }
  if (definitions.length === 0) flaw ??= 'the GraphQL document holds no operation';
  const walk: RootWalk = { fragments, steps: MAX_STEPS, flaw };
  const operations = definitions.map((definition) => ({
    type: definition.operation,
    fields: [...rootFields(definition.selectionSet, walk)],
  }));
  return { operations, flaw: walk.flaw, tokens: document.tokenCount ?? maxTokens };
}

function unread(flaw: string): GraphqlDocument {
  return { operations: [], flaw, tokens: 0 };
}

interface RootWalk {
  readonly fragments: Fragments;
  steps: number;
  flaw: string | null;
}

/** Each fragment is entered once, so circles end; without recursion, so depth is no matter. */
function rootFields(root: SelectionSetNode, walk: RootWalk): Set<string> {
  const fields = new Set<string>();
  const open = [root];
  const entered = new Set<string>();
  for (let set = open.pop(); set !== undefined; set = open.pop()) {
    walk.steps -= set.selections.length;
    if (walk.steps < 0) {
      walk.flaw ??= 'the GraphQL document spreads too many fragments';
      break;
    }
    for (const selection of set.selections) {
      if (selection.kind === 'Field') fields.add(selection.name.value);
      else if (selection.kind === 'InlineFragment') open.push(selection.selectionSet);
      else if (!entered.has(selection.name.value)) {
        entered.add(selection.name.value);
        const defined = walk.fragments.get(selection.name.value);
        if (defined === undefined)
          walk.flaw ??= 'the GraphQL document spreads a fragment that it does not define';
        else for (const fragment of defined) open.push(fragment.selectionSet);
      }
    }
  }
  return fields;
}
