// The JSON Schemas of the control API: what a request may look like, and what the OpenAPI document says of answers.
// Closed: no additional properties, no coercion, every string bounded and free of control characters.
import { GRANT_REFUSALS } from '#model/grant-refusal.ts';
import { GRANT_SOURCES, REASON_TYPES } from '#model/grant.ts';
import { CONTROL_PROBLEMS } from './control-problem.ts';

/** C0 controls, DEL and NUL with them: they end strings in one reader and not in the next. */
const PLAIN = '^[^\\u0000-\\u001F\\u007F]+$';
const MAX_LIST = 100;

/** As the data listener resolves tenants: one label. */
const TENANT_ID = '^[A-Za-z0-9_-]{1,63}$';
const GRANT_ID = '^grt_[0-7][0-9A-HJKMNP-TV-Z]{25}$';

export function text(maxLength: number, description: string): object {
  return { type: 'string', minLength: 1, maxLength, pattern: PLAIN, description };
}

export function orNull(schema: object): object {
  return { anyOf: [schema, { type: 'null' }] };
}

function list(items: object, description: string): object {
  return { type: 'array', items, maxItems: MAX_LIST, uniqueItems: true, description };
}

export function closed(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, properties, required };
}

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
const access = { type: 'string', enum: ['read', 'write'] };
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
const reason = orNull(
  closed(
    {
      type: { type: 'string', enum: [...REASON_TYPES] },
      detail: {
        type: 'string',
        minLength: 1,
        maxLength: 1000,
        pattern: '^[^\\u0000-\\u0008\\u000B-\\u001F\\u007F]+$',
      },
    },
    ['type', 'detail'],
  ),
);
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

export const tenantParams = closed({ tenant: { type: 'string', pattern: TENANT_ID } }, ['tenant']);
export const grantParams = closed({ id: { type: 'string', pattern: GRANT_ID } }, ['id']);

const pageLimit = { type: 'integer', minimum: 1, maximum: 200, default: 50 };
const pageCursor = {
  type: 'string',
  minLength: 1,
  maxLength: 128,
  description: '`nextCursor` of the page before.',
};

export const pageQuery = closed({
  status: { type: 'string', enum: ['pending', 'scheduled', 'active', 'expired', 'revoked'] },
  limit: pageLimit,
  cursor: pageCursor,
});

const actor = closed({
  id: { type: 'string' },
  email: { type: ['string', 'null'] },
  name: { type: ['string', 'null'] },
  kind: { type: 'string', enum: ['tenant_admin', 'tenant_user', 'service', 'system', 'staff', 'security'] },
  onBehalfOf: orNull(
    closed({
      id: { type: 'string' },
      email: { type: ['string', 'null'] },
      name: { type: ['string', 'null'] },
    }),
  ),
});

const grantProperties = {
  id: { type: 'string', pattern: GRANT_ID },
  tenant: { type: 'string' },
  revision: { type: 'integer', minimum: 1 },
  status: { type: 'string', enum: ['pending', 'scheduled', 'active', 'expired', 'revoked'] },
  startsAt: { type: 'string', format: 'date-time' },
  expiresAt: { type: ['string', 'null'], format: 'date-time' },
  access,
  audience,
  roles: { type: 'array', items: { type: 'string' } },
  workspaces: { type: 'array', items: workspace },
  actAs: { type: ['string', 'null'] },
  lifts: { type: 'array', items: { type: 'string' } },
  caseRef: { type: ['string', 'null'] },
  reason,
  source: { type: 'string', enum: [...GRANT_SOURCES] },
  notice: orNull(closed({ version: { type: 'string' } }, ['version'])),
  grantedBy: actor,
  createdAt: { type: 'string', format: 'date-time' },
  revokedAt: { type: ['string', 'null'], format: 'date-time' },
  revokedBy: orNull(actor),
};

/** Only where the vendor verifies grants before they are used. */
const verification = closed(
  {
    status: { type: 'string', enum: ['pending', 'verified'] },
    at: { type: 'string', format: 'date-time' },
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
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    requestId: { type: 'string' },
    reason: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: closed({ pointer: { type: 'string' }, message: { type: 'string' } }, ['pointer', 'message']),
    },
  },
  required: ['type', 'title', 'status', 'requestId'],
  additionalProperties: false,
};

export const grantAnswer = { $ref: 'Grant#' };

export const pageAnswer = closed(
  { items: { type: 'array', items: { $ref: 'Grant#' } }, nextCursor: { type: ['string', 'null'] } },
  ['items', 'nextCursor'],
);

export const revisionQuery = closed({
  limit: pageLimit,
  cursor: pageCursor,
});

const revision = closed(
  {
    operation: { type: 'string', description: 'What was done: create, change, verify or revoke.' },
    at: { type: 'string', format: 'date-time' },
    by: { ...actor, description: 'Absent: the clock or a rule.' },
    grant: { $ref: 'Grant#' },
  },
  ['operation', 'at', 'grant'],
);

export const revisionsAnswer = closed(
  { items: { type: 'array', items: revision }, nextCursor: { type: ['string', 'null'] } },
  ['items', 'nextCursor'],
);

export const impactAnswer = closed(
  { requests: { type: 'integer' }, streams: { type: 'integer' }, principals: { type: 'integer' } },
  ['requests', 'streams', 'principals'],
);

const listedRule = closed(
  {
    id: { type: 'string' },
    category: { type: 'string' },
    mode: { type: 'string', enum: ['enforce', 'shadow'] },
    liftable: { type: 'boolean', description: 'Whether a grant may lift it, where the tenant allows that.' },
    when: {
      type: 'array',
      items: { type: 'string' },
      description: 'What of the principal or the grant narrows it; empty: it is about everybody.',
    },
    message: { type: ['string', 'null'] },
  },
  ['id', 'category', 'mode', 'liftable', 'when', 'message'],
);
const listedRules = { type: 'array', items: listedRule };

export const policyAnswer = closed(
  {
    digest: { type: 'string', description: 'What records and metrics name the set by.' },
    ruleCount: { type: 'integer' },
    defaultEffect: { type: 'string', enum: ['allow', 'deny'] },
    rules: { ...listedRules, description: 'Deny rules, in the order in which the first one is reported.' },
    guards: { ...listedRules, description: 'Response guards.' },
    allowances: { type: 'array', items: { type: 'string' } },
    safeRoutes: { type: 'integer' },
    scopeMaps: { type: 'integer' },
    routeSettings: { type: 'integer' },
  },
  ['digest', 'ruleCount', 'defaultEffect', 'rules', 'guards', 'allowances'],
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
