// A body that is held for a rule, through the whole gate: what is waited for, what ends the wait (the client, the clock,
// a revoke, a new policy, the shutdown), that nothing of a refused one is forwarded, and that each has one record.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import {
  answerOn,
  ask,
  chunk,
  dial,
  EVENT_STREAM,
  headFor,
  HELLO,
  untilBound,
} from '../support/gate-traffic.ts';
import { FORM_TYPE, JSON_TYPE, startPolicyGate } from '../support/policy-gate.ts';
import { startAnswering, startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: bodies }
spec:
  rules:
    - { id: json.export, category: export, match: [ { paths: ["/jobs", "/search", "/small"], json: { "/type": [export] } } ] }
    - { id: shadow.note, category: notes, mode: shadow, match: [ { paths: ["/notes"], json: { "/secret": "*" } } ] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: search }
spec: { paths: ["/search"], allow: [getBody] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: small }
spec: { paths: ["/small"], maxBody: 1KiB, maxInspectedBody: 64KiB }
`;
const IMPORT = '{"type":"import"}';
const HELD_AT_ONCE = 64;
const CHUNKED = ['Transfer-Encoding: chunked', JSON_TYPE];

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is still held, and not only not yet collected. */
function bufferBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

function outcomes(gate: Gate): Record<string, unknown>[] {
  return gate.journal().filter(({ k }) => k === 'intent' || k === 'refused');
}

/** A request whose body is on its way: the gate holds what has come. */
async function holding(
  gate: Gate,
  client: Wire,
  grant: string,
  headers: readonly string[] = ['Content-Length: 17', JSON_TYPE],
): Promise<void> {
  client.send(await headFor(gate, 'POST /jobs', headers));
  client.send(headers.includes('Transfer-Encoding: chunked') ? '5\r\n{"typ\r\n' : '{"typ');
  await untilBound(gate, grant, 1);
}

describe('a body that is held', () => {
  it('is asked for with one 100, judged, and forwarded without the expectation', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    for (const [body, status] of [
      [IMPORT, 200],
      ['{"type":"export"}', 403],
    ] as const) {
      using client = await dial(gate);
      const headers = ['Connection: close', 'Expect: 100-continue', 'Content-Length: 17', JSON_TYPE];
      client.send(await headFor(gate, 'POST /jobs', headers));
      expect(await client.seen('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      client.send(body);
      await client.closed;
      expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', `HTTP/1.1 ${status}`]);
    }
    expect(upstream.wires).toHaveLength(1);
    expect(upstream.wires[0]?.text.toLowerCase()).not.toContain('expect');
    expect(upstream.wires[0]?.text.endsWith(IMPORT)).toBe(true);
  });

  it('is not asked for where its declared length is too much already', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    using client = await dial(gate);
    const headers = ['Expect: 100-continue', `Content-Length: ${2 * 1024 ** 2}`, JSON_TYPE];
    client.send(await headFor(gate, 'POST /jobs', headers));
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 413 [^]*"reason":"body_too_large"[^]*json\.export/);
    expect(upstream.wires).toEqual([]);
  });

  it.each([
    [
      'with extensions and trailers',
      '8;a="b;c"\r\n{"type":\r\n9;x\r\n"import"}\r\n0;last\r\nX-Late: 1\r\n\r\n',
    ],
    ['one byte a chunk', `${[...IMPORT].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`],
    ['in chunks of odd spelling', `00011\r\n${IMPORT}\r\n000\r\n\r\n`],
  ])('in chunks %s arrives with one length and nothing of the chunks', async (_how, chunks) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /jobs', ['Connection: close', 'Trailer: X-Late', ...CHUNKED]));
    client.send(chunks);
    expect((await answerOn(client)).status).toBe(200);
    const { text } = upstream.wires[0] as Wire;
    expect(text.endsWith(`content-length: 17\r\n\r\n${IMPORT}`)).toBe(true);
    expect(text).not.toMatch(/transfer-encoding|trailer|x-late/i);
  });

  it('of no bytes is no body: neither by length nor in chunks', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    expect(await ask(gate, 'POST /jobs', ['Content-Length: 0', JSON_TYPE])).toMatchObject({ status: 200 });
    expect(await ask(gate, 'POST /jobs', ['Content-Length: 0', 'Content-Type: image/png'])).toMatchObject({
      status: 200,
    });
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /jobs', ['Connection: close', ...CHUNKED]));
    client.send('0\r\n\r\n');
    expect((await answerOn(client)).status).toBe(200);
    for (const { text } of upstream.wires) expect(text).toMatch(/\r\ncontent-length: 0\r\n\r\n$/);
  });

  it('of a GET is held where the route opts in to one, and refused elsewhere', async () => {
    await using fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({});
    const get = (path: string, body: string) => fixture.send(`GET ${path}`, { body, headers: [JSON_TYPE] });
    expect(await get('/search', IMPORT)).toMatchObject({ status: 200, forwarded: ['GET /search'] });
    expect(fixture.last().body).toBe(IMPORT);
    expect(await get('/search', '{"type":"export"}')).toMatchObject({ rule: 'json.export', forwarded: [] });
    expect(await get('/jobs', IMPORT)).toMatchObject({ status: 400, reason: 'bad_framing', forwarded: [] });
  });

  it('of HTTP/1.0 is held too, without a 100', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    for (const [body, status] of [
      [IMPORT, 200],
      ['{"type":"export"}', 403],
    ] as const) {
      using client = await dial(gate);
      const head = await headFor(gate, 'POST /jobs', [
        'Content-Length: 17',
        'Expect: 100-continue',
        JSON_TYPE,
      ]);
      client.send(head.replace('HTTP/1.1', 'HTTP/1.0') + body);
      await client.closed;
      expect(client.text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    }
    expect(upstream.wires).toHaveLength(1);
  });

  it('is bound by the limit of bodies too, in chunks as by its length', async () => {
    await using fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({});
    const long = JSON.stringify({ type: 'import', more: 'x'.repeat(2000) });
    const sent = { headers: [JSON_TYPE] };
    for (const framed of [
      { body: long },
      { chunks: [long] },
      { chunks: [long.slice(0, 900), long.slice(900)] },
    ]) {
      expect(await fixture.send('POST /small', { ...sent, ...framed })).toMatchObject({
        status: 413,
        reason: 'body_too_large',
        forwarded: [],
      });
    }
    expect(await fixture.send('POST /small', { ...sent, chunks: [IMPORT] })).toMatchObject({ status: 200 });
  });

  it('leaves the connection to the next request, whatever was decided', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    using client = await dial(gate);
    const head = await headFor(gate, 'POST /jobs', ['Content-Length: 17', JSON_TYPE]);
    const chunked = await headFor(gate, 'POST /jobs', CHUNKED);
    for (const [text, status] of [
      [`${head}{"type":"export"}`, 403],
      [`${head}${IMPORT}`, 200],
      [`${chunked}11\r\n{"type":"export"}\r\n0\r\n\r\n`, 403],
      [`${chunked}11\r\n${IMPORT}\r\n0\r\n\r\n`, 200],
      [`${chunked}5\r\nno JS\r\n0\r\n\r\n`, 415],
      [await headFor(gate, 'GET /after'), 200],
    ] as const) {
      client.clear();
      client.send(text);
      expect((await answerOn(client)).status, text).toBe(status);
    }
    expect(client.ending).toBeNull();
    const seen = upstream.wires.map(({ text }) => text).join('');
    expect(seen.match(/(?:GET|POST) \S+/g)).toEqual(['POST /jobs', 'POST /jobs', 'GET /after']);
    expect(outcomes(gate).map(({ bytesIn = null }) => bytesIn)).toEqual([17, null, 17, null, 5, null]);
    const done = () => gate.journal().filter(({ k }) => k === 'done');
    await expect
      .poll(() => done().map(({ bytesIn = 0 }) => bytesIn), { timeout: 10_000 })
      .toEqual([17, 17, 0]);
  });

  it('holds back what is pipelined behind it, and each is judged for itself', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    const denied = await headFor(gate, 'POST /jobs', ['Content-Length: 17', JSON_TYPE]);
    const last = await headFor(gate, 'GET /last', ['Connection: close']);
    client.send(`e":"import"}${denied}{"type":"export"}${last}`);
    await client.closed;
    expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 200']);
    expect(
      upstream.wires
        .map(({ text }) => text)
        .join('')
        .match(/(?:GET|POST) \S+/g),
    ).toEqual(['POST /jobs', 'GET /last']);
  });

  it('is sent on once; an upstream that cannot be reached is a 502 with one record', async () => {
    const gone = await startRawUpstream();
    await gone[Symbol.asyncDispose]();
    await using gate = await startGate({ upstreamPort: gone.port, policy: POLICY });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /jobs', ['Content-Length: 17', JSON_TYPE]));
    client.send(IMPORT);
    expect(await answerOn(client)).toMatchObject({ status: 502, reason: 'upstream_unreachable' });
    expect(gate.journal().filter(({ k }) => k === 'intent')).toHaveLength(1);
    await expect
      .poll(() => gate.journal().filter(({ k }) => k === 'done'), { timeout: 10_000 })
      .toMatchObject([{ code: 'upstream_unreachable' }]);
  });

  it('counts once against the limits of a principal, and gives back its place', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      policy: POLICY,
      config: { limits: { perPrincipal: { concurrent: 1, perSecond: 'off' } } },
    });
    const { id } = await gate.grant({});
    for (const rest of ['e":"import"}', 'e":"export"}']) {
      using client = await dial(gate);
      await holding(gate, client, id);
      expect(await ask(gate, 'GET /meanwhile')).toMatchObject({ status: 429 });
      client.send(rest);
      await answerOn(client);
      await expect.poll(async () => (await ask(gate, 'GET /then')).status, { timeout: 10_000 }).toBe(200);
    }
  });

  it('is bounded in memory, however many are held at once, and let go when it is refused', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    const head = await headFor(gate, 'POST /jobs', CHUNKED);
    const clients = await Promise.all(Array.from({ length: HELD_AT_ONCE }, () => dial(gate)));
    const before = bufferBytes();
    for (const client of clients) client.send(head);
    await untilBound(gate, id, HELD_AT_ONCE);
    // Each sends six times what may be held. One buffer for all, so that only the gate's copies are counted.
    const part = Buffer.from(`40000\r\n${' '.repeat(0x40000)}\r\n`);
    for (const client of clients) for (let i = 0; i < 24; i++) client.send(part);
    let peak = 0;
    await Promise.all(
      clients.map(async (client) => {
        expect(await client.seen('"reason"')).toMatch(/^HTTP\/1\.1 413 /);
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
      }),
    );
    expect(peak).toBeLessThan(3 * HELD_AT_ONCE * 1024 ** 2);
    for (const client of clients) client.socket.destroy();
    await expect.poll(() => gate.postern.gateway.inFlight, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => bufferBytes() - before, { timeout: 10_000 }).toBeLessThan(8 * 1024 ** 2);
    expect(upstream.wires).toEqual([]);
    expect(outcomes(gate)).toHaveLength(HELD_AT_ONCE);
  });
});

