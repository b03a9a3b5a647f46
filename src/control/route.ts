// What every call of the control API says of itself, in one form: its row of the authorisation table, its schemas, and
// which headers it reads and answers with. open-api.ts writes the document from it and etag.ts holds handlers to it, so
// that neither can say what the other does not. Cold.
import type { Operation } from './authorise.ts';

export interface CallTraits {
  /**
   * `answered`: the answer says the revision in ETag. `optional`: and a change may name it in If-Match. `required`: and
   * must. Absent: what is answered has no revision.
   */
  readonly etag?: 'answered' | 'optional' | 'required';
  /** 201 says in Location where what was made is. */
  readonly location?: true;
  /** For answers that hold secrets: a repetition is told that it was done, not what was answered. */
  readonly answerNotKept?: true;
}

declare module 'fastify' {
  interface FastifyContextConfig extends CallTraits {
    /** A row of the authorisation table; absent: public. */
    operation?: Operation;
  }
}

/** Items of a page when the caller does not say how many. */
export const DEFAULT_PAGE = 50;

/** The `config` and `schema` of a route; `response` names successes alone, refusals are the same everywhere. */
export function route(
  operation: Operation,
  summary: string,
  schema: Readonly<Record<string, unknown>>,
  traits: CallTraits = {},
) {
  return { config: { operation, ...traits }, schema: { summary, operationId: operation, ...schema } };
}
