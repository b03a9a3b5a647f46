// The registry: binds every declared metric to where its value is read, at scrape and not before.
// Not hot: a scrape every few seconds. The counting itself is in `gateway-counters.ts`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from 'prom-client';
import { DurationBuckets } from './duration-buckets.ts';
import { GatewayCounters } from './gateway-counters.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { METRICS, type MetricDeclaration } from './metric-table.ts';

/** Where the other rooms' values are read. Each is called once per scrape and may not throw. */
export interface MetricSources {
  grantCacheEntries(): number;
  /** May ask the store; when it fails the metric is absent from this scrape. */
  grantsActive(): number | Promise<number>;
  audit(): {
    readonly available: boolean;
    readonly records: number;
    readonly bytes: number;
    readonly sinks: readonly {
      readonly name: string;
      readonly lagRecords: number;
      readonly errors: number;
      readonly dropped: Readonly<Record<string, number>>;
    }[];
  };
  /** Null until a policy was loaded. */
  policyDigest(): string | null;
  /** Of the notifier, where there is one. */
  notices?: NoticeSources;
}

export interface NoticeSources {
  counts(): readonly { readonly channel: string; readonly result: string; readonly count: number }[];
  /** Asks the store; when it fails the metrics are absent from this scrape. */
  backlog(): Promise<NoticeBacklog>;
}

interface NoticeBacklog {
  readonly due: number;
  /** 0 where nothing is due. */
  readonly oldestAgeMs: number;
}

export interface MetricsDeps {
  readonly version: string;
  readonly sources: MetricSources;
}

export interface Metrics {
  readonly gateway: GatewayMetrics;
  /** From the commit of a revoke to its end, milliseconds. */
  revocationPropagated(durationMs: number): void;
  keysRefreshed(issuer: string, succeeded: boolean, atEpochMs: number): void;
  policyReloaded(succeeded: boolean, atEpochMs: number): void;
  configReloaded(succeeded: boolean): void;
  /** The kill switch. */
  stopped(stopped: boolean): void;
  /** Where the locks that hold are counted, by kind: read at each scrape, which has none where it answers null. */
  readLocks(read: ReadLocks): void;
  /** The text exposition format, and its media type. */
  expose(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

type ReadLocks = () => Readonly<Record<string, number>> | null;

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];
type Read = () => Iterable<Sample> | Promise<Iterable<Sample>>;

const REVOCATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const NONE: Labels = {};

export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  const counters = new GatewayCounters();
  const revocations = new DurationBuckets(REVOCATION_SECONDS);
  const loop = monitorEventLoopDelay({ resolution: 10 });
  loop.enable();
  const state = new ReloadState();
  bindTraffic(registry, counters);
  bindSources(registry, deps.sources);
  bindNotices(registry, deps.sources.notices);
  bindState(registry, state);
  addHistogram(registry, METRICS.revocationPropagation, revocations);
  add(registry, METRICS.eventLoopDelay, () => loopSamples(loop));
  add(registry, METRICS.buildInfo, () => [[{ version: deps.version, node: process.version }, 1]]);
  addProcessMetrics(registry);
  return {
    gateway: counters,
    revocationPropagated: (durationMs) => revocations.observe(durationMs),
    keysRefreshed: (issuer, succeeded, atEpochMs) => state.keysRefreshed(issuer, succeeded, atEpochMs),
    policyReloaded(succeeded, atEpochMs) {
      state.policySucceeded = succeeded;
      if (succeeded) state.policyLoadedAtMs = atEpochMs;
    },
    configReloaded(succeeded) {
      state.configSucceeded = succeeded;
    },
    stopped(stopped) {
      state.stopped = stopped;
    },
    readLocks(read) {
      state.readLocks = read;
    },
    expose: () => registry.metrics(),
    contentType: registry.contentType,
    close: () => loop.disable(),
  };
}

/** The usual ones of the process, its heap and its garbage collection. */
const PROCESS_METRICS = /^(?:process_|nodejs_(?:heap|gc|external|version))/;

