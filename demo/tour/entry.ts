// First part: nobody enters without a grant, the customer's admin gives one, and support enters under its own name.
import { ask } from './actors.ts';
import { expect } from './steps.ts';
import type { Story } from './tour.ts';

const GRANT = {
  audience: { groups: ['support'] },
  access: 'write',
  duration: '1h',
  caseRef: 'CASE-4711',
  reason: { type: 'customer_initiated_support', detail: 'Invoices arrive twice.' },
};

/** The id of the grant that the customer's admin gives. */
export async function tellEntry(story: Story): Promise<string> {
  await withoutGrant(story);
  const grantId = await theGrant(story);
  await withGrant(story, grantId);
  await nobodyElse(story);
  return grantId;
}

async function withoutGrant({ chapter, step, sam, expectations, stage }: Story): Promise<void> {
  chapter('No grant, no entry');
  await step('Nobody, without a credential: 401 no_credential', async () => {
    const answer = await ask(stage.ports.data, '/api/v1/me');
    expect('status', answer.status, 401);
    expect('reason', answer.json['reason'], 'no_credential');
    expectations.push({
      what: 'the request without a credential',
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'no_credential', actor: null },
    });
  });
  await step('Sam Support, without a grant: 403 no_grant', async () => {
    const answer = await sam.ask('/api/v1/me');
    expect('status', answer.status, 403);
    expect('reason', answer.json['reason'], 'no_grant');
    expectations.push({
      what: 'Sam without a grant',
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'no_grant', 'actor.id': 'staff-sam', tenant: 'acme', grant: null },
    });
  });
}

async function theGrant({ chapter, step, sam, ada }: Story): Promise<string> {
  chapter("The customer's admin opens the gate");
  await step('Sam cannot give himself a grant: 403', async () => {
    const answer = await sam.askControl('/v1/tenants/acme/grants', { method: 'POST', body: GRANT });
    expect('status', answer.status, 403);
  });
  let grantId = '';
  await step('Ada Admin grants support one hour for CASE-4711', async () => {
    const answer = await ada.askControl('/v1/tenants/acme/grants', { method: 'POST', body: GRANT });
    expect('status', answer.status, 201);
    expect('status of the grant', answer.json['status'], 'active');
    grantId = String(answer.json['id']);
  });
  await step('Her settings page shows it', async () => {
    const answer = await ada.askSettings('/api/grants');
    expect('status', answer.status, 200);
    const grants = answer.json['grants'] as { id: string; caseRef: string; status: string }[];
    expect(
      'grants',
      grants.map(({ id, caseRef, status }) => ({ id, caseRef, status })),
      [{ id: grantId, caseRef: 'CASE-4711', status: 'active' }],
    );
  });
  return grantId;
}

async function withGrant({ chapter, step, sam, expectations }: Story, grantId: string): Promise<void> {
  chapter('Support enters under its own name');
  const asSam = { 'actor.id': 'staff-sam', tenant: 'acme', 'grant.id': grantId, caseRef: 'CASE-4711' };
  await step('Sam is in, and the help desk has verified who he is', async () => {
    const answer = await sam.ask('/api/v1/me');
    expect('status', answer.status, 200);
    expect('assertion verified', answer.json['assertionVerified'], true);
    const acting = answer.json['actingAs'] as Record<string, unknown>;
    expect('email', acting['email'], 'sam@vendor.example');
    expect('grant', acting['grant'], { id: grantId, revision: 1 });
    expect('case', acting['caseRef'], 'CASE-4711');
    expectations.push({
      what: 'Sam looking who he is',
      requestId: answer.requestId,
      event: 'request.allowed',
      members: { ...asSam, decision: 'allow', 'http.status': 200, 'http.path': '/api/v1/me' },
    });
  });
  await step('Sam reads tickets and writes a comment, signed with his own name', async () => {
    const list = await sam.ask('/api/v1/tickets');
    expect('status', list.status, 200);
    const comment = await sam.ask('/api/v1/tickets/1/comments', {
      method: 'POST',
      body: { body: 'Found it: two schedules for one invoice run.' },
    });
    expect('status', comment.status, 201);
    expect('author', [comment.json['author'], comment.json['authorKind']], ['Sam Support', 'support']);
    expectations.push({
      what: "Sam's comment",
      requestId: comment.requestId,
      event: 'request.allowed',
      members: { ...asSam, 'http.method': 'POST', 'http.status': 201 },
    });
  });
  await step('The page that opens the gate is not for those who came through it: 403', async () => {
    const answer = await sam.ask('/settings/security/support-access/api/grants');
    expect('status', answer.status, 403);
  });
  await step('A file goes up and comes down unchanged', async () => {
    const content = 'schedule: daily\n'.repeat(4096);
    const headers = { 'content-type': 'text/plain' };
    const up = await sam.ask('/api/v1/tickets/1/files/schedule.txt', {
      method: 'POST',
      body: content,
      headers,
    });
    expect('status', up.status, 201);
    const down = await sam.ask(`/api/v1/tickets/1/files/${String(up.json['id'])}`);
    expect('unchanged', down.text === content, true);
  });
}

async function nobodyElse({ chapter, step, sam, eve, expectations }: Story): Promise<void> {
  chapter('The grant opens this one account, for this one group');
  await step("Another customer's account stays shut: 403 no_grant", async () => {
    const answer = await sam.ask('/api/v1/me', { tenant: 'globex' });
    expect('status', answer.status, 403);
    expect('reason', answer.json['reason'], 'no_grant');
    expectations.push({
      what: "Sam at another customer's door",
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'no_grant', tenant: 'globex' },
    });
  });
  await step('Eve, who is not in support: 403 not_support_principal', async () => {
    const answer = await eve.ask('/api/v1/me');
    expect('status', answer.status, 403);
    expect('reason', answer.json['reason'], 'not_support_principal');
    expectations.push({
      what: 'Eve',
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'not_support_principal' },
    });
  });
}
