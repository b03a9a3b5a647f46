// The attack: a body that the rule reads in one way and the application in another. Members twice or in another case,
// other encodings and codings, declared types that are two or none, documents that hide in batches, aliases or the
// query string, and requests that ride inside or behind a held body. Nothing that is denied reaches the upstream.
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createHash } from 'node:crypto';
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
import { parseRequest } from '../support/recording-upstream.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: bodies }
spec:
  rules:
    - { id: json.export, category: export, match: [ { methods: [POST], paths: ["/jobs"], json: { "/type": [export] } } ] }
    - { id: form.export, category: export, match: [ { methods: [POST], paths: ["/forms"], form: { type: [export] } } ] }
    - { id: graphql.export, category: export, match: [ { paths: ["/graphql"], graphql: { operations: [exportCustomers] } } ] }
    - { id: rpc.export, category: export, match: [ { paths: ["/rpc"], jsonrpc: { methods: [export] } } ] }
    - id: either.export
      category: export
      match:
        - { methods: [POST], paths: ["/either"], json: { "/type": [export] } }
        - { methods: [POST], paths: ["/either"], form: { type: [export] } }
    - { id: tickets.delete, category: destructive, match: [ { methods: [DELETE], paths: ["/tickets/{id}"] } ] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: jobs }
spec: { paths: ["/jobs"], maxInspectedBody: 64KiB }
`;
const EXPORT = '{"type":"export"}';
const MIB = 1024 ** 2;
const utf16 = (text: string) => Buffer.from(`\u{FEFF}${text}`, 'utf16le');
const json = (...headers: string[]) => ({ headers: [JSON_TYPE, ...headers] });

describe('a body that is spelled so that a rule overlooks it', () => {
  let fixture: PolicyGate;

  beforeAll(async () => {
    fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({});
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const DENIED = refusedBy(403, 'rule_denied', 'json.export');
  const UNREADABLE = refusedBy(415, 'body_uninspectable', 'json.export');
  const TOO_LARGE = refusedBy(413, 'body_too_large', 'json.export');

  it.each([
    ['a member twice', '{"type":"import","type":"export"}', UNREADABLE],
    ['a member twice, one escaped', '{"type":"import","\\u0074ype":"export"}', UNREADABLE],
    ['a member in another case', '{"Type":"export"}', DENIED],
    ['an escaped member', '{"\\u0074ype":"export"}', DENIED],
    ['an escaped value', '{"type":"e\\u0078port"}', DENIED],
    ['a value in a list', '{"type":["import","export"]}', DENIED],
    ['a value with a NUL', '{"type":"export\\u0000"}', UNREADABLE],
    ['white space around it', '\r\n\t {"type" : "export" } \n', DENIED],
    ['a comment', '{/**/"type":"export"}', UNREADABLE],
    ['single quotes', "{'type':'export'}", UNREADABLE],
    ['a trailing comma', '{"type":"export",}', UNREADABLE],
    ['two documents', '{"type":"import"}{"type":"export"}', UNREADABLE],
    ['a list around it', '[{"type":"export"}]', DENIED],
    ['a prototype, for whoever copies it by assignment', '{"__proto__":{"type":"export"}}', DENIED],
    ['a prototype of a prototype', '{"__proto__":{"__proto__":{"Type":"export"}}}', DENIED],
    ['a byte order mark', `\u{FEFF}${EXPORT}`, UNREADABLE],
    ['UTF-16', utf16(EXPORT), UNREADABLE],
    ['UTF-16 without a mark', utf16(EXPORT).subarray(2), UNREADABLE],
    ['UTF-7', '+AHsAIgB0AHkAcABlACIAOgAiAGUAeABwAG8AcgB0ACIAfQ-', UNREADABLE],
    ['overlong UTF-8', Buffer.from('7b2274797065223a22c1a578706f7274227d', 'hex'), UNREADABLE],
    ['too deep a nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, UNREADABLE],
  ])('JSON with %s', async (_what, body, expected) => {
    expect(await fixture.send('POST /jobs', { body, ...json() })).toEqual(expected);
    expect(await fixture.send('POST /either', { body, ...json() })).toEqual({
      ...expected,
      rule: 'either.export',
    });
  });

  it('of a prototype leaves no trace on the prototypes of the process', () => {
    expect(({} as Record<string, unknown>)['type']).toBeUndefined();
  });

  it.each([
    ['another charset', ['Content-Type: application/json; charset=utf-16'], UNREADABLE],
    ['two charsets', ['Content-Type: application/json; charset=utf-8; charset=utf-16'], UNREADABLE],
    ['a charset in quotes', ['Content-Type: application/json; charset="UTF-8"'], DENIED],
    ['upper case', ['Content-Type: APPLICATION/JSON'], DENIED],
    ['another type of JSON', ['Content-Type: application/vnd.x+json'], DENIED],
    ['two types in one line', ['Content-Type: text/plain, application/json'], UNREADABLE],
    ['a type and no type', ['Content-Type: application/json, '], UNREADABLE],
    ['two lines', ['Content-Type: text/plain', JSON_TYPE], refusedBy(400, 'bad_header')],
    ['the same line twice', [JSON_TYPE, JSON_TYPE], refusedBy(400, 'bad_header')],
    ['text', ['Content-Type: text/plain'], UNREADABLE],
    ['text/json', ['Content-Type: text/json'], UNREADABLE],
    ['no type', [], UNREADABLE],
    ['an empty type', ['Content-Type:'], UNREADABLE],
    ['a type in other words', ['Content-Type: json'], UNREADABLE],
    ['a patch of JSON', ['Content-Type: application/json-patch+json'], UNREADABLE],
    ['a form that is JSON', [FORM_TYPE], UNREADABLE],
    ['a multipart form', ['Content-Type: multipart/form-data; boundary=x'], UNREADABLE],
    ['an alias of the header', ['Content_Type: application/json'], UNREADABLE],
  ])('under %s', async (_what, headers, expected) => {
    expect(await fixture.send('POST /jobs', { body: EXPORT, headers })).toEqual(expected);
  });

  it.each([
    ['gzip', gzipSync(EXPORT), ['Content-Encoding: gzip'], DENIED],
    ['gzip in another case', gzipSync(EXPORT), ['content-encoding: GZip'], DENIED],
    ['brotli', brotliCompressSync(EXPORT), ['Content-Encoding: br'], DENIED],
    ['gzip behind identity', gzipSync(EXPORT), ['Content-Encoding: identity, gzip'], UNREADABLE],
    ['gzip in gzip', gzipSync(gzipSync(EXPORT)), ['Content-Encoding: gzip, gzip'], UNREADABLE],
    [
      'two lines',
      gzipSync(EXPORT),
      ['Content-Encoding: gzip', 'Content-Encoding: br'],
      refusedBy(400, 'bad_header'),
    ],
    ['gzip that is said to be none', gzipSync(EXPORT), [], UNREADABLE],
    ['none that is said to be gzip', EXPORT, ['Content-Encoding: gzip'], UNREADABLE],
    [
      'two members',
      Buffer.concat([gzipSync('{"a":1'), gzipSync(',"type":"export"}')]),
      ['Content-Encoding: gzip'],
      UNREADABLE,
    ],
    [
      'bytes behind gzip',
      Buffer.concat([gzipSync('{}'), Buffer.from(EXPORT)]),
      ['Content-Encoding: gzip'],
      UNREADABLE,
    ],
    ['deflate', deflateSync(EXPORT), ['Content-Encoding: deflate'], UNREADABLE],
    ['zstd', zstdCompressSync(EXPORT), ['Content-Encoding: zstd'], UNREADABLE],
    ['a coding nobody knows', EXPORT, ['Content-Encoding: aws-chunked'], UNREADABLE],
  ])('coded as %s', async (_what, body, headers, expected) => {
    expect(await fixture.send('POST /jobs', { body, ...json(...headers) })).toEqual(expected);
  });

  it('as a bomb is too large, and is never unpacked whole', async () => {
    const zeros = Buffer.alloc(64 * MIB, 0x20);
    const bombs = [
      ['gzip', gzipSync(zeros).subarray(0, 60_000)],
      ['br', brotliCompressSync(zeros)],
    ] as const;
    const before = process.memoryUsage().arrayBuffers;
    for (const [coding, body] of bombs) {
      expect(
        await fixture.send('POST /jobs', { body, ...json(`Content-Encoding: ${coding}`) }),
        coding,
      ).toEqual(TOO_LARGE);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MIB);
  });

  it.each([
    ['a field twice', 'type=import&type=export'],
    ['another case', 'TYPE=Export'],
    ['an encoded name', 't%79pe=export'],
    ['brackets', 'type[]=export'],
    ['a semicolon', 'a=1;type=export'],
    ['a full-width name', '%EF%BD%94ype=export'],
    ['a plus sign', '+type=export'],
  ])('as a form with %s', async (_what, body) => {
    for (const [path, rule] of [
      ['/forms', 'form.export'],
      ['/either', 'either.export'],
    ] as const) {
      expect(await fixture.send(`POST ${path}`, { body, headers: [FORM_TYPE] })).toEqual(
        refusedBy(403, 'rule_denied', rule),
      );
    }
  });

  it('as a multipart form, which names the field to the application', async () => {
    const body = '--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nexport\r\n--x--\r\n';
    const headers = ['Content-Type: multipart/form-data; boundary=x'];
    for (const path of ['/forms', '/either', '/jobs', '/graphql', '/rpc']) {
      expect(await fixture.send(`POST ${path}`, { body, headers }), path).toMatchObject({
        status: 415,
        forwarded: [],
      });
    }
  });

  it.each([
    ['an alias', '{ tickets: exportCustomers { url } }'],
    ['a fragment', '{ ...F } fragment F on Query { exportCustomers { url } }'],
    ['an inline fragment', '{ ... on Query { ... { exportCustomers { url } } } }'],
    ['an operation that is not the named one', 'query A { a } query B { exportCustomers { url } }'],
    ['a directive that skips it', '{ exportCustomers @skip(if: true) { url } }'],
    ['commas and comments for white space', '{,,#x\n,exportCustomers,{url}}'],
    ['a mutation', 'mutation { exportCustomers }'],
  ])('as GraphQL behind %s, in the body, a batch, the query string or both', async (_what, query) => {
    const denied = refusedBy(403, 'rule_denied', 'graphql.export');
    const one = { query, operationName: 'A' };
    const harmless = { query: '{ customers { name } }' };
    const inQuery = `/graphql?query=${encodeURIComponent(query)}`;
    for (const [line, sent] of [
      ['POST /graphql', { body: JSON.stringify(one), ...json() }],
      ['POST /graphql', { body: JSON.stringify([harmless, one]), ...json() }],
      ['POST /graphql', { body: JSON.stringify({ QUERY: query }), ...json() }],
      ['POST /graphql', { body: query, headers: ['Content-Type: application/graphql'] }],
      ['POST /graphql', { body: `a=1&query=${encodeURIComponent(query)}`, headers: [FORM_TYPE] }],
      [`GET ${inQuery}`, {}],
      [`POST ${inQuery}`, {}],
      [`POST ${inQuery}`, { body: JSON.stringify(harmless), ...json() }],
      [`POST ${inQuery}&query=${encodeURIComponent(harmless.query)}`, {}],
    ] as const) {
      expect(await fixture.send(line, sent), line).toEqual(denied);
    }
  });

  it('as a GraphQL document that is stored with the application: its hash, or its text with the hash of another', async () => {
    const sha256Hash = createHash('sha256').update('{ exportCustomers { url } }').digest('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const unreadable = refusedBy(415, 'body_uninspectable', 'graphql.export');
    for (const body of [
      { extensions },
      { query: '{ customers { name } }', extensions },
      { id: sha256Hash },
      { documentId: 'export-customers' },
      { queryId: 7, variables: {} },
      [{ query: '{ customers { name } }' }, { extensions }],
    ]) {
      expect(await fixture.send('POST /graphql', { body: JSON.stringify(body), ...json() })).toEqual(
        unreadable,
      );
    }
    const asked = `/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`;
    expect(await fixture.send(`GET ${asked}`)).toEqual(unreadable);
  });

  it('as JSON-RPC in a batch, in another case or without its method', async () => {
    const denied = refusedBy(403, 'rule_denied', 'rpc.export');
    const call = { jsonrpc: '2.0', method: 'export', id: 1 };
    for (const body of [
      [{ ...call, method: 'list' }, call],
      { ...call, method: 'EXPORT' },
      { Method: 'export' },
    ]) {
      expect(await fixture.send('POST /rpc', { body: JSON.stringify(body), ...json() })).toEqual(denied);
    }
    expect(await fixture.send('POST /rpc', { body: '{"id":1}', ...json() })).toMatchObject({ forwarded: [] });
  });

  it('behind an upgrade, where nobody would see what follows', async () => {
    for (const [path, rule] of [
      ['/jobs', 'json.export'],
      ['/graphql', 'graphql.export'],
    ] as const) {
      expect(await fixture.send(`GET ${path}`, { headers: HANDSHAKE })).toEqual(
        refusedBy(403, 'rule_denied', rule),
      );
    }
  });

  it.each([
    'POST http://<host>/jobs',
    'POST /JOBS',
    'POST /jobs/',
    'POST //jobs',
    'POST /j%6Fbs',
    'POST /jobs;x=1',
    'POST /jobs.json',
    'POST /jobs%20',
    'POST /%EF%BD%8Aobs',
    'POST /jobs?a=1',
    'POST /x/../jobs',
    'POST /./jobs',
    'POST /x%2f..%2fjobs',
    'POST /jobs%00',
    'POST /%6aobs%2F',
  ])('to the route as %s', async (line) => {
    const { status, forwarded } = await fixture.send(line.replace('<host>', fixture.gate.host), {
      body: EXPORT,
      ...json(),
    });
    expect([400, 403]).toContain(status);
    expect(forwarded).toEqual([]);
  });

  it('under a method that stands in a header: it never arrives, so the request stays what it was judged as', async () => {
    const overrides = [
      'X-HTTP-Method-Override: DELETE',
      'X-HTTP-Method: DELETE',
      'X-Method-Override: DELETE',
    ];
    for (const alias of [...overrides, 'x-http-method-override: DELETE']) {
      expect(await fixture.send('POST /tickets/7', { body: '{}', ...json(alias) })).toMatchObject(PASSED);
      const names = fixture.last().headers.map(([name]) => name.toLowerCase());
      expect(
        names.filter((name) => name.includes('method')),
        alias,
      ).toEqual([]);
    }
    // Under another spelling it is dropped or refused; never both sent on and overlooked.
    for (const alias of ['X_HTTP_Method_Override: DELETE', 'X.HTTP.Method.Override: DELETE']) {
      const { forwarded } = await fixture.send('POST /tickets/7', { body: '{}', ...json(alias) });
      if (forwarded.length > 0) {
        expect(fixture.last().headers.filter(([name]) => /method/i.test(name))).toEqual([]);
      }
    }
    for (const body of ['_method=DELETE', 'a=1&_METHOD=delete', '_method[]=DELETE']) {
      expect(await fixture.send('POST /tickets/7', { body, headers: [FORM_TYPE] })).toEqual(
        refusedBy(403, 'rule_denied', 'tickets.delete'),
      );
    }
    expect(await fixture.send('POST /tickets/7?_method=DELETE')).toEqual(
      refusedBy(403, 'rule_denied', 'tickets.delete'),
    );
  });

  it('with a request inside it: it arrives as a body, under exactly one length', async () => {
    const inner = 'POST /jobs HTTP/1.1\r\nHost: acme.app.test\r\nContent-Length: 17\r\n\r\n{"type":"export"}';
    const body = JSON.stringify({ type: 'import', note: inner });
    for (const sent of [{ body }, { chunks: [body.slice(0, 20), body.slice(20)] }]) {
      expect(await fixture.send('POST /jobs', { ...sent, ...json() })).toEqual({
        ...PASSED,
        forwarded: ['POST /jobs'],
      });
      const { headers, body: arrived } = fixture.last();
      expect(arrived).toBe(body);
      const framing = headers.filter(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name));
      expect(framing).toEqual([['content-length', String(body.length)]]);
    }
    expect(await fixture.send('POST /jobs', { chunks: ['{"type"', ':"exp', 'ort"}'], ...json() })).toEqual(
      DENIED,
    );
  });

  it.each([
    ['a length that ends before it', ['Content-Length: 2']],
    ['two lengths', ['Content-Length: 2', 'Content-Length: 34']],
    ['a length and chunks', ['Content-Length: 34', 'Transfer-Encoding: chunked']],
    ['chunks in a coding', ['Transfer-Encoding: gzip, chunked']],
    ['chunks in another spelling', ['Transfer-Encoding: xchunked']],
  ])('under %s: what follows is judged as a request or not read at all', async (_what, framing) => {
    const before = fixture.upstream.requests.length;
    using client = await dial(fixture.gate);
    client.send(await headFor(fixture.gate, 'POST /jobs', [...framing, JSON_TYPE]));
    client.send(`{}${EXPORT}\r\n0\r\n\r\n`);
    await client.closed;
    const seen = fixture.upstream.requests.slice(before);
    expect(seen.map(({ body }) => body).join('')).not.toContain('export');
    expect(seen.length).toBeLessThanOrEqual(1);
  });

  it('behind another that is held: the first passes, the second is denied, in order and each by itself', async () => {
    const { gate, upstream } = fixture;
    const before = upstream.requests.length;
    using client = await dial(gate);
    const head = await headFor(gate, 'POST /jobs', ['Content-Length: 17', JSON_TYPE]);
    const close = await headFor(gate, 'POST /jobs', ['Connection: close', 'Content-Length: 17', JSON_TYPE]);
    client.send(`${head}{"type":"import"}${head}${EXPORT}${head}{"type":"impost"}${close}${EXPORT}`);
    await client.closed;
    expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(
      [200, 403, 200, 403].map((status) => `HTTP/1.1 ${status}`),
    );
    expect(upstream.requests.slice(before).map(({ body }) => body)).toEqual([
      '{"type":"import"}',
      '{"type":"impost"}',
    ]);
  });

  it('left no byte at the upstream that is not part of a judged request', () => {
    for (const bytes of fixture.upstream.bytes) {
      let rest = bytes;
      for (let parsed = parseRequest(rest); parsed !== null; parsed = parseRequest(rest)) {
        expect(parsed.request.body).not.toMatch(/^\{"type":"export"/);
        rest = rest.slice(parsed.length);
      }
      expect(rest).toBe('');
    }
  });
});
