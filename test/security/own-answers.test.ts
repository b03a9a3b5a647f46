// What an answer of the gate's own says of the gate: nothing. Every reason code in every form (problem details, page, HEAD,
// over the socket of an upgrade), what the parser refuses, the reserved prefix: never stored, no version, no stack, no
// address, no cookie but ours, no door for other origins; and each status with what it has to say besides.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REASONS, type DenialCode } from '#model/reason.ts';
import { deny } from '#model/verdict.ts';
import { HANDSHAKE } from '../support/gate-traffic.ts';
import { type RawAnswer, rawRequest } from '../support/raw-client.ts';
import type { Respond } from '../support/recording-upstream.ts';
import {
  AS_ALICE,
  cookieLine,
  openAcme,
  type SessionGate,
  startSessionGate,
} from '../support/session-gate.ts';

/** `client_closed` has nobody to be told to. */
const CODES = (Object.keys(REASONS) as (DenialCode | 'ok')[]).filter(
  (code): code is DenialCode => code !== 'ok' && code !== 'client_closed',
);
/** What a parser or an operator might put into a note is never for the client. */
const NOTE = 'secret note at /srv/gate/exchange.ts:10:7 of 10.0.0.7';
const TOKENS = Object.fromEntries(CODES.map((code) => [`refused-${code}`, deny(code, NOTE)]));

const PAGE = 'Accept: text/html';
const JSON_BODY = ['Content-Type: application/json'];
const FORMS: readonly (readonly [form: string, line: string, headers: readonly string[], body: string])[] = [
  ['problem details', 'GET /tickets', [], ''],
  ['a page', 'GET /tickets', [PAGE], ''],
  ['a head alone', 'HEAD /tickets', ['Connection: close'], ''],
  ['an answer to a body', 'POST /tickets', JSON_BODY, '{}'],
  ['the answer to an upgrade', 'GET /chat', HANDSHAKE, ''],
];

/** Everything that may stand in such an answer; what a proxy or a server says of itself does not. */
const ALLOWED = new Set([
  'allow',
  'cache-control',
  'connection',
  'content-length',
  'content-security-policy',
  'content-type',
  'date',
  'keep-alive',
  'location',
  'referrer-policy',
  'retry-after',
  'sec-websocket-version',
  'set-cookie',
  'upgrade',
  'www-authenticate',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
]);
// A token is known by its first dot too: the random value of our own cookie may well hold `eyJ`.
const REVEALING =
  /secret note|\.ts\b|node_modules|node:|\n\s+at |Error:|127\.0\.0\.1|10\.0\.0\.7|v?\d+\.\d+\.\d+|postern\/\d|alice@|eyJ[\w-]*\./i;
const OWN_COOKIE = /^__Host-postern=[A-Za-z0-9_-]*; Path=\/; (Max-Age=0; )?Secure; HttpOnly; SameSite=Lax$/;
const OWED: Readonly<Record<number, readonly string[]>> = {
  401: ['www-authenticate'],
  405: ['allow'],
  426: ['sec-websocket-version', 'upgrade'],
  429: ['retry-after'],
  503: ['retry-after'],
};

function expectLawful(
  answer: RawAnswer,
  options: { readonly bodiless?: boolean; readonly cached?: boolean } = {},
): void {
  const { status, headers, body, text } = answer;
  expect(Object.keys(headers).filter((name) => !ALLOWED.has(name))).toEqual([]);
  expect(headers['cache-control']).toBe(options.cached === true ? 'public, max-age=300' : 'no-store');
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  // The page's own style holds numbers, the identifiers of requests too.
  expect(text.replaceAll(headers['x-request-id'] ?? '', '')).not.toMatch(REVEALING);
  for (const name of OWED[status] ?? []) expect(headers[name], name).toBeTruthy();
  for (const cookie of text.matchAll(/^set-cookie: (.*)\r$/gim)) expect(cookie[1]).toMatch(OWN_COOKIE);
  if (options.bodiless === true) expect(body).toBe('');
  else expect(Buffer.byteLength(body, 'latin1')).toBe(Number(headers['content-length']));
  if (headers['content-type']?.startsWith('text/html') === true) {
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  }
}

const respond: Respond = ({ target }, socket) => {
  if (target === '/broken') socket.end('nonsense\r\n\r\n');
  else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
};

