// The positive control: the gate that one writes in an afternoon, http-proxy-3 behind a comparison of `req.url`. It
// denies every route of the corpus as plainly written, and the oracle must be seen to catch what gets past it.
// Runs as a process of its own (this file), as what it is sent may end it.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';

export interface NaiveGate extends AsyncDisposable {
  readonly port: number;
}

/** Resolves when it listens. */
export async function startNaiveGate(upstreamPort: number): Promise<NaiveGate> {
  const child: ChildProcess = fork(import.meta.filename, [String(upstreamPort)], {
    execArgv: ['--conditions=source', '--no-deprecation'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [port] = (await Promise.race([
    once(child, 'message'),
    exited.then(([code]) => Promise.reject(new Error(`the naive gate ended with ${String(code)}`))),
  ])) as [number];
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** What the corpus denies, as a prefix says it. */
export function naivelyDenied({ method = '', url = '' }: Pick<IncomingMessage, 'method' | 'url'>): boolean {
  if (url.startsWith('/exports') || url.startsWith('/billing')) return true;
  if (url.startsWith('/reports') && /[?&]format=(csv|xlsx)/.test(url)) return true;
  if (method === 'POST' && url.startsWith('/api/v1/emails/send')) return true;
  return method === 'DELETE' && url.startsWith('/records/');
}

function serveNaively(upstreamPort: number): void {
  const agent = new Agent({ keepAlive: true });
  const proxy = createProxyServer({ target: `http://127.0.0.1:${upstreamPort}`, agent, ws: true });
  proxy.on('error', (_error, _request, response) => {
    if ('writeHead' in response && !response.headersSent) response.writeHead(502);
    response.end();
  });
  const server = createServer((request, response) => {
    if (naivelyDenied(request)) response.writeHead(403).end();
    else proxy.web(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    if (naivelyDenied(request)) socket.destroy();
    else proxy.ws(request, socket, head);
  });
  // It shall go on whatever happens: what leaks is asked, not how it stands.
  process.on('uncaughtException', () => undefined);
  process.on('disconnect', () => process.exit(0));
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

if (process.argv[1] === import.meta.filename) serveNaively(Number(process.argv[2]));
