// What a reader of policies refuses and JSON Schema cannot say. The list is closed: whatever else is refused must be
// refused by the schema too, and each reason has a document that the schema accepts and the reader refuses for it.
import { isMapping, type Value } from './policy-schema-corpus.ts';

export interface ReaderOnly {
  readonly what: string;
  /** The reader's sentence. */
  readonly says: RegExp;
  /** Whether this document can be refused for it at all. */
  readonly excuses?: (document: Value) => boolean;
  readonly examples: readonly string[];
}

const head = (kind: string) => `apiVersion: postern/v1\nkind: ${kind}\nmetadata: { name: x }\nspec: `;
const match = (text: string) =>
  `${head('RoutePolicy')}{ rules: [{ id: r, category: c, match: [{ paths: ["/a"], ${text} }] }] }`;
const path = (text: string) =>
  `${head('RoutePolicy')}{ rules: [{ id: r, category: c, match: [{ paths: [${JSON.stringify(text)}] }] }] }`;
const settings = (text: string) => `${head('RouteSettings')}{ paths: ["/a"], ${text} }`;
const scope = (text: string) => `${head('ScopeMap')}{ scopes: [{ ${text} }] }`;
const testCase = (text: string, more = '') =>
  `${head('PolicyTest')}{ now: "2026-01-15T09:00:00Z", ${more}cases: [{ name: n, requests: [GET /a], expect: allow${text} }] }`;

export const READER_ONLY: readonly ReaderOnly[] = [
  {
    what: 'names or values that a request could not tell apart',
    says: /is read like an earlier (?:one|item)$/,
    excuses: (document) => !hasRepeatedStrings(document),
    examples: [
      match('query: { format: [a], FORMAT: [b] }'),
      match('json: { /a: [b, B] }'),
      match('form: { "a[]": "*", a: "*" }'),
      match('graphql: { operations: [a, A] }'),
    ],
  },
  {
    what: 'an item repeated in another case, or once as a number and once in quotes',
    says: /repeats an earlier item$/,
    excuses: (document) => !hasRepeatedStrings(document),
    examples: [
      `${head('SafeRoutes')}{ hosts: [A.example, a.example], routes: [{ paths: ["/a"], methods: [POST] }] }`,
      settings('headers: [a_b, A_b]'),
      match('query: { a: [1, "1"] }'),
    ],
  },
  {
    what: 'a name of which nothing is left when it is read as in a request',
    says: /(?:query key|form field) must not be empty$|holds nothing that a request could name$|holds an empty segment$/,
    examples: [
      match('query: { "[]": [a] }'),
      match('form: { " ": "*" }'),
      match('json: { "/\u00AD": "*" }'),
      scope('paths: ["/a"], tenant: { query: " " }'),
    ],
  },
  {
    what: 'a path that no request can have once it is decoded, or that captures a name twice',
    says: /^path ".*" (?:can never be canonical: (?:it holds a (?:dot segment|control character)|its NFKC form)|can never match|is not well-formed|holds a malformed|names \{)/,
    examples: [
      path('/a/\u2025'),
      path('/a%01'),
      path('/a\uFF0Fb'),
      path('/\u00AD'),
      path('/%ff'),
      path('/\uD800'),
      path('/{id}/{id}'),
    ],
  },
  {
    what: 'a capture that a path does not have, or has behind `**`',
    says: /^path ".*" (?:does not capture \{|has `\*\*` in front of \{)/,
    examples: [
      scope('paths: ["/{a}"], tenant: { path: b }'),
      scope('paths: ["/**/{a}"], tenant: { path: a }'),
    ],
  },
  {
    what: 'a grant or principal that the document does not give',
    says: /is not named under (?:grants|principals)/,
    examples: [testCase(', grant: nobody'), testCase(', principal: nobody')],
  },
  {
    what: 'an amount that is too large to count, or to hold in memory',
    says: /^(?:maxBody|maxBytes|maxInspectedBody) is too large$|^maxInspectedBody must be at most 64MiB|^(?:headers|idle) must be a duration/,
    examples: [
      settings('maxBody: 9999999999TiB'),
      settings('maxInspectedBody: 9999999999B'),
      settings('timeouts: { idle: 999999999w }'),
    ],
  },
  {
    what: 'a length beyond the limit, of characters that JSON Schema counts once and the reader twice',
    says: /must have 1 to [0-9]+ characters$|is longer than 2048 characters$/,
    excuses: (document) => /[\u{10000}-\u{10FFFF}]/u.test(JSON.stringify(document)),
    examples: [
      match('').replace('id: r', `id: r, message: "${'\u{1F600}'.repeat(200)}"`),
      path(`/${'\u{1F600}'.repeat(1500)}`),
    ],
  },
  {
    what: 'a character that hides or reorders text, wherever in the file it stands, comments too',
    says: /^a character that hides or reorders text is not allowed$/,
    examples: [
      match('jsonrpc: { methods: ["a\u2028b"] }'),
      match('json: { /a: ["\u202E"] }'),
      `${match('query: { a: [b] }')} # \u2066`,
    ],
  },
  {
    what: 'a number in a body that JSON does not have',
    says: /^JSON has no such number/,
    examples: [testCase(', body: { a: .inf }')],
  },
];

/** Whether any list of strings alone holds one twice, which `uniqueItems` can say. */
function hasRepeatedStrings(value: Value): boolean {
  if (Array.isArray(value)) {
    const isRepeated = value.every((item) => typeof item === 'string') && new Set(value).size < value.length;
    return isRepeated || value.some(hasRepeatedStrings);
  }
  return isMapping(value) && Object.values(value).some(hasRepeatedStrings);
}

/** Of what the reader says about a document, what the schema should have said too. */
export function unexcused(problems: readonly string[], document: Value): readonly string[] {
  return problems.filter(
    (problem) =>
      !READER_ONLY.some(
        ({ says, excuses }) => says.test(problem) && (excuses === undefined || excuses(document)),
      ),
  );
}
