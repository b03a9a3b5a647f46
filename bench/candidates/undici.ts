// Control: node:http and undici's dispatch, and nothing in between: what a gate built on them cannot go below.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import { serveCandidate } from './serve.ts';

class Relay implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  onRequestStart(): void {
    // Nothing to check.
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = (controller.rawHeaders ?? []) as readonly Buffer[];
    this.#res.writeHead(
      status,
      raw.map((part) => part.toString('latin1')),
    );
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#res.write(chunk);
  }

  onResponseEnd(): void {
    this.#res.end();
  }

  onResponseError(): void {
    this.#res.destroy();
  }
}

await serveCandidate(async (upstreamPort) => {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, {
    connections: 128,
    pipelining: 1,
    allowH2: false,
  });
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    const headers = req.rawHeaders.filter((_, index, all) => all[index & ~1]?.toLowerCase() !== 'connection');
    pool.dispatch({ path: req.url ?? '/', method: 'GET', headers }, new Relay(res));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, headers: {} };
});
