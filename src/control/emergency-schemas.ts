// The JSON Schemas of the calls for break glass: closed and bounded as in schemas.ts. What they cannot say (how long is
// too long, who may confirm) is the store's to refuse. Cold.
import { securityActor } from './lock-schemas.ts';
import { closed, idOf, orNull, pageKeys, pageOf, text } from './schema-parts.ts';
import { access, INSTANT, INSTANT_OR_NULL, statedReason, tenantId, TEXT_OR_NULL } from './schema-values.ts';

const emergencyId = idOf('emg');
const reason = statedReason();
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

export const emergencyParams = closed({ id: emergencyId }, ['id']);

export const emergencyQuery = closed({
  status: { type: 'string', enum: ['pending', 'all'], default: 'all' },
  ...pageKeys,
});

const properties = {
  id: emergencyId,
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

export const emergencyPageAnswer = pageOf(emergencyAnswer);
