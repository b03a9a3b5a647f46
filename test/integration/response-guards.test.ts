// Response guards over real sockets: what is stopped before its first byte, what is cut, what is let through, and what
// the client, the upstream, the records and the metrics see of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import {
  type Answer,
  answerOn,
  ask,
  chunk,
  dial,
  EVENT_STREAM,
  headFor,
  untilPublished,
} from '../support/gate-traffic.ts';
import { openClient, startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const MIB = 1024 * 1024;

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec: { rules: [{ id: export.all, category: export, match: [{ paths: ["/exports/**"] }] }] }
---
apiVersion: postern/v1
kind: ResponseGuard
metadata: { name: guards }
spec:
  guards:
    - id: guard.attachments
      category: export
      liftable: true
      match: [{ paths: ["/api/**"] }]
      response: { attachment: true }
      message: Support staff cannot download files.
    - id: guard.tables
      category: export
      match: [{ methods: [GET], paths: ["/api/**"] }]
      response: { mediaTypes: [text/csv] }
    - id: guard.size
      category: bulk
      match: [{ paths: ["/api/large/**", "/events"] }]
      response: { maxBytes: 64KiB }
    - id: watch.zip
      category: export
      mode: shadow
      response: { mediaTypes: [application/zip] }
    - id: watch.size
      category: bulk
      mode: shadow
      match: [{ paths: ["/watched/**"] }]
      response: { maxBytes: 1KiB }
`;

const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
const LAST = '0\r\n\r\n';

function whole(headers: readonly string[], body = 'secret'): string {
  return `HTTP/1.1 200 OK\r\n${headers.map((line) => `${line}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const ATTACHED = whole([
  'Content-Type: application/json',
  'Content-Disposition: attachment; filename="all.json"',
]);
const HARMLESS = whole(['Content-Type: application/json'], '{"ok":true}');

/** Answers each request by its target; a function talks for itself. */
type Answers = Readonly<Record<string, string | ((wire: Wire) => void)>>;

function answering(answers: Answers): (wire: Wire) => void {
  return (wire) => {
    let answered = 0;
    wire.socket.on('data', () => {
      const heads = wire.text.split('\r\n\r\n');
      for (; answered < heads.length - 1; answered++) {
        const target = (heads[answered] as string).split(' ')[1] as string;
        const answer = answers[target] ?? HARMLESS;
        if (typeof answer === 'string') wire.send(answer);
        else answer(wire);
      }
    });
  };
}

async function guarded(port: number): Promise<Gate> {
  return startGate({ upstreamPort: port, policy: POLICY, published: true });
}

type Record_ = Readonly<Record<string, unknown>>;

async function recordOf(gate: Gate, path: string): Promise<Record_> {
  const isOf = (record: Record_) => (record['http'] as Record_ | undefined)?.['path'] === path;
  const records = await untilPublished(gate, (all) => all.some(isOf));
  return records.findLast(isOf) as Record_;
}

/** As if the tenant's settings had allowed it, before anybody used the grant. */
function liftAll(gate: Gate, id: string): void {
  using store = new DatabaseSync(join(gate.folder, 'postern.db'));
  const { changes } = store.prepare(`UPDATE grants SET lifts = '["export"]' WHERE id = ?`).run(id);
  if (changes !== 1) throw new Error('no such grant');
}

function ruleOf({ body }: Answer): unknown {
  return (JSON.parse(body) as { rule?: { id?: unknown } }).rule?.id;
}

describe('an answer that a guard stops', () => {
  it('is refused before its first byte, with the guard, and recorded with what the upstream said', async () => {
    await using upstream = await startRawUpstream(answering({ '/api/all': ATTACHED }));
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    const answer = await ask(gate, 'GET /api/all');
    expect(answer).toMatchObject({ status: 403, reason: 'response_guarded' });
    expect(answer.head).toMatch(/content-type: application\/problem\+json/i);
    expect(answer.head).not.toMatch(/content-disposition|all\.json/i);
    expect(answer.body).not.toContain('secret');
    expect(JSON.parse(answer.body)).toMatchObject({
      rule: { id: 'guard.attachments', category: 'export', message: 'Support staff cannot download files.' },
    });
    expect(await recordOf(gate, '/api/all')).toMatchObject({
      event: 'request.denied',
      decision: 'deny',
      reasonCode: 'response_guarded',
      note: 'the answer is an attachment',
      rule: { id: 'guard.attachments', category: 'export' },
      http: { status: 403 },
      upstream: { status: 200, error: null },
      endedBy: 'guard',
      outcome: 'refused',
    });
    expect(await gate.metrics()).toContain(
      'postern_rule_matches_total{rule="guard.attachments",mode="enforce"} 1',
    );
  });

  it('takes its connection to the upstream with it, and leaves that of the client', async () => {
    await using upstream = await startRawUpstream(answering({ '/api/all': ATTACHED }));
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /api/all'));
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'response_guarded' });
    expect(await (await upstream.next()).closed).toBe('reset');
    client.clear();
    client.send(await headFor(gate, 'GET /api/other'));
    expect(await answerOn(client)).toMatchObject({ status: 200, body: '{"ok":true}' });
    client.clear();
    client.send(await headFor(gate, 'GET /api/again'));
    expect(await answerOn(client)).toMatchObject({ status: 200 });
    expect(upstream.wires).toHaveLength(2);
  });

  it('is stopped while its body is still to come, and none of it is read', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 1000000000\r\n\r\n';
    await using upstream = await startRawUpstream(answering({ '/api/all': head }));
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    const answer = await ask(gate, 'GET /api/all');
    expect(ruleOf(answer)).toBe('guard.tables');
    expect(await (await upstream.next()).closed).toBe('reset');
  });

  it('is stopped in answer to HEAD too, and no other method than the guard names', async () => {
    const table = whole(['Content-Type: text/csv']);
    const ofHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 6\r\n\r\n';
    await using upstream = await startRawUpstream((wire) => {
      wire.socket.on('data', () => wire.send(wire.text.startsWith('HEAD') ? ofHead : table));
    });
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'HEAD /api/all', ['Connection: close']));
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 403 /);
    expect(client.text).not.toMatch(/text\/csv/);
    expect(await ask(gate, 'POST /api/all', ['Content-Length: 0'])).toMatchObject({
      status: 200,
      body: 'secret',
    });
  });

  it('passes on other routes, and where the grant lifts the category of a liftable guard', async () => {
    const table = whole(['Content-Type: text/csv']);
    await using upstream = await startRawUpstream(
      answering({ '/files/all': ATTACHED, '/api/all': ATTACHED, '/api/table': table }),
    );
    await using gate = await guarded(upstream.port);
    const { id } = await gate.grant({});
    liftAll(gate, id);
    expect(await ask(gate, 'GET /files/all')).toMatchObject({ status: 200, body: 'secret' });
    expect(await ask(gate, 'GET /api/all')).toMatchObject({ status: 200, body: 'secret' });
    expect(ruleOf(await ask(gate, 'GET /api/table'))).toBe('guard.tables');
  });
});

describe('a guard of size', () => {
  it('refuses what is declared to be larger', async () => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 + 1}\r\n\r\nbegin`;
    await using upstream = await startRawUpstream(answering({ '/api/large/1': head }));
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    const answer = await ask(gate, 'GET /api/large/1');
    expect(answer).toMatchObject({ status: 403, reason: 'response_guarded' });
    expect(ruleOf(answer)).toBe('guard.size');
    expect(await (await upstream.next()).closed).toBe('reset');
    expect(await recordOf(gate, '/api/large/1')).toMatchObject({
      reasonCode: 'response_guarded',
      endedBy: 'guard',
    });
  });

  it('lets pass exactly as much as it allows, whether declared or in chunks', async () => {
    const full = 'x'.repeat(64 * 1024);
    await using upstream = await startRawUpstream(
      answering({
        '/api/large/declared': whole([], full),
        '/api/large/chunked': CHUNKED + chunk(full.slice(0, 1000)) + chunk(full.slice(1000)) + LAST,
      }),
    );
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    expect(await ask(gate, 'GET /api/large/declared')).toMatchObject({ status: 200, body: full });
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /api/large/chunked', ['Connection: close']));
    await client.seen(LAST);
    expect(client.text.match(/x/g)?.length).toBeGreaterThanOrEqual(64 * 1024);
    expect(await recordOf(gate, '/api/large/chunked')).toMatchObject({
      endedBy: 'upstream',
      outcome: 'completed',
    });
  });

  it('cuts a longer one at its limit: both sides are reset, and it never ends cleanly', async () => {
    const part = 'x'.repeat(16 * 1024);
    await using upstream = await startRawUpstream(answering({ '/api/large/2': CHUNKED + chunk(part) }));
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /api/large/2'));
    await client.seen('xxx');
    const wire = await upstream.next();
    for (let sent = 0; sent < 8; sent++) wire.send(chunk(part));
    wire.send(LAST);
    expect(await client.closed).toBe('reset');
    expect(await wire.closed).toBe('reset');
    expect(client.text).not.toContain(`\r\n${LAST}`);
    expect(client.text.split('x').length - 1).toBeLessThanOrEqual(64 * 1024);
    const record = await recordOf(gate, '/api/large/2');
    expect(record).toMatchObject({
      event: 'request.allowed',
      reasonCode: 'ok',
      rule: { id: 'guard.size', category: 'bulk' },
      http: { status: 200 },
      upstream: { status: 200 },
      endedBy: 'guard',
      outcome: 'cut',
    });
    const bytesOut = (record['http'] as Record_)['bytesOut'] as number;
    expect(bytesOut).toBeGreaterThan(0);
    expect(bytesOut).toBeLessThanOrEqual(64 * 1024);
    expect(await gate.metrics()).toContain('postern_rule_matches_total{rule="guard.size",mode="enforce"} 1');
  });

  it('refuses a longer one of which the head has not left yet', async () => {
    await using upstream = await startRawUpstream(
      answering({ '/api/large/3': `HTTP/1.0 200 OK\r\n\r\n${'x'.repeat(200)}` }),
    );
    const policy = POLICY.replace('maxBytes: 64KiB', 'maxBytes: 100B');
    await using gate = await startGate({ upstreamPort: upstream.port, policy, published: true });
    await gate.grant({});
    const answer = await ask(gate, 'GET /api/large/3');
    expect(answer).toMatchObject({ status: 403, reason: 'response_guarded' });
    expect(answer.body).not.toContain('xx');
    expect(await recordOf(gate, '/api/large/3')).toMatchObject({
      reasonCode: 'response_guarded',
      note: 'the answer grew larger than the guard allows',
      rule: { id: 'guard.size' },
      endedBy: 'guard',
    });
  });

  it('cuts an event stream as well', async () => {
    await using upstream = await startRawUpstream(
      answering({ '/events': `${EVENT_STREAM}${chunk('data: 1\n\n')}` }),
    );
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    const wire = await upstream.next();
    wire.send(chunk(`data: ${'x'.repeat(64 * 1024)}\n\n`));
    expect(await client.closed).toBe('reset');
    const ended = await untilPublished(gate, (all) => all.some(({ event }) => event === 'stream.ended'));
    expect(ended.find(({ event }) => event === 'stream.ended')).toMatchObject({
      endedBy: 'guard',
      rule: { id: 'guard.size' },
      http: { kind: 'event_stream', bytesOut: 9 },
      outcome: 'cut',
    });
    expect(await gate.metrics()).toContain('postern_streams_active{kind="event_stream"} 0');
  });

  it('leaves large answers of other routes alone', async () => {
    const total = 8 * MIB;
    await using upstream = await startRawUpstream(
      answering({
        '/api/stream': (wire) => {
          wire.send(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${total}\r\n\r\n`);
          for (let sent = 0; sent < total; sent += MIB) wire.send(Buffer.alloc(MIB, 'x'));
        },
      }),
    );
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    using client = await openClient(gate.dataPort);
    client.keep = false;
    client.send(await headFor(gate, 'GET /api/stream'));
    await client.until(() => client.bytes > total || client.ending !== null);
    expect(client.bytes).toBeGreaterThan(total);
    expect(await recordOf(gate, '/api/stream')).toMatchObject({
      endedBy: 'upstream',
      rule: null,
      http: { bytesOut: total },
    });
  });
});

describe('a guard in shadow mode', () => {
  it('stops nothing, and is recorded and counted', async () => {
    const zip = whole(['Content-Type: application/zip']);
    const long = CHUNKED + chunk('x'.repeat(2000)) + LAST;
    await using upstream = await startRawUpstream(
      answering({ '/files/zip': zip, '/watched/long': long, '/watched/short': whole([], 'short') }),
    );
    await using gate = await guarded(upstream.port);
    await gate.grant({});
    expect(await ask(gate, 'GET /files/zip')).toMatchObject({ status: 200, body: 'secret' });
    expect(await ask(gate, 'GET /watched/short')).toMatchObject({ status: 200, body: 'short' });
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /watched/long'));
    await client.seen(LAST);
    expect(await recordOf(gate, '/files/zip')).toMatchObject({
      reasonCode: 'ok',
      rule: null,
      shadowRules: [{ id: 'watch.zip', category: 'export' }],
      endedBy: 'upstream',
    });
    // Only the end shows that it was longer than it said.
    expect(await recordOf(gate, '/watched/long')).toMatchObject({
      shadowRules: [{ id: 'watch.size', category: 'bulk' }],
    });
    expect(await recordOf(gate, '/watched/short')).toMatchObject({ shadowRules: [] });
    const metrics = await gate.metrics();
    expect(metrics).toContain('postern_rule_matches_total{rule="watch.zip",mode="shadow"} 1');
    expect(metrics).toContain('postern_rule_matches_total{rule="watch.size",mode="shadow"} 1');
  });
});

describe('a reload', () => {
  it('judges by the new guards whatever has no head yet', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port, published: true });
    await gate.grant({});
    const asking = ask(gate, 'GET /api/all');
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), POLICY);
    await gate.postern.reload();
    wire.send(ATTACHED);
    expect(await asking).toMatchObject({ status: 403, reason: 'response_guarded' });
  });

  it('lets an answer go on that began before it', async () => {
    await using upstream = await startRawUpstream(
      answering({ '/api/all': ATTACHED.replace('secret', 'sec') }),
    );
    await using gate = await startGate({ upstreamPort: upstream.port, published: true });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /api/all'));
    await client.seen('sec');
    writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), POLICY);
    await gate.postern.reload();
    (await upstream.next()).send('ret');
    await client.seen('secret');
    expect(await ask(gate, 'GET /api/all')).toMatchObject({ status: 403, reason: 'response_guarded' });
  });
});
