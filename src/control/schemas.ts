// The JSON Schemas of the control API: what a request may look like, and what the OpenAPI document says of answers.
// Closed: no additional properties, no coercion, every string bounded and free of control characters.
import { GRANT_REFUSALS } from '#model/grant-refusal.ts';
import { GRANT_SOURCES, GRANT_STATUSES } from '#model/grant.ts';
import { CONTROL_PROBLEMS } from './control-problem.ts';
import { closed, idOf, list, MAX_LIST, orNull, pageKeys, pageOf, text } from './schema-parts.ts';
import {
  access,
  actor,
  INSTANT,
  INSTANT_OR_NULL,
  statedReason,
  tenantId,
  TEXT,
  TEXT_OR_NULL,
} from './schema-values.ts';

const grantId = idOf('grt');
const status = { type: 'string', enum: [...GRANT_STATUSES] };

const group = text(256, 'A group as the identity provider names it.');
/** Its form is the store's to judge, with a problem type of its own. */
const role = {
  type: 'string',
  maxLength: 512,
  description: 'A role of the application, of 1 to 128 characters.',
};
const instant = { type: 'string', maxLength: 40, description: 'An RFC 3339 instant.' };
const end = orNull({
  type: 'string',
  maxLength: 40,
  description:
    'An RFC 3339 instant, or a bare date (the end of that day in the tenant’s time zone). Null is without an end.',
});
const audience = {
  ...closed({
    org: orNull(text(128, 'The organisation that the issuer is pinned to.')),
    groups: orNull(list(group, 'Any one of them.')),
    principals: orNull(
      list(
        closed({ issuer: text(512, 'The issuer of the token.'), id: text(256, 'The subject.') }, [
          'issuer',
          'id',
        ]),
        'Any one of them.',
      ),
    ),
  }),
  description: 'All fields that are given must match; at least one must be given.',
};
const workspaceId = { type: 'string', maxLength: 512, description: 'The workspace, of 1 to 128 characters.' };
const workspace = closed({ id: workspaceId, roles: list(role, 'Roles in it.') }, ['id', 'roles']);
const workspaces = list(workspace, 'The workspaces covered; none given means no limit by workspace.');
const caseRef = orNull(text(512, 'The support case, in the form that the tenant’s settings ask for.'));
const noticeShown = {
  ...closed({ version: text(64, 'The version of the text.') }, ['version']),
  description:
    'The notice of the tenant’s settings that was shown to whoever grants; required where there is one.',
};
const held = { type: 'array', items: text(256, 'As the application names it.'), maxItems: MAX_LIST };
const reason = orNull(statedReason());
const onBehalfOf = {
  ...closed(
    {
      id: text(256, 'Their id.'),
      email: text(320, 'Their address.'),
      name: orNull(text(256, 'Their name.')),
      permissions: {
        ...held,
        description: 'The permissions they hold, where the tenant’s policy asks for one.',
      },
      products: {
        ...held,
        description: 'The products they have a licence of, where the policy asks for one.',
      },
    },
    ['id', 'email'],
  ),
  description: 'Only from a service: the person of the customer whose wish this is.',
};

/** What calls of other topics say of grants too. */
export const grantParts = {
  access,
  audience,
  roles: list(role, 'Account-wide roles.'),
  workspaces,
  caseRef,
  reason,
  notice: noticeShown,
  onBehalfOf,
};

export const createBody = closed(
  {
    startsAt: { ...instant, description: 'An RFC 3339 instant; now when left out.' },
    expiresAt: end,
    duration: {
      type: 'string',
      maxLength: 40,
      description:
        'Instead of expiresAt: 30s 15m 8h 14d 4w, or by the calendar 1mo 5y. The tenant’s default when neither is given.',
    },
    access: { ...access, description: 'The tenant’s default when left out.' },
    audience,
    roles: list(role, 'Account-wide roles.'),
    workspaces,
    actAs: orNull(text(256, 'The user of the customer to act as.')),
    lifts: list(text(64, 'A category.'), 'Categories of liftable deny rules.'),
    caseRef,
    reason,
    notice: noticeShown,
    onBehalfOf,
  },
  ['audience'],
);

