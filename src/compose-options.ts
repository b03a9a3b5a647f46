// What the configuration means for each room: pure translations from `Config` to the rooms' own options.
// Rooms do not know the configuration, and the configuration does not know the rooms; this file knows both. Cold.
import type { AuditSink, PostSink } from '#config/audit-config.ts';
import type { Address, Config, SecretEntry, TlsMaterial } from '#config/config.ts';
import type { Secret } from '#config/secret.ts';
import type { ServiceOptions } from '#authn/service-keys.ts';
import type { JournalOptions } from '#audit/create-journal.ts';
import type { SinkOptions } from '#audit/sinks/sink-options.ts';
import type { GatewayOptions } from '#gateway/gateway.ts';

export function serviceAccounts(config: Config): ServiceOptions[] {
  return config.identity.services.map(({ name, keyHash, may }) => ({ name, keyHash: keyHash.reveal(), may }));
}

export function journalOptions(
  { audit }: Config,
  own: Pick<JournalOptions, 'instance' | 'signingKey'>,
): JournalOptions {
  const { directory, durability, maxBytes, onFull, retentionMs, anonymousPerSecond } = audit;
  const sinks = audit.sinks.map(sinkOptions);
  return { ...own, directory, durability, maxBytes, onFull, retentionMs, anonymousPerSecond, sinks };
}

/** Revealed for the worker that sends them. */
function sinkOptions(sink: AuditSink): SinkOptions {
  switch (sink.kind) {
    case 'stdout':
    case 'file':
      return sink;
    case 'http':
      return { ...sink, ...postSecrets(sink), secret: sink.secret.reveal() };
    case 'otlp':
      return { ...sink, ...postSecrets(sink), resource: Object.fromEntries(sink.resource) };
    case 'syslog': {
      const { ca, cert, key } = sink;
      return { ...sink, ca: revealed(ca), cert: revealed(cert), key: revealed(key) };
    }
  }
}

function postSecrets({ headers, ca }: PostSink): { headers: Record<string, string>; ca: string | null } {
  return {
    headers: Object.fromEntries(Array.from(headers, ([name, value]) => [name, value.reveal()])),
    ca: revealed(ca),
  };
}

function revealed(secret: Secret | null): string | null {
  return secret?.reveal() ?? null;
}

export function gatewayOptions(config: Config): GatewayOptions {
  const { limits, upstream, traffic } = config;
  return {
    methods: limits.methods,
    targetBytes: limits.targetBytes,
    headersBytes: limits.headersBytes,
    headerCount: limits.headerCount,
    bodyBytes: limits.bodyBytes,
    headersTimeoutMs: upstream.timeouts.headersMs,
    idleTimeoutMs: upstream.timeouts.idleMs,
    tenancy: config.tenancy,
    hosts: traffic.hosts,
    origins: traffic.origins,
    sessionsRequired: config.sessions.required,
    perPrincipal: limits.perPrincipal,
    overload: {
      connections: limits.connections,
      inFlight: limits.inFlight,
      heldBodyBytes: limits.heldBodiesBytes,
      eventLoopDelayMs: limits.eventLoopDelayMs,
    },
  };
}

/** Revealed for the one room that writes them into requests. */
export function secretValues(
  secrets: ReadonlyMap<string, SecretEntry>,
): Record<string, string | Record<string, string>> {
  return Object.fromEntries(
    Array.from(secrets, ([name, entry]) => [
      name,
      entry.kind === 'one'
        ? entry.value.reveal()
        : Object.fromEntries(Array.from(entry.values, ([key, value]) => [key, value.reveal()])),
    ]),
  );
}

export function keyPair(tls: TlsMaterial | null): { readonly cert: string; readonly key: string } | null {
  return tls === null ? null : { cert: tls.cert.reveal(), key: tls.key.reveal() };
}

/** As node:net takes it. */
export function listenOptions(address: Address): { host: string; port: number } | { path: string } {
  return address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path };
}
