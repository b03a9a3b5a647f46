// Every request that a socket of the gate has read a byte of has a record: counted at the sockets, and compared with
// the journal, for everything that a connection may carry.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { overTls } from '../support/gate-tls.ts';
import { answerOn, headFor } from '../support/gate-traffic.ts';
import {
  recordingUpstream,
  type RecordedRequest,
  type RecordingUpstream,
} from '../support/recording-upstream.ts';
import { type Input, inputsFor } from '../support/torture-inputs.ts';
import { randomFrom } from '../support/torture-random.ts';
import { requestsOf, type Site, watchServerSockets } from '../support/torture-sockets.ts';
import { factsOf, stoppedFacts } from '../support/torture-traffic.ts';
import { Wire } from '../support/upstream-wire.ts';

/** Another one with `TORTURE_SEED`; a failure says which it was. */
const SEED = Number(process.env['TORTURE_SEED'] ?? 20_262);
const EACH = 12;
const TOGETHER = 3000;

function respond(request: RecordedRequest, socket: Socket): void {
  const key = request.headers.find(([name]) => name.toLowerCase() === 'sec-websocket-key')?.[1];
  if (key !== undefined) {
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    return;
  }
  const body = request.method === 'HEAD' ? '' : 'ok';
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n${body}`;
  if (request.target === '/slow') setTimeout(() => socket.write(answer), 20);
  else socket.write(answer);
}

async function open(): Promise<
  { gate: Gate; upstream: RecordingUpstream; inputs: Input[] } & AsyncDisposable
> {
  const upstream = await recordingUpstream(respond);
  const gate = await startGate({
    upstreamPort: upstream.port,
    config: { limits: { headerTimeout: '1s', perPrincipal: { concurrent: 'off', perSecond: 'off' } } },
  });
  await gate.grant({});
  const inputs = inputsFor({ host: gate.host, token: await gate.staffToken() });
  return {
    gate,
    upstream,
    inputs,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

function recordsOf(gate: Gate): number {
  const { intents, refused, summed } = factsOf(gate);
  return intents.size + refused.size + sumOf(summed.values());
}

describe('the journal', () => {
  it('has a record for each kind of request, however it comes in', { timeout: 120_000 }, async () => {
    await using site = await open();
    const { gate, inputs } = site;
    using sockets = watchServerSockets(gate.dataPort);
    const place: Site = { port: gate.dataPort, sockets, random: randomFrom(SEED) };
    const wrong: unknown[] = [];
    for (const input of inputs.filter(({ slow }) => slow !== true)) {
      const before = recordsOf(gate);
      const requests = await counted(place, Array<Input>(EACH).fill(input));
      const records = await settled(() => recordsOf(gate) - before, requests);
      if (records !== requests) wrong.push({ input: input.name, requests, records, seed: SEED });
    }
    expect(wrong).toEqual([]);
    await stoppedFacts(gate, site.upstream);
  });

  it('has one for each head that never ends, and none for silence', { timeout: 60_000 }, async () => {
    await using site = await open();
    const { gate, upstream } = site;
    const inputs = site.inputs.filter(({ slow }) => slow === true);
    using sockets = watchServerSockets(gate.dataPort);
    const place: Site = { port: gate.dataPort, sockets, random: randomFrom(SEED) };
    const requests = await counted(place, [...inputs, ...inputs, ...inputs]);
    const facts = await stoppedFacts(gate, upstream);
    expect(requests).toBe(3 * 4);
    expect(facts.intents.size + facts.refused.size).toBe(requests);
  });

  it('has one for each of thousands that come in at once', { timeout: 120_000 }, async () => {
    await using site = await open();
    const { gate, upstream } = site;
    const inputs = site.inputs.filter(({ slow }) => slow !== true);
    using sockets = watchServerSockets(gate.dataPort);
    const random = randomFrom(SEED);
    const mixed = Array.from({ length: TOGETHER }, () => random.pick(inputs));
    const requests = await counted({ port: gate.dataPort, sockets, random }, mixed);
    const facts = await stoppedFacts(gate, upstream);
    const summed = sumOf(facts.summed.values());
    expect({ records: facts.intents.size + facts.refused.size + summed, seed: SEED }).toEqual({
      records: requests,
      seed: SEED,
    });
    expect(requests).toBeGreaterThan(TOGETHER);
    expect(summed).toBeGreaterThan(0);
  });

  it('has one for half a head over TLS, whose client is gone without a word', async () => {
    await using upstream = await recordingUpstream(respond);
    await using gate = await startGate(overTls(upstream.port));
    await gate.grant({});
    const whole = await headFor(gate, 'GET /t');
    for (const said of ['GET /half HT', whole, `${whole}GET /ha`]) {
      const before = recordsOf(gate);
      const raw = connect({ port: gate.dataPort, host: '127.0.0.1' });
      const secured = connectTls({ socket: raw, rejectUnauthorized: false, servername: 'localhost' });
      const client = new Wire(secured);
      await once(secured, 'secureConnect');
      client.send(said);
      if (said.startsWith(whole)) await answerOn(client);
      // Nothing tells a client that the gate has read what it sent.
      else await new Promise((resolve) => setTimeout(resolve, 300));
      raw.resetAndDestroy();
      const requests = said.split('GET ').length - 1;
      expect(await settled(() => recordsOf(gate) - before, requests)).toBe(requests);
    }
    await stoppedFacts(gate, upstream);
  });
});

const AT_ONCE = 40;

/** Says them all, so many at once; resolves with the number of requests of which the gate read a byte. */
async function counted(place: Site, inputs: readonly Input[]): Promise<number> {
  const strangers = place.sockets.strangers();
  const waiting = [...inputs];
  let requests = 0;
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, inputs.length) }, async () => {
      for (let input = waiting.pop(); input !== undefined; input = waiting.pop()) {
        const count = await requestsOf(input, place);
        requests += count;
      }
    }),
  );
  return requests + place.sockets.strangers() - strangers;
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** What is summed is written once a second. */
async function settled(count: () => number, expected: number): Promise<number> {
  const until = performance.now() + 10_000;
  while (count() < expected && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return count();
}
