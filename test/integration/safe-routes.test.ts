// What a read grant may do through the whole gate: safe methods by every method the request claims, and what the
// policy's SafeRoutes name besides, GraphQL queries and one WebSocket among it.
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startGate } from '../support/gate.ts';
import { HANDSHAKE } from '../support/gate-traffic.ts';
import {
  FORM_TYPE,
  JSON_TYPE,
  PASSED,
  type PolicyGate,
  refusedBy,
  startPolicyGate,
} from '../support/policy-gate.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec:
  rules:
    - { id: export.all, category: export, match: [ { paths: ["/exports/**"] } ] }
    - id: search.export
      category: export
      match: [ { methods: [POST], paths: ["/search"], json: { "/format": [csv] } } ]
---
apiVersion: postern/v1
kind: SafeRoutes
metadata: { name: reads }
spec:
  routes:
    - { methods: [POST], paths: ["/search", "/tickets/{id}/preview", "/exports/preview"] }
    - { methods: [POST], paths: ["/graphql"], graphql: { type: query } }
    - { paths: ["/live/{room}"], upgrade: websocket }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: small }
spec: { paths: ["/search"], maxInspectedBody: 1KiB }
`;
const READ_ONLY = refusedBy(403, 'read_only');
const JSON_BODY = { headers: [JSON_TYPE] };

const inQuery = (document: string) => `POST /graphql?query=${encodeURIComponent(document)}`;

describe('a read grant', () => {
  let fixture: PolicyGate;
  let writer: string;

  beforeAll(async () => {
    fixture = await startPolicyGate({ policy: POLICY });
    const { gate } = fixture;
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    await gate.grant({ ...only('sam'), access: 'read' });
    await gate.grant({ ...only('wanda'), access: 'write' });
    writer = await gate.staffToken({ sub: 'wanda' });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it('reads: GET, HEAD and OPTIONS pass on any route', async () => {
    for (const line of ['GET /tickets', 'HEAD /tickets', 'OPTIONS /tickets', 'HEAD /search']) {
      expect(await fixture.send(line), line).toEqual({ ...PASSED, forwarded: [line] });
    }
  });

  it('does not write, and its record says so', async () => {
    fixture.takeLines();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect(await fixture.send(`${method} /tickets/7`, { body: '{}', ...JSON_BODY }), method).toEqual(
        READ_ONLY,
      );
    }
    const lines = fixture.takeLines().filter(({ k }) => k === 'refused' || k === 'intent');
    expect(lines.map(({ code, method }) => `${String(method)} ${String(code)}`)).toEqual(
      ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} read_only`),
    );
    expect(lines[0]).toMatchObject({ grant: { access: 'read' } });
  });

  it('uses a safe route with the methods it lists, its body byte for byte', async () => {
    const body = ' {"q": "caf\\u00e9",\t"n":1.0 }';
    expect(await fixture.send('POST /search', { body, ...JSON_BODY })).toEqual({
      ...PASSED,
      forwarded: ['POST /search'],
    });
    expect(fixture.last().body).toBe(body);
    expect(await fixture.send('POST /tickets/7/preview', { chunks: ['{"a"', ':1}'], ...JSON_BODY })).toEqual({
      ...PASSED,
      forwarded: ['POST /tickets/7/preview'],
    });
    expect(fixture.last().body).toBe('{"a":1}');
    expect(await fixture.send('POST /search')).toMatchObject(PASSED);
    expect(await fixture.send('PUT /search', { body: '{}', ...JSON_BODY })).toEqual(READ_ONLY);
  });

  it.each([
    ['a query', 'POST /search?_method=DELETE', '{}', JSON_TYPE],
    ['a form', 'POST /search', 'q=1&_method=DELETE', FORM_TYPE],
    ['a JSON body', 'POST /search', '{"q":1,"_method":"DELETE"}', JSON_TYPE],
    ['a GET', 'GET /tickets/7?_method=delete', '', ''],
  ])('is refused a method that %s claims besides its own', async (_what, line, body, type) => {
    const sent = body === '' ? {} : { body, headers: [type] };
    expect(await fixture.send(line, sent)).toEqual(READ_ONLY);
  });

  it('may claim a method that is as safe', async () => {
    for (const body of ['_method=GET&q=1', '_method=POST']) {
      const sent = { body, headers: [FORM_TYPE] };
      expect(await fixture.send('POST /tickets/7/preview', sent), body).toMatchObject(PASSED);
    }
  });

  it('is refused a body that might claim a method where nobody can read it', async () => {
    const multipart = 'Content-Type: multipart/form-data; boundary=b';
    const part = '--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\nDELETE\r\n--b--\r\n';
    expect(await fixture.send('POST /search', { body: part, headers: [multipart] })).toEqual(READ_ONLY);
    expect(await fixture.send('POST /search', { body: 'q=1' })).toEqual(READ_ONLY);
    const long = JSON.stringify({ q: 'x'.repeat(2000) });
    expect(await fixture.send('POST /search', { body: long, ...JSON_BODY })).toEqual(READ_ONLY);
    expect(await fixture.send('POST /search', { chunks: [long], ...JSON_BODY })).toEqual(READ_ONLY);
  });

  it('meets the deny rules behind a safe route, with the body that was held once', async () => {
    expect(await fixture.send('POST /search', { body: '{"format":"csv"}', ...JSON_BODY })).toEqual(
      refusedBy(403, 'rule_denied', 'search.export'),
    );
    expect(await fixture.send('POST /exports/preview', { body: '{}', ...JSON_BODY })).toEqual(
      refusedBy(403, 'rule_denied', 'export.all'),
    );
  });

  it.each([
    ['a query', '{ tickets { id } }', PASSED],
    ['a named one behind a fragment', 'query T { ...F } fragment F on Query { tickets { id } }', PASSED],
    ['a mutation', 'mutation { close(id: 7) }', READ_ONLY],
    ['one beside the operation that is named', 'query A { a } mutation B { b }', READ_ONLY],
    ['a subscription', 'subscription { tickets }', READ_ONLY],
    ['what is no GraphQL', 'query {', READ_ONLY],
  ])('asks GraphQL with %s', async (_what, query, expected) => {
    const body = JSON.stringify({ query, operationName: 'A' });
    expect(await fixture.send('POST /graphql', { body, ...JSON_BODY })).toMatchObject(expected);
    const asForm = `query=${encodeURIComponent(query)}`;
    expect(await fixture.send('POST /graphql', { body: asForm, headers: [FORM_TYPE] })).toMatchObject(
      expected,
    );
  });

  it('asks GraphQL in the query string as in the body: one mutation anywhere is one too many', async () => {
    const harmless = JSON.stringify({ query: '{ tickets { id } }' });
    expect(await fixture.send(inQuery('{ tickets { id } }'))).toMatchObject(PASSED);
    expect(await fixture.send(inQuery('mutation { close }'))).toEqual(READ_ONLY);
    expect(await fixture.send(inQuery('mutation { close }'), { body: harmless, ...JSON_BODY })).toEqual(
      READ_ONLY,
    );
    expect(await fixture.send('POST /graphql')).toEqual(READ_ONLY);
  });

  it('opens no WebSocket, not even on a safe route for something else', async () => {
    for (const path of ['/chat', '/search', '/live', '/live/7/8']) {
      expect(await fixture.send(`GET ${path}`, { headers: HANDSHAKE }), path).toEqual(READ_ONLY);
    }
  });

  it('does not bind a write grant', async () => {
    expect(await fixture.send('DELETE /tickets/7', { token: writer })).toMatchObject(PASSED);
    const mutation = JSON.stringify({ query: 'mutation { close(id: 7) }' });
    expect(
      await fixture.send('POST /graphql', { body: mutation, ...JSON_BODY, token: writer }),
    ).toMatchObject(PASSED);
  });
});

describe('a WebSocket that a safe route names', () => {
  it('opens under a read grant, and messages pass both ways', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (peer) => peer.on('message', (text) => peer.send(`echo ${String(text)}`)));
    try {
      await using gate = await startGate({
        upstreamPort: (server.address() as AddressInfo).port,
        policy: POLICY,
      });
      await gate.grant({ access: 'read' });
      const client = new WebSocket(`ws://127.0.0.1:${gate.dataPort}/live/7`, {
        headers: { host: gate.host, authorization: `Bearer ${await gate.staffToken()}` },
      });
      client.on('error', () => undefined);
      await new Promise((resolve, reject) => {
        client.once('open', resolve);
        client.once('error', reject);
      });
      client.send('hello');
      const message = await new Promise((resolve) => client.once('message', resolve));
      expect(String(message)).toBe('echo hello');
      client.terminate();
    } finally {
      for (const peer of server.clients) peer.terminate();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
