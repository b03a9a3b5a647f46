// Between entry and denials: Sam says why he enters, a link shows who is about to go where, his requests name the session,
// and when he is done the customer reads what was done. Sessions are not required in this demo, so the rest goes on without.
import { until } from '../waiting.ts';
import { expect } from './steps.ts';
import type { Story } from './tour.ts';

const REPORT_MS = 10_000;

const OPENING = {
  tenant: 'acme',
  access: 'write',
  caseRef: 'CASE-4711',
  reason: { type: 'customer_initiated_support', detail: 'Looking at the invoice runs.' },
};

export async function tellSession({ chapter, step, sam, ada, expectations }: Story): Promise<void> {
  chapter('A session says why, and what was done');
  let sessionId = '';
  let launch = new URL('http://localhost');
  await step('Sam opens a session for CASE-4711, with his reason', async () => {
    const answer = await sam.askControl('/v1/sessions', { method: 'POST', body: OPENING });
    expect('status', answer.status, 201);
    sessionId = (answer.json['session'] as { readonly id: string }).id;
    launch = new URL((answer.json['launch'] as { readonly url: string }).url);
    expect('host of the link for his browser', launch.hostname, 'acme.helpdesk.localhost');
  });
  await step('Its page names him before anybody enters', async () => {
    const page = await sam.ask(launch.pathname + launch.search, { headers: { authorization: '' } });
    expect('status', page.status, 200);
    expect('names Sam', page.text.includes('Sam Support'), true);
  });
  await step('His requests belong to it', async () => {
    const answer = await sam.ask('/api/v1/tickets');
    expect('status', answer.status, 200);
    expectations.push({
      what: 'Sam reading tickets in his session',
      requestId: answer.requestId,
      event: 'request.allowed',
      members: { 'session.id': sessionId, 'session.reason.detail': OPENING.reason.detail },
    });
  });
  await step('He ends it with a note, and the customer reads the report', async () => {
    const note = 'Took the second schedule off the invoice run.';
    const ended = await sam.askControl(`/v1/sessions/${sessionId}/end`, { method: 'POST', body: { note } });
    expect('status', ended.status, 200);
    const report = await until('the report', REPORT_MS, async () => {
      const answer = await ada.askControl(`/v1/sessions/${sessionId}/report`);
      return answer.status === 409 ? undefined : answer;
    });
    expect('status', report.status, 200);
    expect('what it says', [report.json['reads'], report.json['writes'], report.json['note']], [1, 0, note]);
  });
}
