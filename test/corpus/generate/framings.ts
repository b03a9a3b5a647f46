// Classes 17 and 18: each mutation of Transfer-Encoding and of Content-Length, on every method, around bodies that are
// one thing to a reader of lengths and another to a reader of chunks, with a denied request in them. It must stay what
// the gate took it for: refused, or the body of one request. Pure.
import type { GeneratedRequest } from '../generated-request.ts';
import { type FramingHeader, type MutatedLine, mutatedLines } from './framing-lines.ts';
import { type Made, numbered } from './maker.ts';

/** Denied, and without a credential: wherever this is recorded, it was not judged. */
export const SMUGGLED = 'GET /exports/smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n';

const TRANSFER_ENCODING: FramingHeader = {
  name: 'Transfer-Encoding',
  value: 'chunked',
  other: 'identity',
  values: [
    'identity gzip deflate br compress x-gzip trailers cow null true chunk chunke xchunked chunkedx chunked1 chun ked Chunked-Encoding',
    'CHUNKED\u00a0 \u00a0chunked chun\u00adked \xe2\x84\xaa \xef\xbb\xbfchunked chun\xe2\x84\xaaed 0 1 *chunked chunked* %63hunked \\x63hunked',
  ]
    .join(' ')
    .split(' '),
  aliases:
    'TE Content-Encoding X-Transfer-Encoding Transfer-Coding Content-Transfer-Encoding HTTP_TRANSFER_ENCODING Encoding Trailer'.split(
      ' ',
    ),
};

function contentLength(length: number): FramingHeader {
  const [value, hex] = [String(length), length.toString(16)];
  return {
    name: 'Content-Length',
    value,
    other: '0',
    values: [
      `+${value} -${value} 0${value} 00${value} ${value}.0 ${value}e0 ${value}E0 0x${hex} 0X${hex} 0b1 0o7 ${value}_0 ${value},0 0,${value} -0 +0 00`,
      `${value}; ${value}: 1_0 1e2 Infinity NaN null true ٣ \xd9\xa3 \xef\xbc\x91 18446744073709551616 18446744073709551${value}`,
      `9223372036854775808 4294967296 429496729${value} 99999999999999999999 1000000000000000 1${' '.repeat(3)}2 \u00b9 ½`,
    ]
      .join(' ')
      .split(' ')
      .map(byteText),
    aliases:
      'Content-Lengths X-Content-Length Length Content_Length HTTP_CONTENT_LENGTH CONTENT-LENGTH_ Content-Range Content-MD5-Length'.split(
        ' ',
      ),
  };
}

/** As bytes: what is beyond them is written in UTF-8. */
function byteText(text: string): string {
  return /[^\0-\xff]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** Of the bodies on GET and HEAD the route settings of the corpus allow those to `/search`. */
const LINES = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'HEAD'].map((method) => `${method} /ok`);
const ALL_LINES = [...LINES, 'GET /search', 'HEAD /search'];
const WITHOUT_BODY = new Set(['GET /ok', 'HEAD /ok']);

/** The denied request as the data of one chunk, and behind the last chunk. */
const CHUNKED = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const AFTER = `0\r\n\r\n${SMUGGLED}`;

export function* framings(): Generator<GeneratedRequest> {
  yield* numbered('framings', [...transferEncodings(), ...contentLengths(), ...both()]);
}

function* transferEncodings(): Generator<Made> {
  for (const line of mutatedLines(TRANSFER_ENCODING)) {
    for (const start of ALL_LINES) yield made(line, start, [line.lines], CHUNKED);
    for (const start of ['POST /ok', 'GET /ok', 'DELETE /ok', 'GET /search'])
      yield { ...made(line, start, [line.lines], AFTER), mustForward: false };
    // Whoever knows only one of the two: the length takes in the whole, or nothing but the last chunk.
    for (const [length, body] of [
      [AFTER.length, AFTER],
      [5, AFTER],
      [CHUNKED.length, CHUNKED],
    ] as const)
      for (const lines of [
        [line.lines, `Content-Length: ${length}`],
        [`Content-Length: ${length}`, line.lines],
      ])
        yield { ...made(line, 'POST /ok', lines, body), mustForward: false };
  }
}

function* contentLengths(): Generator<Made> {
  for (const line of mutatedLines(contentLength(SMUGGLED.length)))
    for (const start of ALL_LINES) yield made(line, start, [line.lines], SMUGGLED);
  for (const line of mutatedLines(contentLength(5)))
    for (const start of ['POST /ok', 'GET /search'])
      yield { ...made(line, start, [line.lines], `hello${SMUGGLED}`), mustForward: false };
}

/** Both, each in its right spelling, with something between them. */
function* both(): Generator<Made> {
  const chunked = 'Transfer-Encoding: chunked';
  for (const start of ALL_LINES)
    for (const version of ['1.1', '1.0'])
      for (const between of [
        '',
        'X-A: 1\r\n',
        'Connection: close\r\n',
        'Connection: Content-Length\r\n',
        'Connection: Transfer-Encoding\r\n',
        'Expect: 100-continue\r\n',
        'Upgrade: h2c\r\nConnection: Upgrade\r\n',
      ])
        for (const length of [0, 5, AFTER.length, CHUNKED.length])
          for (const lines of [
            `${chunked}\r\n${between}Content-Length: ${length}`,
            `Content-Length: ${length}\r\n${between}${chunked}`,
            `${between}${chunked}`,
          ])
            yield {
              class: 17,
              about: 'both framings',
              bytes: `${start} HTTP/${version}\r\n<HEAD>\r\n${lines}\r\n\r\n${AFTER}`,
            };
}

/** `start`: method and target. */
function made(line: MutatedLine, start: string, lines: readonly string[], body: string): Made {
  const bytes = `${start} HTTP/1.1\r\n<HEAD>\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
  const mustForward = line.valid && !WITHOUT_BODY.has(start);
  return { class: start.startsWith('P') ? 17 : 18, about: line.about, bytes, mustForward };
}
