// `kind: PolicyTest`: reads requests at a fixed time under named grants, and what must become of them. Cold.
// Running them is run-policy-tests.ts; a grant for `policy explain --grant` is read by the same code.
import { isScalar } from 'yaml';
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import { type DenialCode, REASONS } from '#model/reason.ts';
import { type Position, suggestion } from './problem.ts';
import { CATEGORY, readMethod, RULE_ID } from './route-policy.ts';
import { type FileReader, report } from './yaml-document.ts';
import {
  type Field,
  quoted,
  readChoice,
  readEntries,
  readFields,
  readItems,
  readList,
  readText,
} from './yaml-fields.ts';

export interface TestDocument {
  readonly name: string;
  readonly now: EpochMs;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  readonly grant: Grant;
  readonly requests: readonly TestRequest[];
  readonly formMethods: readonly string[];
  readonly expect: 'allow' | 'deny';
  /** The rule that must be reported; null where `reason` says why, or the request is allowed. */
  readonly rule: string | null;
  readonly reason: DenialCode | null;
  /** Null: not looked at. Sorted. */
  readonly shadow: readonly string[] | null;
}

export interface TestRequest {
  readonly method: string;
  readonly rawTarget: string;
  readonly at: Position;
}

const SPEC = { what: 'the spec of a PolicyTest', required: ['now', 'cases'], optional: ['grants'] };
const CASE = {
  what: 'a case',
  required: ['name', 'requests', 'expect'],
  optional: ['grant', 'formMethods', 'rule', 'reason', 'shadow'],
};
const GRANT = {
  what: 'a grant',
  required: [],
  optional: ['access', 'lifts', 'roles', 'actAs', 'caseRef', 'startsAt', 'expiresAt'],
};
const API_GRANT = {
  what: 'a grant',
  required: [],
  optional: GRANT.optional.concat(
    ['id', 'tenant', 'revision', 'status', 'audience', 'workspaces', 'reason', 'notice', 'grantedBy'],
    ['createdAt', 'revokedAt', 'revokedBy'],
  ),
};
const SENTENCE = { maxLength: 200 };
const ACCESS: readonly Access[] = ['read', 'write'];

export function readPolicyTest(reader: FileReader, name: string, spec: Field): TestDocument | null {
  const fields = readFields(reader, spec.node, spec.valueOffset, SPEC);
  if (fields === null) return null;
  const now = readInstant(reader, fields.get('now'));
  const grants = readGrants(reader, fields.get('grants'));
  const cases: TestCase[] = [];
  const casesField = fields.get('cases');
  for (const item of (casesField && readItems(reader, casesField)) ?? []) {
    const one = readCase(reader, item, grants);
    if (one !== null) cases.push(one);
  }
  return now === null ? null : { name, now, cases };
}

function readGrants(reader: FileReader, field: Field | undefined): ReadonlyMap<string, Grant> {
  const grants = new Map<string, Grant>();
  for (const entry of (field && readEntries(reader, field.node, field.valueOffset, 'grants')) ?? []) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(entry.name)) {
      report(reader, entry.offset, 'a grant’s name must be letters, digits, hyphens and underscores');
    }
    const grant = readTestGrant(reader, entry);
    if (grant !== null) grants.set(entry.name, grant);
  }
  return grants;
}

/** Of a test: what rules may look at. The rest of the grant is filled with harmless values. */
function readTestGrant(reader: FileReader, field: Field): Grant | null {
  const fields = readFields(reader, field.node, field.valueOffset, GRANT);
  return fields === null ? null : readGrantFields(reader, fields);
}

/** A grant as the control API shows it, or less of it: null is absent, and what rules do not look at is passed over. */
export function readApiGrant(reader: FileReader, field: Field): Grant | null {
  const fields = readFields(reader, field.node, field.valueOffset, API_GRANT);
  if (fields === null) return null;
  const given = new Map([...fields].filter(([, one]) => !isScalar(one.node) || one.node.value !== null));
  const grant = readGrantFields(reader, given);
  return { ...grant, revokedAt: readInstant(reader, given.get('revokedAt')) };
}

function readGrantFields(reader: FileReader, fields: ReadonlyMap<string, Field>): Grant {
  const access = fields.get('access');
  const lifts = fields.get('lifts');
  const roles = fields.get('roles');
  const actAs = fields.get('actAs');
  const caseRef = fields.get('caseRef');
  const startsAt = fields.get('startsAt');
  return {
    ...PLAIN_GRANT,
    access: (access && readChoice(reader, access, ACCESS)) ?? 'write',
    lifts: (lifts && readOptionalList(reader, lifts, (item) => readText(reader, item, CATEGORY))) ?? [],
    roles: (roles && readOptionalList(reader, roles, (item) => readText(reader, item, {}))) ?? [],
    actAs: (actAs && readText(reader, actAs, {})) ?? null,
    caseRef: (caseRef && readText(reader, caseRef, {})) ?? null,
    startsAt: (startsAt && readInstant(reader, startsAt)) ?? PLAIN_GRANT.startsAt,
    expiresAt: readInstant(reader, fields.get('expiresAt')),
  };
}

