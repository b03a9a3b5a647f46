// Control: http-proxy-3 as a bare relay with keep-alive towards the upstream; no checks, no records.
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import { serveCandidate } from './serve.ts';

await serveCandidate(async (upstreamPort) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const proxy = createProxyServer({ target: `http://127.0.0.1:${upstreamPort}`, agent });
  proxy.on('error', () => undefined);
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => void proxy.web(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, headers: {} };
});
