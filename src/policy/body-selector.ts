// What a rule asks of a body: the one selector of a match block, compiled, and its four answers.
// The selectors themselves are one file each (body-json.ts, body-form.ts, body-graphql.ts, body-jsonrpc.ts).
import type { RouteFacts } from './compiled-policy.ts';
import type { BodyKind, RequestBody } from './request-body.ts';

export type OperationType = 'query' | 'mutation' | 'subscription';

/** As parsed and checked. Values are as written; null is presence. */
export type BodySelectorDraft =
  | {
      readonly kind: 'graphql';
      /** Null: every type. Sorted. */
      readonly types: readonly OperationType[] | null;
      /** Root fields, may hold `*`; null: every one. Sorted. */
      readonly operations: readonly string[] | null;
    }
  | { readonly kind: 'jsonrpc'; readonly methods: readonly string[] }
  | { readonly kind: 'json' | 'form'; readonly fields: readonly BodyFieldDraft[] };

export interface BodyFieldDraft {
  /** A JSON pointer (RFC 6901, `*` for each element) or the name of a form field. */
  readonly name: string;
  readonly values: readonly string[] | null;
}

/** `holds`: as the selector asks. `absent`: read, and it is not. The others: it had to be read and could not be. */
export type BodyAnswer = 'holds' | 'absent' | 'unreadable' | 'too_large';

export interface BodySelector {
  readonly kind: BodySelectorDraft['kind'];
  /** For explanations: `json /format is one of csv, xlsx`. */
  readonly text: string;
  /** Whether a body of this kind is one that the selector can look into. */
  reads(kind: BodyKind): boolean;
  /** Why `judge` answered `unreadable` or `too_large`, as a clause for the record; null where it did not. */
  flawOf(body: RequestBody, facts: RouteFacts): string | null;
  /** `body` is that of `facts`. Widest reading: one member of a batch, one of several values, is enough. */
  judge(body: RequestBody, facts: RouteFacts): BodyAnswer;
}
