// Everything that a connection to a gate may carry, told in steps: whole requests and half ones, what no parser takes,
// clients that go away. Each step says whether it begins a request, so that requests can be counted by their bytes.

export type Step =
  /** Bytes that begin a request. */
  | { readonly ask: string }
  /** Each of them begins a request, all in one write. */
  | { readonly together: readonly string[] }
  /** More bytes of the request that was begun, or what belongs to none. */
  | { readonly say: string }
  /** Waits until so many answers with this status have come, or the connection is over. */
  | { readonly status: number; readonly times?: number }
  /** Waits until these bytes have come, or the connection is over. */
  | { readonly seen: string }
  /** `fin`: no more comes. `reset`: by RST. `closed`: waits until the gate has closed. */
  | 'fin'
  | 'reset'
  | 'closed';

export interface Input {
  readonly name: string;
  readonly steps: readonly Step[];
  /** It takes seconds, by its nature. */
  readonly slow?: boolean;
  /** Does not wait until it was accepted. */
  readonly hasty?: boolean;
}

export interface InputNames {
  readonly host: string;
  readonly token: string;
}

export function inputsFor({ host, token }: InputNames): Input[] {
  const bearer = `Authorization: Bearer ${token}\r\n`;
  const head = (line: string, headers = '', version = '1.1'): string =>
    `${line} HTTP/${version}\r\nHost: ${host}\r\n${headers}\r\n`;
  const get = (path: string, headers = ''): string => head(`GET ${path}`, bearer + headers);
  const post = (path: string, headers: string): string => head(`POST ${path}`, bearer + headers);
  const upgrade = (headers: string): string =>
    get('/ws', `Connection: Upgrade\r\nUpgrade: websocket\r\n${headers}`);
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

  return [
    ...wholeRequests(get, post, head),
    alone('the reserved prefix', get('/.well-known/postern/jwks.json')),
    ...pipelinedOnes(get, post),
    ...malformed(get, post, head).map(([name, bytes]) => alone(name, bytes)),
    ...brokenOff(get, post, head),
    ...upgrades(upgrade, key, get, head),
    ...slowOnes(get),
  ];
}

type Head = (line: string, headers?: string, version?: string) => string;
type Get = (path: string, headers?: string) => string;
type Post = (path: string, headers: string) => string;

/** Said, and then nothing more. */
function alone(name: string, bytes: string): Input {
  return { name, steps: [{ ask: bytes }, 'fin', 'closed'] };
}

/** In one write, which a step each would not be. */
function together(name: string, requests: readonly string[]): Input {
  return { name, steps: [{ together: requests }, 'fin', 'closed'] };
}

function wholeRequests(get: Get, post: Post, head: Head): Input[] {
  return [
    { name: 'a request', steps: [{ ask: get('/t') }, { status: 200 }, 'fin', 'closed'] },
    {
      name: 'three requests in turn',
      steps: [
        { ask: get('/t/1') },
        { status: 200, times: 1 },
        { ask: get('/t/2') },
        { status: 200, times: 2 },
        { ask: get('/t/3') },
        { status: 200, times: 3 },
        'fin',
        'closed',
      ],
    },
    {
      name: 'a body',
      steps: [
        { ask: post('/t', 'Content-Length: 5\r\n') },
        { say: 'hello' },
        { status: 200 },
        'fin',
        'closed',
      ],
    },
    {
      name: 'a chunked body',
      steps: [
        { ask: post('/t', 'Transfer-Encoding: chunked\r\n') },
        { say: '5\r\nhello\r\n' },
        { say: '0\r\n\r\n' },
        { status: 200 },
        'fin',
        'closed',
      ],
    },
    {
      name: 'a body that is waited for',
      steps: [
        { ask: post('/t', 'Expect: 100-continue\r\nContent-Length: 5\r\n') },
        { seen: '100 Continue' },
        { say: 'hello' },
        { status: 200 },
        'fin',
        'closed',
      ],
    },
    { name: 'a HEAD', steps: [{ ask: get('/t').replace('GET', 'HEAD') }, { status: 200 }, 'fin', 'closed'] },
    { name: 'no credential', steps: [{ ask: head('GET /t') }, { status: 401 }, 'fin', 'closed'] },
    { name: 'a rule', steps: [{ ask: get('/exports/1') }, { status: 403 }, 'fin', 'closed'] },
    { name: 'HTTP/1.0', steps: [{ ask: head('GET /t', '', '1.0') }, 'closed'] },
    { name: 'nothing at all', steps: ['fin', 'closed'] },
    { name: 'nothing at all, and a reset', steps: ['reset', 'closed'] },
    {
      name: 'a request, and a reset before it was accepted',
      steps: [{ ask: get('/t') }, 'reset', 'closed'],
      hasty: true,
    },
  ];
}

