// Rules that look into bodies, through the whole gate: held, read, and forwarded byte for byte.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: bodies }
spec:
  rules:
    - id: json.export
      category: export
      match: [ { methods: [POST], paths: ["/jobs"], json: { "/type": [export] } } ]
    - id: graphql.export
      category: export
      match: [ { paths: ["/graphql"], graphql: { operations: [exportCustomers] } } ]
    - id: shadow.note
      category: notes
      mode: shadow
      match: [ { methods: [POST], paths: ["/notes"], json: { "/secret": "*" } } ]
    - id: tickets.delete
      category: destructive
      match: [ { methods: [DELETE], paths: ["/tickets/{id}"] } ]
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: small }
spec: { paths: ["/jobs", "/notes"], maxInspectedBody: 1KiB }
`;
const JSON_TYPE = 'Content-Type: application/json';

async function post(gate: Gate, target: string, body: string | Buffer, headers: readonly string[]) {
  using client = await dial(gate);
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  client.send(await headFor(gate, `POST ${target}`, ['Connection: close', length, ...headers]));
  client.send(body);
  return await answerOn(client);
}

async function postChunked(gate: Gate, target: string, chunks: readonly string[]) {
  using client = await dial(gate);
  const headers = ['Connection: close', 'Transfer-Encoding: chunked', JSON_TYPE];
  client.send(await headFor(gate, `POST ${target}`, headers));
  for (const text of chunks) client.send(`${text.length.toString(16)}\r\n${text}\r\n`);
  client.send('0\r\n\r\n');
  return await answerOn(client);
}

describe('a rule that has to see the body', () => {
  it('denies by what it finds there, and the upstream never hears of it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const answer = await post(gate, '/jobs', '{"type":"export"}', [JSON_TYPE]);
    expect(answer).toMatchObject({ status: 403, reason: 'rule_denied' });
    expect(JSON.parse(answer.body)).toMatchObject({ rule: { id: 'json.export' } });
    expect(upstream.wires).toEqual([]);
    const line = gate.journal().find((one) => one['k'] === 'refused');
    expect(line).toMatchObject({ code: 'rule_denied', rule: { id: 'json.export' }, bytesIn: 17 });
  });

  it('lets another body pass byte for byte, spaces, order and number spelling included', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const body = ' { "b" : 1.0e0,\t"type":"im\\u0070ort" }\r\n';
    expect((await post(gate, '/jobs', body, [JSON_TYPE])).status).toBe(200);
    const wire = await upstream.next();
    expect(wire.text.endsWith(`\r\n\r\n${body}`)).toBe(true);
    expect(wire.text).toContain(`\r\ncontent-length: ${body.length}\r\n`);
  });

  it('holds a chunked body, and reads a compressed one without changing it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    expect((await postChunked(gate, '/jobs', ['{"type":', '"import"}'])).status).toBe(200);
    const wire = await upstream.next();
    expect(wire.text.endsWith('{"type":"import"}')).toBe(true);
    expect(await postChunked(gate, '/jobs', ['{"ty', 'pe":"ex', 'port"}'])).toMatchObject({ status: 403 });
    const encoding = 'Content-Encoding: gzip';
    const denied = gzipSync('{"type":"export"}');
    expect(await post(gate, '/jobs', denied, [JSON_TYPE, encoding])).toMatchObject({ status: 403 });
    const allowed = gzipSync('{"type":"import"}');
    expect((await post(gate, '/jobs', allowed, [JSON_TYPE, encoding])).status).toBe(200);
    expect(Buffer.from(wire.text, 'latin1').includes(allowed)).toBe(true);
  });

  it.each([
    ['a type nobody reads', '{"type":"import"}', ['Content-Type: text/plain']],
    ['no type', '{"type":"import"}', []],
    ['text that is no JSON', '{"type":', [JSON_TYPE]],
    ['a member twice', '{"type":"import","type":"export"}', [JSON_TYPE]],
    ['an encoding nobody reads', 'xx', [JSON_TYPE, 'Content-Encoding: zstd']],
  ])('refuses %s with 415, by the rule', async (_name, body, headers) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const answer = await post(gate, '/jobs', body, headers);
    expect(answer).toMatchObject({ status: 415, reason: 'body_uninspectable' });
    expect(JSON.parse(answer.body)).toMatchObject({ rule: { id: 'json.export' } });
    expect(upstream.wires).toEqual([]);
  });

  it('refuses what is too large to hold with 413, declared or chunked', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const long = JSON.stringify({ type: 'import', more: 'x'.repeat(2000) });
    for (const answer of [
      await post(gate, '/jobs', long, [JSON_TYPE]),
      await postChunked(gate, '/jobs', [long]),
    ]) {
      expect(answer).toMatchObject({ status: 413, reason: 'body_too_large' });
      expect(JSON.parse(answer.body)).toMatchObject({ rule: { id: 'json.export' } });
    }
    expect(upstream.wires).toEqual([]);
  });

  it('does not hold a body on another route', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const body = JSON.stringify({ type: 'export', more: 'x'.repeat(100_000) });
    expect((await post(gate, '/elsewhere', body, ['Content-Type: text/plain'])).status).toBe(200);
  });

  it('denies a GraphQL field behind an alias and a fragment, in the body and in the query', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const query = 'query Tickets { ...F } fragment F on Query { tickets: exportCustomers { url } }';
    const answer = await post(gate, '/graphql', JSON.stringify({ query }), [JSON_TYPE]);
    expect(JSON.parse(answer.body)).toMatchObject({ rule: { id: 'graphql.export' } });
    using client = await dial(gate);
    const target = `/graphql?query=${encodeURIComponent('{ exportCustomers { url } }')}`;
    client.send(await headFor(gate, `GET ${target}`));
    expect(await answerOn(client)).toMatchObject({ status: 403 });
    const harmless = JSON.stringify({ query: '{ customers { name } }' });
    expect((await post(gate, '/graphql', harmless, [JSON_TYPE])).status).toBe(200);
  });

  it('denies an upgrade to its path, since it would not see what follows', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    using client = await dial(gate);
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    client.send(await headFor(gate, 'GET /graphql', [...upgrade, key]));
    const answer = await answerOn(client);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 403, rule: { id: 'graphql.export' } });
  });

  it('in shadow mode stops nothing, and the record names it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const long = JSON.stringify({ secret: 'x'.repeat(2000) });
    expect((await post(gate, '/notes', '{"secret":1}', [JSON_TYPE])).status).toBe(200);
    expect((await post(gate, '/notes', '{"other":1}', [JSON_TYPE])).status).toBe(200);
    expect((await post(gate, '/notes', long, [JSON_TYPE])).status).toBe(200);
    expect((await postChunked(gate, '/notes', [long])).status).toBe(200);
    expect((await post(gate, '/notes', 'no json', ['Content-Type: text/plain'])).status).toBe(200);
    const shadows = gate
      .journal()
      .filter((line) => line['k'] === 'intent')
      .map(({ shadow }) => shadow);
    const named = [{ id: 'shadow.note', category: 'notes' }];
    expect(shadows).toEqual([named, undefined, named, named, named]);
  });

  it('looks into a form for a method that a rule on the path names', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({});
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const answer = await post(gate, '/tickets/7', 'a=1&_method=delete', [form]);
    expect(JSON.parse(answer.body)).toMatchObject({ rule: { id: 'tickets.delete' } });
    expect((await post(gate, '/tickets/7', 'a=1&_method=post', [form])).status).toBe(200);
  });
});
