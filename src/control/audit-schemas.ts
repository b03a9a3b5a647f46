// The JSON Schemas of the calls that read the audit, with an example of each answer: what the OpenAPI document says.
// Requests are closed and bounded as in schemas.ts; an answer may gain fields, as the published record may. Cold.
import { closed, orNull, pageKeys, text } from './schema-parts.ts';
import { INSTANT, TEXT_OR_NULL } from './schema-values.ts';

const SUBJECT_ID = '^(?:sub_[0-9a-f]{32}|anonymous-[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[0-9]{1,4})?)$';

const since = {
  type: 'string',
  maxLength: 40,
  description: 'From this RFC 3339 instant on; never further back than the tenant’s `auditRetention`.',
};
const until = { type: 'string', maxLength: 40, description: 'Before this RFC 3339 instant.' };
const principal = text(
  320,
  'A member of staff: their subject id, the id their issuer gave them, or their address.',
);
const { limit } = pageKeys;
const cursor = {
  type: 'string',
  minLength: 1,
  maxLength: 512,
  description: '`nextCursor` of the page before, with the same filters.',
};

export const historyQuery = closed({
  principal,
  case: text(128, 'The support case.'),
  since,
  until,
  limit,
  cursor,
});

export const recordsQuery = closed({
  principal,
  session: text(128, 'The session.'),
  case: text(128, 'The support case.'),
  effect: {
    type: 'string',
    enum: ['read', 'write', 'denied'],
    description: 'What the request did, or that it was refused.',
  },
  since,
  until,
  limit,
  cursor,
});

export const subjectParams = closed({ id: { type: 'string', maxLength: 64, pattern: SUBJECT_ID } }, ['id']);

function answer(properties: Record<string, object>): object {
  return { type: 'object', properties, required: Object.keys(properties) };
}

const person = {
  ...answer({
    subject: { type: 'string', description: 'Stays the same for a person until they are erased.' },
    id: TEXT_OR_NULL,
    email: TEXT_OR_NULL,
    name: TEXT_OR_NULL,
    issuer: TEXT_OR_NULL,
    org: TEXT_OR_NULL,
  }),
  description: 'All but `subject` is null once the person was erased.',
};
const grantRef = orNull(answer({ id: { type: 'string' }, revision: { type: 'integer' } }));
const reason = orNull(answer({ type: { type: 'string' }, detail: { type: 'string' } }));

const EXAMPLE_PERSON = {
  subject: 'sub_5f1c0b7a9d3e4826b1c45d0f7e8a9b2c',
  id: 'sam-1',
  email: 'sam@vendor.example',
  name: 'Sam Spade',
  issuer: 'https://idp.vendor.example',
  org: 'vendor',
};
const EXAMPLE_REASON = { type: 'customer_initiated_support', detail: 'The invoice page is empty.' };
const EXAMPLE_GRANT = { id: 'grt_01K0000000000000000000GRNT', revision: 2 };

export const visitSchema = {
  $id: 'Visit',
  ...answer({
    principal: person,
    grant: grantRef,
    session: TEXT_OR_NULL,
    caseRef: TEXT_OR_NULL,
    reason,
    actAs: TEXT_OR_NULL,
    from: { type: 'array', items: { type: 'string' }, maxItems: 8, description: 'Client addresses.' },
    firstAt: INSTANT,
    lastAt: INSTANT,
    reads: { type: 'integer' },
    writes: { type: 'integer' },
    denied: {
      type: 'array',
      maxItems: 16,
      items: answer({ what: { type: 'string' }, count: { type: 'integer' } }),
      description: 'By rule, or by reason where it was no rule; the most frequent first.',
    },
    deniedCount: { type: 'integer' },
  }),
  description:
    'A member of staff under one grant, until nothing was asked for 30 minutes; nothing in it is older than the tenant’s `auditRetention`.',
  examples: [
    {
      principal: EXAMPLE_PERSON,
      grant: EXAMPLE_GRANT,
      session: null,
      caseRef: 'CASE-1',
      reason: EXAMPLE_REASON,
      actAs: null,
      from: ['192.0.2.7'],
      firstAt: '2026-01-15T09:00:00.000Z',
      lastAt: '2026-01-15T09:12:30.000Z',
      reads: 41,
      writes: 2,
      denied: [{ what: 'export.all', count: 1 }],
      deniedCount: 1,
    },
  ],
};

