import { describe, expect, it } from 'vitest';
import { METRICS } from '#telemetry/metric-table.ts';
import { createMetrics, type MetricSources, type Metrics } from '#telemetry/metrics.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import { fakeExchange } from '../../support/audit-exchange.ts';

const SOURCES: MetricSources = {
  grantCacheEntries: () => 3,
  grantsActive: () => Promise.resolve(7),
  policyDigest: () => 'sha256:abc',
  audit: () => ({
    available: true,
    records: 5,
    bytes: 1000,
    sinks: [{ name: 'file', lagRecords: 1, errors: 2, dropped: { unreadable: 4 } }],
  }),
};

async function scrape(
  act: (metrics: Metrics) => void,
  sources: Partial<MetricSources> = {},
): Promise<string[]> {
  const metrics = createMetrics({ version: '1.2.3', sources: { ...SOURCES, ...sources } });
  try {
    act(metrics);
    return (await metrics.expose()).split('\n');
  } finally {
    metrics.close();
  }
}

function ended(metrics: Metrics, facts: Partial<ExchangeFacts>): void {
  metrics.gateway.exchangeStarted();
  metrics.gateway.exchangeEnded(fakeExchange(facts));
}

const held = (lines: string[]) => lines.filter((line) => line.startsWith('postern_locks_held{'));

