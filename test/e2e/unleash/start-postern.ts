// Postern as it is deployed: its own process from a configuration file, with the shipped pack for Unleash, ports
// of its own choosing that it reports in its log, and the published records in a file. Cold.
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { APPLICATION, type IdentityProvider, WORKFORCE } from './identity-provider.ts';
import type { Unleash } from './start-unleash.ts';

const START_TIMEOUT_MS = 15_000;
const LISTENERS = ['data', 'control', 'ops'] as const;
type ListenerName = (typeof LISTENERS)[number];

export interface Postern extends AsyncDisposable {
  readonly ports: Readonly<Record<ListenerName, number>>;
  readonly recordsFile: string;
  readonly process: Child;
}

export interface PosternDeps {
  /** Of the checkout. */
  readonly root: string;
  /** For configuration, keys, database, journal and records. */
  readonly folder: string;
  readonly unleash: Unleash;
  readonly identity: IdentityProvider;
}

/** Values go in as JSON strings, which YAML reads as they are. */
function configuration({ root, folder, unleash, identity }: PosternDeps, recordsFile: string): string {
  const text = JSON.stringify;
  return `# yaml-language-server: $schema=${join(root, 'config', 'schemas', 'gateway.schema.json')}
apiVersion: postern/v1
kind: Gateway
listen:
  data: { address: "127.0.0.1:0" }
  control: { address: "127.0.0.1:0" }
  ops: { address: "127.0.0.1:0" }
tenancy: { from: host, pattern: "{tenant}.unleash.test" }
upstream:
  url: ${text(unleash.url)}
  assertion: { issuer: "https://gate.vendor.test", audience: unleash, key: { fromFile: ${text(join(folder, 'assertion.pem'))} } }
  inject:
    Authorization: "{secret:unleashToken}"
    X-Support-User: "{principal.email}"
secrets:
  unleashToken: { fromEnv: UNLEASH_TOKEN }
identity:
  support:
    - name: workforce
      issuer: ${text(WORKFORCE.issuer)}
      audience: ${text(WORKFORCE.audience)}
      controlAudience: ${text(WORKFORCE.controlAudience)}
      algorithms: [ES256]
      jwks: { fromFile: ${text(identity.workforceKeys)} }
      org: { value: vendor }
      require: { groups: [support] }
  customers:
    - name: unleash
      issuer: ${text(APPLICATION.issuer)}
      audience: ${text(APPLICATION.audience)}
      algorithms: [ES256]
      jwks: { fromFile: ${text(identity.applicationKeys)} }
      claims: { tenant: org_id, admin: is_admin }
sessions: { required: false }
grants:
  store: { sqlite: { path: ${text(join(folder, 'postern.db'))} } }
policies: { directory: policies, packs: [unleash] }
audit:
  directory: ${text(join(folder, 'audit'))}
  sinks: [ { file: { path: ${text(recordsFile)} } } ]
limits: { perPrincipal: { concurrent: 64, perSecond: 2000 } }
killSwitch: { file: ${text(join(folder, 'STOP'))} }
`;
}

/** `{"message":"listening","listener":"data","address":"127.0.0.1:41234"}`, among other members and lines. */
function portIn(line: string, listener: ListenerName): number | null {
  if (!line.startsWith('{')) return null;
  let entry: { message?: unknown; listener?: unknown; address?: unknown };
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    return null;
  }
  if (entry.message !== 'listening' || entry.listener !== listener) return null;
  const port = Number(/:(\d+)$/.exec(String(entry.address))?.[1]);
  return Number.isSafeInteger(port) && port > 0 ? port : null;
}

/** Resolves when all three listeners are open. Throws with the log's last lines when it ends before that. */
export async function startPostern(deps: PosternDeps): Promise<Postern> {
  const file = join(deps.folder, 'postern.yaml');
  const recordsFile = join(deps.folder, 'records.ndjson');
  // The pack alone: whatever else is shipped beside it was written for other applications.
  cpSync(
    join(deps.root, 'policies', 'packs', 'unleash.yaml'),
    join(deps.folder, 'policies', 'packs', 'unleash.yaml'),
  );
  writeFileSync(file, configuration(deps, recordsFile));
  const child = startChild({
    name: 'postern',
    command: process.execPath,
    args: ['--conditions=source', join(deps.root, 'src', 'main.ts'), 'serve', '--config', file],
    cwd: deps.folder,
    env: { PATH: process.env['PATH'], UNLEASH_TOKEN: deps.unleash.adminToken },
  });
  try {
    const [data, control, ops] = await Promise.all(
      LISTENERS.map((name) =>
        child.until(`the ${name} listener was open`, START_TIMEOUT_MS, (line) => portIn(line, name)),
      ),
    );
    if (data === undefined || control === undefined || ops === undefined) throw new Error('unreachable');
    return {
      ports: { data, control, ops },
      recordsFile,
      process: child,
      [Symbol.asyncDispose]: child[Symbol.asyncDispose],
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
