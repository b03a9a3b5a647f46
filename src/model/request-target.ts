// The one parsed form of a request target: matched, recorded and sent, never parsed a second time.
// Made only by gateway/request-target.ts (profile STRICT/1); everyone else reads it.

export interface RequestTarget {
  /**
   * The canonical path (P4): starts with `/`, unreserved characters decoded, everything else percent-encoded
   * with upper-case hex, no empty inner segments, one trailing slash kept, no dot segments, ASCII only.
   */
  readonly path: string;
  /** The query byte for byte, without its `?`; empty when there is none or it is empty. */
  readonly query: string;
  /** Whether there was a `?` at all: `/a?` and `/a` are sent as they came. */
  readonly hasQuery: boolean;
  /** P3: the path holds `%2F %5C %3F %23`; refused unless the route opts in with `encodedSlash`. */
  readonly encodedSlash: boolean;
  /** P3: the path holds `%25` followed by two hex digits; refused unless the route opts in with `encodedPercent`. */
  readonly encodedPercent: boolean;
}
