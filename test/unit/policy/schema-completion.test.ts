// What an editor offers by the schemas is what the reader knows: its own keys at every level of every kind, and every
// value of the closed lists.
import { describe, expect, it } from 'vitest';
import { REASON_TYPES } from '#model/grant.ts';
import { REASONS } from '#model/reason.ts';
import { BODY_SELECTORS, OPERATION_TYPES } from '#policy/body-fields.ts';
import { VALUE_TEMPLATES } from '#policy/body-values.ts';
import { KNOWN_METHODS } from '#policy/methods.ts';
import { parseGrantFile } from '#policy/policy-file.ts';
import { parsePrincipalFile } from '#policy/policy-test-principal.ts';
import { WHEN_ATTRIBUTES } from '#policy/when.ts';
import {
  GRANT_SCHEMA,
  offeredKeys,
  offeredValues,
  type Path,
  POLICY_SCHEMA,
  PRINCIPAL_SCHEMA,
} from '../../support/policy-schema.ts';
import {
  documentOf,
  documentsOf,
  exampleDocuments,
  isMapping,
  KINDS,
  type Mapping,
  pathsOf,
  readerProblems,
  replaced,
  SHIPPED_FILES,
  type Value,
  valueAt,
} from '../../support/policy-schema-corpus.ts';

const UNKNOWN = 'no-such-key';

/** The keys that a reader says it knows, when it comes upon another one; null where any key is the author's own. */
function knownKeys(problems: readonly string[]): readonly string[] | null {
  const said = problems.find((problem) => problem.startsWith(`unknown key "${UNKNOWN}"`));
  return said === undefined ? null : (said.split('; known here: ')[1] ?? '').split(', ').toSorted();
}

function withUnknownKey(document: Value, path: Path): Value {
  return replaced(document, path, { ...(valueAt(document, path) as Mapping), [UNKNOWN]: 'x' });
}

function mappingsOf(document: Value): readonly Path[] {
  return pathsOf(document).filter((path) => isMapping(valueAt(document, path)) && !path.includes('body'));
}

describe('completion', () => {
  it.each(exampleDocuments())(
    'offers in each mapping of the $label the keys that the reader knows',
    (example) => {
      const { document } = example;
      let closed = 0;
      for (const path of mappingsOf(document)) {
        const known = knownKeys(readerProblems(withUnknownKey(document, path)));
        if (known !== null) closed++;
        expect([path, offeredKeys(POLICY_SCHEMA, document, path)]).toEqual([path, known ?? []]);
      }
      expect(closed).toBeGreaterThanOrEqual(4);
    },
  );

  it.each(KINDS)('offers the keys of a spec as soon as the document says kind: %s', (kind) => {
    const known = knownKeys(readerProblems(withUnknownKey(documentOf(kind, {}), ['spec'])));
    expect(known?.length).toBeGreaterThan(0);
    const begun = { kind, spec: {} };
    expect(offeredKeys(POLICY_SCHEMA, begun, ['spec'])).toEqual(known);
    expect(offeredKeys(POLICY_SCHEMA, { spec: {} }, ['spec'])).toEqual([]);
  });

  it('offers the keys of a rule and of its match while they are still empty', () => {
    const begun = { kind: 'RoutePolicy', spec: { rules: [{ match: [{ when: {} }] }] } };
    const at = (path: Path) => offeredKeys(POLICY_SCHEMA, begun, path);
    expect(at(['spec', 'rules', 0])).toEqual([
      'category',
      'id',
      'liftable',
      'match',
      'message',
      'mode',
      'when',
    ]);
    expect(at(['spec', 'rules', 0, 'match', 0])).toEqual(
      [...BODY_SELECTORS, 'methods', 'paths', 'query'].toSorted(),
    );
  });

  it('offers every value of the closed lists, and nothing else', () => {
    const policyTest = { kind: 'PolicyTest', spec: { cases: [{ reason: '', expect: '' }] } };
    const codes = Object.keys(REASONS).filter((code) => code !== 'ok' && code !== 'rule_denied');
    expect(offeredValues(POLICY_SCHEMA, policyTest, ['spec', 'cases', 0, 'reason'])).toEqual(codes);
    expect(offeredValues(POLICY_SCHEMA, { kind: '' }, ['kind'])).toEqual(KINDS);
    const when = { all: { reasonType: [''] } };
    const policy = {
      kind: 'RoutePolicy',
      spec: { rules: [{ mode: '', when, match: [{ graphql: { type: '' } }] }] },
    };
    const rule: Path = ['spec', 'rules', 0];
    expect(offeredValues(POLICY_SCHEMA, policy, [...rule, 'mode'])).toEqual(['enforce', 'shadow']);
    expect(offeredValues(POLICY_SCHEMA, policy, [...rule, 'when', 'all', 'reasonType', 0])).toEqual(
      REASON_TYPES,
    );
    const attributes = offeredKeys(POLICY_SCHEMA, policy, [...rule, 'when', 'all']);
    expect(attributes).toEqual(WHEN_ATTRIBUTES.toSorted());
    const types = offeredValues(POLICY_SCHEMA, policy, [...rule, 'match', 0, 'graphql', 'type']);
    expect(types).toEqual(expect.arrayContaining([...OPERATION_TYPES]));
  });

  it('offers the usual methods, templates and categories, where others are allowed', () => {
    const match = [{ methods: [''], json: { '/a': [''] } }];
    const begun = { kind: 'RoutePolicy', spec: { rules: [{ category: '', match }] } };
    const rule: Path = ['spec', 'rules', 0];
    const methods = offeredValues(POLICY_SCHEMA, begun, [...rule, 'match', 0, 'methods', 0]);
    expect(methods.toSorted()).toEqual(KNOWN_METHODS.toSorted());
    const values = offeredValues(POLICY_SCHEMA, begun, [...rule, 'match', 0, 'json', '/a', 0]);
    expect(values).toEqual(expect.arrayContaining([...VALUE_TEMPLATES]));
    const categories = offeredValues(POLICY_SCHEMA, begun, [...rule, 'category']);
    expect(categories).toEqual(expect.arrayContaining([...shippedCategories()]));
  });

  it.each([
    ['grant', GRANT_SCHEMA, parseGrantFile],
    ['principal', PRINCIPAL_SCHEMA, parsePrincipalFile],
  ] as const)('offers in a %s file the keys that its reader knows', (_, schema, parse) => {
    for (const example of schema.examples ?? []) {
      for (const path of mappingsOf(example)) {
        const text = JSON.stringify(withUnknownKey(example, path));
        const problems = parse('g.yaml', Buffer.from(text)).problems.map(({ message }) => message);
        expect([path, offeredKeys(schema, example, path)]).toEqual([path, knownKeys(problems)]);
      }
    }
  });
});

function shippedCategories(): ReadonlySet<string> {
  const documents = SHIPPED_FILES.filter((file) => file.startsWith('policies/')).flatMap(documentsOf);
  return new Set(
    documents.flatMap(({ document }) => {
      const spec = document['spec'] as { rules?: readonly Mapping[]; guards?: readonly Mapping[] };
      return [...(spec.rules ?? []), ...(spec.guards ?? [])].map((one) => String(one['category']));
    }),
  );
}
