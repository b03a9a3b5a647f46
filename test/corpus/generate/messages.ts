// Classes 17, 19 and 20 where they are more than one header line: the syntax of chunks and trailers, several requests on
// one connection, expectations and upgrades. Each carries a denied request somewhere, which must stay what the gate took
// it for. Pure.
import type { GeneratedRequest } from '../generated-request.ts';
import { mutatedLines } from './framing-lines.ts';
import { SMUGGLED } from './framings.ts';
import { type Made, numbered } from './maker.ts';

const CHUNKED = 'POST /ok HTTP/1.1\r\n<HEAD>\r\nTransfer-Encoding: chunked\r\n\r\n';
const LAST = '0\r\n\r\n';
const LENGTH = SMUGGLED.length.toString(16);
const BYTES = Array.from(
  '\0\x01\x08\t\n\x0b\x0c\r\x1b !"#%&\'()*+,-./:;<=>?@[\\]_`{|}~\x7f\x80\xa0\xadgGxXoOhH\xff',
);
const LINE_ENDS = [
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  '\r\n\r\n',
  '\r\n ',
  ' \r\n',
  '\t\r\n',
  '\0\r\n',
  '\x0b\r\n',
  '',
  'X\r\n',
  ';\r\n',
];

export function* messages(): Generator<GeneratedRequest> {
  yield* numbered('messages', [
    ...chunkSizes(),
    ...chunkLines(),
    ...extensions(),
    ...trailers(),
    ...pipelines(),
    ...expectations(),
    ...upgrades(),
  ]);
}

/** One spelling of the size of a chunk that holds a whole request, and of the last one. */
function* chunkSizes(): Generator<Made> {
  const upper = LENGTH.toUpperCase();
  for (const size of new Set([LENGTH, upper, `0${LENGTH}`, `000${LENGTH}`])) yield chunks(size, true);
  for (const byte of BYTES)
    for (const size of [byte + LENGTH, LENGTH + byte, LENGTH[0] + byte + LENGTH.slice(1)]) yield chunks(size);
  const odd = [
    `0x${LENGTH} 0X${LENGTH} -${LENGTH} +${LENGTH} --0 -0 00x0 ${LENGTH}.0 ${LENGTH}e0 ${LENGTH}h &h${LENGTH} 0b10 ${'0'.repeat(400)}${LENGTH}`,
    `ffffffffffffffff 10000000000000000 100000000000000${LENGTH} 1ffffffffffffffff7 80000000 ffffffff 7fffffffffffffff ${LENGTH},${LENGTH}`,
    '٣ \xd9\xa3 \xef\xbc\x91 ½ one NaN Infinity 5_0 1e1 "5" 5%20',
  ];
  for (const size of odd.join(' ').split(' ')) yield chunks(Buffer.from(size, 'utf8').toString('latin1'));
  for (const zero of ['0', '00', '0000000000', '000 ', ' 0', '+0', '-0', '0x0', '0;', '0;x', '0,', '0\0'])
    for (const rest of ['\r\n\r\n', '\r\n', '\n\n', '\r\n\n', '\n\r\n', '\r\r', '\r\n\r'])
      yield made(
        `the last chunk is ${JSON.stringify(zero)}`,
        `${CHUNKED}5\r\nhello\r\n${zero}${rest}${SMUGGLED}`,
      );
}

function chunks(size: string, valid = false): Made {
  const bytes = `${CHUNKED}${size}\r\n${SMUGGLED}\r\n${LAST}`;
  return { ...made('the size of a chunk', bytes), mustForward: valid };
}

/** Line ends at each place, data that is longer or shorter than it says, and a last chunk that never comes. */
function* chunkLines(): Generator<Made> {
  for (const first of LINE_ENDS)
    for (const second of LINE_ENDS)
      yield made('line ends of chunks', `${CHUNKED}${LENGTH}${first}${SMUGGLED}${second}${LAST}`);
  for (const first of LINE_ENDS)
    for (const second of LINE_ENDS)
      yield made('line ends of the last chunk', `${CHUNKED}5\r\nhello\r\n0${first}${second}${SMUGGLED}`);
  for (let off = -8; off <= 8; off++) {
    if (off === 0) continue;
    const size = (SMUGGLED.length + off).toString(16);
    yield made('a size that is not the data’s', `${CHUNKED}${size}\r\n${SMUGGLED}\r\n${LAST}`);
    yield made('a size that is not the data’s', `${CHUNKED}${size}\r\n${SMUGGLED}\r\n${LAST}${SMUGGLED}`);
  }
  const whole = `5\r\nhello\r\n${LENGTH}\r\n${SMUGGLED}\r\n${LAST}`;
  for (let cut = 0; cut < whole.length; cut += 2)
    yield made('a body cut short', CHUNKED + whole.slice(0, cut));
}

