// Shedding: past a bound requests are refused with 503 `overloaded` and Retry-After, each with its record, before memory
// grows; what ends makes room. Real sockets, the gateway itself, bounds small enough to reach.
import { describe, expect, it } from 'vitest';
import type { OverloadOptions } from '#gateway/overload.ts';
import type { LogFields } from '#model/log.ts';
import type { ShedCause } from '#model/shed-cause.ts';
import { type RawConnection, rawConnect } from '../support/raw-client.ts';
import type { Respond } from '../support/recording-upstream.ts';
import {
  AS_ALICE,
  openAcme,
  reasonOf,
  type SessionGate,
  type SessionGateOptions,
  startSessionGate,
} from '../support/session-gate.ts';

const SILENT: Respond = () => undefined;
const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: jobs }
spec:
  rules:
    - { id: jobs.export, category: export, match: [ { paths: ["/jobs"], json: { "/type": [export] } } ] }
`;

interface Watched {
  readonly gate: SessionGate;
  readonly sheds: ShedCause[];
  readonly lines: LogFields[];
}

async function gateWith(
  overload: Partial<OverloadOptions>,
  options: SessionGateOptions = {},
): Promise<Watched & AsyncDisposable> {
  const sheds: ShedCause[] = [];
  const lines: LogFields[] = [];
  const gate = await startSessionGate({
    ...options,
    overload,
    metrics: { shed: (cause) => void sheds.push(cause) },
    log: { warn: (fields) => void lines.push(fields) },
  });
  openAcme(gate.held);
  return { gate, sheds, lines, [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose]() };
}

/** So many connections, each with a request that is in progress: `arrived` says when all of them are. */
async function busy(gate: SessionGate, count: number, line = 'GET /slow'): Promise<RawConnection[]> {
  const before = gate.upstream.requests.length;
  const clients = await dialMany(gate, count);
  for (const client of clients) client.write(gate.bytes(line, [AS_ALICE]));
  await expect
    .poll(() => gate.upstream.requests.length, { timeout: 10_000 })
    .toBe(before + Math.min(count, 8));
  return clients;
}

function dialMany(gate: SessionGate, count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => rawConnect(gate.port)));
}

async function closeAll(clients: readonly RawConnection[]): Promise<void> {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
}

function expectShed(answer: {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: string;
}): void {
  expect(answer.status).toBe(503);
  expect(answer.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' });
  expect(JSON.parse(answer.body)).toMatchObject({ reason: 'overloaded', status: 503 });
}

describe('requests in flight past the bound', () => {
  it('are refused and recorded each, one log line a second says so, and what ends makes room', async () => {
    await using watched = await gateWith({ inFlight: 5 }, { respond: SILENT });
    const { gate, sheds, lines } = watched;
    const clients = await busy(gate, 5);
    const startedAt = performance.now();
    for (let again = 0; again < 20; again++) expectShed(await gate.ask('GET /one-more', [AS_ALICE]));
    expect(sheds).toEqual(Array.from({ length: 20 }, () => 'in_flight'));
    expect(lines.length).toBeLessThanOrEqual(2 + Math.floor((performance.now() - startedAt) / 1000));
    expect(lines[0]).toMatchObject({ cause: 'in_flight', inFlight: 6 });
    expect(gate.records.filter(({ reason }) => reason === 'overloaded')).toHaveLength(20);
    expect(gate.records.at(-1)).toMatchObject({
      denialNote: 'in_flight',
      endedBy: 'limit',
      credential: null,
    });
    await closeAll(clients);
    await using next = await rawConnect(gate.port);
    next.write(gate.bytes('GET /now', [AS_ALICE]));
    await expect.poll(() => gate.upstream.requests.at(-1)?.target, { timeout: 10_000 }).toBe('/now');
  });

  it('count those that wait behind another one on their connection, which is closed with the one too many', async () => {
    await using watched = await gateWith({ inFlight: 5 }, { respond: SILENT });
    const { gate, sheds } = watched;
    await using client = await rawConnect(gate.port);
    client.write(gate.bytes('GET /piped', [AS_ALICE]).repeat(6));
    await client.closed;
    expect(sheds).toEqual(['in_flight']);
    // The five are told the client is gone; all six are recorded.
    await expect.poll(() => gate.records.length, { timeout: 10_000 }).toBe(6);
    expect(gate.upstream.requests.length).toBeLessThanOrEqual(1);
    expect((await rawAskSilent(gate)).target).toBe('/after');
  });

  it('leave the key set and the pages of the gate within reach', async () => {
    await using watched = await gateWith({ inFlight: 1 }, { respond: SILENT });
    const clients = await busy(watched.gate, 1);
    expect((await watched.gate.ask('GET /-/postern/jwks.json')).status).toBe(200);
    await closeAll(clients);
  });
});

/** The upstream answers nothing: that a request reached it is all there is to see. */
async function rawAskSilent(gate: SessionGate): Promise<{ target: string }> {
  await using client = await rawConnect(gate.port);
  client.write(gate.bytes('GET /after', [AS_ALICE]));
  await expect.poll(() => gate.upstream.requests.at(-1)?.target, { timeout: 10_000 }).toBe('/after');
  return { target: '/after' };
}

describe('connections past the bound', () => {
  it('get one answer, a refusal that closes them; further ones are not taken at all', async () => {
    await using watched = await gateWith({ connections: 16 });
    const { gate, sheds } = watched;
    const resting = await dialMany(gate, 16);
    for (const client of resting) client.write(gate.bytes('GET /first', [AS_ALICE]));
    await Promise.all(resting.map((client) => client.waitFor('{"ok":true}')));
    await using surplus = await rawConnect(gate.port);
    surplus.write(gate.bytes('GET /surplus', [AS_ALICE]));
    await surplus.closed;
    expect(surplus.received()).toMatch(/^HTTP\/1\.1 503 .*\r\nConnection: close\r\n/s);
    expect(surplus.received()).toContain('"reason":"overloaded"');
    expect(sheds).toEqual(['connections']);
    expect(gate.upstream.requests.map(({ target }) => target)).not.toContain('/surplus');
    // 64 more are spared an answer each; the rest is dropped.
    const spare = await dialMany(gate, 64);
    const dropped = await dialMany(gate, 3);
    await Promise.all(dropped.map((client) => client.closed));
    expect(sheds.slice(1)).toEqual(['connections', 'connections', 'connections']);
    // Nobody may keep a spare one: silent, they are closed within seconds.
    await Promise.all(spare.map((client) => client.closed));
    await closeAll(resting);
  }, 20_000);

  it('close those that rest, the busy ones not, once nine in ten are taken', async () => {
    const answers: (() => void)[] = [];
    const respond: Respond = ({ target }, socket) => {
      const answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      if (target === '/slow') answers.push(answer);
      else answer();
    };
    await using watched = await gateWith({ connections: 20 }, { respond });
    const { gate } = watched;
    const [working] = (await busy(gate, 1)) as [RawConnection];
    const resting = await dialMany(gate, 17);
    for (const client of resting) client.write(gate.bytes('GET /first', [AS_ALICE]));
    await Promise.all(resting.map((client) => client.closed));
    for (const answer of answers) answer();
    await working.waitFor('ok');
    await closeAll([working]);
  }, 30_000);
});

describe('bodies that are held for a rule', () => {
  const body = `{"type":"import","note":"${'n'.repeat(1500)}"}`;
  const head = `POST /jobs HTTP/1.1\r\nHost: acme.app.test\r\n${AS_ALICE}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;

  it('are refused beyond the bytes that may be held together; what is sent or gone makes room', async () => {
    await using watched = await gateWith({ heldBodyBytes: 3000 }, { policy: POLICY });
    const { gate, sheds } = watched;
    const held = await dialMany(gate, 2);
    for (const client of held) client.write(head + body.slice(0, 1000));
    await expect.poll(async () => (await askJob(gate, head + body)).status, { timeout: 10_000 }).toBe(503);
    expect(sheds.at(-1)).toBe('held_bodies');
    const refused = await askJob(gate, head + body);
    expectShed(refused);
    held[0]?.write(body.slice(1000));
    await held[0]?.waitFor('{"ok":true}');
    expect((await askJob(gate, head + body)).status).toBe(200);
    await closeAll(held);
    // All of it is given back: as much as the bound may be held again.
    for (let again = 0; again < 5; again++) expect((await askJob(gate, head + body)).status).toBe(200);
  });

  it('must come in their time: a byte now and then is no progress', async () => {
    await using watched = await gateWith({}, { policy: POLICY, idleTimeoutMs: 500 });
    await using client = await rawConnect(watched.gate.port);
    client.write(head);
    const dripping = setInterval(() => client.write(' '), 50);
    await client.closed;
    clearInterval(dripping);
    expect(client.received()).toContain('HTTP/1.1 408 ');
    expect(watched.gate.upstream.requests).toEqual([]);
  });
});