function addProcessMetrics(registry: Registry): void {
  const usual = new Registry();
  collectDefaultMetrics({ register: usual });
  // The rest repeats `eventloop_delay_seconds`, or lists every open socket at each scrape.
  for (const { name } of usual.getMetricsAsArray()) {
    const metric = usual.getSingleMetric(name);
    if (metric !== undefined && PROCESS_METRICS.test(name)) registry.registerMetric(metric);
  }
}

function bindTraffic(registry: Registry, counters: GatewayCounters): void {
  add(registry, METRICS.requests, () =>
    counters
      .requestCounts()
      .map(({ decision, reason, method, codeClass, count }) => [
        { decision, reason, method, code_class: codeClass },
        count,
      ]),
  );
  addHistogram(registry, METRICS.requestDuration, counters.requestDuration);
  addHistogram(registry, METRICS.decisionDuration, counters.decisionDuration);
  addHistogram(registry, METRICS.upstreamDuration, counters.upstreamDuration);
  add(registry, METRICS.requestsInFlight, () => [[NONE, counters.inFlight]]);
  add(registry, METRICS.connectionsOpen, () => [[NONE, counters.connections]]);
  add(registry, METRICS.shed, () => [...counters.sheds].map(([cause, count]) => [{ cause }, count]));
  add(registry, METRICS.headersDropped, () => [[NONE, counters.headersDropped]]);
  add(registry, METRICS.ruleMatches, () =>
    [...counters.ruleMatches].flatMap(([rule, { enforce, shadow }]) => [
      [{ rule, mode: 'enforce' }, enforce] as const,
      [{ rule, mode: 'shadow' }, shadow] as const,
    ]),
  );
  add(registry, METRICS.grantLookups, () =>
    Object.entries(counters.lookups).map(([result, count]) => [{ result }, count]),
  );
  add(registry, METRICS.streamsActive, () => [
    [{ kind: 'websocket' }, counters.streams.websocket],
    [{ kind: 'event_stream' }, counters.streams.event_stream],
  ]);
  add(registry, METRICS.streamsTerminated, () =>
    [...counters.cuts].map(([reason, count]) => [{ reason }, count]),
  );
}

function bindSources(registry: Registry, sources: MetricSources): void {
  add(registry, METRICS.grantsActive, async () => [[NONE, await sources.grantsActive()]]);
  add(registry, METRICS.grantCacheEntries, () => [[NONE, sources.grantCacheEntries()]]);
  add(registry, METRICS.auditRecords, () => [[NONE, sources.audit().records]]);
  add(registry, METRICS.auditJournalBytes, () => [[NONE, sources.audit().bytes]]);
  add(registry, METRICS.auditJournalAvailable, () => [[NONE, sources.audit().available ? 1 : 0]]);
  add(registry, METRICS.auditSinkLag, () =>
    sources.audit().sinks.map(({ name, lagRecords }) => [{ sink: name }, lagRecords]),
  );
  add(registry, METRICS.auditSinkErrors, () =>
    sources.audit().sinks.map(({ name, errors }) => [{ sink: name }, errors]),
  );
  add(registry, METRICS.auditDropped, () =>
    sources
      .audit()
      .sinks.flatMap(({ name, dropped }) =>
        Object.entries(dropped).map(([reason, count]) => [{ sink: name, reason }, count] as const),
      ),
  );
  add(registry, METRICS.policyInfo, () => {
    const digest = sources.policyDigest();
    return digest === null ? [] : [[{ digest }, 1]];
  });
}

function bindNotices(registry: Registry, notices: NoticeSources | undefined): void {
  add(registry, METRICS.notices, () =>
    (notices?.counts() ?? []).map(({ channel, result, count }) => [{ channel, result }, count]),
  );
  const backlog = async (read: (backlog: NoticeBacklog) => number): Promise<Iterable<Sample>> =>
    notices === undefined ? [] : [[NONE, read(await notices.backlog())]];
  add(registry, METRICS.noticesDue, () => backlog(({ due }) => due));
  add(registry, METRICS.notifyOutboxOldest, () => backlog(({ oldestAgeMs }) => oldestAgeMs / 1000));
}

