// Holds everything that the generated requests brought about against the laws: no reading of what arrived is denied,
// what arrived is what was judged, once each, for the client that sent it, and every answer is the gate's own or the
// application's. Pure: it is given what was seen.
import type { RawAnswer } from '../support/raw-client.ts';
import { parseHead, parseRequest, type RecordedRequest } from '../support/recording-upstream.ts';
import type { GeneratedRequest } from './generated-request.ts';
import { hygieneFailures, type Line, problemIn } from './judge.ts';
import { type DeniedRoute, leaksOf, toldOf } from './oracle.ts';
import { caseOf, SERIAL_HEADER } from './serial-answers.ts';
import type { Shot } from './shooter.ts';

/** One law broken by one case; `kind` says how it is counted. */
export interface Failure {
  readonly id: string;
  readonly class: number;
  readonly about: string;
  readonly kind: 'leak' | 'over-block' | 'crash' | 'law';
  readonly why: string;
}

export interface Evidence {
  readonly shots: readonly Shot[];
  /** Of the recorder from its first request on, those of hand-written cases included: serials count from there. */
  readonly recorded: readonly RecordedRequest[];
  /** Of the whole run: what arrived half. */
  readonly cut: readonly RecordedRequest[];
  /** How many of `recorded` were there before the first shot. */
  readonly before: number;
  /** Of the whole run. */
  readonly lines: readonly Line[];
  readonly denied: readonly DeniedRoute[];
}

export function failuresOfShots(evidence: Evidence): readonly Failure[] {
  const { shots, recorded, before } = evidence;
  const judged = new Set(
    evidence.lines.filter(({ k }) => k === 'intent' || k === 'refused').map(({ id }) => id),
  );
  const claimed = new Map<number, string>();
  const arrived = arrivedByCase(evidence);
  const failures: Failure[] = [];
  for (const shot of shots) {
    const { request } = shot;
    const told = (why: string, kind: Failure['kind'] = 'law') => failures.push(failureOf(request, kind, why));
    if (shot.ending === 'stays') told('the connection stayed open');
    if (shot.ending === 'refused') told('the gate took no connection', 'crash');
    if (shot.rest !== '') told(`bytes after the last answer: ${JSON.stringify(shot.rest.slice(0, 200))}`);
    for (const answer of shot.answers) {
      const why =
        answerFailure(answer, judged) ?? clientFailure(answer, { request, recorded, before, claimed });
      if (why !== null) told(why);
    }
    if (!inOrder(shot.answers)) told('the requests of one connection arrived in another order');
    const mine = arrived.get(request.id) ?? [];
    if (mine.length > request.mostRequests)
      told(`${mine.length} requests arrived, at most ${request.mostRequests} were sent`);
    if (request.mustForward === true && mine.length !== 1)
      told(
        `not forwarded: ${shot.answers[0]?.status ?? 'no answer'} ${shot.answers[0]?.body ?? ''}`,
        'over-block',
      );
    for (const one of mine) {
      for (const why of toldOf(leaksOf(one, evidence.denied))) told(why, 'leak');
      for (const why of hygieneFailures(one)) told(why);
    }
  }
  return [...failures, ...strayFailures(evidence, arrived)];
}

function failureOf(
  { id, class: number, about }: GeneratedRequest,
  kind: Failure['kind'],
  why: string,
): Failure {
  return { id, class: number, about, kind, why };
}

/** By the tag that a forwarded request carries, or by the answer that named it. */
function arrivedByCase({
  shots,
  recorded,
  cut,
  before,
}: Evidence): ReadonlyMap<string, readonly RecordedRequest[]> {
  const bySerial = new Map<number, string>();
  for (const { request, answers } of shots) {
    for (const answer of answers) {
      const serial = serialOf(answer);
      if (serial !== null && !bySerial.has(serial)) bySerial.set(serial, request.id);
    }
  }
  const arrived = new Map<string, RecordedRequest[]>();
  const add = (id: string, request: RecordedRequest) => {
    const list = arrived.get(id);
    if (list === undefined) arrived.set(id, [request]);
    else list.push(request);
  };
  for (const [index, request] of recorded.slice(before).entries())
    add(caseOf(request) ?? bySerial.get(before + index) ?? '', request);
  for (const request of cut) add(caseOf(request) ?? '', request);
  return arrived;
}

function serialOf({ headers }: RawAnswer): number | null {
  const serial = headers[SERIAL_HEADER];
  return serial === undefined ? null : Number(serial);
}

/** Whether what one client sent in a row was forwarded in that order. */
function inOrder(answers: readonly RawAnswer[]): boolean {
  const serials = answers.map(serialOf).filter((serial) => serial !== null);
  return serials.every((serial, index) => index === 0 || serial > (serials[index - 1] ?? 0));
}

/** Null for an answer of the application's, and for one of ours that says so and is recorded. */
function answerFailure(answer: RawAnswer, judged: ReadonlySet<string>): string | null {
  if (serialOf(answer) !== null) return null;
  const { status, headers } = answer;
  if (status < 400) return `${status} from neither the gate nor the application`;
  if (headers['content-type']?.startsWith('application/problem+json') !== true)
    return `${status} is no problem`;
  if (answer.body !== '' && problemIn(answer)?.['status'] !== status)
    return `${status} with another one in its body`;
  return judged.has(headers['x-request-id'] ?? '') ? null : `${status} without a record`;
}