async function askJob(gate: SessionGate, bytes: string): ReturnType<SessionGate['ask']> {
  const [headText = '', body = ''] = bytes.split('\r\n\r\n');
  const [line = '', ...headers] = headText.split('\r\n');
  const kept = headers.filter((one) => !/^(host|content-length)/i.test(one));
  return gate.ask(line.replace(' HTTP/1.1', ''), kept, body);
}

describe('an event loop that is late', () => {
  it('refuses everybody until it is on time again', async () => {
    await using watched = await gateWith({ eventLoopDelayMs: 40 });
    const { gate, sheds } = watched;
    expect((await gate.ask('GET /before', [AS_ALICE])).status).toBe(200);
    // Something that keeps the processor: longer than the period of the samples, again and again.
    const burning = setInterval(() => burn(200), 1);
    await expect
      .poll(async () => (await gate.ask('GET /late', [AS_ALICE])).status, { timeout: 8000 })
      .toBe(503);
    clearInterval(burning);
    expect(sheds[0]).toBe('event_loop');
    await expect
      .poll(async () => (await gate.ask('GET /after', [AS_ALICE])).status, { timeout: 10_000 })
      .toBe(200);
    const shed = gate.records.filter(({ reason }) => reason === 'overloaded');
    expect(shed.map(({ denialNote }) => denialNote)).toEqual(sheds);
  }, 30_000);

  it('is nobody’s concern where it may be late', async () => {
    await using watched = await gateWith({ eventLoopDelayMs: null });
    burn(300);
    const answer = await watched.gate.ask('GET /', [AS_ALICE]);
    expect(answer.status, reasonOr(answer.body)).toBe(200);
  });
});

function reasonOr(body: string): string {
  return body.includes('reason') ? reasonOf({ body } as Parameters<typeof reasonOf>[0]) : '';
}

function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
