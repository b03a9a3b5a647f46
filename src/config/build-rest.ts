// Grants, sessions, policies, audit, limits, kill switch, log: little that the schema has not said already. Cold.
// Guarantees: the limits fit the parser's.
import type { SettingsDefaults } from '#model/settings-layer.ts';
import type { AuditConfig } from './audit-config.ts';
import { buildSessions, buildSettings } from './build-settings.ts';
import { buildSinks } from './build-sinks.ts';
import type { Config, GrantsConfig, LimitsConfig, LogLevel, PoliciesConfig } from './config.ts';
import type { Reader } from './reader.ts';
import { buildSigningKey } from './signing-key.ts';

const MAX_HEAD_BYTES = 32 * 1024;

export function buildGrants(reader: Reader, profiles: SettingsDefaults['profiles']): GrantsConfig {
  const defaultMs = reader.durationMs('/grants/limits/default', '1m', '520w');
  const maxMs = reader.durationMs('/grants/limits/max', '1m', '520w');
  if (maxMs > 0 && defaultMs > maxMs) {
    const place = reader.holds('/grants/limits/default') ? 'default' : 'max';
    reader.problem(`/grants/limits/${place}`, 'grants.limits.default must not exceed grants.limits.max');
  }
  return {
    store: { sqlite: { path: reader.path('/grants/store/sqlite/path') } },
    cache: {
      maxEntries: reader.number('/grants/cache/maxEntries'),
      ttlMs: reader.durationMs('/grants/cache/ttl', '1s', '1h'),
      negativeTtlMs: reader.durationMs('/grants/cache/negativeTtl', '0s', '5m'),
    },
    limits: { defaultMs, maxMs },
    settings: buildSettings(reader, profiles),
  };
}

export function buildPolicies(reader: Reader): PoliciesConfig {
  const dangerouslyAllowEmpty = reader.flag('/policies/dangerouslyAllowEmpty');
  if (dangerouslyAllowEmpty) {
    reader.warn(
      '/policies/dangerouslyAllowEmpty',
      'the gate starts even if there is no deny rule at all: a grant then opens everything',
    );
  }
  return {
    directory: reader.path('/policies/directory'),
    packs: reader.texts('/policies/packs'),
    defaultEffect: reader.text('/policies/defaultEffect') as PoliciesConfig['defaultEffect'],
    dangerouslyAllowEmpty,
  };
}

export function buildAudit(reader: Reader): AuditConfig {
  const onFull = reader.text('/audit/onFull');
  return {
    directory: reader.path('/audit/directory'),
    durability: reader.text('/audit/durability') as AuditConfig['durability'],
    signingKey: buildSigningKey(reader, '/audit/signingKey', ['ed25519']),
    maxBytes: reader.sizeBytes('/audit/maxBytes', '16MiB', '64TiB'),
    onFull: onFull === 'dropOldestUnshipped' ? onFull : 'refuse',
    retentionMs: reader.durationMs('/audit/retention', '1d', '520w'),
    sinks: buildSinks(reader),
    anonymousPerSecond: reader.number('/audit/anonymousPerSecond'),
  };
}

export function buildLimits(reader: Reader): LimitsConfig {
  const targetBytes = reader.sizeBytes('/limits/target', '64B', '31KiB');
  const headersBytes = reader.sizeBytes('/limits/headers', '1KiB', '31KiB');
  if (targetBytes + headersBytes > MAX_HEAD_BYTES) {
    const place = reader.holds('/limits/headers') ? 'headers' : 'target';
    reader.problem(`/limits/${place}`, 'limits.target and limits.headers together must not exceed 32KiB');
  }
  return {
    targetBytes,
    headersBytes,
    headerCount: reader.number('/limits/headerCount'),
    headerTimeoutMs: reader.durationMs('/limits/headerTimeout', '1s', '5m'),
    bodyBytes: reader.sizeBytes('/limits/body', '0B', '8TiB'),
    connections: reader.number('/limits/connections'),
    inFlight: reader.number('/limits/inFlight'),
    heldBodiesBytes: reader.sizeBytes('/limits/heldBodies', '1MiB', '1TiB'),
    eventLoopDelayMs:
      reader.text('/limits/eventLoopDelay') === 'off'
        ? null
        : reader.durationMs('/limits/eventLoopDelay', '1s', '5m'),
    methods: reader.texts('/limits/methods'),
    perPrincipal: {
      concurrent: countOrOff(reader, '/limits/perPrincipal/concurrent'),
      perSecond: countOrOff(reader, '/limits/perPrincipal/perSecond'),
    },
  };
}

function countOrOff(reader: Reader, pointer: string): number | null {
  return reader.text(pointer) === 'off' ? null : reader.number(pointer);
}

export function buildSwitches(reader: Reader): Pick<Config, 'sessions' | 'killSwitch' | 'log'> {
  return {
    sessions: buildSessions(reader),
    killSwitch: { file: reader.path('/killSwitch/file') },
    log: { level: reader.text('/log/level') as LogLevel },
  };
}
