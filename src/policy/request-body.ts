// A request's body as rules see it: read once, whole, by its declared type, or said to be unreadable.
// Guarantees: what two parsers could read in two ways (duplicate members, bytes that are no UTF-8, a second
// encoding) is unreadable. Not hot: only bodies that a rule on the route has to see get here.
import type { GraphqlReading } from './graphql-reading.ts';

/**
 * `none`: there was no body, or none of any byte. `unreadable`: of another type, compressed in a way nobody
 * inspects, malformed or ambiguous. `too_large`: beyond what is held or inflated.
 */
export type BodyKind = 'none' | 'json' | 'form' | 'graphql' | 'unreadable' | 'too_large';

export interface RequestBody {
  readonly kind: BodyKind;
  /** Set where `kind` is `json`. */
  readonly json: unknown;
  /** The pairs of a URL-encoded form, raw; empty unless `kind` is `form`. */
  readonly form: string;
  /** The one document of `application/graphql`, as it came; empty unless `kind` is `graphql`. */
  readonly document: string;
  /** Methods named by `_method` in a form or a JSON object, upper case; not checked to be methods at all. */
  readonly claimedMethods: readonly string[];
  /** Why it is unreadable or too large, as a clause for the record; never what it holds. Null otherwise. */
  readonly flaw: string | null;
  /** The GraphQL requests in the body together with those in the query string; read on first use and kept. */
  graphql(query: string): GraphqlReading;
}
