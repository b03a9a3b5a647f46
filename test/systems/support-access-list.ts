// The 32 things that support can never do in the CRM of the story, each as the requests that would do it: on the routes
// that the packs know, on those of the help desk that is behind the gate here, and on the CRM's documented ones.
import { expect } from 'vitest';
import { type Answer, SAM, type World } from './world.ts';

/** `METHOD /path`, and a body where the rule looks into it. */
export type Try = string | readonly [request: string, body: object];

export interface Listed {
  readonly number: number;
  /** As the help page says it. */
  readonly what: string;
  /** Of the rules that deny; empty for what no rule but a limit of grants decides. */
  readonly categories: readonly string[];
  readonly writes: readonly Try[];
  readonly reads: readonly string[];
  readonly readsAre: 'denied' | 'open';
}

function item(number: number, what: string, category: string, rest: Tries): Listed {
  const readsAre = 'closed' in rest ? 'denied' : 'open';
  const reads = 'closed' in rest ? rest.closed : rest.open;
  return { number, what, categories: category.split(' '), writes: rest.writes, reads, readsAre };
}

type Tries = { readonly writes: readonly Try[] } & (
  | { readonly closed: readonly string[] }
  | { readonly open: readonly string[] }
);

const PAGE = '/settings/security/support-access';
const GRANT = `${PAGE}/api/grants/grt_01JHNM9N000000000000000000`;

/** Item 20 is no route: a limit of grants, which the store holds. */
const LIMIT: Listed = {
  number: 20,
  what: 'a date beyond five years',
  categories: [],
  writes: [],
  reads: [],
  readsAre: 'open',
};

