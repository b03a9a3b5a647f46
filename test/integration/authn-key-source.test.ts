// How keys are fetched from providers that misbehave, and from files that are replaced. Real sockets, real files.
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { PosternError } from '#model/fault.ts';
import { createKeySet } from '#authn/key-set.ts';
import { createKeySource, type KeySource } from '#authn/key-source.ts';
import { checkIssuer, type KeySourceOptions } from '#authn/options.ts';
import { manualClock } from '../support/authn-clock.ts';
import { keySetOf, makeKey } from '../support/authn-keys.ts';

const key = makeKey('ES256', 'first');
const SET = JSON.stringify(keySetOf(key));

interface Web extends AsyncDisposable {
  readonly origin: string;
  readonly paths: string[];
}

async function web(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Web> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(String(request.url));
    handle(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const clock = manualClock();

function sourceOf(issuer: string, keys: KeySourceOptions): KeySource {
  return createKeySource(checkIssuer({ name: 'x', issuer, keys }), clock);
}

function fromUri(uri: string): KeySource {
  return sourceOf('https://idp.example', { kind: 'uri', uri });
}

async function failureOf(source: KeySource, signal = new AbortController().signal): Promise<string> {
  const error = await source.load(signal).then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(PosternError);
  expect((error as PosternError).code).toBe('KEYS_UNAVAILABLE');
  return (error as PosternError).message;
}

/** A provider whose discovery document is what `document` says of its own origin. */
function serve(document: (origin: string) => unknown): Promise<Web> {
  return web((request, response) => {
    if (request.url === '/jwks') response.end(SET);
    else response.end(JSON.stringify(document(`http://${request.headers.host}`)));
  });
}

async function folder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'postern-authn-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('over HTTP', () => {
  test('reads a key set', async () => {
    await using server = await web((_, response) => response.end(SET));
    expect(await fromUri(`${server.origin}/jwks`).load(new AbortController().signal)).toEqual(keySetOf(key));
  });

  test('follows no redirect', async () => {
    await using server = await web((request, response) => {
      if (request.url === '/jwks') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end(SET);
    });
    expect(await failureOf(fromUri(`${server.origin}/jwks`))).toBe('the answer has status 302');
    expect(server.paths).toEqual(['/jwks']);
  });

  test.each([204, 304, 401, 404, 500, 503])('takes status %d for a failure', async (status) => {
    await using server = await web((_, response) =>
      response.writeHead(status).end(status === 204 ? '' : SET),
    );
    expect(await failureOf(fromUri(server.origin))).toBe(`the answer has status ${status}`);
  });

  test('stops at 512 KiB, whether the length is said or not', async () => {
    const large = `{"keys":[],"pad":"${'x'.repeat(600 * 1024)}"}`;
    await using said = await web((_, response) => response.end(large));
    expect(await failureOf(fromUri(said.origin))).toMatch(/larger than 512 KiB/);
    await using endless = await web((_, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        response.once('drain', write);
      };
      write();
    });
    expect(await failureOf(fromUri(endless.origin))).toMatch(/larger than 512 KiB/);
  });

  test('counts the size after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, 0x20));
    await using server = await web((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    expect(await failureOf(fromUri(server.origin))).toMatch(/larger than 512 KiB/);
  });

  test('takes a page for a failure, and quotes nothing of it', async () => {
    await using server = await web((_, response) => response.end('<html>secret</html>'));
    expect(await failureOf(fromUri(server.origin))).toBe('the answer is not JSON');
  });

  test('names the code of a failed connection, not the address', async () => {
    const server = await web(() => {});
    await server[Symbol.asyncDispose]();
    expect(await failureOf(fromUri(server.origin))).toBe('the request failed (ECONNREFUSED)');
    await using reset = await web((request) => request.socket.destroy());
    expect(await failureOf(fromUri(reset.origin))).toMatch(/^the request failed \([A-Z_]+\)$/);
  });

  test('ends a request that gets no answer when the key set is closed', async () => {
    await using server = await web(() => {});
    const closing = new AbortController();
    const failure = failureOf(fromUri(server.origin), closing.signal);
    await vi.waitFor(() => expect(server.paths).toHaveLength(1), { timeout: 10_000 });
    closing.abort();
    expect(await failure).toMatch(/the request failed/);
  });

  test('gives up on an answer that drips for more than five seconds', async () => {
    await using server = await web((_, response) => {
      const drip = setInterval(() => response.write(' '), 100);
      response.once('close', () => clearInterval(drip));
    });
    expect(await failureOf(fromUri(server.origin))).toBe('the request failed (TimeoutError)');
  });
});

