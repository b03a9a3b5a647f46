// Everything that outlives a gateway: its folder with configuration, policy, store and journal, the upstream behind it,
// the people who sign in, the grants they have. Removed as a whole at the end.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GateFiles, gateFiles } from '../support/gate.ts';
import type { Random } from '../support/torture-random.ts';
import type { Ledger } from './ledger.ts';
import type { Ports } from './process.ts';
import { startUpstream } from './upstream.ts';

const TENANTS = ['acme', 'globex', 'initech'] as const;
export const HOSTS: readonly string[] = [...TENANTS, 'stranger'].map((tenant) => `${tenant}.app.test`);
const STAFF = ['sam', 'kim', 'lee', 'pat', 'max'] as const;

export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly config: string;
  readonly journal: string;
  readonly published: string;
  /** Fresh ones: a start of the gateway knows no token. */
  tokens(): Promise<string[]>;
  /** A grant for each tenant; asked for until it is there, since a kill may come before the answer. */
  grants(ports: Ports): Promise<void>;
  /** A short-lived grant more, and its revocation: events in the middle of the traffic. */
  grantAndRevoke(ports: Ports): Promise<void>;
  /** The folder stays, for whoever wants to look. */
  keep(): void;
  /** Another policy in the directory; a signal makes the gateway read it. */
  writePolicy(): void;
}

export async function openSite(durability: 'os' | 'disk', ledger: Ledger, random: Random): Promise<Site> {
  const upstream = await startUpstream(ledger, random.fork());
  const files = await gateFiles({ upstreamPort: upstream.port, config: configOf(durability) });
  const { folder } = files;
  let policies = 0;
  let kept = false;
  return {
    folder,
    config: join(folder, 'postern.yaml'),
    journal: join(folder, 'audit'),
    published: join(folder, 'published.ndjson'),
    tokens: () =>
      Promise.all(
        STAFF.map((sub) =>
          files.workforce.sign({ sub, email: `${sub}@vendor.test`, name: sub, groups: ['support'] }, 3600),
        ),
      ),
    async grants(ports) {
      for (const tenant of TENANTS) await createGrant(files, ports, { tenant });
    },
    async grantAndRevoke(ports) {
      const id = await createGrant(files, ports, {
        tenant: random.pick(TENANTS),
        audience: { org: 'another' },
      });
      await call(files, ports, `/v1/grants/${id}/revoke`);
    },
    keep() {
      kept = true;
    },
    writePolicy() {
      policies += 1;
      writeFileSync(join(folder, 'policies', 'more.yaml'), anotherPolicy(policies));
    },
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      if (!kept) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(durability: 'os' | 'disk'): Record<string, unknown> {
  return {
    audit: { directory: 'audit', durability, sinks: [{ file: { path: 'published.ndjson' } }] },
    log: { level: 'warn' },
  };
}

function anotherPolicy(number: number): string {
  const rules = [{ id: `torture.${number}`, category: 'export', match: [{ paths: [`/never/${number}`] }] }];
  return JSON.stringify({
    apiVersion: 'postern/v1',
    kind: 'RoutePolicy',
    metadata: { name: 'more' },
    spec: { rules },
  });
}

interface GrantWish {
  readonly tenant: string;
  readonly audience?: Readonly<Record<string, unknown>>;
}

async function createGrant(files: GateFiles, ports: Ports, wish: GrantWish): Promise<string> {
  const { tenant, audience = { org: 'vendor' } } = wish;
  const { id } = await call(files, ports, `/v1/tenants/${tenant}/grants`, {
    audience,
    access: 'write',
    duration: '8h',
    caseRef: 'CASE-1',
    reason: { type: 'customer_initiated_support', detail: 'the import fails' },
  });
  return String(id);
}

/** As an admin of the tenant that the path names; of the first otherwise. Throws what fetch throws. */
async function call(
  files: GateFiles,
  ports: Ports,
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const tenant = /\/tenants\/(\w+)\//.exec(path)?.[1] ?? TENANTS[0];
  const token = await files.saas.sign({
    sub: 'u-ada',
    org_id: tenant,
    is_admin: true,
    email: 'ada@acme.test',
  });
  const response = await fetch(`http://127.0.0.1:${ports.control}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(body ?? {}),
  });
  return (await response.json()) as Record<string, unknown>;
}