describe('an answer of the gate', () => {
  let gate: SessionGate;

  beforeAll(async () => {
    gate = await startSessionGate({ tokens: TOKENS, respond });
    openAcme(gate.held);
  });
  afterAll(async () => {
    await gate[Symbol.asyncDispose]();
  });

  describe.each(FORMS)('as %s', (_form, line, headers, body) => {
    it.each(CODES)('reveals nothing and is not kept: %s', async (code) => {
      const answer = await gate.ask(line, [`Authorization: Bearer refused-${code}`, ...headers], body);
      expect(answer.status).toBe(REASONS[code].status);
      expectLawful(answer, { bodiless: line.startsWith('HEAD') });
      const isPage = headers.includes(PAGE);
      if (line.startsWith('HEAD')) return;
      if (isPage) expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
      else expect(JSON.parse(answer.body)).toMatchObject({ reason: code, status: REASONS[code].status });
    });
  });

  const OWN = 'Host: acme.app.test';
  it.each([
    ['no request at all', 'garbage\r\n\r\n', 400],
    ['a space in the target', `GET /a b HTTP/1.1\r\n${OWN}\r\n\r\n`, 400],
    ['a header without a name', `GET / HTTP/1.1\r\n${OWN}\r\n: x\r\n\r\n`, 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['another Host', 'GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n', 421],
    [
      'two ways of framing',
      `POST / HTTP/1.1\r\n${OWN}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
    ['an encoded slash', `GET /a%2Fb HTTP/1.1\r\n${OWN}\r\n\r\n`, 400],
    ['TRACE', `TRACE / HTTP/1.1\r\n${OWN}\r\n\r\n`, 405],
    ['CONNECT', `CONNECT acme.app.test:80 HTTP/1.1\r\n${OWN}\r\n\r\n`, 405],
    ['HTTP/2', `GET / HTTP/2.0\r\n${OWN}\r\n\r\n`, 505],
    ['an expectation', `GET / HTTP/1.1\r\n${OWN}\r\nExpect: wonders\r\n\r\n`, 417],
    ['a long target', `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${OWN}\r\n\r\n`, 414],
    ['a flood of headers', `GET / HTTP/1.1\r\n${OWN}\r\n${'a: b\r\n'.repeat(9000)}\r\n`, 431],
    [
      'an upgrade without a key',
      `GET / HTTP/1.1\r\n${OWN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      400,
    ],
    ['nobody', `GET / HTTP/1.1\r\n${OWN}\r\n\r\n`, 401],
    ['an upstream that breaks off', `GET /broken HTTP/1.1\r\n${OWN}\r\n${AS_ALICE}\r\n\r\n`, 502],
    ['what is not there below the reserved prefix', `GET /-/postern/x HTTP/1.1\r\n${OWN}\r\n\r\n`, 404],
  ])('to %s keeps these laws too', async (_what, bytes, status) => {
    const answer = await rawRequest(gate.port, bytes);
    expect(answer.status).toBe(status);
    expectLawful(answer);
  });

  it('to a page of another origin, whatever it asks, opens no door for it', async () => {
    const preflight = ['Origin: https://evil.test', 'Access-Control-Request-Method: GET'];
    const answers = [
      await gate.ask('OPTIONS /tickets', preflight),
      await gate.ask('GET /tickets', ['Origin: https://evil.test']),
      await gate.ask('GET /chat', ['Origin: https://evil.test', AS_ALICE, ...HANDSHAKE]),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403]);
    for (const answer of answers) expectLawful(answer);
  });

  it('below the reserved prefix sets our cookie or none; the key set alone may be kept', async () => {
    expectLawful(await gate.ask('GET /-/postern/jwks.json'), { cached: true });
    const launch = gate.held.launchFor(gate.held.session());
    const shown = await gate.ask(`GET /-/postern/enter?launch=${launch}`, [PAGE]);
    // It names the very person who is about to enter.
    expect(shown.status).toBe(200);
    expectLawful({ ...shown, text: shown.text.replaceAll('alice@vendor.test', '') });
    const form = ['Content-Type: application/x-www-form-urlencoded', 'Origin: https://acme.app.test'];
    const entered = await gate.ask('POST /-/postern/enter', form, `launch=${launch}`);
    expect(entered.status).toBe(303);
    expectLawful(entered);
    const session = gate.held.session();
    const cookie = cookieLine(gate.held.cookieFor(session));
    const left = await gate.ask('POST /-/postern/leave', [...form, cookie], 'note=done');
    expect(left.headers['set-cookie']).toMatch(/Max-Age=0/);
    expectLawful(left);
  });
});

describe('these laws', () => {
  const lawful = 'HTTP/1.1 403 Forbidden\r\n';
  const answerWith = (headers: Record<string, string>, body = ''): RawAnswer => ({
    status: 403,
    headers: {
      'cache-control': 'no-store',
      'x-request-id': '01985c5e-0000-7000-8000-000000000000',
      'content-length': String(body.length),
      ...headers,
    },
    body,
    text: lawful + body,
  });

  it.each([
    ['a server that names itself', answerWith({ server: 'gate' })],
    ['an answer that may be kept', answerWith({ 'cache-control': 'private' })],
    ['a stack', answerWith({}, 'TypeError: x\n    at run')],
    ['a version', answerWith({}, 'gate 1.2.3')],
    ['an open door', answerWith({ 'access-control-allow-origin': '*' })],
  ])('find %s', (_what, answer) => {
    expect(() => expectLawful(answerWith({}))).not.toThrow();
    expect(() => expectLawful(answer)).toThrow();
  });
});
