// The attack: a read grant writes. Through a safe route in another spelling, with a method in the query, the body or a
// header, by GraphQL that hides a mutation, through a WebSocket, or by an encoded slash that leads past the route.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dial, HANDSHAKE, headFor } from '../support/gate-traffic.ts';
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
spec: { rules: [ { id: never, category: a, match: [ { paths: ["/never"] } ] } ] }
---
apiVersion: postern/v1
kind: SafeRoutes
metadata: { name: reads }
spec:
  routes:
    - { methods: [POST], paths: ["/search", "/files/{id}/preview"] }
    - { methods: [POST], paths: ["/graphql"], graphql: { type: query } }
    - { methods: [POST], paths: ["/graphql/customers"], graphql: { type: query, operations: [customer] } }
    - { paths: ["/live"], upgrade: websocket }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: files }
spec: { paths: ["/files/**"], allow: [encodedSlash, encodedPercent] }
`;
const READ_ONLY = refusedBy(403, 'read_only');
const PLAIN = { headers: ['Content-Type: text/plain'], body: 'q' };
const json = (value: unknown) => ({ headers: [JSON_TYPE], body: JSON.stringify(value) });

describe('a read grant', () => {
  let fixture: PolicyGate;

  beforeAll(async () => {
    fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({ access: 'read' });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it.each([
    '/search/',
    '/SEARCH',
    '/search;x=1',
    '/search.json',
    '/search%20',
    '/search/../tickets',
    '/search%2f..%2ftickets',
    '//search',
    '/search/7',
    '/s%65arch/7',
    '/files/7%2Fpreview',
    '/files/7%2Fclose%3F/preview',
    '/files/7%23/preview',
    '/files/7%252Fclose/preview',
    '/files/..%2Ftickets/preview',
    '/files/preview',
  ])('does not post to %s, though a safe route is near', async (path) => {
    const { status, reason, forwarded } = await fixture.send(`POST ${path}`, PLAIN);
    expect(forwarded).toEqual([]);
    expect([`403 read_only`, `400 bad_request_target`]).toContain(`${status} ${reason}`);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'post', 'Post', 'TRACE', 'CONNECT', 'PURGE'])(
    'does not use %s on a safe route',
    async (method) => {
      expect((await fixture.send(`${method} /search`)).forwarded).toEqual([]);
    },
  );

  it.each([
    'GET /tickets/7?_method=DELETE',
    'GET /tickets/7?_METHOD=delete',
    'GET /tickets/7?_method=GET&_method=DELETE',
    'GET /tickets/7?_method[]=DELETE',
    'GET /tickets/7?a=1;_method=DELETE',
    'GET /tickets/7?%5Fmethod=DELETE',
    'GET /tickets/7?_%EF%BD%8Dethod=DELETE',
    'GET /tickets/7?_method=%44ELETE',
    'GET /tickets/7?_method=%zz',
    'HEAD /tickets/7?_method=DELETE',
    'OPTIONS /tickets/7?_method=DELETE',
    'POST /search?_method=DELETE',
    'POST /search?_method=POST&_method=PUT',
    'POST /files/7%3F_method=DELETE/preview',
    'GET /files/7%3F_method=DELETE',
  ])('does not claim a method in the query: %s', async (line) => {
    const sent = line.startsWith('POST') ? PLAIN : {};
    expect((await fixture.send(line, sent)).forwarded).toEqual([]);
  });

  it.each([
    ['a form', { headers: [FORM_TYPE], body: '_method=DELETE' }],
    ['a form with brackets', { headers: [FORM_TYPE], body: 'q=1&_method[]=DELETE' }],
    ['a form with a name in another case', { headers: [FORM_TYPE], body: '%5FMETHOD=delete' }],
    ['a form twice', { headers: [FORM_TYPE], body: '_method=POST&_method=DELETE' }],
    ['a form in chunks', { headers: [FORM_TYPE], chunks: ['_meth', 'od=DELETE'] }],
    [
      'a form of another charset',
      { headers: [`${FORM_TYPE}; charset=utf-16`], body: Buffer.from('_method=DELETE', 'utf16le') },
    ],
    [
      'a form that is compressed',
      { headers: [FORM_TYPE, 'Content-Encoding: gzip'], body: gzipSync('_method=DELETE') },
    ],
    [
      'a form in a coding that nobody reads',
      { headers: [FORM_TYPE, 'Content-Encoding: deflate'], body: '_method=DELETE' },
    ],
    ['JSON', json({ _method: 'DELETE' })],
    ['JSON in another case', json({ _METHOD: 'delete' })],
    ['JSON twice', { headers: [JSON_TYPE], body: '{"_method":"GET","_method":"DELETE"}' }],
    ['JSON that is none', { headers: [JSON_TYPE], body: '_method=DELETE' }],
    ['a multipart form', { headers: ['Content-Type: multipart/form-data; boundary=x'], body: '--x--' }],
    ['no type', { body: '_method=DELETE' }],
    [
      'two types',
      { headers: ['Content-Type: text/plain, application/x-www-form-urlencoded'], body: '_method=DELETE' },
    ],
    ['two lines of types', { headers: ['Content-Type: text/plain', FORM_TYPE], body: '_method=DELETE' }],
    [
      'a malformed type',
      { headers: ['Content-Type: text/plain application/x-www-form-urlencoded'], body: '_method=DELETE' },
    ],
    ['more than is read', { headers: [FORM_TYPE], body: `a=${'x'.repeat(1_100_000)}&_method=DELETE` }],
    [
      'more than is read, in chunks',
      { headers: [FORM_TYPE], chunks: [`a=${'x'.repeat(1_100_000)}`, '&_method=DELETE'] },
    ],
  ])('does not claim a method in %s', async (_what, sent) => {
    expect((await fixture.send('POST /search', sent)).forwarded).toEqual([]);
  });

  it('does not claim a method in a header: none of them arrives', async () => {
    for (const name of [
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      'x-http-METHOD-override',
    ]) {
      const headers = [...PLAIN.headers, `${name}: DELETE`];
      expect(await fixture.send('POST /search', { ...PLAIN, headers })).toMatchObject(PASSED);
      expect(fixture.last().headers.filter(([one]) => /method/i.test(one))).toEqual([]);
      expect(await fixture.send('GET /tickets/7', { headers: [`${name}: DELETE`] })).toMatchObject(PASSED);
      expect(fixture.last().headers.filter(([one]) => /method/i.test(one))).toEqual([]);
    }
  });

  const sha256Hash = createHash('sha256').update('mutation { close }').digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  it.each([
    ['a mutation', json({ query: 'mutation { close }' })],
    ['one that is not named', json({ query: 'query A { a } mutation B { close }', operationName: 'A' })],
    ['one in a batch', json([{ query: '{ a }' }, { query: 'mutation { close }' }])],
    ['one under another case', json({ query: '{ a }', Query: 'mutation { close }' })],
    ['one that stands twice', { headers: [JSON_TYPE], body: '{"query":"{a}","query":"mutation{close}"}' }],
    ['one that is stored', json({ extensions })],
    ['one that is stored beside a query', json({ query: '{ a }', extensions })],
    ['one by its id', json({ query: '{ a }', documentId: 'close-ticket' })],
    ['a subscription', json({ query: 'subscription { a }' })],
    ['one in a form beside a query', { headers: [FORM_TYPE], body: 'query={a}&query=mutation{close}' }],
    [
      'one in a multipart request',
      { headers: ['Content-Type: multipart/form-data; boundary=x'], body: '--x--' },
    ],
    ['one as text', { headers: ['Content-Type: text/plain'], body: 'mutation { close }' }],
    ['one as GraphQL', { headers: ['Content-Type: application/graphql'], body: 'mutation { close }' }],
    ['one behind a byte order mark', { headers: [JSON_TYPE], body: '\u{FEFF}{"query":"mutation{close}"}' }],
    ['no document', json({ variables: {} })],
    ['fragments alone', json({ query: 'fragment F on Q { a }' })],
    ['what is no GraphQL', json({ query: '{ a } }' })],
  ])('does not ask GraphQL for %s', async (_what, sent) => {
    for (const path of ['/graphql', '/graphql/customers']) {
      expect((await fixture.send(`POST ${path}`, sent)).forwarded, path).toEqual([]);
    }
    const harmless = json({ query: '{ customer { name } }' });
    const { body } = sent;
    if (typeof body !== 'string' || !body.startsWith('{"query":"mutation')) return;
    const asked = `POST /graphql?query=${encodeURIComponent('mutation { close }')}`;
    expect(await fixture.send(asked, harmless)).toEqual(READ_ONLY);
  });

  const ask = (query: string) => fixture.send('POST /graphql/customers', json({ query }));
  it('asks GraphQL only for the root fields that the route names, whatever they are called in the answer', async () => {
    expect(await ask('{ customer { name } }')).toMatchObject(PASSED);
    expect(
      await ask('{ a: customer { name } ...F } fragment F on Query { b: customer { id } }'),
    ).toMatchObject(PASSED);
    for (const query of [
      '{ customer: exportCustomers { url } }',
      '{ customer { name } exportCustomers { url } }',
      '{ ...F } fragment F on Query { exportCustomers { url } }',
      '{ Customer { name } }',
      '{ __schema { types { name } } }',
    ]) {
      expect(await ask(query), query).toEqual(READ_ONLY);
    }
  });

  it('opens no WebSocket but the one that is named, in its one spelling', async () => {
    for (const line of [
      'GET /chat',
      'GET /live/',
      'GET /LIVE',
      'GET /live/7',
      'GET /live?_method=DELETE',
      'GET /search',
    ]) {
      expect((await fixture.send(line, { headers: HANDSHAKE })).forwarded, line).toEqual([]);
    }
    expect((await fixture.send('POST /live', { headers: HANDSHAKE })).forwarded).toEqual([]);
  });

  it('does not post behind a search that was held, nor inside it', async () => {
    const { gate, upstream } = fixture;
    const before = upstream.requests.length;
    using client = await dial(gate);
    const search = await headFor(gate, 'POST /search', ['Content-Length: 7', JSON_TYPE]);
    const write = await headFor(gate, 'POST /tickets', ['Content-Length: 7', JSON_TYPE]);
    const last = await headFor(gate, 'POST /search', ['Connection: close', 'Content-Length: 7', JSON_TYPE]);
    client.send(`${search}{"q":1}${write}{"t":1}${last}{"q":2}`);
    await client.closed;
    expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(
      [200, 403, 200].map((status) => `HTTP/1.1 ${status}`),
    );
    expect(upstream.requests.slice(before).map(({ target, body }) => `${target} ${body}`)).toEqual([
      '/search {"q":1}',
      '/search {"q":2}',
    ]);
  });

  it('has made the upstream see nothing but reads', () => {
    for (const { method, target, body } of fixture.upstream.requests) {
      if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') {
        expect(`${method} ${target}`).toMatch(/^POST \/(?:search|graphql|graphql\/customers)$/);
      }
      expect(body).not.toMatch(/_method|mutation/i);
      expect(target).not.toMatch(/_method/i);
    }
  });
});
