// A whole Postern in this process, as its configuration file describes it: real listeners on free ports, a real
// journal and store in a folder of its own, tokens signed by keys made for it. Stops with everything it opened.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Postern, type PosternStart, startPostern } from '../../src/compose.ts';
import { loadConfig } from '#config/load-config.ts';
import type { Clock } from '#model/clock.ts';
import { testIssuer, type TestIssuer } from './signing.ts';

export interface GateOptions {
  /** Of an upstream on loopback. */
  readonly upstreamPort: number;
  /** YAML of the policy directory's one file; three rules by default. */
  readonly policy?: string;
  /** Adds so many rules that match nothing. */
  readonly rules?: number;
  /** Merged over the top-level keys of the configuration: JSON is YAML. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Publishes to a file that `records` reads. */
  readonly published?: boolean;
  /** Merged over the entry of the staff's issuer; `jwks: undefined` takes its key file away. */
  readonly support?: Readonly<Record<string, unknown>>;
  /** Merged over `identity`, beside its issuers: the duties of the staff, services. */
  readonly identity?: Readonly<Record<string, unknown>>;
  /** Called before the configuration is read: to put files beside it. */
  readonly prepare?: (folder: string) => void;
  readonly clock?: Clock;
  /** Faults planted under the journal. */
  readonly journal?: PosternStart['journal'];
}

/** A folder with everything a Postern needs, and the issuers it believes. */
export interface GateFiles {
  readonly folder: string;
  readonly workforce: TestIssuer;
  readonly saas: TestIssuer;
}

export interface Gate extends GateClients, AsyncDisposable {
  readonly postern: Postern;
  readonly dataPort: number;
  readonly controlPort: number;
  readonly opsPort: number;
  readonly folder: string;
  readonly workforce: TestIssuer;
  readonly saas: TestIssuer;
  revoke(id: string): Promise<void>;
  /** Every journal line so far, parsed. */
  journal(): Record<string, unknown>[];
  /** Every published record so far, parsed. */
  records(): Record<string, unknown>[];
  metrics(): Promise<string>;
}

/** What people do with a gate, wherever it runs. */
export interface GateClients {
  /** Of tenant `acme`. */
  readonly host: string;
  /** Of Sam from support; claims override. */
  staffToken(claims?: Record<string, unknown>, lifetimeSeconds?: number): Promise<string>;
  /** Of Ada, admin of acme. */
  adminToken(claims?: Record<string, unknown>): Promise<string>;
  /** A call of the control API as acme's admin. */
  control(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Creates a grant for tenant acme: write access for the vendor's people for an hour. */
  grant(draft: Record<string, unknown>): Promise<{ id: string }>;
}

const DEFAULT_POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: test }
spec:
  rules:
    - id: export.all
      category: export
      match: [ { paths: ["/exports/**"] } ]
      message: No exports.
    - id: email.send
      category: email
      match: [ { methods: [POST], paths: ["/api/v1/emails/send"] } ]
    - id: reports.format
      category: export
      match: [ { paths: ["/reports"], query: { format: [csv, xlsx] } } ]
