// `graphql`: root fields and types of every operation that the request could run, in its body or its query string.
// Guarantees: one that holds is enough, whatever else the request asks; what could not be read or seen (a persisted
// query) is unreadable, not absent. Assumes nothing of `operationName`, variables or directives. Not hot.
import { compileNames, type ListedNames, namesHold } from './body-names.ts';
import type { BodyAnswer, BodySelector, BodySelectorDraft, OperationType } from './body-selector.ts';
import type { GraphqlOperation, GraphqlReading } from './graphql-reading.ts';

type GraphqlDraft = Extract<BodySelectorDraft, { kind: 'graphql' }>;

export function compileGraphqlSelector(draft: GraphqlDraft): BodySelector {
  const { types } = draft;
  const names = draft.operations === null ? null : compileNames(draft.operations);
  return Object.freeze({
    kind: 'graphql',
    text: textOf(draft),
    reads: (kind) => kind !== 'unreadable' && kind !== 'too_large',
    flawOf(body, facts) {
      const reading = body.graphql(facts.target.query);
      const answer = judge(reading, types, names);
      return answer === 'unreadable' || answer === 'too_large' ? reading.flaw : null;
    },
    judge: (body, facts) => judge(body.graphql(facts.target.query), types, names),
  } satisfies BodySelector);
}

function judge(
  reading: GraphqlReading,
  types: readonly OperationType[] | null,
  names: ListedNames | null,
): BodyAnswer {
  for (const operation of reading.operations) {
    if (types !== null && !types.includes(operation.type)) continue;
    if (names === null || hasField(operation, names)) return 'holds';
  }
  if (reading.tooLarge) return 'too_large';
  return reading.flaw === null ? 'absent' : 'unreadable';
}

function hasField({ fields }: GraphqlOperation, names: ListedNames): boolean {
  for (const field of fields) if (namesHold(names, field)) return true;
  return false;
}

/** `graphql mutation with a root field exportCustomers or export*`. */
function textOf({ types, operations }: GraphqlDraft): string {
  const ofTypes = types === null ? 'operation' : types.join(' or ');
  return operations === null
    ? `graphql ${ofTypes}`
    : `graphql ${ofTypes} with a root field ${operations.join(' or ')}`;
}