function pipelinedOnes(get: Get, post: Post): Input[] {
  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => get(`/t/${index}`));
  return [
    together('five pipelined', many(5)),
    together('seventeen pipelined', many(17)),
    together('more pipelined than may wait', many(24)),
    together('pipelined behind one that ends the connection', [
      get('/t/1', 'Connection: close\r\n'),
      get('/t/2'),
    ]),
    together('pipelined behind a refusal', [get('/exports/1'), get('/t/2')]),
    together('pipelined behind an unread body', [
      `${post('/exports/1', 'Content-Length: 5\r\n')}hello`,
      get('/t/2'),
    ]),
    together('pipelined in front of nonsense', [get('/t/1'), 'nonsense\r\n\r\n']),
    together('pipelined in front of half a head', [get('/t/1'), 'GET /t/2 HTTP/1.1\r\nHost:']),
    together('a blank line in front of a request', [`\r\n${get('/t/1')}`]),
  ];
}

function malformed(get: Get, post: Post, head: Head): (readonly [string, string])[] {
  return [
    ['a blank line', '\r\n\r\n'],
    ['one byte', 'G'],
    ['a byte that no method has', '\x00'],
    ['nonsense', 'nonsense\r\n\r\n'],
    ['a request line alone', 'GET\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n'],
    ['HTTP/9.9', head('GET /t', '', '9.9')],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00'],
    ['TLS', '\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03'.padEnd(260, '\x5a')],
    ['a method nobody knows', head('BREW /t')],
    ['a method in lower case', head('get /t')],
    ['a method that is not allowed', head('TRACE /t')],
    ['CONNECT', 'CONNECT acme.app.test:443 HTTP/1.1\r\nHost: acme.app.test:443\r\n\r\n'],
    ['CONNECT, and what would go through', `${head('CONNECT acme.app.test:443')}\x16\x03\x01more`],
    ['a target of an absolute form', head('GET http://acme.app.test/t')],
    ['a target of an authority', head('GET acme.app.test:80')],
    ['OPTIONS *', head('OPTIONS *')],
    ['a target with a space', head('GET /a b')],
    ['a target with a control character', head('GET /a\x01b')],
    ['a target that climbs', get('/a/../../etc')],
    ['a target that is no UTF-8', get('/%ff')],
    ['a target too long', get(`/${'x'.repeat(9000)}`)],
    ['a target longer than the parser takes', get(`/${'x'.repeat(40_000)}`)],
    ['no Host', 'GET /t HTTP/1.1\r\n\r\n'],
    ['two Hosts', head('GET /t', 'Host: other.app.test\r\n')],
    ['a Host of nobody', 'GET /t HTTP/1.1\r\nHost: nobody.example\r\n\r\n'],
    ['a header name with a space', head('GET /t', 'X-A : 1\r\n')],
    ['a folded header', head('GET /t', 'X-A: 1\r\n 2\r\n')],
    ['a header without a colon', head('GET /t', 'X-A\r\n')],
    ['a bare line feed', 'GET /t HTTP/1.1\nHost: acme.app.test\n\n'],
    ['a bare carriage return', 'GET /t HTTP/1.1\rHost: acme.app.test\r\r'],
    ['headers too large', get('/t', `X-A: ${'x'.repeat(17_000)}\r\n`)],
    ['headers larger than the parser takes', get('/t', `X-A: ${'x'.repeat(40_000)}\r\n`)],
    ['too many headers', get('/t', 'X-A: 1\r\n'.repeat(200))],
    ['a length and chunks', `${post('/t', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`],
    ['two lengths', `${post('/t', 'Content-Length: 5\r\nContent-Length: 6\r\n')}hello`],
    ['a length that is none', `${post('/t', 'Content-Length: five\r\n')}hello`],
    ['a coding nobody speaks', `${post('/t', 'Transfer-Encoding: gzip\r\n')}hello`],
    ['a chunk of no size', `${post('/t', 'Transfer-Encoding: chunked\r\n')}zz\r\nhello\r\n`],
    ['a chunk that overruns', `${post('/t', 'Transfer-Encoding: chunked\r\n')}1\r\nhello\r\n0\r\n\r\n`],
    ['an expectation nobody meets', post('/t', 'Expect: the-best\r\nContent-Length: 5\r\n')],
    ['a body too large', post('/t', 'Content-Length: 99999999999\r\n')],
    ['a token that is none', head('GET /t', 'Authorization: Bearer nothing\r\n')],
  ];
}