function* extensions(): Generator<Made> {
  const accepted = [';a', ';a=b', ';a="b"', ';a=b;c=d', ';a="b c"', ';a="\\""', `;${'a'.repeat(500)}`];
  for (const extension of accepted)
    yield { ...made('an extension', `${CHUNKED}5${extension}\r\nhello\r\n0\r\n\r\n`), mustForward: true };
  const odd = [
    ';',
    ';;',
    ';=',
    ';a=',
    ';a="',
    ';a="\r\n',
    ';a="\n',
    ';\r',
    '; ;',
    ' ;a',
    ' ; a',
    '\t;a',
    ';a \t',
    ';\0',
    ';\x80',
    ';a=b,c',
  ];
  for (const byte of BYTES) odd.push(`;a${byte}b`, `;${byte}`, `;a="${byte}"`);
  for (const extension of [...odd, `;${'a'.repeat(20_000)}`])
    for (const body of [
      `5${extension}\r\nhello\r\n${LAST}${SMUGGLED}`,
      `5\r\nhello\r\n0${extension}\r\n\r\n${SMUGGLED}`,
      `${LENGTH}${extension}\r\n${SMUGGLED}\r\n${LAST}`,
    ])
      yield made('an extension that is none', CHUNKED + body);
}

function* trailers(): Generator<Made> {
  const names = [
    'X-Trailer X-Support-Assertion Host Authorization Content-Length Transfer-Encoding Connection Cookie Trailer X-Original-URL Via',
    'X_Support_Assertion Transfer_Encoding Content_Length Upgrade Expect X-Forwarded-For __proto__',
  ]
    .join(' ')
    .split(' ');
  for (const name of names)
    for (const value of ['x', '5', 'chunked', '/exports', ''])
      for (const head of ['', 'Trailer: X\r\n', `Trailer: ${name}\r\n`, `Connection: ${name}\r\n`])
        yield made(
          `a trailer ${name}`,
          `POST /ok HTTP/1.1\r\n<HEAD>\r\n${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${name}: ${value}\r\n\r\n${SMUGGLED}`,
        );
  for (const byte of BYTES)
    for (const line of [`X${byte}: 1`, `X: 1${byte}`, `${byte}X: 1`, `X:${byte}1`, `X${byte}1`])
      yield made('a broken trailer', `${CHUNKED}5\r\nhello\r\n0\r\n${line}\r\n\r\n${SMUGGLED}`);
  for (const end of LINE_ENDS)
    yield made('the end of the trailers', `${CHUNKED}5\r\nhello\r\n0\r\nX: 1\r\n${end}${SMUGGLED}`);
}

/** Allowed and denied ones on one connection: each is judged alone, in order. */
function* pipelines(): Generator<Made> {
  const kinds = [
    'GET /ok HTTP/1.1\r\n<HEAD>\r\n\r\n',
    'POST /ok HTTP/1.1\r\n<HEAD>\r\nContent-Length: 5\r\n\r\nhello',
    'PUT /ok HTTP/1.1\r\n<HEAD>\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'HEAD /ok HTTP/1.1\r\n<HEAD>\r\n\r\n',
    'GET /exports HTTP/1.1\r\n<HEAD>\r\n\r\n',
    'POST /exports HTTP/1.1\r\n<HEAD>\r\nContent-Length: 5\r\n\r\nhello',
    'GET http://<HOST>/exports HTTP/1.1\r\n<HEAD>\r\n\r\n',
    SMUGGLED,
    'GET /public/../exports HTTP/1.1\r\n<HEAD>\r\n\r\n',
    'GET /ok HTTP/1.1\r\n<HEAD>\r\nConnection: close\r\n\r\n',
    'GET /ok HTTP/1.0\r\n<HEAD>\r\n\r\n',
    'POST /ok HTTP/1.1\r\n<HEAD>\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG',
  ];
  for (const first of kinds)
    for (const second of kinds) {
      for (const joint of ['', '\r\n', '\n', '\r', ' ', '\0', '\r\n\r\n'])
        yield pipeline([first, second], joint);
      yield pipeline([first, second, first, second]);
    }
  for (const count of [10, 16, 17, 18, 40, 100])
    for (const one of kinds.slice(0, 8)) yield pipeline(Array.from({ length: count }, () => one));
}