`;

export async function startGate(options: GateOptions): Promise<Gate> {
  const { folder, workforce, saas } = await gateFiles(options);
  const { clock, journal } = options;
  const result = loadConfig({ file: join(folder, 'postern.yaml'), env: {} });
  if (!result.ok)
    throw new Error(result.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'));
  const postern = await startPostern({
    config: result.config,
    warnings: [],
    version: 'test',
    ...(clock === undefined ? {} : { clock }),
    ...(journal === undefined ? {} : { journal }),
  });
  return gateOf(postern, folder, { workforce, saas });
}

/** For a Postern that somebody else starts, in a process of its own. Whoever asks removes the folder. */
export async function gateFiles(options: GateOptions): Promise<GateFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'));
  const workforce = await testIssuer('https://idp.test', 'postern');
  const saas = await testIssuer('https://saas.test', 'postern-control', 's1');
  writeFixture(folder, options, workforce, saas);
  options.prepare?.(folder);
  return { folder, workforce, saas };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

interface Issuers {
  readonly workforce: TestIssuer;
  readonly saas: TestIssuer;
}

function gateOf(postern: Postern, folder: string, issuers: Issuers): Gate {
  const controlPort = portOf(postern.addresses.control);
  const opsPort = portOf(postern.addresses.ops);
  const clients = gateClients(controlPort, issuers);
  return {
    ...clients,
    ...issuers,
    postern,
    dataPort: portOf(postern.addresses.data),
    controlPort,
    opsPort,
    folder,
    async revoke(id) {
      const { status, body } = await clients.control('POST', `/v1/grants/${id}/revoke`);
      if (status !== 200) throw new Error(`not revoked: ${status} ${JSON.stringify(body)}`);
    },
    journal: () => journalLines(folder),
    records: () => linesOf(join(folder, 'published.ndjson')),
    metrics: async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      await postern.drain(0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Of a gate over the files that `gateFiles` made, in this process or in another. */
export function gateClients(controlPort: number, { workforce, saas }: Issuers): GateClients {
  const adminToken = (claims: Record<string, unknown> = {}) =>
    saas.sign({
      sub: 'u-ada',
      org_id: 'acme',
      is_admin: true,
      email: 'ada@acme.test',
      name: 'Ada',
      ...claims,
    });

  async function control(method: string, path: string, body?: unknown) {
    const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await adminToken()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  return {
    host: 'acme.app.test',
    staffToken: (claims = {}, lifetimeSeconds = 300) =>
      workforce.sign(
        { sub: 'sam', email: 'sam@vendor.test', name: 'Sam', groups: ['support'], ...claims },
        lifetimeSeconds,
      ),
    adminToken,
    control,
    async grant(draft) {
      const { status, body } = await control('POST', '/v1/tenants/acme/grants', {
        audience: { org: 'vendor' },
        access: 'write',
        duration: '1h',
        caseRef: 'CASE-1',
        reason: { type: 'customer_initiated_support', detail: 'the import fails' },
        ...draft,
      });
      if (status !== 201) throw new Error(`no grant: ${status} ${JSON.stringify(body)}`);
      return body as { id: string };
    },
  };
}

/** With what requests refer to put in: the policy's digest, the grant. */
function journalLines(folder: string): Record<string, unknown>[] {
  const directory = join(folder, 'audit');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted()
    .flatMap((name) => resolvedLines(linesOf(join(directory, name))));
}

function resolvedLines(lines: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const policies = new Map(
    lines.filter(({ k }) => k === 'policy').map((line) => [line['p'], line['digest']]),
  );
  const grants = new Map(lines.filter(({ k }) => k === 'grant').map((line) => [line['g'], line['grant']]));
  return lines.map((line) => {
    if (line['k'] !== 'intent' && line['k'] !== 'refused') return line;
    const grant = grants.get(line['g']);
    return { ...line, policy: policies.get(line['p']) ?? '', ...(grant === undefined ? {} : { grant }) };
  });
}

function linesOf(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function writeFixture(folder: string, options: GateOptions, workforce: TestIssuer, saas: TestIssuer): void {
  mkdirSync(join(folder, 'policies'));
  writeFileSync(
    join(folder, 'policies', 'policy.yaml'),
    (options.policy ?? DEFAULT_POLICY) + fillers(options.rules ?? 0),
  );
  workforce.writeKeySet(join(folder, 'workforce.jwks.json'));
  saas.writeKeySet(join(folder, 'saas.jwks.json'));
  const config = {
    apiVersion: 'postern/v1',
    kind: 'Gateway',
    listen: {
      data: { address: '127.0.0.1:0' },
      control: { address: '127.0.0.1:0' },
      ops: { address: '127.0.0.1:0' },
    },
    tenancy: { from: 'host', pattern: '{tenant}.app.test' },
    upstream: {
      url: `http://127.0.0.1:${options.upstreamPort}`,
      assertion: { audience: 'app', issuer: 'https://gate.test', key: { fromFile: 'keys/assertion.pem' } },
    },
    identity: {
      support: [
        {
          name: 'workforce',
          issuer: workforce.issuer,
          audience: 'postern',
          controlAudience: 'postern-staff-control',
          algorithms: ['ES256'],
          jwks: { fromFile: 'workforce.jwks.json' },
          org: { value: 'vendor' },
          ...options.support,
        },
      ],
      customers: [
        {
          name: 'saas',
          issuer: saas.issuer,
          audience: 'postern-control',
          jwks: { fromFile: 'saas.jwks.json' },
          algorithms: ['ES256'],
          claims: { tenant: 'org_id', admin: 'is_admin' },
        },
      ],
      ...options.identity,
    },
    grants: { store: { sqlite: { path: 'postern.db' } } },
    sessions: { required: false },
    killSwitch: { file: 'STOP' },
    policies: { directory: 'policies' },
    audit: {
      directory: 'audit',
      sinks: options.published === true ? [{ file: { path: 'published.ndjson' } }] : [],
    },
    limits: { perPrincipal: { concurrent: 'off', perSecond: 'off' } },
    log: { level: 'silent' },
    ...options.config,
  };
  writeFileSync(join(folder, 'postern.yaml'), JSON.stringify(config));
}

function fillers(count: number): string {
  if (count === 0) return '';
  const rules = Array.from({ length: count }, (_, index) => ({
    id: `filler.${index}`,
    category: 'settings',
    match: [{ methods: ['GET', 'POST'], paths: [`/api/v${index % 7}/area${index}/{id}/settings/**`] }],
  }));
  const document = {
    apiVersion: 'postern/v1',
    kind: 'RoutePolicy',
    metadata: { name: 'fillers' },
    spec: { rules },
  };
  return `\n---\n${JSON.stringify(document)}\n`;
}
