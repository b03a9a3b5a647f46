// The whole gate over raw sockets, many inputs to a connection: what arrives at the upstream is exactly what was judged
// and recorded, byte for byte parsable, clean of what must not arrive, and on a denied route in no reading. An input is
// the bytes of a request with the placeholders of the bypass corpus; what one leaves open the next one falls into.
import * as fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { hygieneFailures } from '../../corpus/judge.ts';
import { deniedRoutes, leaksOf } from '../../corpus/oracle.ts';
import { CORPUS_POLICY } from '../../support/corpus-gate.ts';
import type { RecordedRequest } from '../../support/recording-upstream.ts';
import { corpusInputs } from '../corpus-seeds.ts';
import {
  BrokenLaw,
  broken,
  described,
  type Executed,
  type FuzzTarget,
  type OpenTarget,
} from '../fuzz-target.ts';
import { type FuzzGate, type JournalEntry, startFuzzGate } from '../fuzz-gate.ts';

const denied = deniedRoutes(CORPUS_POLICY);

/** What it records is kept in memory and on disk: from time to time it starts anew. */
const INPUTS_PER_GATE = 40_000;

async function open(): Promise<OpenTarget> {
  let gate = await startFuzzGate();
  let used = 0;
  const strays: unknown[] = [];
  const onStray = (error: unknown) => void strays.push(error);
  process.on('uncaughtException', onStray).on('unhandledRejection', onStray);

  async function judge(inputs: readonly string[]): Promise<readonly string[]> {
    const statuses = await gate.send(inputs);
    await judgeAll(gate, statuses);
    const [stray] = strays.splice(0);
    if (stray !== undefined) throw stray;
    return statuses;
  }

  return {
    async execute(inputs) {
      used += inputs.length;
      if (used > INPUTS_PER_GATE) {
        await gate[Symbol.asyncDispose]();
        gate = await startFuzzGate();
        used = inputs.length;
      }
      try {
        return executed(inputs, await judge(inputs));
      } catch (error) {
        return await blamed(inputs, error, judge);
      }
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      process.off('uncaughtException', onStray).off('unhandledRejection', onStray);
    },
  };
}

/** Which input an answer is to cannot be told where one swallowed the next: blocks alone guide. */
function executed(inputs: readonly string[], statuses: readonly string[]): Executed {
  const label = inputs.length === 1 ? statuses.join(' ') : '';
  return { labels: inputs.map(() => label), failures: [] };
}

/** The input that breaks a law by itself; else the first, and it says so. */
async function blamed(
  inputs: readonly string[],
  error: unknown,
  judge: (inputs: readonly string[]) => Promise<unknown>,
): Promise<Executed> {
  const labels = inputs.map(() => 'failed');
  const failure = described(error);
  for (const [index, input] of inputs.length > 1 ? inputs.entries() : []) {
    try {
      await judge([input]);
    } catch (single) {
      return { labels, failures: [{ index, ...described(single) }] };
    }
  }
  const together = inputs.length > 1 ? ` (only together: ${JSON.stringify(inputs)})` : '';
  return { labels, failures: [{ index: 0, law: failure.law, detail: failure.detail + together }] };
}

const SETTLE_ROUNDS = 200;

async function judgeAll(gate: FuzzGate, statuses: readonly string[]): Promise<void> {
  const intents = new Map<string, JournalEntry>();
  const ends = new Map<string, JournalEntry>();
  for (let round = 0; round < SETTLE_ROUNDS; round++) {
    for (const line of gate.takeLines()) {
      if (line.k === 'intent') intents.set(line.id, line);
      else if (line.k === 'done') ends.set(line.id, line);
    }
    if (ends.size === intents.size) break;
    await delay(5);
  }
  if (ends.size !== intents.size)
    broken('every intent is completed', { intents: intents.size, ends: ends.size });
  const requests = gate.takeRequests();
  const whole = checkRecorded(requests, intents);
  const cut = [...intents.keys()].filter((id) => !whole.has(id));
  for (const id of cut) {
    const end = ends.get(id);
    // A client that went before its answer, as ours does, takes its request with it.
    if (end?.code === 'ok' && end.endedBy !== 'client')
      broken('what was judged arrived', { intent: intents.get(id), end });
  }
  const left = gate.leftBytes();
  if (left !== '' && cut.length === 0)
    broken('no byte arrives that is not part of a judged request', { left });
  if (statuses.includes('500')) broken('nothing fails inside', { statuses });
}

