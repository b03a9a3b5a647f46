// The metrics count each request once, by what became of it, and nothing is left in flight when all have ended.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { ask, chunk, dial, ENDLESS, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

/** Sum of the samples of one metric whose labels hold all of `labels`. */
function sum(exposition: string, name: string, ...labels: readonly string[]): number {
  return exposition
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

describe('the metrics', () => {
  it('count every request once, with its reason, however it ended', async () => {
    await using upstream = await startAnswering((head) => {
      if (head.includes('/events')) return `${EVENT_STREAM}${chunk('data: 1\n\n')}`;
      return head.includes('/download') ? `${ENDLESS}begin` : HELLO;
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    await ask(gate, 'GET /without-grant');
    const grant = await gate.grant({});
    for (let i = 0; i < 3; i++) await ask(gate, 'GET /allowed');
    await ask(gate, 'GET /exports/1');
    await ask(gate, 'GET /no-token', [], null);
    {
      // Bytes that are no request, and a request that never ends: both are requests.
      using nonsense = await dial(gate);
      nonsense.send('nonsense\r\n\r\n');
      await nonsense.closed;
      using half = await dial(gate);
      half.send('GET /half HTTP/1.1\r\nHo');
      half.socket.end();
      await half.closed;
    }
    using events = await dial(gate);
    using download = await dial(gate);
    events.send(await headFor(gate, 'GET /events'));
    download.send(await headFor(gate, 'GET /download'));
    await events.seen('data: 1');
    await download.seen('begin');
    const during = await gate.metrics();
    expect(sum(during, 'postern_requests_in_flight')).toBe(2);
    expect(sum(during, 'postern_streams_active', 'kind="event_stream"')).toBe(1);
    await gate.revoke(grant.id);
    await Promise.all([events.closed, download.closed]);
    const after = await gate.metrics();
    expect(sum(after, 'postern_requests_in_flight')).toBe(0);
    expect(sum(after, 'postern_streams_active')).toBe(0);
    expect(sum(after, 'postern_requests_total')).toBe(10);
    expect(sum(after, 'postern_requests_total', 'decision="allow"', 'reason="ok"', 'code_class="2xx"')).toBe(
      5,
    );
    expect(sum(after, 'postern_requests_total', 'decision="deny"', 'reason="rule_denied"')).toBe(1);
    expect(sum(after, 'postern_requests_total', 'decision="deny"', 'reason="no_grant"')).toBe(1);
    expect(sum(after, 'postern_requests_total', 'decision="deny"', 'reason="no_credential"')).toBe(1);
    expect(sum(after, 'postern_rule_matches_total', 'rule="export.all"', 'mode="enforce"')).toBe(1);
    expect(sum(after, 'postern_streams_terminated_total', 'reason="revoked"')).toBe(2);
    expect(sum(after, 'postern_revocation_propagation_seconds_count')).toBe(1);
    expect(sum(after, 'postern_request_duration_seconds_count')).toBe(10);
  });
});
