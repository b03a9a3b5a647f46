// The fixture of the bypass corpus: one gate with its deny rules, one byte recorder behind it, one grant, and the
// journal read as it grows. `send` judges a case by everything that can be seen of it.
import { expect } from 'vitest';
import { type CorpusCase, type Expected, fillIn } from './corpus-cases.ts';
import { converse, type Dialogue, type DialogueOptions } from './corpus-client.ts';
import { type Gate, startGate } from './gate.ts';
import {
  type RecordedRequest,
  recordingUpstream,
  type RecordingUpstream,
  type Respond,
} from './recording-upstream.ts';

export const CORPUS_POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: corpus }
spec:
  rules:
    - { id: d1, category: export, match: [{ paths: ["/exports/**"] }] }
    - { id: d2, category: email, match: [{ methods: [POST], paths: ["/api/v1/emails/send"] }] }
    - { id: d3, category: billing, match: [{ paths: ["/billing/**"] }] }
    - { id: d4, category: export, match: [{ paths: ["/reports"], query: { format: [csv, xlsx] } }] }
    - { id: m1, category: records, match: [{ methods: [DELETE], paths: ["/records/{id}"] }] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: slashes }
spec: { paths: ["/files/**"], allow: [encodedSlash] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: bodies }
spec: { paths: ["/search"], allow: [getBody], headers: [x_app_name] }
`;

/** One line of the journal, as far as the corpus looks at it. */
export interface Line {
  readonly k: string;
  readonly id: string;
  readonly code?: string;
  readonly rule?: { readonly id: string };
  readonly count?: number;
  readonly method?: string;
  readonly path?: string;
  readonly endedBy?: string;
}

/** What a request is recorded as, once: forwarded (`ok`) or refused, by its reason. */
export function outcomesOf(lines: readonly Line[]): readonly string[] {
  return lines.filter(({ k }) => k === 'intent' || k === 'refused').map(({ code }) => code ?? 'ok');
}

export interface CorpusGate extends AsyncDisposable {
  readonly gate: Gate;
  readonly upstream: RecordingUpstream;
  readonly token: string;
  /** Of the one grant there is. */
  readonly grantId: string;
  /** Host and Authorization of an allowed request. */
  readonly head: string;
  /** Fills in placeholders, sends, and reads all answers. */
  converse(bytes: string, options: DialogueOptions): Promise<Dialogue>;
  /** Requests recorded since the last call. */
  takeForwarded(): readonly RecordedRequest[];
  /** Journal lines since the last call. */
  takeLines(): readonly Line[];
}

/** Kinds of lines that a request can bring about: not those of the chain, which come by themselves. */
const TOLD: ReadonlySet<string> = new Set(['intent', 'refused', 'done', 'started', 'summed', 'event', 'gap']);

function toldIn(gate: Gate): Line[] {
  return (gate.journal() as unknown as Line[]).filter(({ k }) => TOLD.has(k));
}

export interface CorpusGateOptions {
  readonly respond?: Respond;
  /** Of another upstream; the recorder then sees nothing. */
  readonly upstreamPort?: number;
  readonly policy?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function startCorpusGate(options: CorpusGateOptions = {}): Promise<CorpusGate> {
  const upstream = await recordingUpstream(options.respond);
  const gate = await startGate({
    upstreamPort: options.upstreamPort ?? upstream.port,
    policy: options.policy ?? CORPUS_POLICY,
    config: {
      // Each refusal shall have a record of its own, however many come in a second.
      audit: { directory: 'audit', sinks: [], anonymousPerSecond: 1_000_000 },
      ...options.config,
    },
  });
  const { id: grantId } = await gate.grant({});
  const token = await gate.staffToken();
  let requestsTaken = 0;
  let linesTaken = toldIn(gate).length;
  return {
    gate,
    upstream,
    token,
    grantId,
    head: `Host: ${gate.host}\r\nAuthorization: Bearer ${token}`,
    converse: (bytes, dialogue) => converse(gate.dataPort, fillIn(bytes, gate.host, token), dialogue),
    takeForwarded() {
      const taken = upstream.requests.slice(requestsTaken);
      requestsTaken = upstream.requests.length;
      return taken;
    },
    takeLines() {
      const lines = toldIn(gate);
      const taken = lines.slice(linesTaken);
      linesTaken = lines.length;
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Every law of one case: what was answered, what was forwarded, what was recorded. */
export async function judgeCase(
  corpus: CorpusGate,
  { bytes, method, target, expect: expected }: CorpusCase,
): Promise<void> {
  const dialogue = await corpus.converse(bytes, { methods: [method], untilClosed: expected.closes === true });
  const forwarded = corpus.takeForwarded();
  const lines = corpus.takeLines();
  const seen = {
    text: dialogue.text,
    forwarded: forwarded.map((request) => `${request.method} ${request.target}`),
  };
  expect(dialogue.ending, `the connection stayed open: ${JSON.stringify(seen)}`).not.toBe('stays');
  if (expected.closes === true) expect(dialogue.gateClosed).toBe(true);
  const answer = dialogue.answers[0];
  expect(answer, `no answer: ${JSON.stringify({ ...seen, ending: dialogue.ending })}`).toBeDefined();
  if (answer === undefined) return;

  const outcomes = lines.filter(({ k }) => k === 'intent' || k === 'refused');
  expect(lines.filter(({ k }) => k === 'summed')).toEqual([]);
  expect(outcomes, JSON.stringify({ seen, lines })).toHaveLength(expected.records ?? 1);
  const first = outcomes[0] as Line;
  if (expected.forwarded !== undefined) {
    expect({ status: answer.status, ...seen }).toMatchObject({ status: 200 });
    expect(forwarded).toHaveLength(1);
    expect(first.k).toBe('intent');
    checkForwarded(forwarded[0] as RecordedRequest, { method, target, expected, requestId: first.id });
    return;
  }
  expect(seen.forwarded).toEqual([]);
  const status = expected.rule === undefined ? expected.status : 403;
  const reason = expected.rule === undefined ? expected.reason : 'rule_denied';
  const code = first.code ?? lines.find(({ k, id }) => k === 'done' && id === first.id)?.code;
  expect({ status: answer.status, reason: code, text: dialogue.text }).toMatchObject({ status, reason });
  if (expected.rule !== undefined) expect(first.rule?.id).toBe(expected.rule);
  expect(answer.headers['x-request-id']).toBe(first.id);
  if (method === 'HEAD') return;
  const problem = JSON.parse(answer.body) as Record<string, unknown>;
  expect(problem).toMatchObject({ status, reason, requestId: first.id });
  if (expected.rule !== undefined) expect(problem.rule).toMatchObject({ id: expected.rule });
}

/** Set by the gate, each once; the application believes these. */
const OURS: Readonly<Record<string, RegExp>> = {
  host: /^acme\.app\.test(:\d+)?$/,
  'x-support-assertion': /^[\w-]+\.[\w-]+\.[\w-]+$/,
  'x-request-id': /^[\w-]+$/,
  'x-forwarded-for': /^127\.0\.0\.1$/,
  'x-forwarded-proto': /^http$/,
  'x-forwarded-host': /^acme\.app\.test(:\d+)?$/,
  via: /^1\.[01] postern$/,
};

/** Never from a client, under no spelling: names by which applications route, trust or frame. */
const NEVER = [
  'authorization expect upgrade te trailer keep-alive proxy-connection proxy-authorization proxy-authenticate',
  'http2-settings forwarded x-real-ip x-original-url x-rewrite-url x-original-uri x-override-url x-script-name',
  'x-http-destinationurl request-uri url base-url x-proxy-url x-envoy-original-path x-matched-path x-invoke-path',
  'x-middleware-subrequest x-accel-redirect x-sendfile destination client-ip x-client-ip true-client-ip',
  'cf-connecting-ip x-originating-ip x-host x-http-host-override x-http-method-override x-http-method',
  'x-method-override',
]
  .join(' ')
  .split(' ');

interface Sent {
  readonly method: string;
  readonly target: string;
  readonly expected: Expected;
  readonly requestId: string;
}

function checkForwarded(request: RecordedRequest, { method, target, expected, requestId }: Sent): void {
  const wanted = expected.forwarded === 'same' ? target : fillIn(expected.forwarded ?? '', '', '');
  expect(`${request.method} ${request.target}`).toBe(`${expected.method ?? method} ${wanted}`);
  expect(request.body).toBe(expected.body ?? '');
  checkHygiene(request);
  const valuesOf = (name: string) =>
    request.headers.filter(([key]) => key.toLowerCase() === name).map(([, v]) => v);
  expect(valuesOf('x-request-id')).toEqual([requestId]);
  for (const name of expected.absent ?? []) expect(valuesOf(name), name).toEqual([]);
  for (const [name, value] of Object.entries(expected.present ?? {}))
    expect(valuesOf(name), name).toEqual([value]);
}

/** The laws of every forwarded request, whatever was sent. */
export function checkHygiene(request: RecordedRequest): void {
  const names = request.headers.map(([name]) => name.toLowerCase());
  for (const [name, pattern] of Object.entries(OURS)) {
    const values = request.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    expect(values, name).toEqual([expect.stringMatching(pattern)]);
  }
  for (const name of names) {
    expect(NEVER, `${name} arrived`).not.toContain(name);
    expect(NEVER, `${name} arrived`).not.toContain(name.replaceAll(/[^a-z0-9]/g, '-'));
    if (name.startsWith('x-forwarded-') || name.startsWith('x-support-') || name.startsWith('x-postern-')) {
      expect(Object.keys(OURS)).toContain(name);
    }
  }
  expect(names.filter((name) => name === 'connection').length).toBeLessThanOrEqual(1);
  expect(
    names.filter((name) => name === 'content-length' || name === 'transfer-encoding').length,
  ).toBeLessThanOrEqual(1);
}
