// Every metric of Postern, declared once: name, help, type, labels. A test holds that docs/metrics.md names
// each of them. Label sets are closed (a reason code, a rule id): never a path, a tenant or a person.
// Base units; names carry the prefix `postern_`.

export interface MetricDeclaration {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
}

const counter = (name: string, help: string, labels: readonly string[] = []): MetricDeclaration => ({
  name: `postern_${name}`,
  help,
  type: 'counter',
  labels,
});
const gauge = (name: string, help: string, labels: readonly string[] = []): MetricDeclaration => ({
  name: `postern_${name}`,
  help,
  type: 'gauge',
  labels,
});
const histogram = (name: string, help: string): MetricDeclaration => ({
  name: `postern_${name}`,
  help,
  type: 'histogram',
  labels: [],
});

export const METRICS = {
  requests: counter(
    'requests_total',
    'Requests that ended, by decision, reason, method and class of status.',
    ['decision', 'reason', 'method', 'code_class'],
  ),
  requestDuration: histogram('request_duration_seconds', 'From receipt of a request to its end.'),
  decisionDuration: histogram(
    'decision_duration_seconds',
    'What Postern itself adds: from receipt of a request to its hand-over to the upstream.',
  ),
  upstreamDuration: histogram(
    'upstream_request_duration_seconds',
    'From the hand-over of a request to the end of the upstream response.',
  ),
  requestsInFlight: gauge('requests_in_flight', 'Requests received and not yet ended.'),
  connectionsOpen: gauge('connections_open', 'Open client connections of the data listener.'),
  shed: counter(
    'shed_total',
    'Requests and connections refused because the gate has too much to do, by which bound was reached.',
    ['cause'],
  ),
  stopped: gauge('stopped', '1 while the kill switch holds: nothing is forwarded.'),
  headersDropped: counter(
    'headers_dropped_total',
    'Request headers with an underscore or a dot in their name that were not forwarded.',
  ),
  ruleMatches: counter('rule_matches_total', 'Deny rules that matched a request, by rule and mode.', [
    'rule',
    'mode',
  ]),
  grantLookups: counter('grant_lookups_total', 'Lookups of the grants of a tenant: hit, miss or error.', [
    'result',
  ]),
  grantsActive: gauge('grants_active', 'Grants that hold at this moment.'),
  grantCacheEntries: gauge('grant_cache_entries', 'Tenants whose grants are cached.'),
  locksHeld: gauge(
    'locks_held',
    'Locks of the vendor that hold at this moment, by kind: principal, tenant, case or everything.',
    ['kind'],
  ),
  revocationPropagation: histogram(
    'revocation_propagation_seconds',
    'From the commit of a revoke until nothing of the grant was in flight any more.',
  ),
  streamsActive: gauge('streams_active', 'Open streams, by kind: websocket or event_stream.', ['kind']),
  streamsTerminated: counter(
    'streams_terminated_total',
    'Exchanges in flight that the gate cut, by what ended their authority.',
    ['reason'],
  ),
  keysRefresh: counter('keys_refresh_total', 'Refreshes of the key set of an issuer, by result.', [
    'issuer',
    'result',
  ]),
  keysLastSuccess: gauge(
    'keys_last_success_timestamp_seconds',
    'When the key set of an issuer was last refreshed well, Unix time.',
    ['issuer'],
  ),
  auditRecords: counter('audit_records_total', 'Audit records written to the journal.'),
  auditJournalBytes: gauge('audit_journal_bytes', 'Size of all segments of the audit journal.'),
  auditJournalAvailable: gauge(
    'audit_journal_available',
    '1 while the journal can be written; at 0 every request is refused.',
  ),
  auditSinkLag: gauge('audit_sink_lag_records', 'Audit records not yet shipped to a sink.', ['sink']),
  auditSinkErrors: counter('audit_sink_errors_total', 'Failed deliveries to a sink; each is tried again.', [
    'sink',
  ]),
  auditDropped: counter(
    'audit_dropped_total',
    'Lines of the journal that gave no record at a sink, by reason: unreadable, unmatched or torn.',
    ['sink', 'reason'],
  ),
  notices: counter(
    'notices_total',
    'Attempts to deliver a notice, by channel and result: sent, failed (tried again) or given_up.',
    ['channel', 'result'],
  ),
  noticesDue: gauge('notices_due', 'Deliveries of notices that wait, the ones to be tried again included.'),
  notifyOutboxOldest: gauge(
    'notify_outbox_oldest_seconds',
    'How long the oldest delivery that waits has been waiting; 0 without any.',
  ),
  policyInfo: gauge('policy_info', 'Always 1; the label is the digest of the policy in force.', ['digest']),
  policyLastReloadSuccessful: gauge(
    'policy_last_reload_successful',
    '1 when the last reload of the policies succeeded, else 0.',
  ),
  policyLastReloadTimestamp: gauge(
    'policy_last_reload_timestamp_seconds',
    'When the policy in force was loaded, Unix time.',
  ),
  configLastReloadSuccessful: gauge(
    'config_last_reload_successful',
    '1 when what reloads live (TLS material) last did so well, else 0.',
  ),
  eventLoopDelay: gauge(
    'eventloop_delay_seconds',
    'Delay of the event loop since the last scrape: quantiles 0.5, 0.99 and 1.',
    ['quantile'],
  ),
  buildInfo: gauge('build_info', 'Always 1; the labels are the versions of Postern and of Node.', [
    'version',
    'node',
  ]),
} as const satisfies Record<string, MetricDeclaration>;
