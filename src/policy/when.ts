// `when` narrows a deny rule to some principals or grants; it never opens another rule. Reading it is cold, asking it
// is hot for rules that have one. Fails closed: what is not known leaves the rule in force.
import { type Access, REASON_TYPES } from '#model/grant.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { compare } from './problem.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, isEmptyMapping, readChoice, readFields, readList, readText } from './yaml-fields.ts';

export const WHEN_ATTRIBUTES = [
  'roles',
  'workspaceRoles',
  'groups',
  'org',
  'tenantClass',
  'reasonType',
  'access',
  'workspace',
  'actAs',
  'session',
] as const;
type Attribute = (typeof WHEN_ATTRIBUTES)[number];

const QUANTIFIERS = ['all', 'any', 'none'] as const;
type Quantifier = (typeof QUANTIFIERS)[number];

/** An attribute holds when any of its values is any of these. Sorted. */
interface AttributeTest {
  readonly attribute: Attribute;
  readonly values: readonly string[];
}

/** Frozen. Each quantifier that is named must hold; of its attributes all, any or none. Sorted by attribute. */
export interface When {
  readonly clauses: readonly {
    readonly quantifier: Quantifier;
    readonly tests: readonly AttributeTest[];
  }[];
}

const WHEN = { what: 'when', required: [], optional: QUANTIFIERS };
const VALUE = { maxLength: 256 };

/** Null after a report, undefined where there is no such key. */
export function readWhen(reader: FileReader, field: Field | undefined): When | null | undefined {
  if (field === undefined) return undefined;
  const before = reader.problems.length;
  const fields = readFields(reader, field.node, field.valueOffset, WHEN);
  if (isEmptyMapping(field)) report(reader, field.valueOffset, 'when must name one of all, any, none');
  const clauses = QUANTIFIERS.flatMap((quantifier) => {
    const clause = fields?.get(quantifier);
    return clause === undefined ? [] : [{ quantifier, tests: readTests(reader, clause) }];
  });
  return reader.problems.length > before ? null : Object.freeze({ clauses: Object.freeze(clauses) });
}

function readTests(reader: FileReader, clause: Field): readonly AttributeTest[] {
  const shape = { what: `when.${clause.name}`, required: [], optional: WHEN_ATTRIBUTES };
  const fields = readFields(reader, clause.node, clause.valueOffset, shape);
  if (fields === null) return [];
  if (isEmptyMapping(clause)) {
    report(reader, clause.valueOffset, `${shape.what} must name one of ${WHEN_ATTRIBUTES.join(', ')}`);
  }
  return WHEN_ATTRIBUTES.toSorted(compare).flatMap((attribute) => {
    const field = fields.get(attribute);
    if (field === undefined) return [];
    const values = readList(reader, field, (item) => readValue(reader, item, attribute)) ?? [];
    return [{ attribute, values: values.toSorted(compare) }];
  });
}

const ACCESS: readonly Access[] = ['read', 'write'];
/** Whom the grant acts as: a user of the customer's, or nobody but the principal. */
export const ACT_AS = ['user', 'none'] as const;
export const SESSION = ['open', 'none'] as const;

/** What comes from a closed list is held to it: a typing error would narrow a rule to nobody. */
function readValue(reader: FileReader, item: Field, attribute: Attribute): string | null {
  if (attribute === 'access') return readChoice(reader, item, ACCESS);
  if (attribute === 'actAs') return readChoice(reader, item, ACT_AS);
  if (attribute === 'session') return readChoice(reader, item, SESSION);
  if (attribute === 'reasonType') return readChoice(reader, item, REASON_TYPES);
  return readText(reader, item, VALUE);
}

/** Whether the rule is about this request's principal and grant. */
export function whenApplies(when: When, facts: RouteFacts): boolean {
  for (let i = 0; i < when.clauses.length; i++) {
    const clause = when.clauses[i] as When['clauses'][number];
    if (!clauseHolds(clause.quantifier, clause.tests, facts)) return false;
  }
  return true;
}

function clauseHolds(quantifier: Quantifier, tests: readonly AttributeTest[], facts: RouteFacts): boolean {
  const wanted = quantifier !== 'none';
  for (let i = 0; i < tests.length; i++) {
    const test = tests[i] as AttributeTest;
    const holds = attributeHolds(test, facts);
    // Unknown counts for the rule: as holding under all and any, as not holding under none.
    if (quantifier === 'any') {
      if (holds !== false) return true;
    } else if (holds === !wanted) return false;
  }
  return quantifier !== 'any';
}

/** In tools that know a principal or a grant by halves: which groups or roles there are, nobody recorded. */
export const UNKNOWN_NAMES: readonly string[] = Object.freeze([]);

/** Null: not known. */
function attributeHolds({ attribute, values }: AttributeTest, facts: RouteFacts): boolean | null {
  const { grant, credential } = facts;
  switch (attribute) {
    case 'roles':
      return grant === null ? null : overlaps(values, grant.roles);
    case 'workspaceRoles':
      return workspaceRoleHolds(values, facts);
    case 'groups':
      return credential === null ? null : overlaps(values, credential.principal.groups);
    case 'org':
      return credential === null ? null : values.includes(credential.principal.org);
    case 'tenantClass':
      return facts.tenantClass === null ? null : values.includes(facts.tenantClass);
    case 'reasonType':
      if (grant === null) return null;
      return grant.reason !== null && values.includes(grant.reason.type);
    case 'access':
      return grant === null ? null : values.includes(grant.access);
    case 'workspace':
      return facts.workspace === null ? null : values.includes(facts.workspace);
    case 'actAs':
      return grant === null ? null : values.includes(grant.actAs === null ? 'none' : 'user');
    case 'session':
      return sessionHolds(values, facts);
  }
}

function sessionHolds(values: readonly string[], { hasSession = null }: RouteFacts): boolean | null {
  return hasSession === null ? null : values.includes(hasSession ? 'open' : 'none');
}

/** The roles in the workspace that the request names; where it names none, nobody knows which ones count. */
function workspaceRoleHolds(values: readonly string[], { grant, workspace }: RouteFacts): boolean | null {
  if (grant === null) return null;
  if (grant.workspaces.length === 0) return false;
  if (workspace === null) return null;
  const found = grant.workspaces.find(({ id }) => id === workspace);
  return found === undefined ? null : overlaps(values, found.roles);
}

/** Null where what is held is not known. */
function overlaps(values: readonly string[], held: readonly string[]): boolean | null {
  if (held === UNKNOWN_NAMES) return null;
  for (let i = 0; i < held.length; i++) if (values.includes(held[i] as string)) return true;
  return false;
}

/** The attributes that are asked for, sorted, each once. */
export function attributesOf(when: When): readonly string[] {
  const all = when.clauses.flatMap(({ tests }) => tests.map(({ attribute }) => attribute));
  return [...new Set<string>(all)].toSorted(compare);
}

/** For the digest: arrays only, sorted. */
export function whenDigest(when: When | null): unknown {
  if (when === null) return null;
  return when.clauses.map(({ quantifier, tests }) => [
    quantifier,
    tests.map(({ attribute, values }) => [attribute, values]),
  ]);
}

/** For explanations: `none of roles administrator`. */
export function whenText(when: When): string {
  return when.clauses
    .map(({ quantifier, tests }) => {
      const parts = tests.map(({ attribute, values }) => `${attribute} ${values.join('|')}`);
      return `${quantifier} of ${parts.join(', ')}`;
    })
    .join(' and ');
}
