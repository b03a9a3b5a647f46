// Second part: what support can never do, however it is spelled, and identity headers that it cannot forge.
import { expect } from './steps.ts';
import type { Story } from './tour.ts';

interface Forbidden {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly rule: string;
  readonly category: string;
}

const FORBIDDEN: readonly Forbidden[] = [
  {
    what: 'Start an export',
    method: 'POST',
    path: '/api/v1/exports',
    rule: 'export.jobs',
    category: 'export',
  },
  {
    what: 'Download all tickets as CSV',
    method: 'GET',
    path: '/api/v1/tickets.csv',
    rule: 'export.csv',
    category: 'export',
  },
  {
    what: 'The same by its format',
    method: 'GET',
    path: '/api/v1/tickets?format=csv',
    rule: 'export.format',
    category: 'export',
  },
  {
    what: 'Export a report',
    method: 'GET',
    path: '/api/v1/reports/7/export',
    rule: 'export.reports',
    category: 'export',
  },
  {
    what: 'The same in capitals',
    method: 'POST',
    path: '/API/V1/Exports',
    rule: 'export.jobs',
    category: 'export',
  },
  {
    what: 'Start an export, percent-encoded',
    method: 'POST',
    path: '/api/v1/%65xports',
    rule: 'export.jobs',
    category: 'export',
  },
  { what: 'Send email', method: 'POST', path: '/api/v1/emails/send', rule: 'email.send', category: 'email' },
  {
    what: 'See invoices',
    method: 'GET',
    path: '/api/v1/billing/invoices',
    rule: 'billing.all',
    category: 'billing',
  },
  {
    what: 'Change the subscription',
    method: 'PUT',
    path: '/api/v1/billing/subscription',
    rule: 'billing.all',
    category: 'billing',
  },
];

export async function tellDenials(story: Story): Promise<void> {
  story.chapter('Some doors stay shut, whatever the grant says');
  for (const forbidden of FORBIDDEN) await tellForbidden(story, forbidden);
  await tellForgery(story);
}

async function tellForbidden({ step, sam, expectations }: Story, forbidden: Forbidden): Promise<void> {
  const { what, method, path, rule, category } = forbidden;
  await step(`${what} (${method} ${path}): 403, rule ${rule}`, async () => {
    const answer = await sam.ask(path, { method });
    expect('status', answer.status, 403);
    expect('reason', answer.json['reason'], 'rule_denied');
    const named = answer.json['rule'] as { id: string; category: string } | undefined;
    expect('rule', { id: named?.id, category: named?.category }, { id: rule, category });
    expectations.push({
      what: `${method} ${path}`,
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'rule_denied', 'rule.id': rule, 'actor.id': 'staff-sam', tenant: 'acme' },
    });
  });
}

async function tellForgery({ chapter, step, sam, lena, expectations }: Story): Promise<void> {
  chapter('Nobody comes in under a borrowed name');
  await step('Forged identity headers are replaced before the help desk sees them', async () => {
    const own = await lena.ask('/api/v1/me');
    const answer = await sam.ask('/api/v1/me', {
      headers: {
        'x-support-user': 'ada@acme.example',
        'x-support-assertion': 'forged.by.sam',
        'x-forwarded-for': '203.0.113.66',
        'x-real-ip': '203.0.113.66',
        'x-request-id': 'chosen-by-sam',
      },
    });
    expect('status', answer.status, 200);
    expect('acting', (answer.json['actingAs'] as { email: string }).email, 'sam@vendor.example');
    const arrived = answer.json['headersReceived'] as Record<string, string | null>;
    expect('X-Support-User', arrived['x-support-user'], 'sam@vendor.example');
    expect('forged values that arrived', /203\.0\.113\.66|chosen-by-sam|ada@/.test(answer.text), false);
    expect('Lena is Lena', (own.json['actingAs'] as { email: string }).email, 'lena@vendor.example');
    expectations.push({
      what: 'the forged headers',
      requestId: answer.requestId,
      event: 'request.allowed',
      members: { 'actor.id': 'staff-sam', 'client.ip': '127.0.0.1' },
    });
  });
  await step('A managed header under another spelling is refused: 400 bad_header', async () => {
    const answer = await sam.ask('/api/v1/me', { headers: { x_support_user: 'ada@acme.example' } });
    expect('status', answer.status, 400);
    expect('reason', answer.json['reason'], 'bad_header');
    expectations.push({
      what: 'the misspelled header',
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'bad_header' },
    });
  });
}