function bindState(registry: Registry, state: ReloadState): void {
  add(registry, METRICS.keysRefresh, () =>
    [...state.keys].flatMap(([issuer, { successes, failures }]) => [
      [{ issuer, result: 'success' }, successes] as const,
      [{ issuer, result: 'failure' }, failures] as const,
    ]),
  );
  add(registry, METRICS.keysLastSuccess, () =>
    [...state.keys]
      .filter(([, { lastSuccessMs }]) => lastSuccessMs !== null)
      .map(([issuer, { lastSuccessMs }]) => [{ issuer }, (lastSuccessMs ?? 0) / 1000]),
  );
  add(registry, METRICS.policyLastReloadSuccessful, () => [[NONE, state.policySucceeded ? 1 : 0]]);
  add(registry, METRICS.policyLastReloadTimestamp, () => [[NONE, state.policyLoadedAtMs / 1000]]);
  add(registry, METRICS.locksHeld, () =>
    Object.entries(state.readLocks() ?? {}).map(([kind, count]) => [{ kind }, count]),
  );
  add(registry, METRICS.stopped, () => [[NONE, state.stopped ? 1 : 0]]);
  add(registry, METRICS.configLastReloadSuccessful, () => [[NONE, state.configSucceeded ? 1 : 0]]);
}

class ReloadState {
  /** By issuer: a closed set, the configured ones. */
  readonly keys = new Map<string, { successes: number; failures: number; lastSuccessMs: number | null }>();
  policySucceeded = false;
  policyLoadedAtMs = 0;
  /** The process runs, so its configuration was good. */
  configSucceeded = true;
  stopped = false;
  /** Until the gate knows its locks. */
  readLocks: ReadLocks = () => null;

  keysRefreshed(issuer: string, succeeded: boolean, atEpochMs: number): void {
    const known = this.keys.get(issuer) ?? { successes: 0, failures: 0, lastSuccessMs: null };
    this.keys.set(issuer, known);
    if (succeeded) {
      known.successes += 1;
      known.lastSuccessMs = atEpochMs;
    } else {
      known.failures += 1;
    }
  }
}

/** A counter or gauge whose samples are read anew at each scrape. */
function add(registry: Registry, declaration: MetricDeclaration, read: Read): void {
  const { name, help, labels, type } = declaration;
  const collect = async (): Promise<void> => {
    metric.reset();
    try {
      for (const [sampleLabels, value] of await read()) metric.inc(sampleLabels, value);
    } catch {
      // A source that fails leaves its metric out of this scrape; the others are still worth having.
      metric.remove();
    }
  };
  const options = { name, help, labelNames: labels, registers: [registry], collect };
  const metric: Counter | Gauge = type === 'counter' ? new Counter(options) : new Gauge(options);
}

/** prom-client's own histogram cannot be set from counts, and of a metric the registry asks only for this. */
function addHistogram(registry: Registry, declaration: MetricDeclaration, buckets: DurationBuckets): void {
  const { name, help } = declaration;
  const get = (): Promise<object> => {
    const { cumulative, count, sumSeconds } = buckets.read();
    const values = cumulative.map((value, index) => ({
      metricName: `${name}_bucket`,
      labels: { le: String(buckets.boundsSeconds[index]) },
      value,
    }));
    values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count });
    const whole = [
      { metricName: `${name}_sum`, value: sumSeconds },
      { metricName: `${name}_count`, value: count },
    ];
    return Promise.resolve({
      name,
      help,
      type: 'histogram',
      values: [...values, ...whole],
      aggregator: 'sum',
    });
  };
  registry.registerMetric({ name, get } as unknown as Histogram);
}

function loopSamples(loop: ReturnType<typeof monitorEventLoopDelay>): Iterable<Sample> {
  const samples: Sample[] = [
    [{ quantile: '0.5' }, loop.percentile(50) / 1e9],
    [{ quantile: '0.99' }, loop.percentile(99) / 1e9],
    [{ quantile: '1' }, loop.max / 1e9],
  ];
  loop.reset();
  return samples;
}