describe('discovery', () => {
  test('reads the document once and the key set each time', async () => {
    await using server = await serve((origin) => ({ issuer: origin, jwks_uri: `${origin}/jwks` }));
    const source = sourceOf(server.origin, { kind: 'discovery' });
    const { signal } = new AbortController();
    await source.load(signal);
    await source.load(signal);
    expect(server.paths).toEqual(['/.well-known/openid-configuration', '/jwks', '/jwks']);
    clock.advance(3_600_000);
    await source.load(signal);
    expect(server.paths).toHaveLength(5);
  });

  test('reads the document again after a failure: the key set may have moved', async () => {
    let path = '/gone';
    await using server = await web((request, response) => {
      const origin = `http://${request.headers.host}`;
      if (request.url === '/jwks') response.end(SET);
      else if (request.url === '/gone') response.writeHead(404).end();
      else response.end(JSON.stringify({ issuer: origin, jwks_uri: origin + path }));
    });
    const source = sourceOf(server.origin, { kind: 'discovery' });
    expect(await failureOf(source)).toBe('the answer has status 404');
    path = '/jwks';
    expect(await source.load(new AbortController().signal)).toEqual(keySetOf(key));
  });

  test('keeps the path of an issuer that has one', async () => {
    await using server = await serve((origin) => ({
      issuer: `${origin}/realms/a`,
      jwks_uri: `${origin}/jwks`,
    }));
    await sourceOf(`${server.origin}/realms/a`, { kind: 'discovery' }).load(new AbortController().signal);
    expect(server.paths[0]).toBe('/realms/a/.well-known/openid-configuration');
  });

  test.each<[string, (origin: string) => unknown, RegExp]>([
    [
      'names another issuer',
      (origin) => ({ issuer: 'https://evil.example', jwks_uri: `${origin}/jwks` }),
      /another issuer/,
    ],
    [
      'names its issuer with a slash',
      (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/jwks` }),
      /another issuer/,
    ],
    ['names no issuer', (origin) => ({ jwks_uri: `${origin}/jwks` }), /another issuer/],
    ['names no key set', (origin) => ({ issuer: origin }), /no key set/],
    [
      'points at plain http elsewhere',
      (origin) => ({ issuer: origin, jwks_uri: 'http://evil.example/' }),
      /not allowed/,
    ],
    ['points at a file', (origin) => ({ issuer: origin, jwks_uri: 'file:///etc/passwd' }), /not allowed/],
    ['is a list', () => [], /not an object/],
  ])('refuses a document that %s', async (_, document, message) => {
    await using server = await serve(document);
    expect(await failureOf(sourceOf(server.origin, { kind: 'discovery' }))).toMatch(message);
    expect(server.paths).toHaveLength(1);
  });
});

describe('from a file', () => {
  test('a replaced file is seen, a withdrawn key is dropped, a broken file changes nothing', async () => {
    await using dir = await folder();
    const path = join(dir.path, 'jwks.json');
    await writeFile(path, SET);
    const results: string[] = [];
    const keys = createKeySet({
      name: 'x',
      algorithms: ['ES256'],
      source: sourceOf('x', { kind: 'file', file: path }),
      clock,
      onRefreshed: ({ result, keys }) => results.push(`${result} ${keys}`),
    });
    await keys.started;
    const gone = new Promise((resolve) => keys.onWithdrawn(resolve));
    await writeFile(`${path}.broken`, SET.slice(0, 50));
    await rename(`${path}.broken`, path);
    await vi.waitFor(() => expect(results.slice(0, 2)).toEqual(['ok 1', 'error 1']), { timeout: 10_000 });
    await writeFile(`${path}.new`, JSON.stringify(keySetOf(makeKey('ES256', 'second'))));
    await rename(`${path}.new`, path);
    expect(await gone).toBe('first');
    keys.close();
  });

  test('a file behind a link that is moved, as orchestrators mount secrets, is seen', async () => {
    await using dir = await folder();
    const path = join(dir.path, 'jwks.json');
    await writeFile(join(dir.path, 'one'), SET);
    await writeFile(join(dir.path, 'two'), JSON.stringify({ keys: [] }));
    await symlink('one', path);
    const source = sourceOf('x', { kind: 'file', file: path });
    const changed = Promise.withResolvers<void>();
    using watching = source.watch?.(() => changed.resolve()) ?? { [Symbol.dispose]() {} };
    await symlink('two', `${path}.new`);
    await rename(`${path}.new`, path);
    await changed.promise;
    expect(watching).toBeDefined();
    expect(await source.load(new AbortController().signal)).toEqual({ keys: [] });
  });

  test('a missing, a huge and a malformed file are failures that name no path', async () => {
    await using dir = await folder();
    const path = join(dir.path, 'jwks.json');
    const source = sourceOf('x', { kind: 'file', file: path });
    expect(await failureOf(source)).toBe('the key file cannot be read (ENOENT)');
    await writeFile(path, 'x'.repeat(600 * 1024));
    expect(await failureOf(source)).toMatch(/larger than 512 KiB/);
    await writeFile(path, '{');
    expect(await failureOf(source)).toBe('the key file is not JSON');
  });
});
