// The JSON Schemas of the calls for break glass: closed and bounded as in schemas.ts. What they cannot say (how long is
// too long, who may confirm) is the store's to refuse. Cold.
import { REASON_TYPES } from '#model/grant.ts';
import { securityActor, tenantId } from './lock-schemas.ts';
import { closed, orNull, text } from './schemas.ts';

const EMERGENCY_ID = '^emg_[0-7][0-9A-HJKMNP-TV-Z]{25}$';

const TEXT_OR_NULL = { type: ['string', 'null'] };
const INSTANT = { type: 'string', format: 'date-time' };
const INSTANT_OR_NULL = { type: ['string', 'null'], format: 'date-time' };

const access = { type: 'string', enum: ['read', 'write'] };
const reason = closed(
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
);
const responder = {
  ...closed({ issuer: text(512, 'The issuer of their tokens.'), id: text(256, 'Their subject.') }, [
    'issuer',
    'id',
  ]),
  description: 'Who may use the access besides whoever asks; of the same organisation.',
};

export const emergencyBody = closed(
  {
    tenant: tenantId,
    caseRef: orNull(text(128, 'The support case.')),
    reason,
    access: { ...access, default: 'read' },
    duration: {
      type: 'string',
      maxLength: 12,
      description: 'From the confirmation on, at most 4h: 15m 2h; 1h when left out.',
    },
    responder: orNull(responder),
  },
  ['tenant', 'reason'],
);

export const emergencyParams = closed({ id: { type: 'string', pattern: EMERGENCY_ID } }, ['id']);

export const emergencyQuery = closed({
  status: { type: 'string', enum: ['pending', 'all'], default: 'all' },
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  cursor: { type: 'string', minLength: 1, maxLength: 128, description: '`nextCursor` of the page before.' },
});

const properties = {
  id: { type: 'string', pattern: EMERGENCY_ID },
  status: { type: 'string', enum: ['pending', 'lapsed', 'confirmed'] },
  tenant: { type: 'string' },
  caseRef: TEXT_OR_NULL,
  reason,
  access,
  duration: { type: 'string' },
  responder: orNull(responder),
  askedBy: securityActor,
  createdAt: INSTANT,
  lapsesAt: { ...INSTANT, description: 'Confirmed before that, or never.' },
  confirmedBy: orNull(securityActor),
  confirmedAt: INSTANT_OR_NULL,
  grantId: TEXT_OR_NULL,
  expiresAt: { ...INSTANT_OR_NULL, description: 'When the access ends, unless the tenant ends it before.' },
};

export const emergencyAnswer = closed(properties, Object.keys(properties));

export const emergencyPageAnswer = closed(
  { items: { type: 'array', items: emergencyAnswer }, nextCursor: TEXT_OR_NULL },
  ['items', 'nextCursor'],
);
