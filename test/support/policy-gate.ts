// One gate under a policy of the test's own, with a recording upstream behind it: what is sent comes back as what
// was answered, by which rule, and what the upstream saw of it.
import { type Gate, type GateOptions, startGate } from './gate.ts';
import { dial, headFor } from './gate-traffic.ts';
import { parseAnswer, type RawAnswer } from './raw-client.ts';
import {
  type RecordedRequest,
  recordingUpstream,
  type RecordingUpstream,
  type Respond,
} from './recording-upstream.ts';

export const JSON_TYPE = 'Content-Type: application/json';
export const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';

export interface Sent {
  readonly headers?: readonly string[];
  /** With its Content-Length; text as UTF-8. */
  readonly body?: string | Buffer;
  /** Instead of `body`: each one chunk, in Latin-1. */
  readonly chunks?: readonly string[];
  /** Of Sam unless given; null for none. */
  readonly token?: string | null;
}

/** What came of one request. */
export interface Outcome {
  readonly status: number;
  /** Of problem details; empty for an answer of the upstream. */
  readonly reason: string;
  readonly rule: string | null;
  /** `POST /search` for each request that the upstream saw since; `…` for bytes that are no request. */
  readonly forwarded: readonly string[];
}

export interface PolicyGate extends AsyncDisposable {
  readonly gate: Gate;
  readonly upstream: RecordingUpstream;
  /** On a connection of its own. `line` is method and target. */
  send(line: string, sent?: Sent): Promise<Outcome>;
  /** Journal lines since the last call. */
  takeLines(): Record<string, unknown>[];
  /** The last request that the upstream saw. */
  last(): RecordedRequest;
}

export interface PolicyGateOptions extends Omit<GateOptions, 'upstreamPort'> {
  readonly policy: string;
  readonly respond?: Respond;
}

export const PASSED = { status: 200, reason: '', rule: null };

/** Refused for this reason, by this rule if any, and nothing of it reached the upstream. */
export function refusedBy(status: number, reason: string, rule: string | null = null): Outcome {
  return { status, reason, rule, forwarded: [] };
}

export async function startPolicyGate({ respond, ...options }: PolicyGateOptions): Promise<PolicyGate> {
  const upstream = await recordingUpstream(respond);
  const gate = await startGate({
    upstreamPort: upstream.port,
    ...options,
    config: {
      // Each refusal shall have a record of its own, however many come in a second.
      audit: {
        directory: 'audit',
        sinks: options.published === true ? [{ file: { path: 'published.ndjson' } }] : [],
        anonymousPerSecond: 1_000_000,
      },
      ...options.config,
    },
  });
  let linesTaken = gate.journal().length;

  async function send(line: string, sent: Sent = {}): Promise<Outcome> {
    const requests = upstream.requests.length;
    const bytes = bytesSeen(upstream);
    const answer = await ask(gate, line, sent);
    const forwarded = upstream.requests.slice(requests).map(({ method, target }) => `${method} ${target}`);
    if (forwarded.length === 0 && bytesSeen(upstream) > bytes) forwarded.push('…');
    return { status: answer.status, ...problemIn(answer), forwarded };
  }

  return {
    gate,
    upstream,
    send,
    takeLines() {
      const lines = gate.journal();
      const taken = lines.slice(linesTaken);
      linesTaken = lines.length;
      return taken;
    },
    last: () => upstream.requests.at(-1) as RecordedRequest,
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

function bytesSeen({ bytes }: RecordingUpstream): number {
  return bytes.reduce((sum, text) => sum + text.length, 0);
}

async function ask(gate: Gate, line: string, sent: Sent): Promise<RawAnswer> {
  using client = await dial(gate);
  const upgrades = (sent.headers ?? []).some((header) => /^connection:.*upgrade/i.test(header));
  const connection = upgrades ? [] : ['Connection: close'];
  client.send(
    await headFor(gate, line, [...connection, ...framingOf(sent), ...(sent.headers ?? [])], sent.token),
  );
  if (sent.body !== undefined) client.send(Buffer.from(sent.body));
  for (const text of sent.chunks ?? []) client.send(`${text.length.toString(16)}\r\n${text}\r\n`);
  if (sent.chunks !== undefined) client.send('0\r\n\r\n');
  await client.until(() => client.ending !== null || isSwitched(client.text));
  return parseAnswer(client.text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''));
}

function framingOf({ body, chunks }: Sent): readonly string[] {
  if (chunks !== undefined) return ['Transfer-Encoding: chunked'];
  return body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
}

function isSwitched(text: string): boolean {
  return text.startsWith('HTTP/1.1 101 ') && text.includes('\r\n\r\n');
}

function problemIn({ body }: RawAnswer): Pick<Outcome, 'reason' | 'rule'> {
  try {
    const { reason = '', rule } = JSON.parse(body) as { reason?: string; rule?: { id: string } };
    return { reason, rule: rule?.id ?? null };
  } catch {
    return { reason: '', rule: null };
  }
}