function brokenOff(get: Get, post: Post, head: Head): Input[] {
  const parts: readonly (readonly [string, string])[] = [
    ['half a method', 'GE'],
    ['half a request line', 'GET /t HT'],
    ['half a head', 'GET /t HTTP/1.1\r\nHost: acme.app'],
    ['a head without its end', get('/t').slice(0, -2)],
    ['half a body', `${post('/t', 'Content-Length: 1000\r\n')}hello`],
    ['half a chunked body', `${post('/t', 'Transfer-Encoding: chunked\r\n')}5\r\nhel`],
    ['half a body of nobody', `${head('POST /t', 'Content-Length: 1000\r\n')}hello`],
    ['a request whose answer is not waited for', get('/slow')],
    ['an upload that was never begun', post('/t', 'Expect: 100-continue\r\nContent-Length: 5\r\n')],
  ];
  return [
    ...behindSlowOnes(get),
    ...parts.flatMap(([name, bytes]): Input[] => [
      { name: `${name}, and the end`, steps: [{ ask: bytes }, 'fin', 'closed'] },
      { name: `${name}, and a reset`, steps: [{ ask: bytes }, 'reset', 'closed'] },
      {
        name: `${name} after a request, and the end`,
        steps: [{ ask: get('/t') }, { status: 200 }, { ask: bytes }, 'fin', 'closed'],
      },
      {
        name: `${name} after a request, and a reset`,
        steps: [{ ask: get('/t') }, { status: 200 }, { ask: bytes }, 'reset', 'closed'],
      },
    ]),
  ];
}

/** Half a head that came in while the request before it was still running: nothing tells of it but the parser. */
function behindSlowOnes(get: Get): Input[] {
  const half = 'GET /t HTTP/1.1\r\nHost:';
  const both: Step = { together: [get('/slow'), half] };
  return [
    { name: 'half a head behind a slow request, and the end', steps: [both, 'fin', 'closed'] },
    { name: 'half a head behind a slow request, and a reset', steps: [both, 'reset', 'closed'] },
    {
      name: 'half a head behind a slow request, and the end after its answer',
      steps: [both, { status: 200 }, 'fin', 'closed'],
    },
    {
      name: 'half a head behind a slow request, and a reset after its answer',
      steps: [both, { status: 200 }, 'reset', 'closed'],
    },
    {
      name: 'half a head behind a slow upload, and a reset',
      steps: [
        { ask: `POST ${get('/slow', 'Content-Length: 5\r\n').slice(4)}` },
        { say: 'hello' },
        { ask: half },
        'reset',
        'closed',
      ],
    },
  ];
}

function upgrades(upgrade: (headers: string) => string, key: string, get: Get, head: Head): Input[] {
  const version = 'Sec-WebSocket-Version: 13\r\n';
  return [
    {
      name: 'a WebSocket',
      steps: [
        { ask: upgrade(version + key) },
        { status: 101 },
        { say: '\x81\x82\x00\x00\x00\x00hi' },
        'reset',
        'closed',
      ],
    },
    {
      name: 'a WebSocket that nobody waits for',
      steps: [{ ask: upgrade(version + key) }, 'reset', 'closed'],
    },
    alone('a WebSocket without a key', upgrade(version)),
    alone('a WebSocket of another version', upgrade(`Sec-WebSocket-Version: 8\r\n${key}`)),
    alone(
      'a WebSocket without a credential',
      head('GET /ws', `Connection: Upgrade\r\nUpgrade: websocket\r\n${version}${key}`),
    ),
    alone('a WebSocket that a rule forbids', upgrade(version + key).replace('/ws', '/exports/ws')),
    alone('an upgrade to something else', get('/t', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')),
    alone('bytes behind a refused upgrade', `${upgrade(version)}\x81\x82\x00\x00\x00\x00hi`),
  ];
}

function slowOnes(get: Get): Input[] {
  return [
    { name: 'a head that never ends', steps: [{ ask: 'GET /t HTTP/1.1\r\nHost:' }, 'closed'], slow: true },
    { name: 'a byte, and silence', steps: [{ ask: 'G' }, 'closed'], slow: true },
    {
      name: 'a head that never ends after a request',
      steps: [{ ask: get('/t') }, { status: 200 }, { ask: 'GET /t' }, 'closed'],
      slow: true,
    },
    { name: 'silence', steps: ['closed'], slow: true },
  ];
}
