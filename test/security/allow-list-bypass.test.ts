// The attack: where only listed routes pass, an unlisted one is reached by a spelling of a listed one: encodings, case,
// dots, parameters, an encoded slash that leads on, another method in disguise, another host, an upgrade. And a deny
// rule inside a listed route is passed by a spelling that only the list reads.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HANDSHAKE } from '../support/gate-traffic.ts';
import { FORM_TYPE, JSON_TYPE, PASSED, type PolicyGate, startPolicyGate } from '../support/policy-gate.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec:
  rules:
    - { id: export.any, category: export, match: [ { paths: ["/**/export/**"] } ] }
    - { id: notes.secret, category: notes, match: [ { methods: [POST], paths: ["/notes/{id}"], json: { "/secret": "*" } } ] }
---
apiVersion: postern/v1
kind: RouteAllowance
metadata: { name: support }
spec:
  routes:
    - { id: tickets, methods: [GET], paths: ["/tickets/{id}", "/tickets/{id}/history/**"] }
    - { id: files, methods: [GET], paths: ["/files/{name}"] }
    - { id: notes, methods: [POST], paths: ["/notes/{id}"] }
    - { id: graphql, methods: [GET, POST], paths: ["/graphql"], graphql: { type: query, operations: [customer] } }
---
apiVersion: postern/v1
kind: RouteAllowance
metadata: { name: elsewhere }
spec:
  hosts: [globex.app.test]
  routes: [ { id: admin, paths: ["/admin/**"] } ]
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: files }
spec: { paths: ["/files/**"], allow: [encodedSlash, encodedPercent] }
`;

const inQuery = (query: string) => `/graphql?query=${encodeURIComponent(query)}`;
const body = (value: unknown) => ({ headers: [JSON_TYPE], body: JSON.stringify(value) });

describe('an allow-list', () => {
  let fixture: PolicyGate;

  beforeAll(async () => {
    fixture = await startPolicyGate({
      policy: POLICY,
      config: { policies: { directory: 'policies', defaultEffect: 'deny' } },
    });
    await fixture.gate.grant({});
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it.each([
    '/tickets',
    '/tickets/',
    '/tickets/7/',
    '/tickets/7/8',
    '/Tickets/7',
    '/tickets/7/History',
    '/tickets/7/../../admin',
    '/tickets/..%2fadmin',
    '/tickets/%2e%2e/admin',
    '/tickets/7%2f..%2f..%2fadmin',
    '/tickets/7/history/../../../admin',
    '/tickets/7/history/..;/admin',
    '/tickets/7/history/%252e%252e/admin',
    '//tickets/7',
    '/tickets/7/histor%79x',
    '/tickets/;/admin',
    '/tickets\\7',
    '/files/7%2Fadmin',
    '/files/..%2Fadmin',
    '/files/%2E%2E%2Fadmin',
    '/files/7%5Cadmin',
    '/files/7%252Fadmin',
    '/files/7%3F/admin',
    '/files%2F7',
    '/admin',
    '/admin/users',
    '/',
    '/*',
  ])('does not let %s pass', async (path) => {
    expect((await fixture.send(`GET ${path}`)).forwarded).toEqual([]);
    const { host } = fixture.gate;
    expect((await fixture.send(`GET http://${host}${path}`)).forwarded).toEqual([]);
  });

  it.each([
    'GET /tickets/export',
    'GET /tickets/EXPORT',
    'GET /tickets/exp%6Frt',
    'GET /tickets/export;x',
    'GET /tickets/7/history/Export/csv',
    'GET /tickets/7/history/%EF%BD%85xport',
    'GET /tickets/export.json',
    'GET /files/7%2Fexport%2Fcsv',
    'GET /files/export',
    'GET /files/a%252Fexport',
  ])('opens nothing to %s that a deny rule shuts', async (line) => {
    expect((await fixture.send(line)).forwarded).toEqual([]);
  });

  it('takes a host only as it is listed', async () => {
    for (const host of ['globex.app.test', 'GLOBEX.app.test', 'globex.app.test.']) {
      // In absolute form the authority must be the Host's own.
      expect((await fixture.send(`GET http://${host}/admin/x`)).forwarded).toEqual([]);
    }
    expect(
      (await fixture.send('GET /admin/x', { headers: ['X-Forwarded-Host: globex.app.test'] })).forwarded,
    ).toEqual([]);
    expect((await fixture.send('GET /admin/x', { headers: ['Host: globex.app.test'] })).forwarded).toEqual(
      [],
    );
  });

  it.each([
    'POST /tickets/7',
    'OPTIONS /tickets/7',
    'QUERY /tickets/7',
    'get /tickets/7',
    'DELETE /notes/7',
    'GET /notes/7',
    'GET /tickets/7?_method=DELETE',
    'GET /tickets/7?a;_method=DELETE',
    'GET /tickets/7?_method[]=PUT',
    'GET /tickets/7?_method=%ff',
    'POST /notes/7?_method=PUT',
    'GET /files/7%3F_method=DELETE',
  ])('lists methods, and %s is none of them', async (line) => {
    expect((await fixture.send(line)).forwarded).toEqual([]);
  });

  it.each([
    ['a form', FORM_TYPE, '_method=DELETE'],
    ['a form in brackets', FORM_TYPE, 'a=1&_method[x]=PATCH'],
    ['a malformed form', FORM_TYPE, '_method=%zz'],
    ['a multipart form', 'Content-Type: multipart/form-data; boundary=x', '--x--'],
    ['two types', 'Content-Type: text/plain, multipart/form-data', '_method=DELETE'],
    ['a body behind a rule that reads JSON', 'Content-Type: text/plain', 'secret=1'],
    ['JSON with what a rule looks for', JSON_TYPE, '{"Secret":1}'],
  ])('does not let %s claim another method or pass unread', async (_what, type, body) => {
    expect((await fixture.send('POST /notes/7', { headers: [type], body })).forwarded).toEqual([]);
  });

  it('lets pass what it lists', async () => {
    const note = { headers: [JSON_TYPE], body: '{"text":"hello"}' };
    expect(await fixture.send('POST /notes/7', note)).toMatchObject(PASSED);
    for (const line of [
      'GET /tickets/7',
      'HEAD /tickets/7',
      'GET /tickets/7/history/a/b',
      'GET /files/7?_method=GET',
    ]) {
      expect(await fixture.send(line), line).toMatchObject(PASSED);
    }
  });

  it('takes no GraphQL but what it lists: no second field, operation, document or batch', async () => {
    const good = '{ customer { name } }';
    expect(await fixture.send(`GET ${inQuery(good)}`)).toMatchObject(PASSED);
    expect(await fixture.send('POST /graphql', body([{ query: good }, { query: good }]))).toMatchObject(
      PASSED,
    );
    for (const bad of [
      '{ customer { name } users { email } }',
      '{ customer: users { email } }',
      'mutation { customer { name } }',
      'query A { customer { name } } query B { users { email } }',
      '{ customer { name } ... on Query { users { email } } }',
      '',
    ]) {
      for (const [line, sent] of [
        [`GET ${inQuery(bad)}`, {}],
        [`POST ${inQuery(bad)}`, body({ query: bad })],
        ['POST /graphql', body({ query: bad })],
        ['POST /graphql', body([{ query: good }, { query: bad }])],
        ['POST /graphql', body({ query: good, Query: bad === '' ? '{ users { email } }' : bad })],
      ] as const) {
        expect((await fixture.send(line, sent)).forwarded, `${line} ${JSON.stringify(sent)}`).toEqual([]);
      }
    }
    expect(
      (await fixture.send(`GET ${inQuery(good)}&query=${encodeURIComponent('{ users { email } }')}`))
        .forwarded,
    ).toEqual([]);
  });

  it('opens no WebSocket where it does not say so', async () => {
    for (const path of ['/tickets/7', '/files/7', '/graphql']) {
      expect((await fixture.send(`GET ${path}`, { headers: HANDSHAKE })).forwarded, path).toEqual([]);
    }
  });
});