export const LIST: readonly Listed[] = [
  item(1, 'the support access page itself: enable, disable, change duration', 'self-grant', {
    writes: [
      `POST ${PAGE}/api/grants`,
      `POST ${PAGE}/api/close`,
      `POST ${GRANT}/revoke`,
      `PUT /api/v1/support-access`,
    ],
    closed: [`GET ${PAGE}`, `GET ${PAGE}/api/grants`, `GET ${GRANT}/impact`],
  }),
  item(2, 'change other users’ details', 'user-admin', {
    writes: ['POST /api/v1/users', 'PATCH /api/v1/users/acme-rita', 'PUT /crm/v8/users/7'],
    open: ['GET /api/v1/users', 'GET /crm/v8/users'],
  }),
  item(3, 'tab groups, mail merge, trusted domains, workflow actions by an integration', 'settings', {
    writes: [
      'POST /api/v1/tab-groups',
      'POST /api/v1/mail-merge',
      'DELETE /settings/trusted-domains/7',
      'PUT /api/v1/workflows/7/integrations/1',
    ],
    open: [
      'GET /api/v1/tab-groups',
      'GET /api/v1/mail-merge',
      'GET /settings/trusted-domains',
      'GET /api/v1/workflows/7/integrations',
    ],
  }),
  item(4, 'manage the subscription', 'billing', {
    writes: [
      'PUT /api/v1/subscription',
      'POST /api/v1/billing/subscription',
      'DELETE /settings/subscription',
    ],
    open: ['GET /api/v1/subscription', 'GET /settings/subscription'],
  }),
  item(5, 'send email', 'email', {
    writes: [
      'POST /api/v1/emails/send',
      'POST /api/v1/emails',
      'POST /contacts/7/send-email',
      'POST /crm/v8/contacts/7/actions/send_mail',
    ],
    open: ['GET /api/v1/emails', 'GET /crm/v8/contacts/7/emails'],
  }),
  item(
    6,
    'change email permissions: mass email, autoresponders, scheduled mass email, workflow email',
    'email-config',
    {
      writes: [
        'POST /api/v1/mass-email',
        'PUT /api/v1/autoresponders/7',
        'POST /api/v1/scheduled-mass-email',
        'PATCH /api/v1/workflow-emails/7',
        'PUT /crm/v8/settings/automation/email_notifications/7',
      ],
      open: ['GET /api/v1/mass-email', 'GET /api/v1/autoresponders', 'GET /api/v1/workflow-emails'],
    },
  ),
  item(7, 'export, data backup', 'export', {
    writes: ['POST /api/v1/exports', 'POST /settings/data-backup', 'POST /crm/bulk/v8/read'],
    closed: [
      'GET /api/v1/tickets.csv',
      'GET /api/v1/tickets?format=csv',
      'GET /settings/data-backup',
      'GET /crm/bulk/v8/backup/urls',
    ],
  }),
  item(8, 'export reports', 'export', {
    writes: ['POST /api/v1/reports/7/export'],
    closed: ['GET /api/v1/reports/7/export', 'GET /reports/7?format=pdf'],
  }),
  item(9, 'export audit logs', 'export', {
    writes: ['POST /api/v1/audit-logs/export', 'POST /crm/v8/settings/audit_log_export'],
    closed: ['GET /api/v1/audit-logs/export', 'GET /crm/v8/settings/audit_log_export'],
  }),
  item(10, 'generate secret keys', 'credentials', {
    writes: ['POST /api/v1/secret-keys', 'POST /settings/api-keys', 'POST /api/v1/personal-access-tokens'],
    closed: ['GET /api/v1/secret-keys', 'GET /settings/api-keys', 'GET /api/v1/personal-access-tokens'],
  }),
  item(11, 'company details', 'company', {
    writes: ['PUT /settings/company', 'PATCH /api/v1/company', 'PUT /crm/v8/org'],
    closed: ['GET /settings/company', 'GET /api/v1/company', 'GET /crm/v8/org'],
  }),
  item(12, 'change admin-level permissions', 'permissions', {
    writes: [
      'PUT /api/v1/roles/7',
      'PATCH /api/v1/profiles/7',
      'POST /api/v1/admins',
      'PUT /crm/v8/settings/profiles/7',
    ],
    open: ['GET /api/v1/roles', 'GET /api/v1/profiles/7', 'GET /crm/v8/settings/roles'],
  }),
  item(13, 'set up integrations', 'integrations', {
    writes: [
      'POST /api/v1/webhooks',
      'PUT /settings/integrations/7',
      'POST /crm/v8/settings/automation/webhooks',
    ],
    open: ['GET /api/v1/webhooks', 'GET /settings/integrations'],
  }),
  item(14, 'copy customizations', 'settings', {
    writes: ['POST /api/v1/customizations/copy', 'POST /settings/copy-customizations'],
    open: ['GET /api/v1/customizations', 'GET /settings/copy-customizations'],
  }),
  item(15, 'connections: view only', 'integrations', {
    writes: ['PUT /settings/connections/7', 'DELETE /api/v1/connections/7'],
    open: ['GET /settings/connections', 'GET /api/v1/connections/7'],
  }),
  item(16, 'marketplace', 'integrations', {
    writes: ['POST /marketplace/7/install', 'POST /api/v1/marketplace/7'],
    closed: ['GET /marketplace', 'GET /api/v1/marketplace/7'],
  }),
  item(17, 'be assigned records by an assignment rule', 'assignment', {
    writes: [
      ['POST /api/v1/assignment-rules', { rules: [{ assignee: { email: 'sam@vendor.test' } }] }],
      ['PUT /settings/assignment-rules/7', { rule: { action: { owner: 'sam' } } }],
      ['POST /crm/v8/leads', { lar_id: '7', data: [{ Last_Name: 'Doe' }] }],
    ],
    open: ['GET /api/v1/assignment-rules', 'GET /crm/v8/settings/automation/assignment_rules'],
  }),
  item(18, 'channels', 'settings', {
    writes: ['POST /settings/channels', 'PUT /api/v1/channels/7'],
    closed: ['GET /settings/channels', 'GET /api/v1/channels'],
  }),
  item(19, 'sheet and print views', 'export', {
    writes: ['POST /contacts/print-view'],
    closed: ['GET /contacts/print-view', 'GET /contacts/sheet-view', 'GET /contacts?view=print'],
  }),
  LIMIT,
  item(21, 'chatbot', 'ai', {
    writes: ['POST /api/v1/chatbots'],
    closed: ['GET /api/v1/chatbots/7', 'GET /settings/chatbot'],
  }),
  item(22, 'conversational AI', 'ai', {
    writes: ['POST /api/v1/conversational-ai'],
    closed: ['GET /api/v1/conversational-ai', 'GET /settings/conversational-ai'],
  }),
  item(23, 'voice assistant, developer space', 'ai', {
    writes: ['POST /api/v1/voice-assistant/skills', 'POST /developer-space/skills'],
    closed: ['GET /api/v1/voice-assistant/skills', 'GET /developer-space'],
  }),
  item(24, 'create online meetings', 'meetings', {
    writes: ['POST /api/v1/online-meetings', 'POST /contacts/7/meetings'],
    open: ['GET /api/v1/online-meetings', 'GET /contacts/7/meetings'],
  }),
  item(25, 'data enrichment', 'third-party-data', {
    writes: ['POST /contacts/7/enrich', 'POST /crm/v8/__zia_people_enrichment'],
    closed: ['GET /contacts/7/enrich', 'GET /crm/v8/__zia_people_enrichment'],
  }),
  item(26, 'voice-of-the-customer', 'settings', {
    writes: ['POST /api/v1/voice-of-the-customer'],
    closed: ['GET /api/v1/voice-of-the-customer', 'GET /settings/voc'],
  }),
  item(27, 'vision', 'ai', {
    writes: ['POST /api/v1/vision/models'],
    closed: ['GET /api/v1/vision', 'GET /settings/vision'],
  }),
  item(28, 'voice assistant', 'ai', {
    writes: ['PUT /settings/voice-assistant'],
    closed: ['GET /settings/voice-assistant'],
  }),
  item(29, 'surveys', 'email', {
    writes: ['POST /api/v1/surveys', 'PUT /settings/surveys/7'],
    closed: ['GET /api/v1/surveys/7', 'GET /surveys'],
  }),
  item(30, 'set up connections', 'integrations', {
    writes: ['POST /api/v1/connections', 'POST /api/v1/connectors/7/connect'],
    open: ['GET /api/v1/connections', 'GET /api/v1/connectors'],
  }),
  item(31, 'client scripts', 'code', {
    writes: ['PUT /api/v1/client-scripts/7'],
    closed: ['GET /api/v1/client-scripts', 'GET /settings/client-scripts'],
  }),
  item(32, 'social channel', 'settings', {
    writes: ['POST /settings/social', 'POST /api/v1/social-channels'],
    closed: ['GET /settings/social', 'GET /api/v1/social-channels'],
  }),
];

