// An export leaves by an answer that is spelled, framed, split or asked for so that a guard takes it for another: the
// answer of the upstream arrives byte by byte as the attack has it, and no byte of it may reach the client.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, ask, dial, headFor } from '../support/gate-traffic.ts';
import { type RawUpstream, startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec: { rules: [{ id: r, category: export, match: [{ paths: ["/exports/**"] }] }] }
---
apiVersion: postern/v1
kind: ResponseGuard
metadata: { name: guards }
spec:
  guards:
    - id: g
      category: export
      match: [{ methods: [GET], paths: ["/api/**"] }]
      response: { attachment: true, mediaTypes: [text/csv], extensions: [xlsx], maxBytes: 1KiB }
`;

const SECRET = 'name,iban-DE02';

/** Written apart from each other, each awaited, so that they arrive apart as well. */
let parts: readonly string[] = [];
let upstream: RawUpstream;
let gate: Gate;

async function talk(wire: Wire): Promise<void> {
  await wire.seen('\r\n\r\n');
  for (const part of parts) {
    await new Promise((resolve) => wire.socket.write(part, 'latin1', resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeAll(async () => {
  upstream = await startRawUpstream(talk);
  gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
  await gate.grant({});
});

afterAll(async () => {
  await gate[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function answer(lines: readonly string[], status = '200 OK', body = SECRET): string {
  return `HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join('')}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** Everything the client received; it must be a refusal and nothing else. */
async function received(
  text: readonly string[],
  line = 'GET /api/x',
  headers: readonly string[] = [],
): Promise<string> {
  parts = text;
  using client = await dial(gate);
  client.send(await headFor(gate, line, ['Connection: close', ...headers]));
  await client.closed;
  return client.text;
}

function expectWithheld(text: string): void {
  expect(text).not.toContain(SECRET);
  expect(text).not.toMatch(/iban|csv|xlsx/i);
  expect(text).toMatch(/^HTTP\/1\.1 403 /);
  expect(text).toContain('response_guarded');
}

