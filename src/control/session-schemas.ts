// The JSON Schemas of the calls for sessions: closed and bounded as in schemas.ts. What is absent by meaning is never null in an
// answer: an end, a note, a count of writes. Cold.
import { SESSION_ENDINGS } from '#model/session.ts';
import { closed, idOf, orNull, pageKeys, pageOf, text, words } from './schema-parts.ts';
import { access, INSTANT, statedReason, tenantId, TEXT, TEXT_OR_NULL } from './schema-values.ts';

const sessionId = idOf('ses');
const DURATION = { type: 'string', description: 'A whole number and a unit: 30m, 8h, 754s.' };
const COUNT = { type: 'integer', minimum: 0 };
const endedBy = { type: 'string', enum: [...SESSION_ENDINGS] };

const reason = statedReason('Shown to the customer: why you enter.');
const note = words(4000, 'The steps taken, in the principal’s own words; shown to the customer.');
const person = closed({ id: TEXT, issuer: TEXT, email: TEXT_OR_NULL, name: TEXT_OR_NULL, org: TEXT }, [
  'id',
  'issuer',
  'email',
  'name',
  'org',
]);

export const openBody = closed(
  {
    tenant: tenantId,
    grantId: orNull({
      ...idOf('grt'),
      description: 'Which grant, where several cover the caller; left out: as for a request.',
    }),
    access: { ...access, default: 'read' },
    reason,
    caseRef: orNull(text(512, 'The support case; the grant’s where it names one.')),
    browser: {
      type: 'boolean',
      default: true,
      description: 'Whether a launch link is made, for entering with a browser.',
    },
  },
  ['tenant', 'reason'],
);

export const endBody = orNull(closed({ note: orNull(note) }));

export const sessionParams = closed({ id: sessionId }, ['id']);

export const sessionQuery = closed({
  status: {
    type: 'string',
    enum: ['open', 'all'],
    default: 'all',
    description: '`open`: those that nobody has ended yet; by the clock one of them may be over.',
  },
  ...pageKeys,
});

export const sessionSchema = {
  $id: 'Session',
  ...closed(
    {
      id: sessionId,
      tenant: TEXT,
      status: { type: 'string', enum: ['active', 'ended'] },
      principal: person,
      grantId: TEXT,
      access,
      reason,
      caseRef: TEXT,
      startedAt: INSTANT,
      endsAt: { ...INSTANT, description: 'The absolute limit; never past the grant’s end.' },
      idle: { ...DURATION, description: 'It ends when it was not used for so long.' },
      lastUsedAt: INSTANT,
      endedAt: INSTANT,
      endedBy,
      note,
      hasWrites: {
        type: 'boolean',
        description:
          'Whether anything was written; absent until its report is made, and where the session began before what the tenant’s `auditRetention` shows.',
      },
    },
    [
      'id',
      'tenant',
      'status',
      'principal',
      'grantId',
      'access',
      'reason',
      'startedAt',
      'endsAt',
      'idle',
      'lastUsedAt',
    ],
  ),
  description: 'One principal’s use of one grant, with a stated reason.',
};

export const sessionAnswer = { $ref: 'Session#' };

export const openAnswer = closed(
  {
    session: { $ref: 'Session#' },
    replaced: {
      ...sessionId,
      description: 'The caller’s earlier session, ended by this one.',
    },
    launch: closed(
      {
        url: {
          type: 'string',
          description: 'Open it in a browser: one use. Said once; keep it to yourself.',
        },
        expiresAt: INSTANT,
      },
      ['url', 'expiresAt'],
    ),
  },
  ['session'],
);

export const sessionPageAnswer = pageOf({ $ref: 'Session#' });

const resourceUse = closed(
  {
    resource: { type: 'string', description: 'The first segments of the path, up to the first name.' },
    reads: COUNT,
    writes: COUNT,
    methods: { type: 'object', additionalProperties: COUNT, description: 'Allowed requests by method.' },
  },
  ['resource', 'reads', 'writes', 'methods'],
);
const denial = closed(
  {
    reasonCode: TEXT,
    rule: closed({ id: TEXT, category: TEXT }, ['id', 'category']),
    count: COUNT,
  },
  ['reasonCode', 'count'],
);

const reportProperties = {
  session: sessionId,
  tenant: TEXT,
  principal: person,
  grantId: TEXT,
  access,
  reason,
  startedAt: INSTANT,
  endedAt: INSTANT,
  endedBy,
  duration: DURATION,
  madeAt: INSTANT,
  complete: {
    type: 'boolean',
    description:
      'False where records were missing, too many or older than the tenant’s `auditRetention`: the counts are then lower bounds.',
  },
  requests: COUNT,
  reads: COUNT,
  writes: COUNT,
  denied: COUNT,
  resources: { type: 'array', maxItems: 100, items: resourceUse, description: 'The busiest first.' },
  otherRequests: { ...COUNT, description: 'Allowed requests to resources beyond those.' },
  denials: { type: 'array', maxItems: 50, items: denial, description: 'The most frequent first.' },
};

export const reportSchema = {
  $id: 'SessionReport',
  ...closed({ ...reportProperties, caseRef: TEXT, note }, Object.keys(reportProperties)),
  description:
    'What was done in a session, by the journal; and the steps taken, by its principal. Shown while the session’s beginning is within the tenant’s `auditRetention`.',
};

export const reportAnswer = { $ref: 'SessionReport#' };