/** One sentence of the story for each item. */
export function sentenceOf({ number, what, categories }: Listed): string {
  return `Support can never do ${number}: ${what} [${categories.join(' ') || 'grant limit, not a route'}].`;
}

/** Every request of the item through the gate, as Sam in a session that may write: answered, and in the records. */
export async function tryItem(world: World, listed: Listed): Promise<void> {
  expect(listed.writes.length).toBeGreaterThan(0);
  expect(listed.reads.length).toBeGreaterThan(0);
  for (const one of listed.writes) await expectDenied(world, listed, one);
  for (const one of listed.reads) {
    if (listed.readsAre === 'denied') await expectDenied(world, listed, one);
    else await expectReached(world, one);
  }
}

async function expectDenied(world: World, { categories }: Listed, one: Try): Promise<void> {
  const answer = await send(world, one);
  expect([one, answer.status, answer.body['reason']]).toEqual([one, 403, 'rule_denied']);
  const [record] = await world.recorded(({ id }) => id === answer.body['requestId']);
  expect([one, record]).toEqual([one, expect.objectContaining({ decision: 'deny', outcome: 'refused' })]);
  const rule = record?.['rule'] as { category?: unknown } | null;
  expect(categories).toContain(rule?.category);
  // Nothing of it was forwarded.
  expect(record?.['upstream']).toEqual({ status: null, error: null });
}

/** The help desk has few of these pages: what matters is that it was the help desk that answered. */
async function expectReached(world: World, one: string): Promise<void> {
  const answer = await send(world, one);
  expect([one, answer.body['reason']]).toEqual([one, undefined]);
  const [record] = await world.recorded(({ id }) => id === answer.headers['x-request-id']);
  expect([one, record]).toEqual([one, expect.objectContaining({ decision: 'allow', effect: 'read' })]);
  expect(record?.['upstream']).toEqual({ status: answer.status, error: null });
}

function send(world: World, one: Try): Promise<Answer> {
  const [request, body] = typeof one === 'string' ? [one, undefined] : one;
  const [method = '', path = ''] = request.split(' ');
  const isRead = method === 'GET';
  return world.request(SAM, method, path, isRead ? {} : { body: body ?? {} });
}
