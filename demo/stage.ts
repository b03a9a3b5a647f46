// Sets the stage: identity provider, help desk, Postern between them, each on loopback, in one folder that goes when
// the demo ends. Disposing of the stage ends everything in the opposite order.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loginStaff } from './identity-provider/login.ts';
import { type IdentityProvider, startIdentityProvider, type Resource } from './identity-provider/provider.ts';
import { STAFF, type StaffName } from './identity-provider/staff.ts';
import { choosePorts, type PortName } from './ports.ts';
import { type PosternProcess, startPostern } from './postern-process.ts';
import { type Helpdesk, startHelpdesk } from './saas/server.ts';

const ASSERTION_ISSUER = 'https://gate.vendor.example';
const TEMPLATE = new URL('config/postern.yaml', import.meta.url);
const POLICIES = fileURLToPath(new URL('../policies', import.meta.url));

export interface Stage extends AsyncDisposable {
  readonly ports: Readonly<Record<PortName, number>>;
  readonly folder: string;
  /** Published records, NDJSON, one per line. */
  readonly recordsFile: string;
  readonly configFile: string;
  readonly identityProvider: IdentityProvider;
  readonly helpdesk: Helpdesk;
  readonly postern: PosternProcess;
  staffToken(name: StaffName, resource: Resource): Promise<string>;
  /** After this the folder stays behind, for somebody to look into. */
  keepFolder(): void;
}

export async function setStage(options: { readonly wellKnownPorts: boolean }): Promise<Stage> {
  await using undo = new AsyncDisposableStack();
  const ports = await choosePorts({ wellKnown: options.wellKnownPorts });
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-'));
  let keep = false;
  undo.defer(() => {
    if (!keep) rmSync(folder, { recursive: true, force: true });
  });

  const [identityProvider, helpdesk] = await Promise.all([
    startIdentityProvider({ port: ports.identityProvider }),
    startHelpdesk({
      port: ports.helpdesk,
      databasePath: join(folder, 'helpdesk.db'),
      postern: {
        dataPort: ports.data,
        controlPort: ports.control,
        assertionIssuer: ASSERTION_ISSUER,
        assertionAudience: 'helpdesk',
        controlAudience: 'postern-control',
        vendorOrg: 'vendor',
      },
    }),
  ]);
  undo.use(identityProvider);
  undo.use(helpdesk);

  const configFile = join(folder, 'postern.yaml');
  mkdirSync(join(folder, 'keys'));
  writeFileSync(
    configFile,
    renderConfig({ ports, workforce: identityProvider.issuer, helpdesk: helpdesk.issuer }),
  );
  const postern = undo.use(
    await startPostern({ configFile, logFile: join(folder, 'postern.log'), opsPort: ports.ops }),
  );

  const standing = undo.move();
  return {
    ports,
    folder,
    configFile,
    recordsFile: join(folder, 'records.ndjson'),
    identityProvider,
    helpdesk,
    postern,
    staffToken: (name, resource) => loginStaff(identityProvider.issuer, STAFF[name], resource),
    keepFolder: () => {
      keep = true;
    },
    [Symbol.asyncDispose]: () => standing.disposeAsync(),
  };
}

function renderConfig(facts: {
  readonly ports: Readonly<Record<PortName, number>>;
  readonly workforce: string;
  readonly helpdesk: string;
}): string {
  const values: Readonly<Record<string, string | number>> = {
    dataPort: facts.ports.data,
    controlPort: facts.ports.control,
    opsPort: facts.ports.ops,
    helpdeskPort: facts.ports.helpdesk,
    workforceIssuer: facts.workforce,
    helpdeskIssuer: facts.helpdesk,
    assertionIssuer: ASSERTION_ISSUER,
    policies: POLICIES,
  };
  return readFileSync(TEMPLATE, 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (_match, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the demo's configuration asks for an unknown ${name}`);
    return String(value);
  });
}
