// The JSON Schemas of the calls for locks: closed and bounded as in schemas.ts. Which keys a target of one kind has is
// said in `kind` and checked in lock-json.ts, so that an error names the one key and not every branch. Cold.
import { closed, orNull, text } from './schemas.ts';

/** As the data listener resolves tenants: one label. */
const TENANT_ID = '^[A-Za-z0-9_-]{1,63}$';
const LOCK_ID = '^lck_[0-7][0-9A-HJKMNP-TV-Z]{25}$';
/** Line breaks and tabs are part of a message; no other control character is. */
const MESSAGE = '^[^\\u0000-\\u0008\\u000B-\\u001F\\u007F]+$';

const TEXT_OR_NULL = { type: ['string', 'null'] };
const INSTANT = { type: 'string', format: 'date-time' };
const INSTANT_OR_NULL = { type: ['string', 'null'], format: 'date-time' };

export const tenantId = { type: 'string', pattern: TENANT_ID };

/** Somebody of the vendor's, as answers show whoever did something. */
export const securityActor = closed(
  { id: { type: 'string' }, email: TEXT_OR_NULL, name: TEXT_OR_NULL, kind: { type: 'string' } },
  ['id', 'email', 'name', 'kind'],
);

const target = {
  ...closed(
    {
      kind: {
        type: 'string',
        enum: ['principal', 'tenant', 'case', 'everything'],
        description:
          '`principal` goes with issuer, id and optionally email; `tenant` with tenant; `case` with caseRef and optionally tenant; `everything` with nothing.',
      },
      issuer: text(512, 'The issuer of the principal’s tokens.'),
      id: text(256, 'The principal’s subject.'),
      email: orNull(text(320, 'Stops whoever has this verified address, whatever their issuer.')),
      tenant: orNull({ ...tenantId, description: 'Of a case: null is the case wherever it is.' }),
      caseRef: text(128, 'The support case.'),
    },
    ['kind'],
  ),
  description: 'Whom or what the lock stops.',
};

export const lockBody = closed(
  {
    target,
    message: orNull({
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      pattern: MESSAGE,
      description: 'Shown to whoever is stopped.',
    }),
    endsAt: orNull({
      type: 'string',
      maxLength: 40,
      description: 'An RFC 3339 instant; left out or null: until it is lifted.',
    }),
    duration: { type: 'string', maxLength: 12, description: 'Instead of endsAt: 30s 15m 8h 14d 4w.' },
  },
  ['target'],
);

export const lockParams = closed({ id: { type: 'string', pattern: LOCK_ID } }, ['id']);

export const lockQuery = closed({
  status: { type: 'string', enum: ['held', 'all'], default: 'held' },
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  cursor: { type: 'string', minLength: 1, maxLength: 128, description: '`nextCursor` of the page before.' },
});

const lockProperties = {
  id: { type: 'string', pattern: LOCK_ID },
  status: { type: 'string', enum: ['held', 'ended', 'lifted'] },
  target,
  message: TEXT_OR_NULL,
  createdAt: INSTANT,
  createdBy: securityActor,
  endsAt: INSTANT_OR_NULL,
  liftedAt: INSTANT_OR_NULL,
  liftedBy: orNull(securityActor),
};

export const lockAnswer = closed(lockProperties, Object.keys(lockProperties));

export const lockPageAnswer = closed(
  { items: { type: 'array', items: lockAnswer }, nextCursor: TEXT_OR_NULL },
  ['items', 'nextCursor'],
);