describe('a scrape', () => {
  it('has every declared metric', async () => {
    const lines = await scrape(() => undefined);
    const missing = Object.values(METRICS).filter(
      ({ name, type }) => !lines.includes(`# TYPE ${name} ${type}`),
    );
    expect(missing).toEqual([]);
  });

  it('has the usual process metrics', async () => {
    const text = (await scrape(() => undefined)).join('\n');
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).toMatch(/^nodejs_heap_size_used_bytes /m);
  });

  it('has no label outside the declared sets', async () => {
    const lines = await scrape((metrics) => {
      ended(metrics, {});
      metrics.gateway.ruleMatched({ id: 'r', category: 'c', message: null }, 'enforce');
      metrics.keysRefreshed('https://idp.example', true, 1);
    });
    const labels: Map<string, readonly string[]> = new Map(
      Object.values(METRICS).map(({ name, labels }) => [name, labels]),
    );
    for (const line of lines) {
      const match = /^(postern_\w+?)(?:_bucket)?\{(.*)\} /.exec(line);
      if (match === null) continue;
      const found = [...(match[2] as string).matchAll(/(\w+)="/g)].map((one) => one[1]);
      const declared = labels.get(match[1] as string) ?? [];
      expect(found.filter((label) => label !== 'le')).toEqual(declared);
    }
  });

  it('reads the rooms at scrape', async () => {
    const lines = await scrape(() => undefined);
    expect(lines).toEqual(
      expect.arrayContaining([
        'postern_grant_cache_entries 3',
        'postern_grants_active 7',
        'postern_audit_records_total 5',
        'postern_audit_journal_bytes 1000',
        'postern_audit_journal_available 1',
        'postern_audit_sink_lag_records{sink="file"} 1',
        'postern_audit_sink_errors_total{sink="file"} 2',
        'postern_audit_dropped_total{sink="file",reason="unreadable"} 4',
        'postern_policy_info{digest="sha256:abc"} 1',
        `postern_build_info{version="1.2.3",node="${process.version}"} 1`,
      ]),
    );
  });

  it('counts the locks by kind, and says nothing of them while nobody knows', async () => {
    const counts = { principal: 2, tenant: 0, case: 1, everything: 0 };
    expect(held(await scrape((metrics) => metrics.readLocks(() => counts)))).toEqual([
      'postern_locks_held{kind="principal"} 2',
      'postern_locks_held{kind="tenant"} 0',
      'postern_locks_held{kind="case"} 1',
      'postern_locks_held{kind="everything"} 0',
    ]);
    expect(held(await scrape((metrics) => metrics.readLocks(() => null)))).toEqual([]);
    expect(held(await scrape(() => undefined))).toEqual([]);
  });

  it('goes without a source that fails, and keeps the others', async () => {
    const lines = await scrape(() => undefined, { grantsActive: () => Promise.reject(new Error('planted')) });
    expect(lines.some((line) => line.startsWith('postern_grants_active '))).toBe(false);
    expect(lines).toContain('postern_grant_cache_entries 3');
  });

  it('does not count twice when it is repeated', async () => {
    const metrics = createMetrics({ version: '1', sources: SOURCES });
    ended(metrics, {});
    await metrics.expose();
    expect(await metrics.expose()).toContain('method="GET",code_class="2xx"} 1\n');
    metrics.close();
  });
});

describe('requests', () => {
  it.each<[Partial<ExchangeFacts>, string]>([
    [{}, 'decision="allow",reason="ok",method="GET",code_class="2xx"'],
    [{ method: 'BREW' }, 'decision="allow",reason="ok",method="other",code_class="2xx"'],
    [{ method: '' }, 'decision="allow",reason="ok",method="other",code_class="2xx"'],
    [{ status: 101 }, 'decision="allow",reason="ok",method="GET",code_class="1xx"'],
    [
      { status: 0, reason: 'client_closed' },
      'decision="allow",reason="client_closed",method="GET",code_class="none"',
    ],
    [
      { status: 0, reason: 'client_closed', decisionMs: 0 },
      'decision="deny",reason="client_closed",method="GET",code_class="none"',
    ],
    [{ status: 403, reason: 'no_grant' }, 'decision="deny",reason="no_grant",method="GET",code_class="4xx"'],
    [
      { status: 502, reason: 'upstream_unreachable' },
      'decision="allow",reason="upstream_unreachable",method="GET",code_class="5xx"',
    ],
    [
      { status: 503, reason: 'store_unavailable', decisionMs: 0 },
      'decision="deny",reason="store_unavailable",method="GET",code_class="5xx"',
    ],
    [{ status: 999 }, 'decision="allow",reason="ok",method="GET",code_class="none"'],
  ])('%j is counted under %s', async (facts, labels) => {
    const lines = await scrape((metrics) => ended(metrics, facts));
    expect(lines.filter((line) => line.startsWith('postern_requests_total{'))).toEqual([
      `postern_requests_total{${labels}} 1`,
    ]);
  });

  it('fill histograms that are cumulative and end in +Inf', async () => {
    const lines = await scrape((metrics) => {
      for (const decisionMs of [0.005, 0.01, 0.0100001, 5000]) ended(metrics, { decisionMs });
    });
    const name = 'postern_decision_duration_seconds';
    const buckets = lines.filter((line) => line.startsWith(`${name}_bucket`));
    expect(buckets[0]).toBe(`${name}_bucket{le="0.00001"} 2`);
    expect(buckets[1]).toBe(`${name}_bucket{le="0.000025"} 3`);
    expect(buckets.at(-1)).toBe(`${name}_bucket{le="+Inf"} 4`);
    expect(lines).toContain(`${name}_count 4`);
    const counts = buckets.map((line) => Number(line.split(' ')[1]));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });

  it('that were never handed over have no decision and no upstream duration', async () => {
    const lines = await scrape((metrics) => ended(metrics, { decisionMs: 0, upstreamMs: 0 }));
    expect(lines).toContain('postern_decision_duration_seconds_count 0');
    expect(lines).toContain('postern_upstream_request_duration_seconds_count 0');
    expect(lines).toContain('postern_request_duration_seconds_count 1');
  });

  it('in flight, cuts, streams, lookups, rules and dropped headers are counted', async () => {
    const lines = await scrape(({ gateway }) => {
      gateway.exchangeStarted();
      gateway.exchangeCut('revoked');
      gateway.streamStarted('websocket');
      gateway.streamStarted('event_stream');
      gateway.streamEnded('event_stream');
      gateway.grantLookup('hit');
      gateway.ruleMatched({ id: 'exports/csv', category: 'export', message: null }, 'enforce');
      gateway.ruleMatched({ id: 'exports/csv', category: 'export', message: null }, 'shadow');
      gateway.headerDropped();
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        'postern_requests_in_flight 1',
        'postern_streams_terminated_total{reason="revoked"} 1',
        'postern_streams_active{kind="websocket"} 1',
        'postern_streams_active{kind="event_stream"} 0',
        'postern_grant_lookups_total{result="hit"} 1',
        'postern_grant_lookups_total{result="miss"} 0',
        'postern_rule_matches_total{rule="exports/csv",mode="enforce"} 1',
        'postern_rule_matches_total{rule="exports/csv",mode="shadow"} 1',
        'postern_headers_dropped_total 1',
      ]),
    );
  });

  it('of more rules than any policy has share one label', async () => {
    const lines = await scrape(({ gateway }) => {
      for (let index = 0; index < 10_010; index++) {
        gateway.ruleMatched({ id: `r${index}`, category: 'c', message: null }, 'enforce');
      }
    });
    expect(lines).toContain('postern_rule_matches_total{rule="other",mode="enforce"} 10');
  });
});

it('a failed reload keeps the time of the policy in force', async () => {
  const lines = await scrape((metrics) => {
    metrics.policyReloaded(true, 5000);
    metrics.policyReloaded(false, 9000);
    metrics.configReloaded(false);
    metrics.keysRefreshed('https://idp.example', true, 4000);
    metrics.keysRefreshed('https://idp.example', false, 8000);
    metrics.revocationPropagated(3);
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      'postern_policy_last_reload_successful 0',
      'postern_policy_last_reload_timestamp_seconds 5',
      'postern_config_last_reload_successful 0',
      'postern_keys_refresh_total{issuer="https://idp.example",result="success"} 1',
      'postern_keys_refresh_total{issuer="https://idp.example",result="failure"} 1',
      'postern_keys_last_success_timestamp_seconds{issuer="https://idp.example"} 4',
      'postern_revocation_propagation_seconds_bucket{le="0.005"} 1',
    ]),
  );
});