/** By id, those that arrived whole. */
function checkRecorded(
  requests: readonly RecordedRequest[],
  intents: ReadonlyMap<string, JournalEntry>,
): ReadonlySet<string> {
  const whole = new Set<string>();
  for (const request of requests) {
    const [, id = ''] = request.headers.find(([name]) => name.toLowerCase() === 'x-request-id') ?? [];
    const intent = intents.get(id);
    if (intent === undefined) broken('only what was judged arrives', request);
    if (whole.has(id)) broken('what was judged arrives once', request);
    whole.add(id);
    if (intent?.method !== request.method || !isPath(request.target, intent.path ?? ''))
      broken('arrives as it was judged', { request, intent });
    const [leak] = leaksOf(request, denied);
    if (leak !== undefined)
      throw new BrokenLaw(`lands on no denied route (${leak.reading})`, JSON.stringify(leak));
    const [flaw] = hygieneFailures(request);
    if (flaw !== undefined) broken('arrives clean', { flaw, request });
  }
  return whole;
}

/** A record holds the beginning of what is very long. */
function isPath(target: string, recorded: string): boolean {
  const path = target.split('?', 1)[0] ?? '';
  return path.length < 1000 ? path === recorded : path.startsWith(recorded.slice(0, 1000));
}

const TARGETS = [
  '/me',
  '/exports/1',
  '/EXPORTS;x',
  '/a%2F..%2Fexports',
  '/files/a%2Fb',
  '/files/x%2F..%C2%AD%2Fexports',
  '/reports?format=csv',
  '/records/7',
  '/search',
  '/api/v1/emails/send',
  '//exports',
  '/exports.json',
  '/%65xports',
  '/a?x=1&_method=DELETE',
  '*',
  'http://acme.app.test/me',
];
const LINES = [
  'Content-Length: 0',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Content-Length: +5',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: keep-alive, x-a',
  'Upgrade: websocket',
  'X-Forwarded-For: 1',
  'X_Support_User: a',
  'x_app_name: a',
  'Content-Type: application/x-www-form-urlencoded',
  'Cookie: __Host-postern=a; b=c',
  'TE: trailers',
  'Trailer: x',
  'X-HTTP-Method-Override: DELETE',
  'Host: other',
  'Accept: */*',
];
const BODIES = [
  '',
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '5;x=y\r\nhello\r\n0\r\nX-A: b\r\n\r\n',
  '_method=DELETE',
  '05\r\nhello\r\n0\r\n\r\n',
  'GET /exports HTTP/1.1\r\n<HEAD>\r\n\r\n',
];

const request = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'),
    target: fc.constantFrom(...TARGETS),
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    lines: fc.array(fc.constantFrom(...LINES), { maxLength: 3 }),
    body: fc.constantFrom(...BODIES),
  })
  .map(
    (one) =>
      `${one.method} ${one.target} HTTP/${one.version}\r\n${['<HEAD>', ...one.lines].join('\r\n')}\r\n\r\n${one.body}`,
  );
/** Well framed, so that those behind it are reached. */
const plain = fc
  .tuple(
    fc.constantFrom('GET', 'DELETE', 'HEAD'),
    fc.constantFrom(...TARGETS),
    fc.constantFrom('', '?a=b', ';x', '/', '%20', '.csv', '%2e'),
  )
  .map(([method, target, more]) => `${method} ${target}${more} HTTP/1.1\r\n<HEAD>\r\n\r\n`);

export const target: FuzzTarget = {
  name: 'sockets',
  dictionary: [
    ...TARGETS.map((text) => ` ${text} `),
    ...LINES.map((line) => `\r\n${line}`),
    ...BODIES,
    '<HEAD>',
    '<HOST>',
    '<TOKEN>',
    '\r\n\r\n',
    '\r\n ',
    '\0',
    '%2f',
    '%2e',
    ';',
  ],
  fresh: fc.oneof(request, plain, plain),
  seeds: () => corpusInputs(({ bytes }) => bytes),
  batch: 512,
  finest: 32,
  open,
};
