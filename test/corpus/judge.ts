// Holds one hand-written case of the corpus against everything that can be seen of it: what was answered, what reached
// the application, what the journal says. Knows no test library, so that one judge serves the tests and `npm run corpus`.
// A case that keeps every law has no failures.
import { type CorpusCase, type Expected, fillIn } from '../support/corpus-cases.ts';
import type { Dialogue, DialogueOptions } from '../support/corpus-client.ts';
import type { RawAnswer } from '../support/raw-client.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';

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

/** Kinds of lines that a request can bring about: not those of the chain, which come by themselves. */
export const TOLD: ReadonlySet<string> = new Set([
  'intent',
  'refused',
  'done',
  'started',
  'summed',
  'event',
  'gap',
]);

/** A gate and what stands behind it, in this process or in another. */
export interface Judged {
  /** Fills in placeholders, sends, and reads all answers. */
  converse(bytes: string, options: DialogueOptions): Promise<Dialogue>;
  /** Requests recorded since the last call. */
  takeForwarded(): readonly RecordedRequest[];
  /** Journal lines since the last call; those of another process may come a moment later, so it is told what to await. */
  takeLines(wanted: WantedLines): readonly Line[] | Promise<readonly Line[]>;
}

export interface WantedLines {
  /** Lines `intent` and `refused`. */
  readonly outcomes: number;
  /** Whether a first `intent` is followed by the `done` that refuses it after all. */
  readonly refusal: boolean;
}

/** Everything seen of one case. */
export interface Seen {
  readonly dialogue: Dialogue;
  readonly forwarded: readonly RecordedRequest[];
  readonly lines: readonly Line[];
}

export async function judgeCase(gate: Judged, one: CorpusCase): Promise<readonly string[]> {
  return failuresOf(one, await seenOf(gate, one));
}

/** Sends a case and takes what came of it. */
export async function seenOf(gate: Judged, { bytes, method, expect }: CorpusCase): Promise<Seen> {
  const dialogue = await gate.converse(bytes, { methods: [method], untilClosed: expect.closes === true });
  const wanted = { outcomes: expect.records ?? 1, refusal: expect.forwarded === undefined };
  const lines = await gate.takeLines(wanted);
  return { dialogue, forwarded: gate.takeForwarded(), lines };
}

/** Every law of one case that was broken. */
export function failuresOf(one: CorpusCase, { dialogue, forwarded, lines }: Seen): readonly string[] {
  const { expect } = one;
  const failures: string[] = [];
  const requests = forwarded.map((request) => `${request.method} ${request.target}`);
  const all = shown({ text: dialogue.text, forwarded: requests, ending: dialogue.ending });
  if (dialogue.ending === 'stays') failures.push(`the connection stayed open: ${all}`);
  if (one.method === 'HEAD' && !dialogue.text.endsWith('\r\n\r\n'))
    failures.push(`the answer to a HEAD has a body: ${all}`);
  if (expect.closes === true && !dialogue.gateClosed) failures.push('the gate did not close the connection');
  const outcomes = lines.filter(({ k }) => k === 'intent' || k === 'refused');
  if (lines.some(({ k }) => k === 'summed')) failures.push('a record was summed up');
  if (outcomes.length !== (expect.records ?? 1))
    failures.push(`${outcomes.length} records instead of ${expect.records ?? 1}: ${shown(lines)}`);
  const [answer] = dialogue.answers;
  const [first] = outcomes;
  if (answer === undefined) failures.push(`no answer: ${all}`);
  if (expect.forwarded === undefined && requests.length > 0)
    failures.push(`forwarded: ${requests.join(', ')}`);
  if (answer === undefined || first === undefined) return failures;
  if (expect.forwarded === undefined) return [...failures, ...refusalFailures(one, { answer, first, lines })];
  if (answer.status !== 200) failures.push(`answered ${answer.status} instead of forwarded: ${all}`);
  if (first.k !== 'intent') failures.push(`recorded as ${first.k} instead of intent`);
  if (forwarded.length !== 1) failures.push(`${forwarded.length} requests arrived: ${requests.join(', ')}`);
  const [request] = forwarded;
  return request === undefined ? failures : [...failures, ...forwardedFailures(one, request, first.id)];
}

interface Refused {
  readonly answer: RawAnswer;
  readonly first: Line;
  readonly lines: readonly Line[];
}

