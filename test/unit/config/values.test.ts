import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SERVICE_DUTIES, SIGNATURE_ALGORITHMS, LOG_LEVELS } from '#config/config.ts';
import { nearestWord } from '#config/nearest.ts';
import { parseSize } from '#config/size.ts';
import { parseDuration } from '#model/duration.ts';
import {
  configAt,
  configOf,
  problemsOf,
  SMALLEST,
  smallestWith,
  testFolder,
  told,
} from '../../support/config-files.ts';

interface Definitions {
  readonly definitions: Readonly<Record<string, { readonly pattern: string }>>;
}
const schemaText = readFileSync('config/schemas/gateway.schema.json', 'utf8');
const { definitions } = JSON.parse(schemaText) as Definitions;

describe('sizes and durations', () => {
  it('reads a whole number and a binary unit, exactly', () => {
    expect(['0B', '512B', '64KiB', '10MiB', '1GiB', '2TiB'].map(parseSize)).toEqual([
      0, 512, 65_536, 10_485_760, 1_073_741_824, 2_199_023_255_552,
    ]);
  });

  it.each([
    '',
    '1',
    '1 KiB',
    ' 1KiB',
    '1kib',
    '1KB',
    '1.5MiB',
    '-1B',
    '+1B',
    '01B',
    '0x1B',
    '1e3B',
    '9007199254740993B',
    '1KiB\n',
  ])('refuses the size %j', (text) => {
    expect(parseSize(text)).toBeNull();
  });

  // What an editor accepts by the schema, the parser must read, and the other way round.
  it.each([
    ['duration', parseDuration],
    ['size', parseSize],
  ] as const)('are the same to the schema and to the parser: %s', (name, parse) => {
    const pattern = new RegExp(definitions[name]?.pattern ?? '^$', 'u');
    const units = fc.constantFrom(
      's',
      'm',
      'h',
      'd',
      'w',
      'mo',
      'ms',
      '',
      'B',
      'KiB',
      'MiB',
      'GiB',
      'TiB',
      'KB',
      ' s',
    );
    const text = fc.oneof(
      fc.tuple(fc.integer({ min: -5, max: 7_999 }), units).map(([count, unit]) => `${count}${unit}`),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(fc.property(text, (one) => pattern.test(one) === (parse(one) !== null)));
  });
});

describe('an amount larger than can be counted', () => {
  it.each([
    ['grants: { cache: { ttl: 999999999w } }', 'grants.cache.ttl: from 1s to 1h, not 999999999w'],
    ['limits: { body: 999999999999TiB }', 'limits.body: from 0B to 8TiB, not 999999999999TiB'],
  ])('is out of range and never nothing: %s', (more, expected) => {
    expect(problemsOf(smallestWith(`${more}\n`)).map((one) => one.message)).toEqual([expected]);
  });
});

describe('the lists of words', () => {
  it('are the same in the schema and in the types', () => {
    for (const words of [SIGNATURE_ALGORITHMS, LOG_LEVELS, SERVICE_DUTIES]) {
      expect(schemaText.replaceAll(/\s+/g, '')).toContain(`"enum":${JSON.stringify(words)}`);
    }
  });
});

describe('the nearest word', () => {
  it.each([
    ['adress', 'address'],
    ['addres', 'address'],
    ['sieze', null],
    ['Address', 'address'],
    ['addrses', 'address'],
    ['x', null],
    ['a'.repeat(100_000), null],
  ])('for %.20s is %s', (word, expected) => {
    expect(nearestWord(word, ['address', 'tls'])).toBe(expected);
  });
});

describe('a full configuration', () => {
  it('reads addresses of every kind', () => {
    const { listen } = configOf(
      smallestWith(
        'listen: { data: { address: "unix:run/data.sock" }, control: { address: "[::1]:0" }, ops: { address: "ops.internal:9" } }\n',
      ),
    );
    expect(listen.data.address).toEqual({ kind: 'unix', path: '/etc/postern/run/data.sock' });
    expect(listen.control.address).toEqual({ kind: 'tcp', host: '::1', port: 0 });
    expect(listen.ops.address).toEqual({ kind: 'tcp', host: 'ops.internal', port: 9 });
  });

  it('reads tenancy by path and by header, with the hosts in lower case', () => {
    const hosts =
      'traffic: { hosts: [App.Example.com, "app.example.com:8443"], origins: ["https://Console.example:443"] }\n';
    const at = (tenancy: string) =>
      configOf(SMALLEST.replace(/^tenancy:.*$/m, `tenancy: ${tenancy}`) + hosts);
    expect(at('{ from: path, pattern: "/acme-app/t/{tenant}", strip: true }').tenancy).toEqual({
      from: 'path',
      pattern: '/acme-app/t/{tenant}',
      prefix: '/acme-app/t/',
      strip: true,
    });
    const config = at('{ from: header, header: X-Tenant }');
    expect(config.tenancy).toEqual({ from: 'header', name: 'x-tenant' });
    expect(config.traffic).toEqual({
      unidentified: 'deny',
      hosts: ['app.example.com', 'app.example.com:8443'],
      origins: ['https://console.example'],
    });
  });

  it('reads a host pattern with a label before the tenant and a port', () => {
    const text = SMALLEST.replace('{tenant}.app.example.com', 'eu.{tenant}.App.example.com:8443');
    expect(configOf(text).tenancy).toMatchObject({ prefix: 'eu.', suffix: '.app.example.com', port: 8443 });
  });

  it('reads issuers, services and duties', () => {
    const hash = 'AB'.repeat(32);
    const { identity } = configOf(
      `upstream: { url: "http://127.0.0.1:3000" }
tenancy: { from: host, pattern: "{tenant}.app.example.com" }
identity:
  support:
    - { name: workforce, issuer: https://idp.example, algorithms: [EdDSA], org: { claim: org, oneOf: [a, b] }, require: { groups: [support] } }
    - { issuer: "http://127.0.0.1:4000", org: { value: partners }, claims: { groups: realm_access.roles }, otherAudiences: [account] }
  customers:
    - { name: app, issuer: app, jwks: { fromFile: keys/app.json }, claims: { tenant: org_id } }
  services:
    - { name: provisioning, keyHash: { fromEnv: HASH }, may: [grants] }
  roles: { lead: { groups: [leads] } }
`,
      { HASH: hash },
    );
    expect(identity.support.map((one) => [one.name, one.org, one.algorithms, one.requireGroups])).toEqual([
      ['workforce', { claim: 'org', oneOf: ['a', 'b'] }, ['EdDSA'], ['support']],
      ['127.0.0.1:4000', { value: 'partners' }, ['ES256', 'RS256'], []],
    ]);
    expect(identity.support[1]?.claims.groups).toBe('realm_access.roles');
    expect(identity.customers[0]).toMatchObject({
      keys: { kind: 'file', file: '/etc/postern/keys/app.json' },
      claims: { tenant: 'org_id', admin: 'is_admin' },
      audience: 'postern-control',
    });
    expect(identity.services[0]?.keyHash.reveal()).toBe(hash.toLowerCase());
    expect(identity.roles).toEqual({ lead: ['leads'], security: [] });
  });

  it('reads the bounds of overload, and lets the event loop be as late as it likes', () => {
    const { limits } = configOf(
      smallestWith('limits: { connections: 100, inFlight: 50, heldBodies: 1MiB, eventLoopDelay: off }\n'),
    );
    expect(limits).toMatchObject({ connections: 100, inFlight: 50, heldBodiesBytes: 1 << 20 });
    expect(limits.eventLoopDelayMs).toBe(null);
  });

  it('lets the limits per principal be turned off', () => {
    const { limits } = configOf(
      smallestWith('limits: { perPrincipal: { concurrent: off, perSecond: 5 } }\n'),
    );
    expect(limits.perPrincipal).toEqual({ concurrent: null, perSecond: 5 });
  });

  it('reads sinks, and none where none are wanted', () => {
    expect(configOf(smallestWith('audit: { sinks: [] }\n')).audit.sinks).toEqual([]);
    expect(
      configOf(smallestWith('audit: { sinks: [{ file: { path: out.ndjson } }, { stdout: {} }] }\n')).audit
        .sinks,
    ).toEqual([
      { kind: 'file', name: 'file', format: 'postern', path: '/etc/postern/out.ndjson' },
      { kind: 'stdout', name: 'stdout', format: 'postern' },
    ]);
  });
});

describe('the assertion key', () => {
  it.each([
    ['P-256', 'ec', { namedCurve: 'P-256' }, true],
    ['Ed25519', 'ed25519', {}, true],
    ['P-384', 'ec', { namedCurve: 'P-384' }, false],
    ['RSA', 'rsa', { modulusLength: 2048 }, false],
  ] as const)('of the kind %s is accepted: %4$s', (_name, kind, options, accepted) => {
    using folder = testFolder();
    const { privateKey } = generateKeyPairSync(kind as 'ec', options as { namedCurve: string });
    folder.write('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const file = folder.write(
      'postern.yaml',
      SMALLEST.replace('3000"', '3000", assertion: { key: { fromFile: key.pem } }'),
    );
    if (accepted) expect(configAt(file).upstream.assertion.key.pem?.reveal()).toContain('PRIVATE KEY');
    else expect(() => configAt(file)).toThrow('the key must be a private key in PEM, P-256 or Ed25519');
  });
});

/** `▶` stands where the problem must be placed. */
const under = (marked: string): readonly [string, readonly string[]] => {
  const line = `identity: ${marked}`;
  const text = SMALLEST.replace(/^identity:.*$/m, line.replace('▶', ''));
  return [`3:${line.indexOf('▶') + 1}`, told(problemsOf(text, { HASH: 'psk_abc' }))];
};

describe('identity', () => {
  it.each([
    ['{ support: [{ issuer: ▶"http://idp.example" }] }', 'issuer must be https, except on this machine'],
    ['{ support: [{ issuer: ▶"https://idp.example?x=1" }] }', 'issuer must have no query and no fragment'],
    ['{ support: [{ issuer: ▶idp }] }', 'issuer is not an https:// address'],
    [
      '{ support: [▶{ issuer: idp, jwks: { fromFile: k } }] }',
      'name is missing: the issuer is not a URL to take it from',
    ],
    ['{ ▶support: [] }', 'identity.support must name at least one'],
    [
      '{ support: [{ issuer: https://a.example, audience: x, controlAudience: ▶x }] }',
      'audience and controlAudience must differ',
    ],
    [
      '{ support: [{ issuer: https://a.example, otherAudiences: [▶postern] }] }',
      'otherAudiences must not name an audience of our own',
    ],
    [
      '{ support: [{ issuer: https://a.example, ▶org: { claim: org } }] }',
      'org must be {value}, or {claim, oneOf}: an organisation is never taken from a free claim',
    ],
    [
      '{ support: [{ issuer: https://a.example }, { issuer: ▶https://a.example }] }',
      'this issuer is configured twice under identity',
    ],
    [
      '{ support: [{ issuer: https://a.example }, { name: ▶a.example, issuer: https://b.example }] }',
      'another issuer is named "a.example" too; give each a name of its own',
    ],
    [
      '{ support: [{ issuer: https://a.example }], services: [{ name: s, ▶keyHash: { fromEnv: HASH } }] }',
      'keyHash must be the SHA-256 of the key, 64 hex digits; never the key itself',
    ],
    [
      '{ support: [{ issuer: https://a.example }], customers: [▶{ issuer: https://c.example }] }',
      'identity.customers[0].claims is missing',
    ],
    [
      '{ support: [{ issuer: https://a.example, jwksUri: ▶"http://k.example" }] }',
      'jwksUri must be https, except on this machine',
    ],
    [
      '{ support: [{ issuer: https://a.example, clockTolerance: ▶61s }] }',
      'identity.support[0].clockTolerance: from 0s to 60s, not 61s',
    ],
    [
      '{ support: [{ issuer: https://a.example, algorithms: [▶none] }] }',
      'identity.support[0].algorithms[0]: expected ES256, RS256, PS256 or EdDSA, not "none"',
    ],
  ])('refuses %s', (marked, expected) => {
    const [place, problems] = under(marked);
    expect(problems).toContain(`${place} ${expected}`);
  });
});
