// The JSON Schemas of the calls about the policy: closed and bounded as in schemas.ts. A described request may be as long as a
// body of this API; what it means is the policy's to say. Cold.
import { closed, text } from './schema-parts.ts';
import { TEXT_OR_NULL } from './schema-values.ts';

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

const headerLine = text(8192, 'The value of one line.');

export const explainBody = closed(
  {
    method: { type: 'string', pattern: '^[A-Z][A-Z-]{0,31}$', description: 'In upper case.' },
    target: {
      type: 'string',
      maxLength: 8192,
      pattern: '^[!-~]+$',
      description:
        'Path and query as they would stand in the request line; with tenancy by path, without its part.',
    },
    host: text(255, 'As in the Host header; left out, rules for named hosts do not match.'),
    headers: {
      type: 'object',
      maxProperties: 100,
      propertyNames: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$" },
      additionalProperties: { anyOf: [headerLine, { type: 'array', items: headerLine, maxItems: 20 }] },
      description: 'By name; a list for a header of several lines. Needs no credential.',
    },
    body: { type: 'string', maxLength: 49_152, description: 'As text; none when left out.' },
    upgrade: { type: 'boolean', description: 'A WebSocket handshake.' },
    tenantClass: text(32, 'Of the tenant; unknown when left out.'),
    grant: {
      ...closed({
        access: { type: 'string', enum: ['read', 'write'], default: 'write' },
        roles: { type: 'array', items: text(128, 'A role.'), maxItems: 100 },
        lifts: { type: 'array', items: text(64, 'A category.'), maxItems: 100 },
      }),
      description: 'What is granted; left out, it is unknown, and a rule that depends on it holds.',
    },
  },
  ['method', 'target'],
);

const ruleRef = closed({ id: { type: 'string' }, category: { type: 'string' }, message: TEXT_OR_NULL }, [
  'id',
  'category',
  'message',
]);

const consideredRule = closed(
  {
    rule: ruleRef,
    mode: { type: 'string', enum: ['enforce', 'shadow'] },
    matched: { type: 'boolean' },
    pathMatched: { type: 'boolean' },
    because: { type: 'string', description: 'One sentence.' },
  },
  ['rule', 'mode', 'matched', 'pathMatched', 'because'],
);

const explained = {
  decision: { type: 'string', enum: ['allow', 'deny'] },
  reason: { type: 'string', description: '`ok`, or the reason code of the denial.' },
  decidedBy: {
    type: 'string',
    enum: ['target', 'settings', 'upgrade', 'grant', 'access', 'scope', 'rules'],
    description: 'The check that decided; `rules` where every earlier one passed.',
  },
  rule: { anyOf: [ruleRef, { type: 'null' }] },
  note: TEXT_OR_NULL,
  shadowRules: { type: 'array', items: { type: 'string' } },
  policyDigest: { type: 'string' },
  canonicalPath: { ...TEXT_OR_NULL, description: 'Null where the target was refused.' },
  readings: {
    type: 'array',
    items: { type: 'string' },
    description: 'Every way in which the path was read.',
  },
  workspace: TEXT_OR_NULL,
  bodyMatters: { type: 'boolean', description: 'Whether a check looks at the body, or would at one.' },
  allowance: {
    ...TEXT_OR_NULL,
    description: 'The allowance that covers it, where only what is allowed passes.',
  },
  considered: { type: 'array', items: consideredRule, description: 'Every rule, and how near it came.' },
};

export const explainedAnswer = closed(explained, Object.keys(explained));
