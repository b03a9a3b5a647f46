// The JSON Schemas of the calls for locks: closed and bounded as in schemas.ts. Which keys a target of one kind has is
// said in `kind` and checked in lock-json.ts, so that an error names the one key and not every branch. Cold.
import { closed, idOf, orNull, pageKeys, pageOf, text, words } from './schema-parts.ts';
import { INSTANT, INSTANT_OR_NULL, tenantId, TEXT_OR_NULL } from './schema-values.ts';

const lockId = idOf('lck');

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
    message: orNull(words(1000, 'Shown to whoever is stopped.')),
    endsAt: orNull({
      type: 'string',
      maxLength: 40,
      description: 'An RFC 3339 instant; left out or null: until it is lifted.',
    }),
    duration: { type: 'string', maxLength: 12, description: 'Instead of endsAt: 30s 15m 8h 14d 4w.' },
  },
  ['target'],
);

export const lockParams = closed({ id: lockId }, ['id']);

export const lockQuery = closed({
  status: { type: 'string', enum: ['held', 'all'], default: 'held' },
  ...pageKeys,
});

const lockProperties = {
  id: lockId,
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

export const lockPageAnswer = pageOf(lockAnswer);
