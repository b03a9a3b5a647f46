// The JSON Schemas of access requests. Closed: no additional properties, no coercion, every string bounded and free of
// control characters. Whether a duration, a role or a category is allowed is the tenant's settings' to say. Cold.
import { REQUEST_STATUSES } from '#model/access-request.ts';
import {
  closed,
  idOf,
  list,
  orNull,
  pageKeys,
  pageOf,
  statedReason,
  tenantId,
  text,
  words,
} from './schema-parts.ts';
import { grantParts } from './schemas.ts';

const requestId = idOf('req');
const { access, roles, workspaces, caseRef, notice, onBehalfOf } = grantParts;
const duration = {
  type: 'string',
  minLength: 1,
  maxLength: 40,
  description: 'From the last approval on: 30s 15m 8h 14d 4w 1mo 5y.',
};
const lifts = list(text(64, 'A category.'), 'Categories of liftable deny rules.');
const actAs = orNull(text(256, 'The user of the customer to act as.'));
const reason = statedReason();

export const askBody = closed(
  {
    tenant: tenantId,
    caseRef,
    reason,
    access: { ...access, description: 'The tenant’s default when left out.' },
    duration: { ...duration, description: 'From the last approval on; the tenant’s default when left out.' },
    roles,
    workspaces,
    actAs,
    lifts,
    escalates: {
      ...requestId,
      description: 'An approved request of the caller’s own for the same case that was not enough.',
    },
  },
  ['tenant', 'reason'],
);

export const approveBody = orNull(
  closed({
    access,
    duration,
    roles,
    workspaces,
    lifts,
    notice,
    onBehalfOf,
  }),
);
export const denyBody = orNull(closed({ why: orNull(words(1000, 'The asker is told.')), onBehalfOf }));
export const withdrawBody = orNull(closed({}));

export const requestParams = closed({ id: requestId }, ['id']);

const listKeys = {
  status: { type: 'string', enum: [...REQUEST_STATUSES] },
  ...pageKeys,
};
export const tenantRequestQuery = closed(listKeys);
export const requestQuery = closed({
  ...listKeys,
  view: {
    type: 'string',
    enum: ['mine', 'awaiting_lead'],
    description:
      'What the caller has asked for, or what waits for a lead; the second for leads alone, and their default.',
  },
});

const person = {
  id: { type: 'string' },
  email: { type: ['string', 'null'] },
  name: { type: ['string', 'null'] },
};
const actor = closed({
  ...person,
  kind: { type: 'string', enum: ['tenant_admin', 'tenant_user', 'service', 'system', 'staff', 'security'] },
  onBehalfOf: orNull(closed(person)),
});
const instant = { type: 'string', format: 'date-time' };
const approval = closed({ by: actor, at: instant }, ['by', 'at']);
const wanted = closed(
  {
    access,
    duration: { type: 'string' },
    roles: { type: 'array', items: { type: 'string' } },
    workspaces,
    actAs: { type: ['string', 'null'] },
    lifts: { type: 'array', items: { type: 'string' } },
  },
  ['access', 'duration', 'roles', 'workspaces', 'actAs', 'lifts'],
);

const always = {
  id: requestId,
  tenant: { type: 'string' },
  revision: { type: 'integer', minimum: 1 },
  status: { type: 'string', enum: [...REQUEST_STATUSES] },
  asker: closed({ ...person, issuer: { type: 'string' }, org: { type: 'string' } }),
  caseRef: { type: ['string', 'null'] },
  reason,
  wanted,
  tenantApprovals: { type: 'array', items: approval },
  createdAt: instant,
  lapsesAt: instant,
};

export const accessRequestSchema = {
  $id: 'AccessRequest',
  ...closed(
    {
      ...always,
      narrowed: { ...wanted, description: 'What the approvals leave of it; absent: all that was asked for.' },
      escalates: { type: 'string' },
      leadApproval: approval,
      denied: closed({ by: actor, at: instant, why: { type: 'string' } }, ['by', 'at']),
      grantId: { type: 'string', description: 'Once approved.' },
    },
    Object.keys(always),
  ),
};

export const requestAnswer = { $ref: 'AccessRequest#' };

export const requestPageAnswer = pageOf(requestAnswer);
