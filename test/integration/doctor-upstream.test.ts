// `postern doctor` looks for the way around the gate: real applications that check the assertion, that check it badly, and
// that answer as if there were no Postern; at the upstream's own address, and at one where outsiders might reach it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { application, examined, patient } from '../support/doctor-run.ts';
import { startGate } from '../support/gate.ts';
import { startSupportUpstream } from '../support/support-upstream.ts';
import { supportContextOf } from '../../src/verifier/support-context.ts';

const PAGE: RequestListener = (_request, response) => void response.end('<h1>Tickets</h1>');
const status =
  (code: number): RequestListener =>
  (_request, response) =>
    void response.writeHead(code).end();
/** Customers’ own without an assertion; with one, whoever has the shape of what the gate says, signed or not. */
const shapeOnly =
  (tenant: string): RequestListener =>
  (request, response) => {
    const token = request.headers['x-support-assertion'];
    if (token === undefined) return void response.end('<h1>Tickets</h1>');
    const claims = JSON.parse(
      Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString(),
    ) as JWTPayload;
    const support = supportContextOf(claims);
    const isKnown =
      support !== null && support.tenant === tenant && support.principal.issuer === 'https://idp.test';
    return void response.writeHead(isKnown ? 200 : 401).end();
  };
const ANSWERS = 'the upstream answers requests that did not come through Postern: 200';

describe('an upstream that', () => {
  it('knows of no gate: fails, and says how to shut the way', async () => {
    await using app = await application(PAGE);
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file, { path: '/tickets', host: 'acme.app.test' });
    expect([run.code, run.states('upstream')]).toEqual([1, ['failed', 'failed', 'failed']]);
    expect(run.findings.find(({ check }) => check === 'upstream')).toMatchObject({
      subject: `http://127.0.0.1:${app.port}/tickets`,
      detail: ANSWERS,
      remedy: expect.stringMatching(/network policy.*postern\/upstream/),
    });
    expect(app.seen.map(({ line, headers }) => [line, headers.host])).toEqual(
      Array.from({ length: 3 }, () => ['GET /tickets', 'acme.app.test']),
    );
  });

  it.each(['express', 'fastify'] as const)(
    'checks the assertion with the middleware for %s: holds',
    async (framework) => {
      await using app = await startSupportUpstream();
      const trust = { issuer: 'https://gate.test', audience: 'app', keys: { keys: [] } };
      await app.protect(framework, { ...trust, mode: 'required' });
      using gate = await patient({ upstreamPort: app.port });
      const required = await examined(gate.file, { path: '/who' });
      expect([required.code, required.states('upstream')]).toEqual([0, ['ok', 'ok', 'ok']]);
      // Where customers use the same address, what comes without the header is theirs: worth a look, no defect.
      await app.protect(framework, { ...trust, mode: 'optional' });
      const optional = await examined(gate.file, { path: '/who' });
      expect([optional.code, optional.states('upstream')]).toEqual([0, ['warning', 'ok', 'ok']]);
    },
  );

  it('looks only whether there is an assertion: fails on each forged one', async () => {
    await using app = await application((request, response) => {
      const isThere = request.headers['x-support-assertion'] !== undefined;
      response.writeHead(isThere ? 200 : 401).end();
    });
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file);
    expect([run.code, run.states('upstream')]).toEqual([1, ['warning', 'failed', 'failed']]);
  });

  it('believes an assertion that nobody signed: fails on that one', async () => {
    await using app = await application((request, response) => {
      const [header = ''] = String(request.headers['x-support-assertion'] ?? 'e30').split('.');
      const { alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: string };
      response.writeHead(alg === 'none' ? 200 : 401).end();
    });
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file);
    expect([run.code, run.states('upstream')]).toEqual([1, ['warning', 'warning', 'failed']]);
    expect(run.out).toContain('the upstream answers a request with an unsigned assertion: 200');
  });

  it.each([
    ['asks everybody to sign in', 401, ['warning', 'warning', 'warning'], 0],
    ['redirects to a sign-in', 302, ['failed', 'failed', 'failed'], 1],
    ['has no such page', 404, ['warning', 'warning', 'warning'], 0],
    ['is unwell', 503, ['warning', 'warning', 'warning'], 0],
  ])('%s', async (_what, code, states, exit) => {
    await using app = await application(status(code));
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file);
    expect([run.code, run.states('upstream')]).toEqual([exit, states]);
  });

  it('refuses a forged assertion as it does none: says that it cannot be told what was looked at', async () => {
    await using app = await application(status(403));
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file, { host: 'acme.app.test' });
    expect(run.states('upstream')).toEqual(['warning', 'warning', 'warning']);
    expect(run.out).toContain('with a forged assertion the answer is the same as without one (403)');
  });

  it('has a check of its own in front, and believes what comes after it: never holds', async () => {
    // The middleware asks for an assertion; the application behind it, which took the forged one, says no for its own reasons.
    await using app = await application((request, response) => {
      const isThere = request.headers['x-support-assertion'] !== undefined;
      const problem = isThere ? {} : { type: 'urn:postern:problem:assertion_required' };
      response.writeHead(401).end(JSON.stringify(problem));
    });
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file, { host: 'acme.app.test' });
    expect(run.states('upstream')).toEqual(['ok', 'warning', 'warning']);
  });

  it('looks at the shape of an assertion and at no signature: fails', async () => {
    await using app = await application(shapeOnly('acme'));
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file, { host: 'ACME.app.test:8443' });
    expect([run.code, run.states('upstream')]).toEqual([1, ['failed', 'failed', 'failed']]);
    expect(new Set(app.seen.map(({ headers }) => headers.host))).toEqual(new Set(['ACME.app.test:8443']));
  });

  it.each([
    ['by path, named', { from: 'path', pattern: '/t/{tenant}' }, '/t/acme/tickets?q=1', 'failed'],
    ['by path, not named', { from: 'path', pattern: '/t/{tenant}' }, '/tickets', 'warning'],
    ['by header', { from: 'header', header: 'X-Tenant' }, '/', 'warning'],
    ['by host, not named', { from: 'host', pattern: '{tenant}.app.test' }, '/', 'warning'],
  ])('knows its tenants and no signature: %s', async (_what, tenancy, path, state) => {
    await using app = await application(shapeOnly('acme'));
    const traffic = tenancy.from === 'host' ? {} : { traffic: { hosts: ['app.test'] } };
    using gate = await patient({ upstreamPort: app.port, config: { tenancy, ...traffic } });
    const run = await examined(gate.file, { path });
    expect(run.states('upstream').slice(1)).toEqual([state, state]);
    expect(run.out.includes('of a tenant that doctor made up')).toBe(state === 'warning');
  });

  it('is away, or says nothing: fails', async () => {
    await using silent = await application(() => undefined);
    using gate = await patient({ upstreamPort: silent.port });
    const run = await examined(gate.file);
    expect([run.code, run.states('upstream')]).toEqual([1, ['failed']]);
    await silent[Symbol.asyncDispose]();
    const gone = await examined(gate.file);
    expect(gone.findings.find(({ check }) => check === 'upstream')?.detail).toBe(
      'cannot be reached (ECONNREFUSED)',
    );
  });

  it('nothing but the gate can reach, as whoever asks says: warns', async () => {
    await using app = await application(PAGE);
    using gate = await patient({ upstreamPort: app.port });
    const run = await examined(gate.file, { trustNetwork: true });
    expect([run.code, run.states('upstream')]).toEqual([0, ['warning', 'warning', 'warning']]);
  });
});

