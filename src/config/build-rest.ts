// Grants, sessions, policies, audit, limits, kill switch, log: little that the schema has not said already. Cold.
// Guarantees: no two sinks write to one place, and the limits fit the parser's.
import type {
  AuditConfig,
  AuditSink,
  Config,
  GrantsConfig,
  LimitsConfig,
  LogLevel,
  PoliciesConfig,
} from './config.ts';
import type { Reader } from './reader.ts';

const MAX_HEAD_BYTES = 32 * 1024;

export function buildGrants(reader: Reader): GrantsConfig {
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
  const sinks = Array.from({ length: reader.count('/audit/sinks') }, (_, index): AuditSink => {
    const pointer = `/audit/sinks/${index}`;
    if (!reader.has(`${pointer}/file`)) return { kind: 'stdout' };
    return { kind: 'file', path: reader.path(`${pointer}/file/path`) };
  });
  refuseTwinSinks(reader, sinks);
  return {
    directory: reader.path('/audit/directory'),
    durability: reader.text('/audit/durability') as AuditConfig['durability'],
    maxBytes: reader.sizeBytes('/audit/maxBytes', '16MiB', '64TiB'),
    onFull: 'refuse',
    sinks,
    anonymousPerSecond: reader.number('/audit/anonymousPerSecond'),
  };
}

/** Two sinks writing to one place would tear each other's lines. */
function refuseTwinSinks(reader: Reader, sinks: readonly AuditSink[]): void {
  const seen = new Set<string>();
  for (const [index, sink] of sinks.entries()) {
    const target = sink.kind === 'file' ? `file ${sink.path}` : sink.kind;
    if (seen.has(target)) reader.problem(`/audit/sinks/${index}`, 'another sink writes to the same place');
    seen.add(target);
  }
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
    sessions: { required: reader.flag('/sessions/required') },
    killSwitch: { file: reader.path('/killSwitch/file') },
    log: { level: reader.text('/log/level') as LogLevel },
  };
}