describe('a body that was held and sent on', () => {
  it('is let go, however long the answer takes', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const body = Buffer.from(`${' '.repeat(512 * 1024)}${IMPORT}`);
    const head = await headFor(gate, 'POST /jobs', [`Content-Length: ${body.length}`, JSON_TYPE]);
    const clients = await Promise.all(Array.from({ length: 16 }, () => dial(gate)));
    const before = bufferBytes();
    for (const client of clients) {
      client.send(head);
      client.send(body);
      const wire = await upstream.next();
      wire.keep = false;
      await wire.until(() => wire.bytes > body.length);
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
      await client.seen('data: 1');
    }
    expect(gate.postern.gateway.inFlight).toBe(16);
    await expect.poll(() => bufferBytes() - before, { timeout: 10_000 }).toBeLessThan(3 * 1024 ** 2);
    for (const client of clients) client.socket.destroy();
    await expect.poll(() => gate.postern.gateway.inFlight, { timeout: 10_000 }).toBe(0);
  });
});

describe('while a body is held', () => {
  it('silence ends it: 408, one record, nothing forwarded', async () => {
    await using upstream = await startAnswering(HELLO);
    const settings = POLICY.replace('allow: [getBody]', 'timeouts: { idle: 1s }');
    await using gate = await startGate({ upstreamPort: upstream.port, policy: settings });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /search', ['Content-Length: 17', JSON_TYPE]));
    client.send('{"typ');
    expect(await answerOn(client)).toMatchObject({ status: 408, reason: 'request_timeout' });
    await client.closed;
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'request_timeout', bytesIn: 5 }]);
    expect(upstream.wires).toEqual([]);
  });

  it('a client that goes away ends it: one record, and nothing is left of it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    client.socket.resetAndDestroy();
    await expect.poll(() => gate.postern.gateway.inFlight, { timeout: 10_000 }).toBe(0);
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'client_closed', endedBy: 'client' }]);
    expect(upstream.wires).toEqual([]);
  });

  it('a client that ends its side in the middle gets a 400, and nothing is forwarded', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    client.socket.end();
    expect(await answerOn(client)).toMatchObject({ status: 400, reason: 'bad_framing' });
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'bad_framing' }]);
    expect(upstream.wires).toEqual([]);
  });

  it.each([
    ['a length that is none', 'ZZ\r\n'],
    ['more than its length', '5\r\nhello!!\r\n'],
    ['a bare line feed', '5\nhello\r\n'],
  ])('a malformed chunk ends it: %s is a 400 with one record', async (_what, rest) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id, CHUNKED);
    client.send(rest);
    expect(await answerOn(client)).toMatchObject({ status: 400, reason: 'bad_framing' });
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'bad_framing' }]);
    expect(upstream.wires).toEqual([]);
  });

  it('a revoke ends it at once: it is over when the revoke returns', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    await gate.revoke(id);
    expect(gate.postern.gateway.inFlight).toBe(0);
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'grant_revoked' }]);
    client.send('e":"import"}');
    expect(await client.seen('"grant_revoked"')).toMatch(/^HTTP\/1\.1 403 /);
    await client.closed;
    expect(upstream.wires).toEqual([]);
  });

  it('the end of its grant ends it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({ duration: '2s' });
    using client = await dial(gate);
    await holding(gate, client, id);
    expect(await client.seen('"grant_expired"')).toMatch(/^HTTP\/1\.1 403 /);
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'grant_expired' }]);
    expect(upstream.wires).toEqual([]);
  });

  it('a grant that is narrowed to reading ends it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    const { status } = await gate.control('PATCH', `/v1/grants/${id}`, {
      access: 'read',
      expectedRevision: 1,
    });
    expect(status).toBe(200);
    expect(await answerOn(client)).toMatchObject({ status: 403 });
    expect(gate.postern.gateway.inFlight).toBe(0);
    expect(upstream.wires).toEqual([]);
  });

  it('the kill switch ends it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    writeFileSync(join(gate.folder, 'STOP'), '');
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'locked' });
    expect(outcomes(gate)).toMatchObject([{ k: 'refused', code: 'locked' }]);
    expect(upstream.wires).toEqual([]);
  });

  it('a shutdown waits for it, and ends it at the deadline', async () => {
    await using upstream = await startAnswering(HELLO);
    for (const [graceMs, rest, status] of [
      [5000, 'e":"import"}', 200],
      [5000, 'e":"export"}', 403],
      [50, '', 503],
    ] as const) {
      await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
      const { id } = await gate.grant({});
      using client = await dial(gate);
      await holding(gate, client, id);
      const drained = gate.postern.drain(graceMs);
      client.send(rest);
      expect((await answerOn(client)).status).toBe(status);
      await drained;
    }
    expect(upstream.wires).toHaveLength(1);
  });

  it.each([
    ['denies it by its path', '[ { paths: ["/jobs"] } ]', 'denied.now', 403],
    ['denies it by its body', '[ { paths: ["/jobs"], json: { "/type": [import] } } ]', 'denied.now', 403],
    ['has to see it in another way', '[ { paths: ["/jobs"], form: { type: "*" } } ]', 'denied.now', 415],
    ['lets it pass', '[ { paths: ["/other"] } ]', null, 200],
  ])('a new policy counts, which %s', async (_how, match, rule, status) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    const { id } = await gate.grant({});
    using client = await dial(gate);
    await holding(gate, client, id);
    const next = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: next }
