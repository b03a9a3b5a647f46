// `postern/upstream` as an application gets it: from the package's build, by its name, with types for whoever writes
// TypeScript, and loading nothing of the gate into the application.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TSC = resolve('node_modules/typescript/bin/tsc');

const APPLICATION = `
import express from 'express';
import fastify from 'fastify';
import { AssertionRefused, createAssertionVerifier, expressSupport, fastifySupport, type SupportContext } from 'postern/upstream';

const gate = { issuer: 'https://gate.example', audience: 'app', keys: 'https://gate.example/-/postern/jwks.json' };

const one = express();
one.use('/t/:tenant', expressSupport<express.Request>({ ...gate, mode: 'optional', tenantOf: (request) => String(request.params['tenant']) }));
one.get('/t/:tenant/who', (request, response) => {
  const support: SupportContext | null = request.support;
  response.json({ who: support?.principal.email ?? null, access: support?.access === 'read' });
});

const other = fastify();
await other.register(fastifySupport, { ...gate, mode: 'required', tenantOf: (request) => request.host.split('.')[0] ?? null });
other.get('/who', (request) => ({ roles: request.support?.roles.map((role) => role.toUpperCase()) }));
await other.ready();

const verifier = createAssertionVerifier(gate);
try {
  await verifier.verify(undefined);
} catch (error) {
  if (error instanceof AssertionRefused) console.log(error.code, error.status);
}
const answer = await other.inject('/who');
console.log(answer.statusCode);
`;

const WRONG = `
import { createAssertionVerifier, expressSupport } from 'postern/upstream';
createAssertionVerifier({ issuer: 'i', audience: 'a', keys: 'k', algorithms: ['HS256'] });
expressSupport({ issuer: 'i', audience: 'a', keys: 'k' });
`;

describe('the package', () => {
  let folder = '';
  const inside = (...args: readonly string[]) =>
    spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-package-'));
    const own = join(folder, 'node_modules/postern');
    mkdirSync(own, { recursive: true });
    copyFileSync('package.json', join(own, 'package.json'));
    for (const name of ['jose', 'fastify', 'express', '@types/express', '@types/node']) {
      const place = join(folder, 'node_modules', name);
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(resolve('node_modules', name), place);
    }
    const built = spawnSync(
      process.execPath,
      [TSC, '-p', 'tsconfig.build.json', '--outDir', join(own, 'dist')],
      {
        encoding: 'utf8',
      },
    );
    expect(built.stdout).not.toContain('src/verifier');
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'application.ts'), APPLICATION);
    writeFileSync(join(folder, 'wrong.ts'), WRONG);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const check = (file: string) =>
    inside(
      TSC,
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--types',
      'node',
      file,
    );

  it('has types: a right use compiles, the request of either framework included', () => {
    expect(check('application.ts')).toMatchObject({ stdout: '', status: 0 });
  }, 60_000);

  it('has types: a symmetric algorithm and a missing mode do not compile', () => {
    const { stdout, status } = check('wrong.ts');
    expect(status).not.toBe(0);
    expect(stdout).toContain('HS256');
    expect(stdout).toContain("'mode' is missing");
  }, 60_000);

  it('runs, and its other files cannot be reached by name', () => {
    expect(inside('application.ts')).toMatchObject({ stdout: 'assertion_required 401\n401\n', status: 0 });
    const reach = (name: string) =>
      inside(
        '--input-type=module',
        '-e',
        `await import('${name}', { with: { type: '${name.endsWith('json') ? 'json' : ''}' } })`,
      );
    expect(reach('postern/package.json').status).toBe(0);
    expect(reach('postern/dist/main.js').stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('loads nothing into an application but its own few files and jose', () => {
    const list = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { if (url.startsWith('file:')) console.log(url); return next(url, context); } });
await import('postern/upstream');`;
    const { stdout } = inside('--input-type=module', '-e', list);
    const loaded = stdout.trim().split('\n');
    expect(loaded.filter((url) => url.includes('/dist/verifier/')).length).toBeGreaterThan(3);
    expect(loaded.filter((url) => !/\/dist\/verifier\/|\/jose\//.test(url))).toEqual([]);
  });
});