export const activeGrantSchema = {
  $id: 'ActiveGrant',
  ...answer({
    grant: { $ref: 'Grant#' },
    lastActiveAt: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'Null: nobody has come yet, or not within the tenant’s `auditRetention`.',
    },
    lastActive: {
      type: 'array',
      maxItems: 100,
      items: answer({ principal: person, lastAt: INSTANT }),
      description:
        'Who came under this grant, or is named by it and came before; each once, the latest first.',
    },
  }),
  description: 'Who may enter now: the grant says who, by whom and until when.',
};

export const auditRecordSchema = {
  $id: 'AuditRecord',
  type: 'object',
  description:
    'A request received within the tenant’s `auditRetention`, as the sinks publish it (`postern.audit/v1`), without `seq` and `instance`.',
  properties: {
    schema: { type: 'string', const: 'postern.audit/v1' },
    event: { type: 'string' },
    code: { type: 'string' },
    id: { type: 'string' },
    time: INSTANT,
    durationMs: { type: ['number', 'null'] },
    tenant: { type: 'string' },
    tenantSeq: { type: ['integer', 'null'] },
    actor: orNull({
      type: 'object',
      properties: {
        subject: { type: 'string' },
        id: TEXT_OR_NULL,
        name: TEXT_OR_NULL,
        email: TEXT_OR_NULL,
        issuer: TEXT_OR_NULL,
        org: TEXT_OR_NULL,
      },
    }),
    actAs: TEXT_OR_NULL,
    grant: orNull({ type: 'object' }),
    session: orNull({ type: 'object' }),
    caseRef: TEXT_OR_NULL,
    reason,
    requestId: { type: 'string' },
    effect: { type: 'string', enum: ['read', 'write'] },
    http: { type: 'object' },
    client: { type: 'object' },
    decision: { type: 'string', enum: ['allow', 'deny'] },
    reasonCode: { type: 'string' },
    rule: orNull(answer({ id: { type: 'string' }, category: { type: 'string' } })),
    outcome: { type: 'string' },
  },
  required: ['schema', 'event', 'code', 'id', 'time', 'tenant'],
  examples: [
    {
      schema: 'postern.audit/v1',
      event: 'request.denied',
      code: 'PSTN1002W',
      id: '019b0000-0000-7000-8000-000000000001',
      time: '2026-01-15T09:03:00.000Z',
      durationMs: 0.2,
      tenant: 'acme',
      tenantSeq: 41,
      actor: EXAMPLE_PERSON,
      grant: EXAMPLE_GRANT,
      session: null,
      caseRef: 'CASE-1',
      reason: EXAMPLE_REASON,
      requestId: '019b0000-0000-7000-8000-000000000001',
      effect: 'read',
      decision: 'deny',
      reasonCode: 'rule_denied',
      rule: { id: 'export.all', category: 'export' },
      outcome: 'refused',
    },
  ],
};

function pageOf(name: string): object {
  return answer({ items: { type: 'array', items: { $ref: `${name}#` } }, nextCursor: TEXT_OR_NULL });
}

export const accessAnswer = answer({ items: { type: 'array', items: { $ref: 'ActiveGrant#' } } });
export const historyAnswer = pageOf('Visit');
export const recordsAnswer = pageOf('AuditRecord');

export const erasedAnswer = {
  ...answer({ subject: { type: 'string' }, erasedAt: INSTANT }),
  examples: [{ subject: EXAMPLE_PERSON.subject, erasedAt: '2026-01-15T10:00:00.000Z' }],
};