function refusalFailures({ method, expect }: CorpusCase, { answer, first, lines }: Refused): string[] {
  const failures: string[] = [];
  const check = checkInto(failures);
  const status = expect.rule === undefined ? expect.status : 403;
  const reason = expect.rule === undefined ? expect.reason : 'rule_denied';
  check('status', answer.status, status);
  const code = first.code ?? lines.find(({ k, id }) => k === 'done' && id === first.id)?.code;
  check('recorded reason', code, reason);
  if (expect.rule !== undefined) check('recorded rule', first.rule?.id, expect.rule);
  check('x-request-id', answer.headers['x-request-id'], first.id);
  if (method === 'HEAD') return failures;
  const problem = problemIn(answer);
  if (problem === null) return [...failures, `no problem details: ${shown(answer.text)}`];
  check('status of the problem', problem['status'], status);
  check('reason of the problem', problem['reason'], reason);
  check('requestId of the problem', problem['requestId'], first.id);
  if (expect.rule !== undefined)
    check('rule of the problem', (problem['rule'] as { id?: unknown } | undefined)?.id, expect.rule);
  return failures;
}

/** The object in a body of ours; null when it is none. */
export function problemIn({ body }: RawAnswer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function forwardedFailures(one: CorpusCase, request: RecordedRequest, requestId: string): string[] {
  const { method, target, expect } = one;
  const failures = [...hygieneFailures(request)];
  const check = checkInto(failures);
  check(
    'request line',
    `${request.method} ${request.target}`,
    `${expect.method ?? method} ${wantedTarget(expect, target)}`,
  );
  check('body', request.body, fillIn(expect.body ?? '', '', ''));
  check('x-request-id', valuesOf(request, 'x-request-id'), [requestId]);
  for (const name of expect.absent ?? []) check(name, valuesOf(request, name), []);
  for (const [name, value] of Object.entries(expect.present ?? {}))
    check(name, valuesOf(request, name), [value]);
  return failures;
}

function wantedTarget({ forwarded = '' }: Expected, target: string): string {
  return forwarded === 'same' ? target : fillIn(forwarded, '', '');
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
const NEVER = new Set(
  [
    'authorization expect upgrade te trailer keep-alive proxy-connection proxy-authorization proxy-authenticate',
    'http2-settings forwarded x-real-ip x-original-url x-rewrite-url x-original-uri x-override-url x-script-name',
    'x-http-destinationurl request-uri url base-url x-proxy-url x-envoy-original-path x-matched-path x-invoke-path',
    'x-middleware-subrequest x-accel-redirect x-sendfile destination client-ip x-client-ip true-client-ip',
    'cf-connecting-ip x-originating-ip x-host x-http-host-override x-http-method-override x-http-method',
    'x-method-override x-original-path x-original-host x-original-method x-unencoded-url x-waws-unencoded-url',
    'forwarded-for x-forwarded fastly-client-ip x-azure-clientip x-envoy-external-address x-envoy-internal',
    'x-remote-ip x-remote-addr x-cluster-client-ip',
  ]
    .join(' ')
    .split(' '),
);

/** The laws of every forwarded request, whatever was sent: each of our headers once, none that is managed by us. */
export function hygieneFailures(request: RecordedRequest): readonly string[] {
  const failures: string[] = [];
  for (const [name, pattern] of Object.entries(OURS)) {
    const values = valuesOf(request, name);
    if (values.length !== 1 || !pattern.test(values[0] ?? '')) failures.push(`${name} is ${shown(values)}`);
  }
  const names = request.headers.map(([name]) => name.toLowerCase());
  for (const name of names) {
    if (NEVER.has(name) || NEVER.has(name.replaceAll(/[^a-z0-9]/g, '-'))) failures.push(`${name} arrived`);
    if (/^x-(forwarded|support|postern)-/.test(name) && !Object.hasOwn(OURS, name))
      failures.push(`${name} arrived`);
  }
  if (names.filter((name) => name === 'connection').length > 1) failures.push('connection arrived twice');
  if (names.filter((name) => name === 'content-length' || name === 'transfer-encoding').length > 1)
    failures.push('two framings arrived');
  return failures;
}

function valuesOf(request: RecordedRequest, name: string): readonly string[] {
  return request.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

function checkInto(failures: string[]): (what: string, seen: unknown, wanted: unknown) => void {
  return (what, seen, wanted) => {
    if (shown(seen) !== shown(wanted)) failures.push(`${what} is ${shown(seen)} instead of ${shown(wanted)}`);
  };
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