export const changeBody = {
  ...closed({
    expectedRevision: {
      type: 'integer',
      minimum: 1,
      description: 'Refuses the change when the grant has moved on.',
    },
    startsAt: instant,
    expiresAt: end,
    access,
    audience,
    roles: list(role, 'Account-wide roles.'),
    workspaces,
    lifts: list(text(64, 'A category.'), 'Categories of liftable deny rules.'),
    caseRef,
    reason,
    notice: noticeShown,
    onBehalfOf,
  }),
  minProperties: 1,
};

export const verifyBody = orNull(
  closed({
    expectedRevision: { type: 'integer', minimum: 1, description: 'Refuses when the grant has moved on.' },
  }),
);

export const revokeBody = orNull(closed({ onBehalfOf }));

export const tenantParams = closed({ tenant: tenantId }, ['tenant']);
export const grantParams = closed({ id: grantId }, ['id']);

export const pageQuery = closed({
  status,
  ...pageKeys,
});

const grantProperties = {
  id: grantId,
  tenant: TEXT,
  revision: { type: 'integer', minimum: 1 },
  status,
  startsAt: INSTANT,
  expiresAt: INSTANT_OR_NULL,
  access,
  audience,
  roles: { type: 'array', items: TEXT },
  workspaces: { type: 'array', items: workspace },
  actAs: TEXT_OR_NULL,
  lifts: { type: 'array', items: TEXT },
  caseRef: TEXT_OR_NULL,
  reason,
  source: { type: 'string', enum: [...GRANT_SOURCES] },
  notice: orNull(closed({ version: TEXT }, ['version'])),
  grantedBy: actor,
  createdAt: INSTANT,
  revokedAt: INSTANT_OR_NULL,
  revokedBy: orNull(actor),
};

/** Only where the vendor verifies grants before they are used. */
const verification = closed(
  {
    status: { type: 'string', enum: ['pending', 'verified'] },
    at: INSTANT,
    by: actor,
  },
  ['status'],
);

export const grantSchema = {
  $id: 'Grant',
  ...closed({ ...grantProperties, verification }, Object.keys(grantProperties)),
};

export const problemSchema = {
  $id: 'Problem',
  type: 'object',
  description: `RFC 9457. Types end in a reason code or one of: ${[...Object.keys(GRANT_REFUSALS), ...Object.keys(CONTROL_PROBLEMS)].join(', ')}.`,
  properties: {
    type: TEXT,
    title: TEXT,
    status: { type: 'integer' },
    requestId: TEXT,
    reason: TEXT,
    detail: TEXT,
    errors: {
      type: 'array',
      items: closed({ pointer: TEXT, message: TEXT }, ['pointer', 'message']),
    },
  },
  required: ['type', 'title', 'status', 'requestId'],
  additionalProperties: false,
};

export const grantAnswer = { $ref: 'Grant#' };

export const pageAnswer = pageOf({ $ref: 'Grant#' });

export const revisionQuery = closed(pageKeys);

const revision = closed(
  {
    operation: { type: 'string', description: 'What was done: create, change, verify or revoke.' },
    at: INSTANT,
    by: { ...actor, description: 'Absent: the clock or a rule.' },
    grant: { $ref: 'Grant#' },
  },
  ['operation', 'at', 'grant'],
);

export const revisionsAnswer = pageOf(revision);

export const impactAnswer = closed(
  { requests: { type: 'integer' }, streams: { type: 'integer' }, principals: { type: 'integer' } },
  ['requests', 'streams', 'principals'],
);

export const statusAnswer = closed(
  {
    open: { type: 'boolean' },
    openUntil: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'Null when closed, or open without an end.',
    },
    access: { type: ['string', 'null'], enum: ['read', 'write', null] },
  },
  ['open', 'openUntil', 'access'],
);
