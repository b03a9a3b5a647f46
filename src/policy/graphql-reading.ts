// What a request asks of a GraphQL server: every operation of every document in its body and its query string.
// Guarantees: root fields by their own names, aliases and fragments resolved; whatever could not be read is said in
// `flaw`, never left out in silence. Parsing is graphql-document.ts, finding the documents graphql-requests.ts.
import type { OperationType } from './body-selector.ts';

export interface GraphqlOperation {
  readonly type: OperationType;
  /** Root field names as written, never aliases, each once; `__typename` and introspection included. */
  readonly fields: readonly string[];
}

export interface GraphqlReading {
  /** Of all documents, whatever `operationName` says; with a flaw, those that could be read. May be empty. */
  readonly operations: readonly GraphqlOperation[];
  /** Why a document could not be read, or could not be seen at all; null when every one was read whole. */
  readonly flaw: string | null;
  /** Whether what could not be read is more text than is looked at. */
  readonly tooLarge: boolean;
}

export interface GraphqlWanted {
  /** Null: every type. */
  readonly types: readonly OperationType[] | null;
  /** Root fields in their exact case, without patterns; null: every one. */
  readonly operations: readonly string[] | null;
}

/** Nothing asked at all: no document, no stored document named. */
export const NO_GRAPHQL: GraphqlReading = Object.freeze({
  operations: Object.freeze([]),
  flaw: null,
  tooLarge: false,
});

/** Narrow, for what opens a route: read whole, at least one operation, and each of them as wanted. */
export function graphqlOnly(reading: GraphqlReading, wanted: GraphqlWanted): boolean {
  const { operations, flaw } = reading;
  if (flaw !== null || operations.length === 0) return false;
  for (let i = 0; i < operations.length; i++) {
    if (!isWanted(operations[i] as GraphqlOperation, wanted)) return false;
  }
  return true;
}

function isWanted({ type, fields }: GraphqlOperation, wanted: GraphqlWanted): boolean {
  if (wanted.types !== null && !wanted.types.includes(type)) return false;
  if (wanted.operations === null) return true;
  // An empty selection names no field that could be listed.
  if (fields.length === 0) return false;
  for (let i = 0; i < fields.length; i++) {
    if (!wanted.operations.includes(fields[i] as string)) return false;
  }
  return true;
}
