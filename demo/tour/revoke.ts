// Third part: the customer shuts the gate while support is inside. When the call returns, it is true: live
// connections are cut with a last word, and nothing new gets in.
import { within } from '../waiting.ts';
import { openEventStream, openWebSocket } from './live-clients.ts';
import { expect } from './steps.ts';
import type { Story } from './tour.ts';

const CUT_WITHIN_MS = 5000;
/** The private-use close code of RFC 6455 section 7.4.2 that the gate says when authority has ended. */
const CLOSE_CODE = 4403;

export async function tellRevoke(story: Story, grantId: string): Promise<void> {
  const { chapter, step, stage, sam, ada, expectations } = story;
  const live = { port: stage.ports.data, headers: sam.headers };
  chapter('The customer shuts the gate, and it is shut');
  using stream = await openEventStream({ ...live, path: '/api/v1/events' });
  using socket = await openWebSocket({ ...live, path: '/ws' });

  await step('Sam watches live: an event stream and a WebSocket', async () => {
    await stream.event('welcome');
    await socket.event('welcome');
  });
  await step('Both show what happens in the account', async () => {
    const changed = await sam.ask('/api/v1/tickets/1', { method: 'PATCH', body: { status: 'solved' } });
    expect('status', changed.status, 200);
    await stream.event('ticket.changed');
    await socket.event('ticket.changed');
  });
  await step('Ada sees what a revoke would cut', async () => {
    const answer = await ada.askSettings(`/api/grants/${grantId}/impact`);
    expect('status', answer.status, 200);
    expect('live streams', answer.json['streams'], 2);
  });
  await step('Ada revokes on her settings page', async () => {
    const answer = await ada.askSettings(`/api/grants/${grantId}/revoke`, { method: 'POST', body: {} });
    expect('status', answer.status, 200);
    expect('status of the grant', answer.json['status'], 'revoked');
  });
  await step('The event stream got a last event and was cut', async () => {
    await within('the event stream to end', CUT_WITHIN_MS, stream.over);
    const last = stream.received.at(-1);
    expect('last event', last?.type, 'postern.ended');
    expect('says why', JSON.parse(last?.data ?? '{}'), { reason: 'revoked' });
  });
  await step(`The WebSocket was closed with code ${CLOSE_CODE}`, async () => {
    const { code } = await within('the WebSocket to close', CUT_WITHIN_MS, socket.closed);
    expect('close code', code, CLOSE_CODE);
  });
  for (const [what, { requestId }] of [
    ['the event stream', stream],
    ['the WebSocket', socket],
  ] as const) {
    const members = { 'actor.id': 'staff-sam', 'grant.id': grantId };
    expectations.push({ what: `${what}, opened`, requestId, event: 'request.allowed', members });
    expectations.push({
      what: `${what}, cut`,
      requestId,
      event: 'stream.ended',
      members: { ...members, endedBy: 'revoked' },
    });
  }
  await step('Sam is out: 403 no_grant', async () => {
    const answer = await sam.ask('/api/v1/me');
    expect('status', answer.status, 403);
    expect('reason', answer.json['reason'], 'no_grant');
    expectations.push({
      what: 'Sam after the revoke',
      requestId: answer.requestId,
      event: 'request.denied',
      members: { reasonCode: 'no_grant', 'actor.id': 'staff-sam' },
    });
  });
}
