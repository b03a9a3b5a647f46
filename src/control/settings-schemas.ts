// The JSON Schemas of tenant settings and of the switch. Closed, every string bounded; what a value may be beyond its form,
// and who may settle it, is the store's to say, each with a problem type of its own. Cold.
import { closed, idOf, list, orNull, text } from './schema-parts.ts';
import { grantParts, statusAnswer } from './schemas.ts';

const NAME = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

function flag(description: string): object {
  return { type: 'boolean', description };
}

const time = (description: string): object => ({
  type: 'string',
  maxLength: 12,
  pattern: '^[1-9][0-9]{0,8}[smhdw]$',
  description: `${description} Such as 30m, 8h or 14d.`,
});
const length = (description: string): object => ({
  type: 'string',
  minLength: 2,
  maxLength: 12,
  description,
});
const name = (description: string): object => ({ type: 'string', pattern: NAME, description });

const durations = closed({
  presets: list(
    length('Such as 1d, 1w, 1mo, 1y.'),
    'Offered by the switch; an empty list offers whatever is within the limits.',
    20,
  ),
  default: length('Where whoever grants names no end.'),
  min: length('The shortest.'),
  max: length('The longest, from the start.'),
  indefinite: flag('Whether a grant may have no end.'),
  maxPerCase: orNull(length('Over all grants of one support case, from the first start on it.')),
  maxStartDelay: length('How far ahead a grant may start.'),
  wholeDays: {
    type: 'integer',
    minimum: 0,
    maximum: 3650,
    description: 'Ends are days, at least so many away.',
  },
});

const product = text(256, 'Whose licence they must hold.');
const permission = text(256, 'What they must hold.');

function grantorKind(
  kinds: readonly string[],
  keys: Record<string, object> = {},
  required: readonly string[] = [],
) {
  return closed({ kind: { type: 'string', enum: kinds }, ...keys }, ['kind', ...required]);
}

const grantor = {
  anyOf: [
    grantorKind(['users', 'nobody']),
    grantorKind(['admins'], { product }),
    grantorKind(['permission'], { permission, product }, ['permission']),
    grantorKind(['licensed_users'], { product }, ['product']),
  ],
  description: 'Who of the customer may give access. The tenant’s own part only lets fewer people.',
};

const { access, audience, roles, workspaces } = grantParts;

/** The written form of every key that a layer of settings has; the same in a profile. */
const layerKeys = {
  standing: { type: 'string', enum: ['none', 'read'], description: 'What the staff may do without a grant.' },
  sessionsRequired: flag('Refuse requests without a session.'),
  sessionIdle: time('A session unused for so long ends.'),
  sessionMax: time('A session ends after so long.'),
  liftable: list(name('A category.'), 'Categories of deny rules that one grant may lift.'),
  vendorVerification: { type: 'string', enum: ['none', 'required'] },
  notice: closed(
    { version: name('Kept with each grant.'), text: text(4000, 'What whoever grants is told.') },
    ['version', 'text'],
  ),
  timeZone: text(64, 'As the IANA database names it; bare dates end there.'),
  durations,
  mayGrant: grantor,
  reasonRequired: flag('Whether whoever grants must say why.'),
  caseRefRequired: flag('Whether whoever grants must name a support case.'),
  caseRefPattern: text(128, 'What a case reference must match as a whole.'),
  approvals: { type: 'integer', minimum: 1, maximum: 10, description: 'Admins who approve a request.' },
  leadFirst: flag('Whether a lead of the vendor approves a request first.'),
  requestLifetime: time('How long a request waits.'),
  defaultAccess: { ...(access as object), description: 'Of a grant that does not say.' },
  switchGrant: { ...closed({ access, audience, roles, workspaces }), description: 'What the switch opens.' },
  breakGlass: flag('Whether two people of the vendor may open access in an emergency.'),
  notifyEmails: list(text(254, 'An address.'), 'Told of what happens, besides the admins.', 50),
  auditRetention: time(
    'How far back the tenant’s records are shown: to nobody by way of this API for longer. At most the gateway’s `audit.retention`, by which the journal goes.',
  ),
};

const webhooks = list(
  closed(
    {
      id: {
        ...idOf('hook'),
        description: 'Of one there is already.',
      },
      url: text(2048, 'https.'),
      secret: {
        type: 'string',
        pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$',
        description: 'Of the receiver’s own making; made when left out, and told in this answer alone.',
      },
    },
    ['url'],
  ),
  'The whole list: those left out are gone.',
  10,
);

const partKeys = {
  class: { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,31}$', description: 'Of the vendor’s part.' },
  profile: name('Of the vendor’s part: instead of the gateway’s own.'),
  suspended: flag('Of the tenant’s part: beats grants, sessions and what stands.'),
  ...layerKeys,
};

function nullable(keys: Record<string, object>): Record<string, object> {
  return Object.fromEntries(Object.entries(keys).map(([key, schema]) => [key, orNull(schema)]));
}

export const settingsBody = {
  ...closed({ ...nullable({ ...partKeys, webhooks }), onBehalfOf: grantParts.onBehalfOf }),
  minProperties: 1,
  description:
    'The caller’s own part: a service settles the vendor’s, an admin of the tenant the tenant’s. Keys that are left out stay as they are; null takes one back to what it inherits.',
};

const shownWebhooks = list(
  closed({ id: { type: 'string' }, url: { type: 'string' } }, ['id', 'url']),
  'Without secrets.',
);
const shownPart = closed({ ...partKeys, webhooks: shownWebhooks });
const effectiveKeys = nullable({
  ...partKeys,
  systemAccess: access,
  excludedOrgs: list(text(256, 'An organisation.'), 'Let in by no grant, by the class.'),
  webhooks: shownWebhooks,
});
const { profile: _profile, ...shownKeys } = effectiveKeys;

export const settingsAnswer = closed(
  {
    tenant: { type: 'string' },
    revision: { type: 'integer', minimum: 0, description: 'As in ETag.' },
    vendor: { ...shownPart, description: 'To a service alone.' },
    own: shownPart,
    effective: { ...closed(shownKeys), description: 'Every layer merged: what holds.' },
    newWebhooks: {
      type: 'array',
      items: closed({ id: { type: 'string' }, secret: { type: 'string' } }, ['id', 'secret']),
      description: 'Made by this call: the only time that the secrets are told.',
    },
  },
  ['tenant', 'revision', 'own', 'effective'],
);

export const switchBody = {
  ...closed(
    {
      open: flag('On or off.'),
      duration: length('How long from now: one of those on offer where some are. Such as 1d, 1w, 1mo, 1y.'),
      until: orNull(
        text(
          40,
          'Instead: an RFC 3339 instant or a date, the end of that day for the tenant; null is without an end.',
        ),
      ),
      access,
      audience,
      roles,
      workspaces,
      caseRef: grantParts.caseRef,
      reason: grantParts.reason,
      notice: grantParts.notice,
      onBehalfOf: grantParts.onBehalfOf,
    },
    ['open'],
  ),
  description: 'What is left out is as the settings say, or stays as it is where access is open already.',
};

export const switchAnswer = closed({ status: statusAnswer, grant: orNull({ $ref: 'Grant#' }) }, [
  'status',
  'grant',
]);
