// A policy takes effect without a restart, for what is already running too; a wrong one changes nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { keysFrom, slowKeyServer } from '../support/slow-key-server.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

function policyOn(path: string): string {
  return `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: test }
spec:
  rules:
    - id: events.none
      category: data
      match: [ { paths: ["${path}"] } ]
`;
}

function write(gate: Gate, text: string): void {
  writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), text);
}

async function metric(gate: Gate, name: string): Promise<string | undefined> {
  const line = (await gate.metrics()).split('\n').find((one) => one.startsWith(`${name} `));
  return line?.split(' ')[1];
}

describe('a new policy', () => {
  it('cuts the open stream that it denies, and leaves the others', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using denied = await dial(gate);
    using allowed = await dial(gate);
    denied.send(await headFor(gate, 'GET /events/a'));
    await denied.seen('data: 1');
    const deniedUpstream = await upstream.next();
    allowed.send(await headFor(gate, 'GET /events/b'));
    await allowed.seen('data: 1');
    write(gate, policyOn('/events/a'));
    expect(await denied.closed).toBe('reset');
    expect(denied.text).toContain('data: {"reason":"policy"}');
    expect(await deniedUpstream.closed).toBe('reset');
    (await upstream.next()).send(chunk('data: 2\n\n'));
    await allowed.seen('data: 2');
    expect(await ask(gate, 'GET /events/a')).toMatchObject({ status: 403, reason: 'rule_denied' });
  });

  it('answers a request that waits with the rule that denies it, and records name the rule', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      if ((await wire.seen('\r\n\r\n')).includes('/events/open'))
        wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using open = await dial(gate);
    using waiting = await dial(gate);
    open.send(await headFor(gate, 'GET /events/open'));
    await open.seen('data: 1');
    waiting.send(await headFor(gate, 'GET /events/waiting'));
    await (await upstream.next()).seen('/open');
    await (await upstream.next()).seen('/waiting');
    write(gate, policyOn('/events/**'));
    const answer = await answerOn(waiting);
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 403,
      rule: { id: 'events.none', category: 'data' },
    });
    expect(await open.closed).toBe('reset');
    const cut = { endedBy: 'policy', rule: { id: 'events.none', category: 'data' } };
    const ends = () => gate.journal().filter((line) => line['k'] === 'done');
    await expect.poll(() => ends().length, { timeout: 10_000 }).toBe(2);
    expect(
      ends().toSorted((one, other) => (String(one['code']) < String(other['code']) ? -1 : 1)),
    ).toMatchObject([
      { ...cut, code: 'ok' },
      { ...cut, code: 'rule_denied' },
    ]);
  });

  it('counts for a request that began under the old one and waited for keys', async () => {
    await using upstream = await startAnswering(HELLO);
    await using keys = await slowKeyServer();
    await using gate = await startGate({ upstreamPort: upstream.port, support: keysFrom(keys) });
    await gate.grant({});
    keys.keys = [gate.workforce.publicJwk];
    keys.hold = true;
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /tickets'));
    await keys.asked();
    write(gate, policyOn('/tickets'));
    await gate.postern.reload();
    keys.release();
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'rule_denied' });
    expect(upstream.wires).toEqual([]);
  });

  it('that is wrong changes nothing: the last good one goes on, and a metric says so', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('1');
    write(gate, 'apiVersion: postern/v1\nkind: RoutePolicy\nspec: { rules: [ { id: 7 } ] }\n');
    await gate.postern.reload();
    expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('0');
    expect(await ask(gate, 'GET /exports/1')).toMatchObject({ status: 403, reason: 'rule_denied' });
    expect(await ask(gate, 'GET /tickets')).toMatchObject({ status: 200 });
    await expect
      .poll(() => gate.journal().find((line) => line['event'] === 'policy.reload_failed'), {
        timeout: 10_000,
      })
      .toMatchObject({ details: { ruleCount: 3 } });
    write(gate, policyOn('/tickets'));
    await gate.postern.reload();
    expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('1');
    expect(await ask(gate, 'GET /tickets')).toMatchObject({ status: 403, reason: 'rule_denied' });
  });
});