describe('a public address', () => {
  it('holds where it leads to Postern, or nowhere', async () => {
    await using app = await application(status(401));
    await using gate = await startGate({ upstreamPort: app.port });
    using closed = await patient({ upstreamPort: app.port });
    const publicUrl = [`http://127.0.0.1:${gate.dataPort}/`, 'http://127.0.0.1:1/'];
    const run = await examined(closed.file, { publicUrl, host: gate.host });
    expect([run.code, run.states('public address')]).toEqual([0, ['ok', 'ok']]);
    expect(run.out).toContain('leads to Postern itself');
    expect(run.out).toContain('cannot be reached from here (ECONNREFUSED)');
  });

  it('fails where it leads to the application, whatever the network is said to do', async () => {
    await using app = await application(PAGE);
    using gate = await patient({ upstreamPort: app.port });
    const publicUrl = [`http://127.0.0.1:${app.port}/legacy?token=hush`];
    const run = await examined(gate.file, { publicUrl, trustNetwork: true });
    expect([run.code, run.states('public address')]).toEqual([1, ['failed', 'failed', 'failed']]);
    expect(app.seen.filter(({ line }) => line === 'GET /legacy?token=hush')).toHaveLength(3);
    expect(run.out).not.toContain('hush');
  });
});

describe('what the upstream is sent', () => {
  it('holds no credential of the configuration, injected or not, and no signature of the gate’s key', async () => {
    await using app = await application(PAGE);
    const secrets = { upstreamToken: { fromFile: 'token' } };
    const inject = { Authorization: 'Bearer {secret:upstreamToken}', 'X-Api-Key': '{secret:upstreamToken}' };
    using gate = await patient({
      upstreamPort: app.port,
      prepare: (folder) => writeFileSync(join(folder, 'token'), 'hush-hush'),
      config: {
        secrets,
        upstream: {
          url: `http://127.0.0.1:${app.port}`,
          inject,
          assertion: { audience: 'app', issuer: 'https://g.test' },
        },
      },
    });
    const run = await examined(gate.file);
    expect(run.code).toBe(1);
    const names = new Set(app.seen.flatMap(({ headers }) => Object.keys(headers)));
    expect([...names].toSorted()).toEqual([
      'accept',
      'connection',
      'host',
      'user-agent',
      'x-support-assertion',
    ]);
    expect(JSON.stringify(app.seen) + run.out + run.err).not.toContain('hush-hush');
  });
});

describe('the program', () => {
  it('prints a table, what to do, and exits 1', async () => {
    await using app = await application(PAGE);
    using gate = await patient({ upstreamPort: app.port });
    const args = ['--conditions=source', resolve('src/main.ts'), 'doctor', '--config', gate.file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err] = [text(child.stdout), text(child.stderr)];
    const [code] = (await once(child, 'close')) as [number];
    expect([code, await err]).toEqual([1, '']);
    expect(await out).toMatch(/^STATE +CHECK +SUBJECT +DETAIL\n/);
    expect(await out).toContain(ANSWERS);
    expect(await out).toContain('\nFAILED upstream ');
  });
});
