// `kind: PolicyTest`: reads requests at a fixed time under named grants, and what must become of them. Cold.
// Running them is run-policy-tests.ts; a grant for `policy explain --grant` is read by the same code.
import { isScalar } from 'yaml';
import type { EpochMs } from '#model/clock.ts';
import { type Access, type Actor, type Grant, REASON_TYPES, type StatedReason } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import {
  type CaseContext,
  isEmptyList,
  readCase,
  readOptionalList,
  type TestCase,
} from './policy-test-case.ts';
import { readPrincipal } from './policy-test-principal.ts';
import { CATEGORY } from './route-policy.ts';
import { type FileReader, report } from './yaml-document.ts';
import { type Field, readChoice, readEntries, readFields, readItems, readText } from './yaml-fields.ts';

export interface TestDocument {
  readonly name: string;
  readonly file: string;
  readonly now: EpochMs;
  /** Under which default the set is judged: `deny` makes it an allow-list. */
  readonly defaultEffect: 'allow' | 'deny';
  readonly cases: readonly TestCase[];
}

const SPEC = {
  what: 'the spec of a PolicyTest',
  required: ['now', 'cases'],
  optional: ['grants', 'principals', 'defaultEffect'],
};
const GRANT = {
  what: 'a grant',
  required: [],
  optional: ['access', 'lifts', 'roles', 'workspaces', 'actAs', 'caseRef', 'reason', 'startsAt', 'expiresAt'],
};
const API_GRANT = {
  what: 'a grant',
  required: [],
  optional: GRANT.optional.concat(
    ['id', 'tenant', 'revision', 'status', 'audience', 'notice', 'grantedBy'],
    ['createdAt', 'revokedAt', 'revokedBy'],
  ),
};
const WORKSPACE = { what: 'a workspace', required: ['id'], optional: ['roles'] };
const REASON = { what: 'a reason', required: ['type'], optional: ['detail'] };
const ACCESS: readonly Access[] = ['read', 'write'];
const EFFECTS = ['allow', 'deny'] as const;

export function readPolicyTest(reader: FileReader, name: string, spec: Field): TestDocument | null {
  const fields = readFields(reader, spec.node, spec.valueOffset, SPEC);
  if (fields === null) return null;
  const now = readInstant(reader, fields.get('now'));
  const effectField = fields.get('defaultEffect');
  const defaultEffect = (effectField && readChoice(reader, effectField, EFFECTS)) ?? 'allow';
  const context: CaseContext = {
    reader,
    grants: readNames(reader, fields.get('grants'), readTestGrant),
    principals: readNames(reader, fields.get('principals'), readPrincipal),
    plainGrant: PLAIN_GRANT,
    isAllowList: defaultEffect === 'deny',
  };
  const cases: TestCase[] = [];
  const casesField = fields.get('cases');
  for (const item of (casesField && readItems(reader, casesField)) ?? []) {
    const one = readCase(context, item);
    if (one !== null) cases.push(one);
  }
  return now === null ? null : { name, file: reader.file, now, defaultEffect, cases };
}

/** What the cases call by a name of the author's own. */
function readNames<T>(
  reader: FileReader,
  field: Field | undefined,
  readOne: (reader: FileReader, entry: Field) => T | null,
): ReadonlyMap<string, T> {
  const named = new Map<string, T>();
  if (field === undefined) return named;
  for (const entry of readEntries(reader, field.node, field.valueOffset, field.name) ?? []) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(entry.name)) {
      const what = `a ${field.name.slice(0, -1)}’s name`;
      report(reader, entry.offset, `${what} must be letters, digits, hyphens and underscores`);
    }
    const one = readOne(reader, entry);
    if (one !== null) named.set(entry.name, one);
  }
  return named;
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
  const tenant = given.get('tenant');
  return {
    ...grant,
    tenant: ((tenant && readText(reader, tenant, {})) ?? grant.tenant) as TenantId,
    revokedAt: readInstant(reader, given.get('revokedAt')),
  };
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
    workspaces: readWorkspaces(reader, fields.get('workspaces')),
    reason: readReason(reader, fields.get('reason')),
    actAs: (actAs && readText(reader, actAs, {})) ?? null,
    caseRef: (caseRef && readText(reader, caseRef, {})) ?? null,
    startsAt: (startsAt && readInstant(reader, startsAt)) ?? PLAIN_GRANT.startsAt,
    expiresAt: readInstant(reader, fields.get('expiresAt')),
  };
}

function readWorkspaces(reader: FileReader, field: Field | undefined): Grant['workspaces'] {
  if (field === undefined || isEmptyList(field)) return [];
  return (readItems(reader, field) ?? []).flatMap((item) => {
    const fields = readFields(reader, item.node, item.offset, WORKSPACE);
    const idField = fields?.get('id');
    const id = idField && readText(reader, idField, {});
    if (!id) return [];
    const roles = fields?.get('roles');
    return [
      {
        id,
        roles: (roles && readOptionalList(reader, roles, (one) => readText(reader, one, {}))) ?? [],
      },
    ];
  });
}

function readReason(reader: FileReader, field: Field | undefined): StatedReason | null {
  if (field === undefined) return null;
  const fields = readFields(reader, field.node, field.valueOffset, REASON);
  const typeField = fields?.get('type');
  const type = typeField && readChoice(reader, typeField, REASON_TYPES);
  const detail = fields?.get('detail');
  return type ? { type, detail: (detail && readText(reader, detail, {})) ?? '' } : null;
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

/** RFC 3339; its hours end at 23. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function readInstant(reader: FileReader, field: Field | undefined): EpochMs | null {
  if (field === undefined) return null;
  const value = isScalar(field.node) ? field.node.value : null;
  const ms = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms as EpochMs;
  const form = 'an instant with its zone such as 2026-01-15T09:00:00Z';
  report(reader, field.valueOffset, `${field.name} must be ${form}`);
  return null;
}
