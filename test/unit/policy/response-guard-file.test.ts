// Every problem of a ResponseGuard document, where it stands; and what of a guard makes the digest.
import { describe, expect, it } from 'vitest';
import { policyFrom, problemLines } from '../../support/policy-sets.ts';

const HEAD = 'apiVersion: postern/v1\nkind: ResponseGuard\nmetadata: { name: test }\n';
const RULE = `---
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec: { rules: [{ id: r, category: export, match: [{ paths: [/x] }] }] }
`;

/** Problems of the ResponseGuard alone; its spec begins on line 4. */
function problems(spec: string): readonly string[] {
  return problemLines(`${HEAD}${spec}\n${RULE}`);
}

function guardWith(response: string, more = ''): string {
  return `spec:\n  guards:\n    - id: g\n      category: export\n${more}      response: ${response}`;
}

function digest(response: string, more = ''): string {
  return policyFrom(`${HEAD}${guardWith(response, more)}\n${RULE}`).digest;
}

describe('a document of guards', () => {
  it('is read whole', () => {
    const spec = `spec:
  hosts: ["*.example.com"]
  guards:
    - id: guard.attachments
      category: export
      mode: shadow
      liftable: true
      when: { none: { roles: [administrator] } }
      match:
        - { methods: [GET], paths: ["/api/**"], query: { all: "*" } }
        - { paths: ["/files/**"] }
      response: { attachment: true, mediaTypes: [text/csv, "application/x-*"], extensions: [csv], maxBytes: 10MiB }
      message: No downloads.`;
    expect(problems(spec)).toEqual([]);
  });

  it('reports everything that is wrong, in place', () => {
    const spec = `spec:
  guard: []
  guards:
    - id: G
      category: export
      mod: shadow
      response: { attachement: true }
    - id: h
      category: user-admin
      liftable: true
      match: []
      response: { attachment: yes, mediaTypes: [], extensions: [".csv"], maxBytes: 10MB }
    - id: i
      category: export`;
    expect(problems(spec)).toEqual(
      [
        '5:3 unknown key "guard" in the spec of a ResponseGuard; did you mean "guards"?',
        '7:11 id must be at most 64 lower-case letters, digits, dots, hyphens and underscores, not "G"',
        '9:7 unknown key "mod" in a guard; did you mean "mode"?',
        '10:19 unknown key "attachement" in response; did you mean "attachment"?',
        '13:17 a rule of the category user-admin can never be lifted',
        '14:14 match must not be empty',
        '15:31 attachment must be true or false',
        '15:48 mediaTypes must not be empty',
        '15:65 extensions[0] must be a file extension of letters and digits, without the dot, such as csv, not ".csv"',
        '15:84 maxBytes must be a size such as 64KiB, 10MiB, 2GiB',
        '16:7 a guard needs response',
      ].map((line) => expect.stringContaining(line)),
    );
  });

  it.each([
    ['{}', 'response must name one of attachment, mediaTypes, extensions, maxBytes'],
    ['{ attachment: false }', 'response must name one of attachment, mediaTypes, extensions, maxBytes'],
    ['[]', 'response must be a mapping'],
    ['{ mediaTypes: ["*/*"] }', '"*/*" is every media type'],
    ['{ mediaTypes: ["text/csv; charset=utf-8"] }', 'must be a media type such as text/csv'],
    ['{ mediaTypes: [csv] }', 'must be a media type such as text/csv'],
    ['{ mediaTypes: [text/csv, TEXT/CSV] }', 'mediaTypes[1] repeats an earlier item'],
    ['{ mediaTypes: text/csv }', 'mediaTypes must be a list'],
    ['{ extensions: [csv, CSV] }', 'extensions[1] repeats an earlier item'],
    ['{ extensions: [7] }', 'extensions[0] must be a string: put it in quotes'],
    ['{ maxBytes: 0B }', 'maxBytes must be a size'],
    ['{ maxBytes: 1024 }', 'maxBytes must be a string'],
    ['{ maxBytes: 9999999999TiB }', 'maxBytes is too large'],
  ])('refuses response %s', (response, message) => {
    expect(problems(guardWith(response))).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    ['match: [{ methods: [get], paths: [/x] }]', 'must be an upper-case method'],
    ['match: [{ methods: [GET] }]', 'a match of a guard needs paths'],
    ['match: [{ paths: [x] }]', 'must start with `/`'],
    ['match: [{ paths: [/x], graphql: { type: query } }]', 'unknown key "graphql" in a match of a guard'],
    ['match: [{ paths: [/x], query: {} }]', 'query must not be empty'],
    ['when: {}', 'when must name one of all, any, none'],
  ])('refuses %s', (more, message) => {
    expect(problems(guardWith('{ attachment: true }', `      ${more}\n`))).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it('shares the ids of rules', () => {
    const spec = guardWith('{ attachment: true }').replace('id: g', 'id: r');
    expect(problems(spec)).toEqual([expect.stringContaining('rule id r stands at p.yaml:')]);
  });
});

describe('the digest of a set', () => {
  const plain = digest('{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }');

  it('does not change with the order or the case of what is listed', () => {
    expect(digest('{ extensions: [ODS, csv], mediaTypes: [A/B, text/CSV], maxBytes: 1024B }')).toBe(plain);
  });

  it.each([
    ['{ maxBytes: 2KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }', ''],
    ['{ maxBytes: 1KiB, mediaTypes: [text/csv], extensions: [csv, ods] }', ''],
    ['{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv] }', ''],
    ['{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods], attachment: true }', ''],
    ['{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }', '      mode: shadow\n'],
    ['{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }', '      liftable: true\n'],
    ['{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }', '      message: no\n'],
    [
      '{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }',
      '      match: [{ paths: [/x] }]\n',
    ],
    [
      '{ maxBytes: 1KiB, mediaTypes: [text/csv, a/b], extensions: [csv, ods] }',
      '      when: { any: { org: [a] } }\n',
    ],
  ])('changes with %s %s', (response, more) => {
    expect(digest(response, more)).not.toBe(plain);
  });
});
