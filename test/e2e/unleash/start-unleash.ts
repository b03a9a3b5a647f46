// The unmodified product Unleash as a child process on a loopback port, with one admin API token made at run
// time. It calls nobody outside: version check, telemetry, package analytics are off. Cold.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import type { Postgres } from './start-postgres.ts';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;

export interface Unleash extends AsyncDisposable {
  readonly url: string;
  /** What Postern injects as `Authorization`; support staff never see it. */
  readonly adminToken: string;
  readonly process: Child;
}

function environment(port: number, adminToken: string, database: Postgres): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    TZ: 'UTC',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(port),
    UNLEASH_URL: `http://127.0.0.1:${port}`,
    UNLEASH_SECRET: randomBytes(24).toString('hex'),
    DATABASE_HOST: database.host,
    DATABASE_PORT: String(database.port),
    DATABASE_USERNAME: database.user,
    DATABASE_PASSWORD: database.password,
    DATABASE_NAME: database.database,
    DATABASE_SSL: 'false',
    INIT_ADMIN_API_TOKENS: adminToken,
    // One line per request that really arrived: the witness that a refused one did not.
    LOG_LEVEL: 'info',
    REQUEST_LOGGER_ENABLE: 'true',
    // The test's own webhook receiver is on loopback.
    UNLEASH_ALLOW_PRIVATE_URL_IN_INTEGRATION: 'true',
    CHECK_VERSION: 'false',
    SEND_TELEMETRY: 'false',
    SCARF_ANALYTICS: 'false',
    DO_NOT_TRACK: '1',
  };
}

async function untilHealthy(unleash: Child, url: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline && unleash.ended === null) {
    try {
      const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) });
      await answer.body?.cancel();
      if (answer.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(
    `unleash did not become healthy (${unleash.ended ?? 'too slow'})\n${unleash.output.join('\n')}`,
  );
}

interface Launch {
  readonly installedIn: string;
  readonly nodePath: string;
  readonly port: number;
  readonly url: string;
  readonly adminToken: string;
  readonly database: Postgres;
}

async function launch({ installedIn, nodePath, port, url, adminToken, database }: Launch): Promise<Child> {
  const child = startChild({
    name: 'unleash',
    command: nodePath,
    args: [join(installedIn, 'node_modules', 'unleash-server', 'dist', 'server.js')],
    cwd: installedIn,
    env: environment(port, adminToken, database),
  });
  try {
    await untilHealthy(child, url);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

/**
 * Runs the server under `nodePath`, which must be Node 22 or later. Takes about six seconds: it is started once to
 * lay out its database and make the token, and again because the event of that first token makes it remember for
 * a minute that there are no integrations, and one will be seeded.
 */
export async function startUnleash(
  installedIn: string,
  nodePath: string,
  database: Postgres,
): Promise<Unleash> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const adminToken = `*:*.${randomBytes(24).toString('hex')}`;
  const start: Launch = { installedIn, nodePath, port, url, adminToken, database };
  await (await launch(start)).stop();
  const child = await launch(start);
  return { url, adminToken, process: child, [Symbol.asyncDispose]: child[Symbol.asyncDispose] };
}
