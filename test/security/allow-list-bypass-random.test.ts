// The law behind the tables of bypasses: whatever spelling a request has, none that reaches the upstream is one that a
// naive application would take for something denied. The naive reading here shares no code with the gate: it decodes
// until nothing changes, forgets case, parameters and empty segments, and believes every body and every header.
import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyGate, startPolicyGate } from '../support/policy-gate.ts';
import { openClient, type Wire } from '../support/upstream-wire.ts';
import { headFor } from '../support/gate-traffic.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec:
  rules:
    - { id: jobs.export, category: export, match: [ { methods: [POST], paths: ["/jobs"], json: { "/type": [export] } } ] }
---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: scopes }
spec:
  scopes:
    - { paths: ["/w/{id}/**"], workspace: { path: id } }
    - { paths: ["/tickets/**"], workspace: { header: X-Workspace } }
---
apiVersion: postern/v1
kind: RouteAllowance
metadata: { name: routes }
spec:
  routes:
    - { id: jobs, methods: [POST], paths: ["/jobs"] }
    - { id: workspace, methods: [GET], paths: ["/w/**"] }
    - { id: tickets, methods: [GET], paths: ["/tickets", "/tickets/**"] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: opened }
spec: { paths: ["/w/**"], allow: [encodedSlash, encodedPercent] }
`;

// ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────

interface Spelled {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer | null;
  readonly inChunks: boolean;
}

/** A request with everything wrong is refused for the first thing: each part is plain four times out of five. */
function mostly<T>(plain: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(plain) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  );
}

const hex = (text: string) => `%${text.charCodeAt(0).toString(16).padStart(2, '0')}`;
const wide = (text: string) => encodeURI(String.fromCharCode(text.charCodeAt(0) + 0xfee0));
const spelling = mostly<(text: string) => string>(
  (text) => text,
  (text) => text.toUpperCase(),
  (text) => hex(text) + text.slice(1),
  (text) => hex(text).toUpperCase() + text.slice(1),
  (text) => `%25${hex(text).slice(1)}${text.slice(1)}`,
  (text) => wide(text) + text.slice(1),
  (text) => `${text};a=b`,
  (text) => `${text}.json`,
  (text) => `${text}%20`,
  (text) => `${text}%00`,
);
const separator = mostly('/', '//', '%2F', '%2f', '%5C', '%252F', '/./', '/x/../', '/;/');
const PATHS = [['jobs'], ['jobs'], ['w', 'w1', 'x'], ['w', 'w2', 'x'], ['tickets', '7'], ['admin', 'x']];
const SEGMENTS = ['jobs', 'w', 'w1', 'w2', 'tickets', 'admin', 'x', '..'];

const path = fc
  .oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PATHS) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 4 }) },
  )
  .chain((segments) =>
    fc.tuple(
      ...segments.map((text) => fc.tuple(separator, spelling).map(([before, spell]) => before + spell(text))),
    ),
  )
  .map((parts) => parts.join('').replace(/^(?!\/)/, '/'));
const query = mostly(
  '',
  '?a=1',
  '?_method=DELETE',
  '?_Method[]=put',
  '?%5Fmethod=PATCH',
  '?_method=GET',
  '?a=%zz',
);
const workspaceHeaders = fc.constantFrom<readonly string[]>(
  [],
  ['X-Workspace: w1'],
  ['X-Workspace: w1'],
  ['x-workspace: w2'],
  ['X-Workspace: w1', 'X-Workspace: w2'],
  ['X-Workspace: w1', 'X_Workspace: w2'],
  ['X-Workspace: w1,w2'],
  ['X-Workspace: w2', 'Connection: x-workspace'],
);
const json = fc
  .tuple(
    mostly('"type"', '"Type"', '"\\u0074ype"', '"kind"', '"__proto__":{"type"'),
    fc.constantFrom('"export"', '"import"', '"import"', '"\\u0065xport"', '["export"]', '7'),
    mostly('', ',"a":1', ',"type":"import"', ',"type":"export"'),
  )
  .map(([name, value, more]) => `{${name}:${value}${name.includes('{') ? '}' : ''}${more}}`);
const body = fc.tuple(json, mostly(false, true), mostly('', '\u{FEFF}', ' ')).map(([text, isGzip, mark]) => {
  const bytes = Buffer.from(mark + text);
  return { bytes: isGzip ? gzipSync(bytes) : bytes, isGzip };
});
const types = mostly(
  'application/json',
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded',
  'text/plain',
  'multipart/form-data; boundary=x',
);

const request: fc.Arbitrary<Spelled> = fc
  .record({
    isUsual: mostly(true, false),
    other: fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
    path,
    query,
    workspaceHeaders,
    body,
    type: types,
    saysGzip: mostly(true, false),
    inChunks: fc.boolean(),
    override: mostly<readonly string[]>([], ['X-HTTP-Method-Override: DELETE']),
  })
  .map((one) => {
    const usual = one.path.includes('jobs') ? 'POST' : 'GET';
    const method = one.isUsual ? usual : one.other;
    const hasBody = method === 'POST' || method === 'PUT';
    const { bytes, isGzip } = one.body;
    const coding = isGzip && one.saysGzip ? ['Content-Encoding: gzip'] : [];
    const ofBody = hasBody ? [`Content-Type: ${one.type}`, ...coding] : [];
    return {
      method,
      target: one.path + one.query,
      headers: [...one.workspaceHeaders, ...one.override, ...ofBody],
      body: hasBody ? bytes : null,
      inChunks: one.inChunks,
    };
  });

// ── what the upstream would make of it ───────────────────────────────────────────────────────────────────────────

function decodedWhole(text: string): string {
  let before = text;
  for (;;) {
    const after = before.replaceAll(/%([0-9a-f]{2})/gi, (_whole, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    if (after === before) return Buffer.from(after, 'latin1').toString().normalize('NFKC').toLowerCase();
    before = after;
  }
}

function naivePath(target: string): readonly string[] {
  const segments: string[] = [];
  for (const part of decodedWhole(target.split('?')[0] ?? '').split(/[/\\]/)) {
    const [name = ''] = part.split(';');
    const text = name.trim();
    if (text === '..') segments.pop();
    else if (text !== '' && text !== '.') segments.push(text);
  }
  return segments;
}

function naiveBody({ headers, body: text }: RecordedRequest): string {
  const isGzip = headers.some(([name, value]) => /^content-encoding$/i.test(name) && value === 'gzip');
  const bytes = Buffer.from(text, 'latin1');
  const plain = isGzip || text.startsWith('\x1f\x8b') ? gunzipSync(bytes) : bytes;
  return plain
    .toString()
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_whole, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
    .toLowerCase();
}

/** Why a naive application would call this request denied; null where it would not. */
function leak(request: RecordedRequest): string | null {
  const { method, target, headers } = request;
  const [first = '', second = ''] = naivePath(target);
  const valuesOf = (name: RegExp) => headers.filter(([one]) => name.test(one)).map(([, value]) => value);
  const claimed = /[?&;]_method(?:\[\])?=([^&]*)/.exec(`?${decodedWhole(target.split('?')[1] ?? '')}`)?.[1];
  if (valuesOf(/method/i).length > 0) return 'a method in a header';
  if (claimed !== undefined && claimed !== method.toLowerCase() && claimed !== 'get')
    return 'a method in the query';
  switch (first) {
    case 'jobs':
      if (method !== 'POST') return 'jobs are posted only';
      return /"type"\s*:\s*\[?\s*"export"/.test(naiveBody(request)) ? 'an export' : null;
    case 'w':
      if (method !== 'GET' && method !== 'HEAD') return 'workspaces are read only';
      return second === '' || second === 'w1' ? null : 'another workspace in the path';
    case 'tickets':
      if (method !== 'GET' && method !== 'HEAD') return 'tickets are read only';
      return valuesOf(/^x[-_.]workspace$/i).every((value) => value === 'w1')
        ? null
        : 'another workspace in a header';
    default:
      return 'a route that is not listed';
  }
}

describe('requests in any spelling', () => {
  let fixture: PolicyGate;
  let client: (Wire & Disposable) | null = null;

  beforeAll(async () => {
    fixture = await startPolicyGate({
      policy: POLICY,
      config: { policies: { directory: 'policies', defaultEffect: 'deny' } },
    });
    await fixture.gate.grant({ workspaces: [{ id: 'w1', roles: [] }] });
  });
  afterAll(async () => {
    client?.[Symbol.dispose]();
    await fixture[Symbol.asyncDispose]();
  });

  /** On a connection that is kept while the gate keeps it; resolves with the head of the answer. */
  async function send({ method, target, headers, body: bytes, inChunks }: Spelled): Promise<string> {
    if (client === null || client.ending !== null) client = await openClient(fixture.gate.dataPort);
    const wire = client;
    wire.clear();
    const framing = inChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes?.length ?? 0}`;
    const head = await headFor(
      fixture.gate,
      `${method} ${target}`,
      bytes === null ? headers : [...headers, framing],
    );
    wire.send(head);
    if (bytes !== null && inChunks) {
      wire.send(
        Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')]),
      );
    } else if (bytes !== null) wire.send(bytes);
    await wire.until(() => isAnswered(wire.text, method) || wire.ending !== null);
    const answer = wire.text;
    if (/\r\nconnection: close\r\n/i.test(answer)) await wire.closed;
    return answer;
  }

  it('reach the upstream only where the naive reading allows them', async () => {
    let passed = 0;
    let denied = 0;
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        const before = fixture.upstream.requests.length;
        const answer = await send(one);
        const seen = fixture.upstream.requests.slice(before);
        expect(seen.map(leak)).toEqual(seen.map(() => null));
        expect(seen.length).toBe(answer.startsWith('HTTP/1.1 200 ') ? 1 : 0);
        if (seen.length === 1) passed += 1;
        else denied += 1;
      }),
      { numRuns: 300 },
    );
    // A generator of nothing but nonsense would prove nothing.
    expect(passed).toBeGreaterThan(10);
    expect(denied).toBeGreaterThan(50);
  });
});

function isAnswered(text: string, method: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length =
    method === 'HEAD' ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
  return text.length >= end + 4 + length;
}