interface Claim {
  readonly request: GeneratedRequest;
  readonly recorded: readonly RecordedRequest[];
  readonly before: number;
  /** Serials that were seen, with the case that saw each. */
  readonly claimed: Map<number, string>;
}

/** Why an answer of the application's is at the wrong client; null when it is not. */
function clientFailure(answer: RawAnswer, { request, recorded, before, claimed }: Claim): string | null {
  const serial = serialOf(answer);
  if (serial === null) return null;
  const owner = claimed.get(serial);
  claimed.set(serial, request.id);
  if (owner !== undefined) return `the answer to request ${serial} came to ${owner} as well`;
  const asked = recorded[serial];
  if (asked === undefined || serial < before) return `the answer to request ${serial} of another time`;
  const id = caseOf(asked);
  return id === null || id === request.id ? null : `the answer to a request of ${id}`;
}

/** What arrived and belongs to no case that was sent. */
function strayFailures(
  { shots, denied }: Evidence,
  arrived: ReadonlyMap<string, readonly RecordedRequest[]>,
): Failure[] {
  const sent = new Set(shots.map(({ request }) => request.id));
  return [...arrived]
    .filter(([id]) => !sent.has(id))
    .flatMap(([id, requests]) => requests.map((one) => ({ id, one })))
    .flatMap(({ id, one }) => {
      const about = 'what arrived for no client';
      const leaks = toldOf(leaksOf(one, denied));
      const kind = leaks.length > 0 ? 'leak' : 'law';
      const whys = leaks.length > 0 ? leaks : [`${one.method} ${one.target} arrived for no client`];
      return whys.map((why) => ({ id: id || 'stray', class: 0, about, kind, why }) as const);
    });
}

/** What stands in the bytes that the recorder received, read once more. */
export interface Received {
  readonly count: number;
  /** The last one of a connection, whose client went away before its body was whole. */
  readonly cut: readonly RecordedRequest[];
  /** What is not even the head of a request. */
  readonly rest: readonly string[];
}

/** `bytes`: of each connection. */
export function receivedIn(bytes: readonly string[]): Received {
  let count = 0;
  const cut: RecordedRequest[] = [];
  const rest: string[] = [];
  for (const all of bytes) {
    let left = all;
    for (let parsed = parseRequest(left); parsed !== null; parsed = parseRequest(left)) {
      left = left.slice(parsed.length);
      count += 1;
    }
    if (left === '') continue;
    const head = parseHead(left);
    if (head === null) rest.push(left.slice(0, 200));
    else cut.push({ ...head.request, body: left.slice(head.length) });
  }
  return { count, cut, rest };
}

export interface Balance {
  /** Whole ones. */
  readonly upstreamRequests: number;
  /** Intents whose request was handed over whole. */
  readonly judgedRequests: number;
  readonly failures: readonly string[];
}

/** Holds every recorded request against the journal, one to one. */
export function balanceOf(
  recorded: readonly RecordedRequest[],
  lines: readonly Line[],
  { count, cut, rest }: Received,
): Balance {
  const failures = rest.map((text) => `bytes that are no request: ${JSON.stringify(text)}`);
  if (count !== recorded.length) failures.push(`${count} requests in the bytes, ${recorded.length} recorded`);
  const endings = new Map(lines.filter(({ k }) => k === 'done').map(({ id, code = 'ok' }) => [id, code]));
  // Who goes away while the request waits for its turn has it judged and not sent.
  const gone = new Set(lines.filter(({ endedBy }) => endedBy === 'client').map(({ id }) => id));
  const intents = new Set<string>();
  for (const { k, id } of lines) {
    if (k !== 'intent') continue;
    if (intents.has(id)) failures.push(`two intents of ${id}`);
    intents.add(id);
  }
  const seen = new Set<string>();
  for (const request of [...recorded, ...cut]) {
    const id = requestIdOf(request);
    const told = `${request.method} ${request.target} (${id})`;
    if (!intents.has(id)) failures.push(`${told} arrived without a judgement`);
    if (seen.has(id)) failures.push(`${told} arrived twice`);
    seen.add(id);
  }
  const whole = new Set(recorded.map(requestIdOf));
  let judgedRequests = 0;
  for (const id of intents) {
    const code = endings.get(id) ?? 'ok';
    if (BEFORE_IT.has(code)) {
      if (seen.has(id)) failures.push(`${id} arrived and is recorded as ${code}`);
    } else if (whole.has(id)) judgedRequests += 1;
    else if (code === 'ok' && !gone.has(id)) {
      judgedRequests += 1;
      failures.push(`${id} was judged and did not arrive whole`);
    }
  }
  return { upstreamRequests: recorded.length, judgedRequests, failures };
}

/** Refusals that an intent may still end in, and that stand for a request of which the application saw nothing. */
const BEFORE_IT = new Set([
  'rule_denied',
  'body_uninspectable',
  'bad_request_target',
  'bad_header',
  'upgrade_refused',
  'websocket_version',
  'origin_refused',
  'expectation_failed',
  'read_only',
  'workspace_out_of_scope',
]);

function requestIdOf({ headers }: RecordedRequest): string {
  return headers.find(([name]) => name.toLowerCase() === 'x-request-id')?.[1] ?? '';
}
