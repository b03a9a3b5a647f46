// `postern doctor` on what the gate stands on: configuration, keys, certificates, store, journal, policies, issuers, sinks,
// mail and webhooks. It finds what is wrong, changes nothing, prints no secret, and gives none to a peer.
import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { parseTarget } from '#gateway/request-target.ts';
import { doctorRooms } from '../../src/compose-doctor.ts';
import { application, examined, patient } from '../support/doctor-run.ts';
import { startGate } from '../support/gate.ts';
import { overTls } from '../support/gate-tls.ts';
import { listen } from '../support/listen.ts';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1';

/** A peer that takes connections, and keeps what it is sent. */
async function peer() {
  const got = { connections: 0, bytes: 0 };
  const server = createServer((socket) => {
    got.connections++;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => (got.bytes += chunk.length));
  });
  const { port, close } = await listen(server);
  return { port, got, [Symbol.asyncDispose]: close };
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
    .toSorted();
}

describe('a gate that was never started', () => {
  it('is whole: everything holds, and nothing was made', async () => {
    await using app = await application((_request, response) => void response.writeHead(401).end());
    using gate = await patient({ upstreamPort: app.port });
    const before = filesOf(gate.folder);
    const run = await examined(gate.file);
    expect(run.code).toBe(0);
    for (const check of ['config', 'key', 'store', 'journal', 'policies', 'issuer']) {
      expect([check, new Set(run.states(check))]).toEqual([check, new Set(['ok'])]);
    }
    expect(run.findings.filter(({ detail }) => detail.includes('will be made on first start'))).toHaveLength(
      4,
    );
    expect(filesOf(gate.folder)).toEqual(before);
  });

  it('is refused with every problem where its configuration is wrong', async () => {
    using gate = await patient({ upstreamPort: 1, config: { wrokers: 1 } });
    const run = await examined(gate.file, { json: false });
    expect([run.code, run.out]).toEqual([2, '']);
    expect(run.err).toContain('workers');
    const json = await examined(gate.file);
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('workers') }],
    });
    expect(json.code).toBe(2);
  });
});

describe('a gate that ran', () => {
  it('has a store that opens, a journal, and keys that are its own', async () => {
    await using app = await application((_request, response) => void response.writeHead(401).end());
    const gate = await startGate({ upstreamPort: app.port });
    await gate.postern.drain(0);
    const file = join(gate.folder, 'postern.yaml');
    const run = await examined(file);
    expect(run.code).toBe(0);
    expect(run.findings.find(({ check }) => check === 'store')?.detail).toMatch(
      /^opens, schema version [1-9]/,
    );
    expect(run.states('key')).toEqual(['ok', 'ok']);
    chmodSync(join(gate.folder, 'keys', 'assertion.pem'), 0o644);
    writeFileSync(join(gate.folder, 'STOP'), '');
    const careless = await examined(file);
    expect([careless.code, careless.states('key')]).toEqual([0, ['warning', 'ok']]);
    expect(careless.states('kill switch')).toEqual(['warning']);
    rmSync(gate.folder, { recursive: true });
  });
});

describe('what is wrong', () => {
  it('is found in files: a store that is none, a policy that does not load, a certificate that ends', async () => {
    using gate = await patient(overTls(1));
    writeFileSync(join(gate.folder, 'postern.db'), 'not a database, not even nearly');
    writeFileSync(join(gate.folder, 'policies', 'policy.yaml'), 'kind: RoutePolicy\n');
    const run = await examined(gate.file);
    expect(run.code).toBe(1);
    expect([run.states('store'), run.states('policies')]).toEqual([['failed'], ['failed']]);
    expect(run.states('certificate')).toEqual(['warning']);
  });

  it('is found at issuers: away, or without a key that can be used', async () => {
    await using empty = await application((_request, response) => void response.end('{"keys":[]}'));
    using gate = await patient({
      upstreamPort: 1,
      support: { jwks: undefined, jwksUri: `http://127.0.0.1:${empty.port}/keys` },
    });
    const run = await examined(gate.file);
    expect(run.states('issuer')).toEqual(['failed', 'ok']);
    expect(run.out).toContain('its key set holds no usable key');
    await empty[Symbol.asyncDispose]();
    const away = await examined(gate.file);
    expect(away.out).toContain('its keys cannot be read: the request failed (ECONNREFUSED)');
  });

  it('is found at sinks, mail and webhooks, who are connected to and told nothing', async () => {
    await using there = await peer();
    const secret = 'hush-hush-hush-hush-hush-hush';
    const sinks = [
      {
        http: {
          url: `http://127.0.0.1:${there.port}/hush-path`,
          secret: { fromFile: 'secret' },
          headers: { 'x-key': secret },
        },
      },
      { otlp: { url: `${NOWHERE}/hush-path`, headers: { authorization: secret } } },
      { syslog: { address: `127.0.0.1:${there.port}`, protocol: 'tcp' } },
      { file: { path: 'published.ndjson' } },
      { file: { name: 'lost', path: 'none/published.ndjson' } },
      { stdout: {} },
    ];
    using gate = await patient({
      upstreamPort: 1,
      prepare: (folder) => writeFileSync(join(folder, 'secret'), secret),
      config: { audit: { directory: 'audit', sinks } },
    });
    const run = await examined(gate.file);
    expect(run.states('sink')).toEqual(['ok', 'warning', 'ok', 'ok', 'warning', 'ok']);
    expect(there.got).toEqual({ connections: 2, bytes: 0 });
    expect(run.out).not.toContain('hush');
    const shown = await examined(gate.file, { json: false });
    expect(shown.out).toContain('sink');
    expect(shown.out + shown.err).not.toContain('hush');
  });
});

describe('bad usage', () => {
  it.each([
    ['--path', { path: 'tickets' }],
    ['--path', { path: '//other.example/' }],
    ['--path', { path: '/a\r\nX-Support-Assertion: x' }],
    ['--host', { host: 'a\r\nb' }],
    ['--public-url', { publicUrl: ['ftp://app.example'] }],
    ['--public-url', { publicUrl: ['https://me:hush@app.example'] }],
  ])('%s: %j is refused, and not repeated', async (flag, wrong) => {
    const { code, out, err } = await examined('none.yaml', wrong);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(flag);
    expect(err).not.toContain('hush');
    expect(err.trim()).not.toMatch(/[\r\n]/);
  });

  it('of the command line is 2, like everywhere', async () => {
    const sink = { write: () => undefined };
    const deps = {
      version: '0',
      env: {},
      stdout: sink,
      stderr: sink,
      parseTarget,
      serve: () => Promise.resolve(0),
    };
    const rooms = { doctorRooms: () => Promise.resolve(doctorRooms) };
    expect(await runCli(['doctor', '--confg', 'x'], { ...deps, ...rooms })).toBe(2);
    expect(await runCli(['doctor', '--config', 'none.yaml'], { ...deps, ...rooms })).toBe(2);
    expect(await runCli(['doctor', '--help'], { ...deps, ...rooms })).toBe(0);
  });
});
