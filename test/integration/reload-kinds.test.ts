// Documents of every kind take effect without a restart: for what is asked next, for what is open and no longer
// allowed (cut), and for what waits for its answer (judged by the new guards).
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, ask, chunk, dial, EVENT_STREAM, headFor } from '../support/gate-traffic.ts';
import { denying, document, policiesOf, untilInForce } from '../support/policy-changes.ts';
import { startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const RULES = denying('/denied');
const set = (...documents: readonly string[]): string => [RULES, ...documents].join('---\n');

const SEARCH = document('SafeRoutes', { routes: [{ methods: ['POST'], paths: ['/search/**'] }] });
const SCOPES = document('ScopeMap', {
  scopes: [{ paths: ['/workspaces/{id}/**'], workspace: { path: 'id' } }],
});
const allowing = (path: string) =>
  document('RouteAllowance', { routes: [{ id: 'some', methods: ['GET'], paths: [path] }] });
const GUARDS = document('ResponseGuard', {
  guards: [{ id: 'guard.tables', category: 'export', response: { mediaTypes: ['text/csv'] } }],
});

async function replace(gate: Gate, text: string): Promise<void> {
  const file = join(policiesOf(gate), 'policy.yaml');
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
  await gate.postern.reload();
}

/** Events that never end, for every request. */
async function stream(wire: Wire): Promise<void> {
  await wire.seen('\r\n\r\n');
  wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
}

interface Case {
  readonly kind: string;
  readonly grant: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
  readonly before: string;
  readonly after: string;
  readonly line: string;
  readonly headers: readonly string[];
  readonly reason: string;
  /** Still open afterwards. */
  readonly kept: string;
}

const CASES: readonly Case[] = [
  {
    kind: 'SafeRoutes that no longer name it',
    grant: { access: 'read' },
    before: set(SEARCH),
    after: set(),
    line: 'POST /search/all',
    headers: ['Content-Length: 0'],
    reason: 'read_only',
    kept: 'GET /events',
  },
  {
    kind: 'a ScopeMap by which it names another workspace',
    grant: { workspaces: [{ id: 'w1', roles: [] }] },
    before: set(),
    after: set(SCOPES),
    line: 'GET /workspaces/w2/events',
    headers: [],
    reason: 'workspace_out_of_scope',
    kept: 'GET /workspaces/w1/events',
  },
  {
    kind: 'a RouteAllowance that leaves it out',
    grant: {},
    config: { policies: { directory: 'policies', defaultEffect: 'deny' } },
    before: set(allowing('/**')),
    after: set(allowing('/kept/**')),
    line: 'GET /events',
    headers: [],
    reason: 'rule_denied',
    kept: 'GET /kept/events',
  },
  {
    kind: 'a rule that denies it',
    grant: {},
    before: set(),
    after: set(
      document('RoutePolicy', {
        rules: [{ id: 'late', category: 'late', match: [{ paths: ['/late/**'] }] }],
      }),
    ),
    line: 'GET /late/events',
    headers: [],
    reason: 'rule_denied',
    kept: 'GET /events',
  },
];

describe('a reload', () => {
  it.each(CASES)('cuts what is open, and refuses what comes, under $kind', async (one) => {
    await using upstream = await startRawUpstream(stream);
    const { config = {} } = one;
    await using gate = await startGate({ upstreamPort: upstream.port, policy: one.before, config });
    await gate.grant(one.grant);
    using denied = await dial(gate);
    using kept = await dial(gate);
    denied.send(await headFor(gate, one.line, one.headers));
    await denied.seen('data: 1');
    const cutUpstream = await upstream.next();
    kept.send(await headFor(gate, one.kept));
    await kept.seen('data: 1');
    await replace(gate, one.after);
    expect(await denied.closed).toBe('reset');
    expect(denied.text).toContain('data: {"reason":"policy"}');
    expect(await cutUpstream.closed).toBe('reset');
    (await upstream.next()).send(chunk('data: 2\n\n'));
    await kept.seen('data: 2');
    expect(await ask(gate, one.line, one.headers)).toMatchObject({ status: 403, reason: one.reason });
    await expect
      .poll(() => gate.journal().filter((line) => line['k'] === 'done'), { timeout: 10_000 })
      .toMatchObject([{ code: 'ok', endedBy: 'policy' }]);
  });

  it('brings guards into force for an answer that has not begun', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port, policy: set() });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /table'));
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    await replace(gate, set(GUARDS));
    wire.send('HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 6\r\n\r\nsecret');
    const answer = await answerOn(client);
    expect(answer).toMatchObject({ status: 403, reason: 'response_guarded' });
    expect(answer.body).not.toContain('secret');
  });

  it('by itself, without a signal, when the file is replaced as an editor does it', async () => {
    await using upstream = await startRawUpstream(stream);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: set() });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    writeFileSync(join(policiesOf(gate), '.policy.yaml.swp'), 'not a policy');
    writeFileSync(join(policiesOf(gate), 'policy.yaml~'), 'not a policy');
    renameSync(join(policiesOf(gate), 'policy.yaml~'), join(policiesOf(gate), 'policy.yaml.bak'));
    writeFileSync(join(policiesOf(gate), '.new'), denying('/events'));
    renameSync(join(policiesOf(gate), '.new'), join(policiesOf(gate), 'policy.yaml'));
    await untilInForce(gate);
    expect(await client.closed).toBe('reset');
  });
});
