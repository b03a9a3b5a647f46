// `postern healthcheck` against real servers: ready, not ready, silent, absent.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { healthcheck } from '#cli/healthcheck.ts';
import { createTerminal } from '#cli/terminal.ts';

async function ask(url: string, timeoutMs = 10_000): Promise<readonly [number, string]> {
  let err = '';
  const stderr = { write: (text: string) => void (err += text) };
  const terminal = createTerminal({ stdout: stderr, stderr, env: {} });
  return [await healthcheck(url, { terminal, timeoutMs }), err];
}

async function serving(listener: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('postern healthcheck', () => {
  it('answers 0 when the gateway is ready', async () => {
    const asked: (string | undefined)[] = [];
    await using server = await serving((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('ready');
    });
    expect(await ask(server.url)).toEqual([0, '']);
    expect(asked).toEqual(['GET /readyz']);
  });

  it('answers 1 when it says that it is not', async () => {
    await using server = await serving((_request, response) => {
      response.writeHead(503).end();
    });
    expect(await ask(server.url)).toEqual([1, 'answered 503\n']);
  });

  it('does not follow a redirect', async () => {
    await using server = await serving((_request, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await ask(server.url)).toEqual([1, 'answered 302\n']);
  });

  it('does not wait for a body that never ends', async () => {
    await using server = await serving((_request, response) => {
      response.writeHead(200).write('ready');
    });
    expect(await ask(server.url)).toEqual([0, '']);
  });

  it('answers 1 when nothing answers in time, or nobody listens', async () => {
    await using server = await serving(() => {});
    expect(await ask(server.url, 250)).toEqual([1, 'no answer within 250 ms\n']);
    const free = createTcpServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    expect(await ask(`http://127.0.0.1:${port}/`)).toEqual([1, 'no answer (ECONNREFUSED)\n']);
  });
});
