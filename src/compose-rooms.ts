// The rooms that stand by themselves: opened in the order of need, each closed again when something after it fails.
// Guarantees: when this returns a policy is in force, the journal takes records and the store's file opens. Cold.
import { hostname } from 'node:os';
import type { OpenJournal } from '#audit/open-journal.ts';
import type { OutboxPump } from '#audit/subjects/outbox-pump.ts';
import { createKeySets, type KeySets } from '#authn/key-sets.ts';
import type { Config, SigningKey } from '#config/config.ts';
import type { Clock } from '#model/clock.ts';
import { createPolicyReloader, type PolicyReloader, type ReloadOutcome } from '#policy/policy-reloader.ts';
import { createLog, type Log } from '#telemetry/log.ts';
import { createMetrics, type Metrics } from '#telemetry/metrics.ts';
import { type AssertionKey, importAssertionKey, loadOrCreateAssertionKey } from '#upstream/assertion-key.ts';
import { createForwarder } from '#upstream/create-forwarder.ts';
import type { Forwarder } from '#upstream/forwarder.ts';
import { type Access, openAccess } from './compose-access.ts';
import { type JournalTrial, openAudit } from './compose-audit.ts';
import { secretValues } from './compose-options.ts';

export interface RoomsStart {
  readonly config: Config;
  readonly version: string;
  readonly clock: Clock;
  readonly trial: JournalTrial;
}

export interface Rooms extends RoomsStart {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly journal: OpenJournal;
  readonly outbox: OutboxPump;
  readonly policies: PolicyReloader;
  readonly keySets: KeySets;
  readonly access: Access;
  readonly forwarder: Forwarder;
}

/** The first policy set is wrong: its problems, each with its place. Exit code 2. */
export class PolicyRejected extends Error {
  readonly outcome: ReloadOutcome;

  constructor(outcome: ReloadOutcome) {
    super('the policy directory holds no valid policy');
    this.name = 'PolicyRejected';
    this.outcome = outcome;
  }
}

/** Throws PolicyRejected, or the fault of the room that could not be opened; `opened` then closes the others. */
export async function openRooms(start: RoomsStart, opened: AsyncDisposableStack): Promise<Rooms> {
  const { config, clock, trial } = start;
  const instance = `${hostname()}-${process.pid}`;
  const log = createLog({ level: config.log.level, instance });
  const { journal, outbox } = await openAudit({ config, clock, trial, log, instance }, opened);
  const access = openAccess(
    {
      config,
      clock,
      log,
      cacheObserver: {
        hit: () => metrics.gateway.grantLookup('hit'),
        miss: () => metrics.gateway.grantLookup('miss'),
        error: () => metrics.gateway.grantLookup('error'),
      },
    },
    opened,
  );
  const metrics: Metrics = createMetrics({
    version: start.version,
    sources: {
      grantCacheEntries: () => access.cache.size,
      grantsActive: () => access.grants.countActive(),
      audit: () => journal.status(),
      policyDigest: () => policies.current?.digest ?? null,
      notices: access.notices.metrics,
    },
  });
  opened.defer(() => metrics.close());
  const policies: PolicyReloader = createPolicyReloader({
    ...config.policies,
    onReload: (outcome) => reportReload(outcome, { clock, log, metrics, journal }),
  });
  opened.defer(() => policies.close());
  const keySets = createKeySets({
    issuers: [...config.identity.support, ...config.identity.customers],
    clock,
    onRefreshed: ({ issuer, result, atMs }) => {
      metrics.keysRefreshed(issuer, result === 'ok', atMs);
      if (result !== 'ok') log.warn({ issuer }, 'the keys of an issuer could not be refreshed');
    },
  });
  opened.defer(() => keySets.close());
  const forwarder = await openForwarder({ config, clock, log, metrics });
  opened.defer(() => forwarder.close());
  const first = await policies.start();
  if (!first.ok) throw new PolicyRejected(first);
  // A store that is away does not stop the start: it is 503 until it is back.
  await Promise.all([
    keySets.ready(),
    openStore(access).catch((error: unknown) => log.error({ err: error }, 'the store is away')),
  ]);
  return { ...start, log, metrics, journal, outbox, policies, keySets, access, forwarder };
}

/** The seal of cookies is read before the first request, so that none of them waits for it. */
async function openStore({ core, sessionCache }: Access): Promise<void> {
  await core.ping();
  await sessionCache.seal();
}

type ForwarderNeeds = Pick<Rooms, 'config' | 'clock' | 'log' | 'metrics'>;

async function openForwarder({ config, clock, log, metrics }: ForwarderNeeds): Promise<Forwarder> {
  const { upstream } = config;
  const { header, issuer, audience, lifetimeMs } = upstream.assertion;
  const key = await assertionKey(upstream.assertion.key);
  return createForwarder({
    url: upstream.origin,
    preserveHost: upstream.preserveHost,
    connections: upstream.connections,
    connectTimeoutMs: upstream.timeouts.connectMs,
    assertion: { header, issuer, audience, lifetimeMs, key },
    inject: upstream.inject,
    secrets: secretValues(config.secrets),
    tls: { ca: null, dangerouslySkipTlsVerify: upstream.dangerouslySkipTlsVerify },
    clock,
    onHeaderDropped: (name) => {
      metrics.gateway.headerDropped();
      log.debug(
        { header: name.slice(0, 64) },
        'a header whose name some servers read as another was dropped',
      );
    },
  });
}

function assertionKey({ pem, file }: SigningKey): Promise<AssertionKey> {
  if (pem !== null) return importAssertionKey(pem.reveal());
  if (file === null) throw new TypeError('the assertion key has neither a value nor a file');
  return loadOrCreateAssertionKey(file);
}

function reportReload(
  outcome: ReloadOutcome,
  { clock, log, metrics, journal }: Pick<Rooms, 'clock' | 'log' | 'metrics' | 'journal'>,
): void {
  const { ok, digest, ruleCount, changed, problems } = outcome;
  metrics.policyReloaded(ok, clock.now());
  if (ok) {
    log.info({ digest, ruleCount, changed }, 'policy loaded');
  } else {
    const places = problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
    log.error({ digest, problems: places }, 'the policy is wrong; the last good one stays in force');
  }
  journal.event({
    event: ok ? 'policy.reloaded' : 'policy.reload_failed',
    tenant: null,
    grant: null,
    actor: null,
    details: { digest, ruleCount, problems: problems.length },
  });
}
