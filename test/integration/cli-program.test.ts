// The program as people start it: from a checkout by its bin file, and as the image does from a build that has
// production dependencies only.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SMALLEST, type TestFolder, testFolder } from '../support/config-files.ts';

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function node(args: readonly string[], folder: string, env: Record<string, string> = {}): Ran {
  const clean = { PATH: process.env['PATH'] ?? '', ...env };
  return spawnSync(process.execPath, args, { cwd: folder, env: clean, encoding: 'utf8', timeout: 15_000 });
}

describe('from a checkout', () => {
  const bin = resolve('bin/postern.js');

  it('prints its version, its help, and the judgement of a file', () => {
    using folder = testFolder();
    folder.write('good.yaml', SMALLEST);
    folder.write('bad.yaml', `${SMALLEST}workers: 2\n`);
    expect(node([bin, '--version'], folder.path)).toMatchObject({ status: 0, stdout: '0.1.0\n' });
    expect(node([bin, '--help'], folder.path)).toMatchObject({ status: 0, stderr: '' });
    expect(node([bin, 'config', 'check', '--config', 'good.yaml'], folder.path)).toMatchObject({
      status: 0,
      stdout: 'good.yaml: the configuration is valid\n',
    });
    const bad = node([bin, 'serve', '--config', 'bad.yaml'], folder.path);
    expect(bad).toMatchObject({ status: 2, stdout: '' });
    expect(bad.stderr).toContain(
      'bad.yaml:4:10: error: more than one worker is not supported by this version',
    );
    expect(node([bin, 'nonsense'], folder.path).status).toBe(2);
  });

  it('loads nothing for help and a health check that only a gateway needs', () => {
    using folder = testFolder();
    const tracer = folder.write(
      'tracer.mjs',
      `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { process._rawDebug('LOADED ' + url); return next(url, context); } });`,
    );
    const main = resolve('src/main.ts');
    for (const args of [['--help'], ['healthcheck', '--url', 'ftp://none']]) {
      const { stderr } = node(['--conditions=source', '--import', tracer, main, ...args], folder.path);
      expect(stderr).toContain('/commander/');
      const packages =
        /node_modules\/(?:fastify|undici|pino|jose|ajv|yaml|prom-client|http-proxy-3|lru-cache)\//;
      expect(stderr.split('\n').filter((line) => packages.test(line))).toEqual([]);
    }
  });
});

/** What `Dockerfile` puts into /app: the build, schemas and profiles, and links to what the lock file says is for production. */
function buildInto(folder: TestFolder): void {
  const tsc = resolve('node_modules/typescript/bin/tsc');
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(folder.path, 'dist')], {
    encoding: 'utf8',
  });
  cpSync('package.json', join(folder.path, 'package.json'));
  for (const part of ['config/schemas', 'config/profiles']) {
    cpSync(part, join(folder.path, part), { recursive: true });
  }
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  for (const [path, { dev = false }] of Object.entries(packages)) {
    const isTopLevel = /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path);
    if (!isTopLevel || dev || !existsSync(path)) continue;
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    symlinkSync(resolve(path), join(folder.path, path));
  }
}

describe('from a build with production dependencies only', () => {
  it('starts, finds its schema and its profiles, judges a configuration, and can load the whole gateway', () => {
    using folder = testFolder();
    buildInto(folder);
    const file = folder.write('elsewhere/postern.yaml', SMALLEST);
    const elsewhere = dirname(file);
    const main = join(folder.path, 'dist/main.js');
    expect(node(['--preserve-symlinks', main, '--version'], elsewhere)).toMatchObject({
      status: 0,
      stdout: '0.1.0\n',
    });
    expect(node([main, 'config', 'check'], elsewhere, { POSTERN_CONFIG: file })).toMatchObject({
      status: 0,
      stdout: `${file}: the configuration is valid\n`,
    });
    const profiled = folder.write('profiled.yaml', `${SMALLEST}\ngrants: { profile: account-access }\n`);
    expect(node([main, 'config', 'check', '--config', profiled], elsewhere)).toMatchObject({ status: 0 });
    const compose = `await import(${JSON.stringify(join(folder.path, 'dist/compose.js'))}); console.log('loaded');`;
    const loaded = node(['--preserve-symlinks', '--input-type=module', '-e', compose], elsewhere);
    expect(loaded).toMatchObject({ stdout: 'loaded\n', status: 0 });
  }, 60_000);
});