spec: { rules: [ { id: denied.now, category: export, match: ${match} } ] }
`;
    writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), next);
    await gate.postern.reload();
    client.send('e":"import"}');
    const answer = await answerOn(client);
    expect(answer.status).toBe(status);
    if (rule !== null) expect(JSON.parse(answer.body)).toMatchObject({ rule: { id: rule } });
    expect(upstream.wires).toHaveLength(rule === null ? 1 : 0);
    const [record] = outcomes(gate);
    expect(outcomes(gate)).toHaveLength(1);
    expect(record).toMatchObject(rule === null ? { k: 'intent' } : { k: 'refused', rule: { id: rule } });
  });
});

const READ_RULES = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec: { rules: [ { id: never, category: a, match: [ { paths: ["/never"] } ] } ] }
`;
const safe = (more = '') => `
---
apiVersion: postern/v1
kind: SafeRoutes
metadata: { name: safe }
spec: { routes: [ { methods: [POST], paths: ["/jobs"]${more} } ] }
`;
const MAP = `
---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: map }
spec: { scopes: [ { paths: ["/jobs"], workspace: { header: X-Workspace }, required: true } ] }
`;

describe('a new policy while a body is held under a read grant for one workspace', () => {
  it.each([
    ['no longer names the route as safe', '', 403],
    ['names it as safe for GraphQL queries', safe(', graphql: { type: query }'), 403],
    ['asks which workspace it is about', safe() + MAP, 403],
    ['says what the old one said', safe(), 200],
  ])('that %s counts', async (_what, next, status) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: READ_RULES + safe() });
    const { id } = await gate.grant({ access: 'read', workspaces: [{ id: 'w1', roles: [] }] });
    using client = await dial(gate);
    await holding(gate, client, id);
    writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), READ_RULES + next);
    await gate.postern.reload();
    client.send('e":"import"}');
    await client.seen('\r\n\r\n');
    expect(client.text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(upstream.wires).toHaveLength(status === 200 ? 1 : 0);
    expect(outcomes(gate)).toHaveLength(1);
  });
});

describe('a body that only a rule in shadow mode would see', () => {
  it('is not held in chunks: it is forwarded as it comes, and the record names the rule', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /notes', ['Connection: close', ...CHUNKED]));
    client.send('5\r\n{"sec\r\n');
    const wire = await upstream.next();
    expect(await wire.seen('{"sec')).toMatch(/\r\ntransfer-encoding: chunked\r\n/);
    client.send('7\r\nret":1}\r\n0\r\n\r\n');
    await wire.seen('0\r\n\r\n');
    wire.send(HELLO);
    expect((await answerOn(client)).status).toBe(200);
    expect(outcomes(gate)).toMatchObject([
      { k: 'intent', shadow: [{ id: 'shadow.note', category: 'notes' }] },
    ]);
  });

  it('is held where its length is known, and forwarded whatever it is', async () => {
    await using fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({});
    for (const [body, type] of [
      ['{"secret":1}', JSON_TYPE],
      ['a=1&_method=x', FORM_TYPE],
      ['not JSON', JSON_TYPE],
    ] as const) {
      expect(await fixture.send('POST /notes', { body, headers: [type] })).toMatchObject({ status: 200 });
      expect(fixture.last().body).toBe(body);
    }
  });
});
