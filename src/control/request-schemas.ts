// The JSON Schemas of access requests. Closed: no additional properties, no coercion, every string bounded and free of
// control characters. Whether a duration, a role or a category is allowed is the tenant's settings' to say. Cold.
import { REQUEST_STATUSES } from '#model/access-request.ts';
import { REASON_TYPES } from '#model/grant.ts';
import { closed, grantParts, orNull, text } from './schemas.ts';

const TENANT_ID = '^[A-Za-z0-9_-]{1,63}$';
const REQUEST_ID = '^req_[0-7][0-9A-HJKMNP-TV-Z]{25}$';
const LINES = '^[^\\u0000-\\u0008\\u000B-\\u001F\\u007F]+$';
const MAX_LIST = 100;

function list(items: object, description: string): object {
  return { type: 'array', items, maxItems: MAX_LIST, uniqueItems: true, description };
}

const { access, roles, workspaces, caseRef, notice, onBehalfOf } = grantParts;
const duration = {
  type: 'string',
  minLength: 1,
  maxLength: 40,
  description: 'From the last approval on: 30s 15m 8h 14d 4w 1mo 5y.',
};
const lifts = list(text(64, 'A category.'), 'Categories of liftable deny rules.');
const actAs = orNull(text(256, 'The user of the customer to act as.'));
const words = { type: 'string', minLength: 1, maxLength: 1000, pattern: LINES };
const reason = closed({ type: { type: 'string', enum: [...REASON_TYPES] }, detail: words }, [
  'type',
  'detail',
]);

export const askBody = closed(
  {
    tenant: { type: 'string', pattern: TENANT_ID },
    caseRef,
    reason,
    access: { ...access, description: 'The tenant’s default when left out.' },
    duration: { ...duration, description: 'From the last approval on; the tenant’s default when left out.' },
    roles,
    workspaces,
    actAs,
    lifts,
    escalates: {
      type: 'string',
      pattern: REQUEST_ID,
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
export const denyBody = orNull(
  closed({ why: orNull({ ...words, description: 'The asker is told.' }), onBehalfOf }),
);
export const withdrawBody = orNull(closed({}));

export const requestParams = closed({ id: { type: 'string', pattern: REQUEST_ID } }, ['id']);

const pageKeys = {
  status: { type: 'string', enum: [...REQUEST_STATUSES] },
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  cursor: { type: 'string', minLength: 1, maxLength: 128, description: '`nextCursor` of the page before.' },
};
export const tenantRequestQuery = closed(pageKeys);
export const requestQuery = closed({
  ...pageKeys,
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
  id: { type: 'string', pattern: REQUEST_ID },
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

export const requestPageAnswer = closed(
  { items: { type: 'array', items: requestAnswer }, nextCursor: { type: ['string', 'null'] } },
  ['items', 'nextCursor'],
);
