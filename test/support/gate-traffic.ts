// Traffic through a whole gate, byte for byte: heads as a staff member's client sends them, answers as they come,
// and what the tests of cuts wait for.
import type { Gate } from './gate.ts';
import { openClient, type Wire } from './upstream-wire.ts';

export const EVENT_STREAM =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
/** More than anybody sends in a test. */
export const ENDLESS = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n';
export const HELLO = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';

/** The key of RFC 6455 section 1.3. */
export const HANDSHAKE: readonly string[] = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** `line` is method and target. The token of Sam unless another is given; null for none. */
export async function headFor(
  gate: Gate,
  line: string,
  headers: readonly string[] = [],
  token?: string | null,
): Promise<string> {
  const bearer = token === undefined ? await gate.staffToken() : token;
  const lines = [`${line} HTTP/1.1`, `Host: ${gate.host}`, ...headers];
  if (bearer !== null) lines.push(`Authorization: Bearer ${bearer}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export function dial(gate: Gate, tls = false): Promise<Wire & Disposable> {
  return openClient(gate.dataPort, tls);
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Of problem details; empty for any other body. */
  readonly reason: string;
}

/** The last whole answer that came; interim ones are passed over. */
function answerIn(text: string): Answer | null {
  let rest = text;
  while (/^HTTP\/1\.1 1\d\d /.test(rest)) {
    const interimEnd = rest.indexOf('\r\n\r\n');
    if (interimEnd < 0) return null;
    rest = rest.slice(interimEnd + 4);
  }
  const end = rest.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = rest.slice(0, end);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const body = rest.slice(end + 4, end + 4 + length);
  if (body.length < length) return null;
  return { status: Number(head.split(' ')[1]), head, body, reason: reasonIn(body) };
}

/** Waits for one whole answer with a length. Rejects when the connection closes without. */
export async function answerOn(wire: Wire): Promise<Answer> {
  await wire.until(() => answerIn(wire.text) !== null || wire.ending !== null);
  const answer = answerIn(wire.text);
  if (answer === null) throw new Error(`closed (${wire.ending}) without an answer: ${wire.text}`);
  return answer;
}

/** One request on a connection of its own. */
export async function ask(
  gate: Gate,
  line: string,
  headers: readonly string[] = [],
  token?: string | null,
): Promise<Answer> {
  using client = await dial(gate);
  client.send(await headFor(gate, line, ['Connection: close', ...headers], token));
  // Awaited here, for the connection closes on return.
  return await answerOn(client);
}

/** Resolves once so many requests are bound to the grant, wherever in the gate they stand. */
export async function untilBound(gate: Gate, grant: string, requests: number): Promise<void> {
  for (;;) {
    const { body } = await gate.control('GET', `/v1/grants/${grant}/impact`);
    if (Number(body['requests']) + Number(body['streams']) >= requests) return;
  }
}

/** Polls until the gate has published what is looked for; rejects after ten seconds. */
export async function untilPublished(
  gate: Gate,
  test: (records: Record<string, unknown>[]) => boolean,
): Promise<Record<string, unknown>[]> {
  const until = performance.now() + 10_000;
  for (;;) {
    const records = publishedBy(gate);
    if (test(records)) return records;
    if (performance.now() > until) throw new Error(`not published: ${JSON.stringify(records, null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The file appears with the first record. */
function publishedBy(gate: Gate): Record<string, unknown>[] {
  try {
    return gate.records();
  } catch {
    return [];
  }
}

function reasonIn(body: string): string {
  try {
    return String((JSON.parse(body) as { reason?: unknown }).reason ?? '');
  } catch {
    return '';
  }
}
