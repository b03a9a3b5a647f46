// An upstream that records the very bytes it receives, and answers each request it can make out of them.
// Reads framing strictly by Content-Length and chunked, so that a smuggled request shows as one more.
import { createServer, type Socket } from 'node:net';
import { listen } from './listen.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** In order, names as received. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export interface RecordingUpstream extends AsyncDisposable {
  readonly port: number;
  readonly requests: RecordedRequest[];
  /** What each connection sent, as it came. */
  readonly bytes: string[];
  readonly sockets: Set<Socket>;
}

export type Respond = (request: RecordedRequest, socket: Socket) => void;

/** 200 with a small JSON body. */
const respondOk: Respond = (request, socket) => {
  const body = request.method === 'HEAD' ? '' : '{"ok":true}';
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n${body}`);
};

export async function recordingUpstream(respond: Respond = respondOk): Promise<RecordingUpstream> {
  const requests: RecordedRequest[] = [];
  const bytes: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const index = bytes.push('') - 1;
    let pending = '';
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (text: string) => {
      bytes[index] += text;
      pending += text;
      for (let parsed = parseRequest(pending); parsed !== null; parsed = parseRequest(pending)) {
        pending = pending.slice(parsed.length);
        requests.push(parsed.request);
        respond(parsed.request, socket);
      }
    });
  });
  const { port, close } = await listen(server);
  return {
    port,
    requests,
    bytes,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await close();
    },
  };
}

/** One whole request from the front of `text`, with the length it took; null when it is not all there. */
export function parseRequest(text: string): { request: RecordedRequest; length: number } | null {
  const head = parseHead(text);
  if (head === null) return null;
  const { request, length: start } = head;
  const valueOf = (name: string) => request.headers.find(([key]) => key.toLowerCase() === name)?.[1];
  if (valueOf('transfer-encoding') === 'chunked') {
    const body = readChunks(text, start);
    return body === null ? null : { request: { ...request, body: body.text }, length: body.end };
  }
  const length = start + Number(valueOf('content-length') ?? 0);
  if (text.length < length) return null;
  return { request: { ...request, body: text.slice(start, length) }, length };
}

/** The head of a request from the front of `text`, as a request without a body; null when it is not all there. */
export function parseHead(text: string): { request: RecordedRequest; length: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const [method = '', target = ''] = line.split(' ');
  const headers = lines.map((header): [string, string] => {
    const colon = header.indexOf(':');
    return [header.slice(0, colon), header.slice(colon + 1).trim()];
  });
  return { request: { method, target, headers, body: '' }, length: end + 4 };
}

function readChunks(text: string, start: number): { text: string; end: number } | null {
  let body = '';
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (text.length < lineEnd + 2 + size + 2) return null;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (size === 0) return { text: body, end: at };
  }
}
