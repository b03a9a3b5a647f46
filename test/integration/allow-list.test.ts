// `policies.defaultEffect: deny` through the whole gate: only what a RouteAllowance covers passes, deny rules hold inside
// it, and what is left out is denied by a rule of its own that answers, records and metrics name.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
    - { id: tickets.export, category: export, match: [ { paths: ["/tickets/export"] } ] }
    - { id: watch.drafts, category: drafts, mode: shadow, match: [ { paths: ["/drafts/**"] } ] }
---
apiVersion: postern/v1
kind: RouteAllowance
metadata: { name: support }
spec:
  routes:
    - { id: tickets, methods: [GET, POST, PUT, PATCH, DELETE], paths: ["/tickets", "/tickets/**"] }
    - { id: customers.read, methods: [GET], paths: ["/customers/{id}"] }
    - { id: notes.add, methods: [POST], paths: ["/notes"] }
    - { id: graphql.customers, methods: [POST], paths: ["/graphql"], graphql: { operations: [customer] } }
    - { id: chat, paths: ["/chat"], upgrade: websocket }
`;
const LIST = { policies: { directory: 'policies', defaultEffect: 'deny' } };
const LEFT_OUT = refusedBy(403, 'rule_denied', 'policy.default-deny');
const passes = (line: string) => ({ ...PASSED, forwarded: [line] });

const ask = (query: string) => ({ body: JSON.stringify({ query }), headers: [JSON_TYPE] });
const form = (body: string) => ({ body, headers: [FORM_TYPE] });

describe('an allow-list', () => {
  let fixture: PolicyGate;

  beforeAll(async () => {
    fixture = await startPolicyGate({ policy: POLICY, config: LIST });
    await fixture.gate.grant({});
  });
  beforeEach(() => {
    fixture.takeLines();
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it.each([
    'GET /tickets',
    'DELETE /tickets/7/notes/8',
    'GET /customers/7',
    'HEAD /customers/7',
    'GET /tickets?status=open&_method=PUT',
  ])('lets %s pass, which it names', async (line) => {
    expect(await fixture.send(line)).toEqual(passes(line));
  });

  it.each([
    'GET /',
    'GET /customers',
    'POST /customers/7',
    'OPTIONS /customers/7',
    'GET /customers/7/8',
    'GET /Customers/7',
    'GET /customers/7/',
    'GET /customers/7?_method=DELETE',
    'GET /drafts/7',
    'POST /graphql',
  ])('denies %s, which it leaves out', async (line) => {
    expect(await fixture.send(line)).toEqual(LEFT_OUT);
  });

  it('answers and records what it leaves out like any rule, and counts it', async () => {
    const { gate } = fixture;
    const before = countIn(await gate.metrics(), 'policy.default-deny');
    expect(await fixture.send('GET /left-out')).toEqual(LEFT_OUT);
    expect(fixture.takeLines().filter(({ path }) => path === '/left-out')).toMatchObject([
      {
        k: 'refused',
        code: 'rule_denied',
        status: 403,
        rule: { id: 'policy.default-deny', category: 'default' },
      },
    ]);
    expect(countIn(await gate.metrics(), 'policy.default-deny')).toBe(before + 1);
  });

  it('opens nothing that a deny rule shuts, and a rule in shadow mode opens nothing either', async () => {
    expect(await fixture.send('GET /tickets/export')).toEqual(
      refusedBy(403, 'rule_denied', 'tickets.export'),
    );
    expect(await fixture.send('GET /drafts/7')).toEqual(LEFT_OUT);
    const lines = fixture.takeLines().filter(({ path }) => path === '/drafts/7');
    expect(lines).toMatchObject([
      { rule: { id: 'policy.default-deny' }, shadow: [{ id: 'watch.drafts', category: 'drafts' }] },
    ]);
  });

  it('reads the body where only that tells whether a route covers it', async () => {
    expect(await fixture.send('POST /graphql', ask('{ customer(id: 7) { name } }'))).toEqual(
      passes('POST /graphql'),
    );
    expect(await fixture.send('POST /graphql', ask('{ customer { name } exportCustomers { url } }'))).toEqual(
      LEFT_OUT,
    );
    expect(await fixture.send('POST /graphql', ask('{ customer: customers { name } }'))).toEqual(LEFT_OUT);
    expect(await fixture.send('POST /graphql', { body: '{}', headers: [JSON_TYPE] })).toEqual(LEFT_OUT);
    expect(await fixture.send('POST /notes', form('text=1'))).toEqual(passes('POST /notes'));
    expect(fixture.last().body).toBe('text=1');
    expect(await fixture.send('POST /notes', form('text=1&_method=DELETE'))).toEqual(LEFT_OUT);
    expect(await fixture.send('POST /notes', { body: '{"text":1}', headers: [JSON_TYPE] })).toEqual(
      passes('POST /notes'),
    );
  });

  it('opens a WebSocket where it names one, and by no other route', async () => {
    expect(await fixture.send('GET /tickets', { headers: HANDSHAKE })).toEqual(LEFT_OUT);
    // The upstream of this test answers 200, which is no upgrade; what counts is that it was asked.
    expect(await fixture.send('GET /chat', { headers: HANDSHAKE })).toMatchObject({
      forwarded: ['GET /chat'],
    });
    expect(await fixture.send('GET /chat')).toEqual(LEFT_OUT);
  });
});

describe('allowances without `defaultEffect: deny`', () => {
  it('change nothing', async () => {
    await using fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({});
    expect(await fixture.send('GET /anything')).toEqual(passes('GET /anything'));
    expect(await fixture.send('GET /tickets/export')).toMatchObject({ rule: 'tickets.export' });
  });
});

describe('an allow-list that is reloaded', () => {
  it('denies what it no longer names, without a restart', async () => {
    await using fixture = await startPolicyGate({ policy: POLICY, config: LIST });
    const { gate } = fixture;
    await gate.grant({});
    expect(await fixture.send('GET /customers/7')).toEqual(passes('GET /customers/7'));
    const narrower = POLICY.replace('/customers/{id}', '/customers/public');
    writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), narrower);
    await gate.postern.reload();
    expect(await fixture.send('GET /customers/7')).toEqual(LEFT_OUT);
    expect(await fixture.send('GET /customers/public')).toEqual(passes('GET /customers/public'));
  });

  it('that names nothing at all denies everything', async () => {
    const policy = POLICY.slice(0, POLICY.indexOf('---'));
    await using fixture = await startPolicyGate({ policy, config: LIST });
    await fixture.gate.grant({});
    for (const line of ['GET /', 'GET /tickets', 'OPTIONS /x'])
      expect(await fixture.send(line)).toEqual(LEFT_OUT);
  });
});

function countIn(metrics: string, rule: string): number {
  const line = metrics
    .split('\n')
    .find((one) => one.startsWith(`postern_rule_matches_total{rule="${rule}",mode="enforce"}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}
