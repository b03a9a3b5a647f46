// The application behind every candidate: about 1 KB of JSON from memory.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveCandidate } from './serve.ts';

const body = Buffer.from(
  JSON.stringify({
    tickets: Array.from({ length: 16 }, (_, id) => ({ id, subject: 'A ticket about something', open: true })),
  }),
);
const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];

await serveCandidate(async () => {
  const server = createServer({ keepAliveTimeout: 60_000 }, (_req, res) => {
    res.writeHead(200, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, headers: {} };
});
