import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configAt, configOf, problemsOf, SMALLEST, told } from '../../support/config-files.ts';

const GiB = 1024 ** 3;
const MiB = 1024 ** 2;
const HOUR = 3_600_000;
const DAY = 86_400_000;

describe('the smallest configuration', () => {
  it('names the upstream, the tenancy and one issuer, and has every default', () => {
    expect(configOf(SMALLEST)).toEqual({
      file: '/etc/postern/postern.yaml',
      listen: {
        data: { address: { kind: 'tcp', host: '0.0.0.0', port: 8080 }, tls: null },
        control: { address: { kind: 'tcp', host: '127.0.0.1', port: 8081 }, tls: null },
        ops: { address: { kind: 'tcp', host: '127.0.0.1', port: 9090 } },
      },
      workers: 1,
      traffic: { unidentified: 'deny', origins: [], hosts: [] },
      tenancy: {
        from: 'host',
        pattern: '{tenant}.app.example.com',
        prefix: '',
        suffix: '.app.example.com',
        port: null,
      },
      upstream: {
        origin: 'http://127.0.0.1:3000',
        preserveHost: true,
        connections: 128,
        timeouts: { connectMs: 2000, headersMs: 30_000, idleMs: 60_000 },
        assertion: {
          header: 'X-Support-Assertion',
          issuer: 'postern',
          audience: 'http://127.0.0.1:3000',
          lifetimeMs: 60_000,
          key: { pem: null, file: '/etc/postern/data/keys/assertion.pem' },
        },
        inject: [],
        dangerouslySkipTlsVerify: false,
      },
      secrets: new Map(),
      identity: {
        support: [
          {
            name: 'idp.example',
            issuer: 'https://idp.example',
            audience: 'postern',
            controlAudience: 'postern-control',
            keys: { kind: 'discovery' },
            algorithms: ['ES256', 'RS256'],
            maxTokenAgeMs: DAY,
            clockToleranceMs: 30_000,
            otherAudiences: [],
            authorizedParties: [],
            dangerouslyAllowHttp: false,
            claims: { id: 'sub', email: 'email', name: 'name', groups: 'groups' },
            org: { value: 'idp.example' },
            requireGroups: [],
          },
        ],
        customers: [],
        services: [],
        roles: { lead: [], security: [] },
      },
      grants: {
        store: { sqlite: { path: '/etc/postern/data/postern.db' } },
        cache: { maxEntries: 100_000, ttlMs: 30_000, negativeTtlMs: 2000 },
        limits: { defaultMs: 7 * DAY, maxMs: 14 * DAY },
        settings: {
          file: {
            durations: { default: '7d', max: '14d' },
            sessionsRequired: true,
            sessionIdleMs: HOUR / 2,
            sessionMaxMs: 8 * HOUR,
          },
          floor: { required: true, idleMs: HOUR / 2, maxMs: 8 * HOUR },
          profile: null,
          profiles: expect.any(Map),
          over: {},
          classes: {},
          recordsKeptMs: 400 * DAY,
        },
      },
      sessions: { required: true, idleMs: HOUR / 2, maxMs: 8 * HOUR },
      notify: {
        smtp: null,
        webhooks: [],
        groups: new Map(),
        manageUrl: null,
        dangerouslyAllowPrivateWebhooks: false,
      },
      policies: {
        directory: '/etc/postern/policies',
        packs: [],
        defaultEffect: 'allow',
        dangerouslyAllowEmpty: false,
      },
      audit: {
        directory: '/etc/postern/data/audit',
        durability: 'os',
        signingKey: { pem: null, file: '/etc/postern/data/keys/audit.pem' },
        maxBytes: 20 * GiB,
        onFull: 'refuse',
        retentionMs: 400 * DAY,
        sinks: [{ kind: 'stdout', name: 'stdout', format: 'postern' }],
        anonymousPerSecond: 100,
      },
      limits: {
        targetBytes: 8192,
        headersBytes: 16_384,
        headerCount: 100,
        headerTimeoutMs: 10_000,
        bodyBytes: GiB,
        connections: 16_384,
        inFlight: 8192,
        heldBodiesBytes: 256 * MiB,
        eventLoopDelayMs: 1000,
        methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
        perPrincipal: { concurrent: 64, perSecond: 200 },
      },
      killSwitch: { file: '/etc/postern/data/STOP' },
      log: { level: 'info' },
    });
  });

  it('is frozen all the way down', () => {
    const config = configOf(SMALLEST);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.identity.support[0]?.claims)).toBe(true);
    expect(Object.isFrozen(config.limits.methods)).toBe(true);
  });

  it('cannot be smaller: each of the three is missed by name', () => {
    expect(told(problemsOf('{}'))).toEqual([
      '1:1 identity is missing',
      '1:1 tenancy is missing',
      '1:1 upstream is missing',
    ]);
  });

  it('is an example file that is shipped and valid as it stands', () => {
    const config = configAt('config/postern.yaml');
    expect(config.policies.directory).toBe(`${process.cwd()}/policies`);
    expect(config.audit.directory).toBe(`${process.cwd()}/data/audit`);
    expect(readFileSync('config/postern.yaml', 'utf8')).toContain('$schema=./schemas/gateway.schema.json');
  });

  it('takes the ops address from the environment where the file names none, and only there', () => {
    const env = { POSTERN_OPS_ADDRESS: '0.0.0.0:9191' };
    expect(configOf(SMALLEST, env).listen.ops.address).toEqual({ kind: 'tcp', host: '0.0.0.0', port: 9191 });
    const own = `${SMALLEST}listen: { ops: { address: "127.0.0.1:9292" } }\n`;
    expect(configOf(own, env).listen.ops.address).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 9292 });
    expect(told(problemsOf(SMALLEST, { POSTERN_OPS_ADDRESS: 'everywhere' }))).toContain(
      '1:1 the environment variable POSTERN_OPS_ADDRESS is not host:port or unix:/path',
    );
  });
});