/** `[]` is as good as leaving it out. */
function readOptionalList(
  reader: FileReader,
  field: Field,
  readItem: (item: Field) => string | null,
): readonly string[] | null {
  const isEmpty = field.node !== null && 'items' in field.node && field.node.items.length === 0;
  return isEmpty ? [] : readList(reader, field, readItem);
}

const SYSTEM: Actor = {
  kind: 'system',
  id: 'policy-test',
  issuer: '',
  email: null,
  name: null,
  onBehalfOf: null,
};

/** Lifts nothing, limits nothing. */
export const PLAIN_GRANT: Grant = Object.freeze({
  id: 'grt_00000000000000000000000000' as GrantId,
  tenant: 'test' as TenantId,
  revision: 1,
  startsAt: 0 as EpochMs,
  expiresAt: null,
  access: 'write',
  audience: Object.freeze({ org: 'test', groups: null, principals: null }),
  roles: Object.freeze([]),
  workspaces: Object.freeze([]),
  actAs: null,
  lifts: Object.freeze([]),
  caseRef: null,
  reason: null,
  grantedBy: Object.freeze(SYSTEM),
  createdAt: 0 as EpochMs,
  revokedAt: null,
  revokedBy: null,
});

function readCase(reader: FileReader, item: Field, grants: ReadonlyMap<string, Grant>): TestCase | null {
  const fields = readFields(reader, item.node, item.offset, CASE);
  if (fields === null) return null;
  const nameField = fields.get('name');
  const name = nameField && readText(reader, nameField, SENTENCE);
  const requestsField = fields.get('requests');
  const requests = requestsField && readRequests(reader, requestsField);
  const expectField = fields.get('expect');
  const expect = expectField && readChoice(reader, expectField, ['allow', 'deny'] as const);
  const methodsField = fields.get('formMethods');
  const formMethods = methodsField && readList(reader, methodsField, (one) => readMethod(reader, one));
  const shadowField = fields.get('shadow');
  const shadow =
    shadowField && readOptionalList(reader, shadowField, (one) => readText(reader, one, RULE_ID));
  const grant = readGrantName(reader, fields.get('grant'), grants);
  const why = readWhy(reader, item, fields);
  if (!name || !requests || !expect || !grant || !why) return null;
  return {
    name,
    grant,
    requests,
    formMethods: formMethods ?? [],
    expect,
    ...why,
    shadow: shadow?.toSorted() ?? null,
  };
}

function readGrantName(
  reader: FileReader,
  field: Field | undefined,
  grants: ReadonlyMap<string, Grant>,
): Grant | null {
  if (field === undefined) return PLAIN_GRANT;
  const name = readText(reader, field, {});
  if (name === null) return null;
  const grant = grants.get(name);
  if (grant !== undefined) return grant;
  const hint = suggestion(name, [...grants.keys()]);
  report(reader, field.valueOffset, `grant ${quoted(name)} is not named under grants${hint}`);
  return null;
}

const CODES = Object.keys(REASONS).filter((code) => code !== 'ok' && code !== 'rule_denied') as DenialCode[];

/** A denial is a rule's or has another reason, never both, and an allowed request has neither. */
function readWhy(
  reader: FileReader,
  item: Field,
  fields: ReadonlyMap<string, Field>,
): Pick<TestCase, 'rule' | 'reason'> | null {
  const ruleField = fields.get('rule');
  const rule = ruleField === undefined ? null : readText(reader, ruleField, RULE_ID);
  const reasonField = fields.get('reason');
  const reason = reasonField === undefined ? null : readChoice(reader, reasonField, CODES);
  const expectField = fields.get('expect');
  const isDeny = isScalar(expectField?.node) && expectField.node.value === 'deny';
  const given = (ruleField === undefined ? 0 : 1) + (reasonField === undefined ? 0 : 1);
  if (given === (isDeny ? 1 : 0)) return { rule, reason };
  const message = isDeny
    ? 'a case that expects deny needs either rule or reason'
    : 'rule and reason belong to a case that expects deny';
  report(reader, expectField?.offset ?? item.offset, message);
  return null;
}

const REQUEST = {
  pattern: /^[A-Z][A-Z-]* [!-~]+$/,
  form: 'an upper-case method, one space and a raw target',
  maxLength: 10_000,
};

function readRequests(reader: FileReader, field: Field): readonly TestRequest[] | null {
  const texts = new Map<string, Position>();
  const read = readList(reader, field, (item) => {
    const text = readText(reader, item, REQUEST);
    if (text !== null) texts.set(text, reader.positionAt(item.offset));
    return text;
  });
  if (read === null) return null;
  return [...texts].map(([text, at]) => {
    const space = text.indexOf(' ');
    return { method: text.slice(0, space), rawTarget: text.slice(space + 1), at };
  });
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function readInstant(reader: FileReader, field: Field | undefined): EpochMs | null {
  if (field === undefined) return null;
  const value = isScalar(field.node) ? field.node.value : null;
  const ms = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms as EpochMs;
  const form = 'an instant with its zone such as 2026-01-15T09:00:00Z';
  report(reader, field.valueOffset, `${field.name} must be ${form}`);
  return null;
}