function pipeline(requests: readonly string[], joint = ''): Made {
  const bytes = requests.join(joint);
  return { class: 17, about: 'several requests on one connection', bytes, mostRequests: requests.length };
}

function* expectations(): Generator<Made> {
  const expect = {
    name: 'Expect-',
    value: '100-continue',
    other: '200-ok',
    values:
      '100 100-Continue, continue 100-continued x100-continue 101-continue 100_continue 100–continue'.split(
        ' ',
      ),
    aliases: ['X-Expect', 'HTTP_EXPECT', 'Expectation'],
  };
  for (const { about, lines } of mutatedLines(expect)) {
    const header = lines
      .replaceAll('Expect-', 'Expect')
      .replaceAll('expect-', 'expect')
      .replaceAll('EXPECT-', 'EXPECT');
    const text = Buffer.from(header, /[^\0-\xff]/.test(header) ? 'utf8' : 'latin1').toString('latin1');
    for (const [line, body] of [
      [`POST /ok HTTP/1.1\r\n<HEAD>\r\n${text}\r\nContent-Length: ${SMUGGLED.length}`, SMUGGLED],
      [`DELETE /ok HTTP/1.1\r\n<HEAD>\r\nContent-Length: 0\r\n${text}`, SMUGGLED],
      [`POST /exports HTTP/1.1\r\n<HEAD>\r\n${text}\r\nTransfer-Encoding: chunked`, `5\r\nhello\r\n${LAST}`],
    ])
      yield { ...made(`an expectation with ${about}`, `${line}\r\n\r\n${body}`), class: 19 };
  }
}

/** Every one lacks something of a handshake or carries bytes behind it, so that none may become a tunnel. */
function* upgrades(): Generator<Made> {
  const protocols =
    'h2c websocket h2c,websocket websocket,h2c WebSocket websocket/13 TLS/1.0 HTTP/2.0 foo h2 spdy/3 "" connect-udp'.split(
      ' ',
    );
  const connections = [
    'Upgrade',
    'upgrade',
    'keep-alive, Upgrade',
    'Upgrade, HTTP2-Settings',
    'close',
    'Upgrade, close',
    'Upgrade\r\nConnection: X-A',
    '"Upgrade"',
    '',
  ];
  const keys = [
    '',
    'Sec-WebSocket-Version: 13\r\n',
    'Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n',
  ];
  const full = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'])
    for (const path of ['/ws', '/exports/ws'])
      for (const protocol of protocols)
        for (const connection of connections) {
          const head = `${method} ${path} HTTP/1.1\r\n<HEAD>\r\nUpgrade: ${protocol}\r\nConnection: ${connection}\r\n`;
          for (const key of keys) yield upgrade(`${head}${key}\r\n${SMUGGLED}`);
          for (const early of [
            SMUGGLED,
            '\x81\x05hello',
            `Content-Length: 5\r\n\r\nhello${SMUGGLED}`,
            `Transfer-Encoding: chunked\r\n\r\n${LAST}${SMUGGLED}`,
          ])
            yield upgrade(
              head + full + (early.startsWith('C') || early.startsWith('T') ? early : `\r\n${early}`),
            );
        }
  for (const preface of [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\0\x01\0',
    'CONNECT app.test:443 HTTP/1.1\r\n<HEAD>\r\n\r\n',
    'CONNECT / HTTP/1.1\r\n<HEAD>\r\n\r\n',
  ])
    yield upgrade(preface + SMUGGLED);
}

function upgrade(bytes: string): Made {
  return { class: 20, about: 'an upgrade', bytes };
}

function made(about: string, bytes: string): Made {
  return { class: 17, about, bytes };
}
