// The application behind every candidate: about 1 KB of JSON from memory; for the memory bench also bodies of any size.
// It costs each candidate the same, so that only differences between them count.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveCandidate } from './serve.ts';

const tickets = Array.from({ length: 16 }, (_, id) => ({
  id,
  subject: 'A ticket about something',
  open: true,
}));
const body = Buffer.from(JSON.stringify({ tickets }));
const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
const chunk = Buffer.alloc(64 * 1024, 'x');

/** Writes as fast as it is taken, and no faster. */
function stream(res: ServerResponse, bytes: number): void {
  let left = bytes;
  res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes });
  function more(): void {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= part.length;
      if (!res.write(part)) {
        res.once('drain', more);
        return;
      }
    }
    res.end();
  }
  more();
}

await serveCandidate(async () => {
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (req, res) => {
    const download = /^\/download\?bytes=([0-9]+)$/.exec(req.url ?? '');
    if (download !== null) stream(res, Number(download[1]));
    else req.resume().on('end', () => res.writeHead(200, headers).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, headers: {} };
});
