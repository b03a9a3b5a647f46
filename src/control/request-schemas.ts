// The JSON Schemas of access requests. Closed: no additional properties, no coercion, every string bounded and free of
// control characters. Whether a duration, a role or a category is allowed is the tenant's settings' to say. Cold.
import { REQUEST_STATUSES } from '#model/access-request.ts';
import { closed, idOf, list, orNull, pageKeys, pageOf, text, words } from './schema-parts.ts';
import { actor, INSTANT, person, statedReason, tenantId, TEXT, TEXT_OR_NULL } from './schema-values.ts';
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

const approval = closed({ by: actor, at: INSTANT }, ['by', 'at']);
const wanted = closed(
  {
    access,
    duration: TEXT,
    roles: { type: 'array', items: TEXT },
    workspaces,
    actAs: TEXT_OR_NULL,
    lifts: { type: 'array', items: TEXT },
  },
  ['access', 'duration', 'roles', 'workspaces', 'actAs', 'lifts'],
);

const always = {
  id: requestId,
  tenant: TEXT,
  revision: { type: 'integer', minimum: 1 },
  status: { type: 'string', enum: [...REQUEST_STATUSES] },
  asker: closed({ ...person, issuer: TEXT, org: TEXT }),
  caseRef: TEXT_OR_NULL,
  reason,
  wanted,
  tenantApprovals: { type: 'array', items: approval },
  createdAt: INSTANT,
  lapsesAt: INSTANT,
};

export const accessRequestSchema = {
  $id: 'AccessRequest',
  ...closed(
    {
      ...always,
      narrowed: { ...wanted, description: 'What the approvals leave of it; absent: all that was asked for.' },
      escalates: TEXT,
      leadApproval: approval,
      denied: closed({ by: actor, at: INSTANT, why: TEXT }, ['by', 'at']),
      grantId: { type: 'string', description: 'Once approved.' },
    },
    Object.keys(always),
  ),
};

export const requestAnswer = { $ref: 'AccessRequest#' };

export const requestPageAnswer = pageOf(requestAnswer);
