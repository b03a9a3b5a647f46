// `graphql: {type: query, operations: [..]}` of a route that allows: what every operation of the request must be.
// Narrow, so operations are exact root field names, without patterns. Reading is cold; judging is asked only of
// requests to such a route, and a body that was not read is never taken for an empty one.
import { readOperationTypes } from './body-fields.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { graphqlOnly } from './graphql-reading.ts';
import type { NarrowAnswer } from './narrow-match.ts';
import type { GraphqlDraft } from './narrow-routes.ts';
import { compare } from './problem.ts';
import { NO_BODY } from './read-body.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, readFields, readList, readText } from './yaml-fields.ts';

const GRAPHQL = { what: 'graphql', required: [], optional: ['type', 'operations'] };
/** GraphQL specification, section 2.1.9, Name. */
const FIELD = {
  pattern: /^[_A-Za-z][_0-9A-Za-z]{0,127}$/,
  form: 'the exact name of a root field: a route that allows takes no pattern',
  maxLength: 256,
};

/** Null after a report. */
export function readGraphqlWanted(reader: FileReader, field: Field): GraphqlDraft | null {
  const fields = readFields(reader, field.node, field.valueOffset, GRAPHQL);
  if (fields === null) return null;
  if (fields.size === 0) report(reader, field.valueOffset, 'graphql must name one of type, operations');
  const type = fields.get('type');
  const operations = fields.get('operations');
  const types = type && readOperationTypes(reader, type);
  const names = operations && readList(reader, operations, (item) => readText(reader, item, FIELD));
  if (types === null || names === null || fields.size === 0) return null;
  return {
    kind: 'graphql',
    types: types?.toSorted(compare) ?? null,
    operations: names?.toSorted(compare) ?? null,
  };
}

/** Documents of the query string count with those of the body. */
export function judgeGraphql(wanted: GraphqlDraft, facts: RouteFacts): NarrowAnswer {
  const { body, hasBody, target } = facts;
  if (body === null && hasBody) return 'needs_body';
  return graphqlOnly((body ?? NO_BODY).graphql(target.query), wanted) ? 'covered' : 'not_covered';
}