describe('a guarded answer', () => {
  it.each<[string, readonly string[]]>([
    ['in other letters', ['CONTENT-TYPE:TEXT/CSV']],
    ['with white space', ['Content-Type: \t text/csv \t ']],
    ['with parameters', ['Content-Type: text/csv;charset="utf-8;,"']],
    ['behind another line of the name', ['Content-Type: application/json', 'content-type: text/csv']],
    ['before another line of the name', ['Content-Type: text/csv', 'Content-Type: application/json']],
    ['joined by a comma', ['Content-Type: application/json, text/csv']],
    ['nominated as hop-by-hop', ['Connection: content-type', 'Content-Type: text/csv']],
    ['with an unknown disposition', ['Content-Disposition: download']],
    ['with two dispositions', ['Content-Disposition: inline', 'Content-Disposition: attachment']],
    ['nominated disposition', ['Connection: close, Content-Disposition', 'Content-Disposition: attachment']],
    ['with an encoded name', ["Content-Disposition: inline; filename*=UTF-8''a%2Exls%78"]],
    ['with a continued name', ['Content-Disposition: inline; filename*0="a.xl"; filename*1="sx"']],
    ['compressed', ['Content-Type: text/csv', 'Content-Encoding: gzip']],
    ['declared as an event stream too', ['Content-Type: text/event-stream', 'Content-Type: text/csv']],
  ])('%s is withheld', async (_name, lines) => {
    expectWithheld(await received([answer(lines)]));
  });

  it.each([
    '201 Created',
    '203 Non-Authoritative',
    '302 Found',
    '404 Not Found',
    '500 Oops',
    '299 X',
    '599 X',
  ])('with status %s is withheld', async (status) => {
    expectWithheld(await received([answer(['Content-Type: text/csv'], status)]));
  });

  it('is withheld behind interim answers', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nContent-Type: application/json\r\nLink: </a>\r\n\r\n';
    const text = await received([early + early, answer(['Content-Type: text/csv'])]);
    expect(text).toContain('HTTP/1.1 103');
    expectWithheld(text.slice(text.lastIndexOf('HTTP/1.1')));
  });

  it('is withheld however its bytes are split', async () => {
    expectWithheld(await received([...answer(['Content-Type: text/csv'])]));
    const [head, body] = answer(['Content-Type: text/csv']).split(/(?<=\r\n\r\n)/);
    expectWithheld(await received([head as string, body as string]));
  });

  it.each<[string, readonly string[]]>([
    [
      'in chunks',
      [
        'HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n',
        `e\r\n${SECRET}\r\n`,
        '0\r\n\r\n',
      ],
    ],
    ['up to the end of the connection', [`HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n${SECRET}`]],
    ['by HTTP/1.0', [`HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\n\r\n${SECRET}`]],
  ])('sent %s is withheld', async (_name, text) => {
    expectWithheld(await received(text));
  });

  it.each<[string, readonly string[]]>([
    ['one range of a table', ['Content-Type: text/csv', 'Content-Range: bytes 0-13/14']],
    ['one range whose type is left out', ['Content-Range: bytes 0-13/14']],
    ['several ranges, whose types are in the body', ['Content-Type: multipart/byteranges; boundary=b']],
    ['one range of something too large', ['Content-Type: a/b', 'Content-Range: bytes 0-13/1025']],
    ['one range of something of unknown size', ['Content-Type: a/b', 'Content-Range: bytes 0-13/*']],
  ])('asked for as %s is withheld', async (_name, lines) => {
    expectWithheld(
      await received([answer(lines, '206 Partial Content')], 'GET /api/x', ['Range: bytes=0-13']),
    );
  });

  it('asked for with a WebSocket handshake is withheld, and cut where it grows too long', async () => {
    const handshake = [
      'Upgrade: websocket',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ];
    const ask_ = async (text: readonly string[]): Promise<string> => {
      parts = text;
      using client = await dial(gate);
      client.send(await headFor(gate, 'GET /api/x', ['Connection: Upgrade', ...handshake]));
      await client.closed;
      return client.text;
    };
    expectWithheld(await ask_([answer(['Content-Type: text/csv'])]));
    const long = await ask_([
      'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n',
      'x'.repeat(1000),
      'y'.repeat(1000),
    ]);
    expect(long).not.toContain('y');
  });

  it('is not reached by a method that the application is asked to take it for', async () => {
    parts = [answer(['Content-Type: text/csv'])];
    expect(await ask(gate, 'POST /api/x?_method=GET', ['Content-Length: 0'])).toMatchObject({
      reason: 'response_guarded',
    });
    parts = [answer(['Content-Type: text/csv'])];
    expect(await ask(gate, 'GET /API/x;a=b/')).toMatchObject({ reason: 'response_guarded' });
  });

  it('leaves nothing behind for the next request on either connection', async () => {
    parts = [answer(['Content-Type: text/csv']), 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned'];
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /api/x'));
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'response_guarded' });
    client.clear();
    parts = [answer(['Content-Type: application/json'], '200 OK', '{}')];
    client.send(await headFor(gate, 'GET /api/x'));
    expect(await answerOn(client)).toMatchObject({ status: 200, body: '{}' });
  });

  it('closes the connection of a client that is still sending its body', async () => {
    const policy = POLICY.replace('methods: [GET], ', '');
    await using early = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(answer(['Content-Type: text/csv']));
    });
    await using all = await startGate({ upstreamPort: early.port, policy });
    await all.grant({});
    using client = await dial(all);
    client.send(await headFor(all, 'POST /api/x', ['Content-Length: 100000']));
    client.send('begin');
    const refusal = await answerOn(client);
    expect(refusal).toMatchObject({ status: 403, reason: 'response_guarded' });
    expect(refusal.head).toMatch(/connection: close/i);
    expect(await (await early.next()).closed).toBe('reset');
  });
});
