import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { namesOf } from '#audit/sinks/sink-options.ts';
import { formatProblems } from '#config/problem.ts';
import { journalOptions } from '../../../src/compose-options.ts';
import {
  configAt,
  configOf,
  parse,
  problemsOf,
  SMALLEST,
  smallestWith,
  testFolder,
  told,
} from '../../support/config-files.ts';
import { selfSigned } from '../../support/upstream-certificate.ts';

const SECRET = 'a-secret-of-at-least-24-bytes';
const ENV = {
  SIEM_SECRET: SECRET,
  WEBHOOK: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
  SHORT: 'twenty-three-bytes-long',
  SHORT_BASE64: `whsec_${Buffer.alloc(23, 7).toString('base64')}`,
  NO_BASE64: 'whsec_this is no base64, but long enough',
  TOKEN: 'Bearer t0ken',
  TWO_LINES: 'one\ntwo',
};

const audit = (more: string): string => smallestWith(`audit: ${more}\n`);
const sinks = (...list: readonly string[]): string => audit(`{ sinks: [${list.join(', ')}] }`);
const http = (more = ''): string =>
  `{ http: { url: "https://siem.example/hook", secret: { fromEnv: SIEM_SECRET }${more} } }`;

describe('the sinks', () => {
  it('have every default', () => {
    const config = configOf(
      sinks(
        http(),
        '{ otlp: { url: "https://otel.example" } }',
        '{ syslog: { address: "logs.example:6514" } }',
      ),
      ENV,
    );
    const [first, second, third] = config.audit.sinks;
    const posted = { format: 'postern', timeoutMs: 10_000, maxRecords: 500, compression: 'gzip', ca: null };
    expect(first).toMatchObject({ kind: 'http', name: 'http', url: 'https://siem.example/hook', ...posted });
    expect(second).toMatchObject({
      kind: 'otlp',
      name: 'otlp',
      resource: new Map(),
      headers: new Map(),
      ...posted,
    });
    expect(third).toEqual({
      kind: 'syslog',
      name: 'syslog',
      format: 'postern',
      host: 'logs.example',
      port: 6514,
      protocol: 'tls',
      ca: null,
      cert: null,
      key: null,
      facility: 13,
      hostname: null,
      maxMessageBytes: 8192,
      timeoutMs: 10_000,
    });
  });

  it('are given to the journal as plain data that a worker can be sent, secrets revealed', () => {
    using folder = testFolder();
    const { cert, key } = selfSigned();
    folder.write('ca.pem', cert);
    folder.write('key.pem', key);
    const pair = 'tls: { ca: { fromFile: ca.pem }, cert: { fromFile: ca.pem }, key: { fromFile: key.pem } }';
    const file = folder.write(
      'postern.yaml',
      sinks(
        http(
          ', headers: { Authorization: { fromEnv: TOKEN }, X-Org: acme }, tls: { ca: { fromFile: ca.pem } }',
        ),
        '{ otlp: { url: "http://127.0.0.1:4318/v1/logs", resource: { a.b: c }, format: ocsf } }',
        `{ syslog: { name: far, address: "[2001:db8::1]:601", ${pair} } }`,
        '{ stdout: { format: ocsf } }',
      ),
    );
    const options = journalOptions(configAt(file, ENV), { instance: 'gw-1', signingKey: null }).sinks;
    expect(structuredClone(options)).toEqual(options);
    expect(options[0]).toMatchObject({
      secret: SECRET,
      headers: { authorization: 'Bearer t0ken', 'x-org': 'acme' },
      ca: cert.trimEnd(),
    });
    expect(options[1]).toMatchObject({ resource: { 'a.b': 'c' }, headers: {}, format: 'ocsf' });
    expect(options[2]).toMatchObject({ host: '2001:db8::1', port: 601, name: 'far', key: key.trimEnd() });
    expect(options[3]).toEqual({ kind: 'stdout', name: 'stdout', format: 'ocsf' });
  });

  it('show no secret when the configuration is printed', () => {
    const config = configOf(sinks(http(', headers: { X-Token: t0ken-in-the-file }')), ENV);
    const shown = inspect(config.audit, { depth: 9 }) + JSON.stringify(config.audit);
    for (const secret of [SECRET, 't0ken-in-the-file']) expect(shown).not.toContain(secret);
  });

  it('of one kind need names, which their cursors are kept under', () => {
    const second = '{ http: { name: archive, url: "https://b.example", secret: { fromEnv: WEBHOOK } } }';
    const config = configOf(sinks(http(), second), ENV);
    const reversed = configOf(sinks(second, http()), ENV);
    expect(config.audit.sinks.map(({ name }) => name)).toEqual(['http', 'archive']);
    expect(reversed.audit.sinks.map(({ name }) => name)).toEqual(['archive', 'http']);
    expect(namesOf(journalOptions(config, { instance: 'gw-1', signingKey: null }).sinks)).toEqual([
      'http',
      'archive',
    ]);
  });

  it('are warned of where records leave in the clear', () => {
    const plain =
      'http: { url: "http://siem.example", secret: { fromEnv: SIEM_SECRET }, dangerouslyAllowPlainHttp: true }';
    const result = parse(
      sinks(
        `{ ${plain} }`,
        '{ syslog: { address: "logs.example:514", protocol: tcp } }',
        '{ syslog: { name: relay, address: "127.0.0.1:514", protocol: tcp } }',
      ),
      ENV,
    );
    expect(result.ok).toBe(true);
    expect(result.warnings.map(({ pointer }) => pointer)).toEqual([
      '/audit/sinks/0/http/dangerouslyAllowPlainHttp',
      '/audit/sinks/1/syslog/protocol',
    ]);
  });
});

/** What is wrong, and what must be said of it, without its place. */
const WRONG: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'http without a secret',
    sinks('{ http: { url: "https://a.example" } }'),
    ['audit.sinks[0].http.secret is missing'],
  ],
  [
    'plain http to another machine',
    sinks('{ otlp: { url: "http://a.example" } }'),
    ['url must be https, except on this machine'],
  ],
  [
    'a URL with a password',
    sinks('{ otlp: { url: "https://u:p@a.example" } }'),
    ['url must not hold a user name or password: tokens stand in headers'],
  ],
  [
    'a URL of another scheme',
    sinks('{ otlp: { url: "ftp://a.example" } }'),
    ['url is not an https:// address'],
  ],
  [
    'a URL with a fragment',
    sinks('{ otlp: { url: "https://a.example/#x" } }'),
    ['url must have no fragment'],
  ],
  ...(['SHORT', 'SHORT_BASE64', 'NO_BASE64'] as const).map(
    (name) =>
      [
        `the secret ${name}`,
        sinks(`{ http: { url: "https://a.example", secret: { fromEnv: ${name} } } }`),
        ['the secret must be whsec_ and base64, or a text, of at least 24 bytes'],
      ] as const,
  ),
  [
    'a header of the sink itself',
    sinks(http(', headers: { Webhook-Id: x }')),
    ['"Webhook-Id" is set by the sink itself'],
  ],
  [
    'a header of the connection',
    sinks(http(', headers: { Host: x }')),
    ['"Host" belongs to the connection and cannot be used here'],
  ],
  [
    'a header twice',
    sinks(http(', headers: { X-A: x, x-a: y }')),
    ['"x-a" stands here twice, but for letter case'],
  ],
  [
    'a header of two lines',
    sinks(http(', headers: { X-A: { fromEnv: TWO_LINES } }')),
    ['the value holds a line break or another character that is not visible ASCII'],
  ],
  [
    'a batch of nothing',
    sinks(http(', maxRecords: 0')),
    ['audit.sinks[0].http.maxRecords: expected 1 to 10000, not 0'],
  ],
  [
    'a timeout out of range',
    sinks(http(', timeout: 10m')),
    ['audit.sinks[0].http.timeout: from 1s to 5m, not 10m'],
  ],
  [
    'a format nobody reads',
    sinks(http(', format: cef')),
    ['audit.sinks[0].http.format: expected postern or ocsf, not "cef"'],
  ],
  [
    'syslog over a Unix socket',
    sinks('{ syslog: { address: "unix:/dev/log" } }'),
    ['audit.sinks[0].syslog.address: expected an address, host:port, not "unix:/dev/log"'],
  ],
  [
    'a port that does not exist',
    sinks('{ syslog: { address: "a.example:99999" } }'),
    ['"a.example:99999": a port is 1 to 65535'],
  ],
  [
    'TLS without TLS',
    sinks('{ syslog: { address: "127.0.0.1:1", protocol: tcp, tls: { ca: { fromEnv: TOKEN } } } }'),
    ['tls has no meaning with protocol: tcp', 'the authorities must be certificates in PEM'],
  ],
  [
    'a certificate without its key',
    sinks('{ syslog: { address: "a.example:1", tls: { cert: { fromEnv: TOKEN } } } }'),
    ['cert and key go together'],
  ],
  [
    'a facility that does not exist',
    sinks('{ syslog: { address: "a.example:1", facility: 24 } }'),
    ['audit.sinks[0].syslog.facility: expected 0 to 23, not 24'],
  ],
  [
    'two sinks of one kind without names',
    sinks(http(), '{ http: { url: "https://b.example", secret: { fromEnv: SIEM_SECRET } } }'),
    ['another sink is called "http": give this one a name, under which its place in the journal is kept'],
  ],
  [
    'a name that is taken',
    sinks('{ file: { path: a, name: b } }', '{ stdout: { name: b } }'),
    ['the name "b" is taken'],
  ],
  ['the name of the index', sinks('{ stdout: { name: index } }'), ['the name "index" is taken']],
  [
    'a name that no file can have',
    sinks('{ stdout: { name: "../x" } }'),
    [
      'audit.sinks[0].stdout.name: expected a name of lower-case letters, digits and hyphens that starts with a letter, at most 32, not "../x"',
    ],
  ],
  ['one place twice', sinks(http(), http(', name: b')), ['another sink writes to the same place']],
  [
    'two kinds in one item',
    sinks('{ stdout: {}, file: { path: x } }'),
    [
      'audit.sinks[0]: expected a sink, {stdout: {}}, {file: {path: …}}, {http: {…}}, {otlp: {…}} or {syslog: {…}}',
    ],
  ],
  ['a retention of an hour', audit('{ retention: 1h }'), ['audit.retention: from 1d to 520w, not 1h']],
  [
    'another word for full',
    audit('{ onFull: drop }'),
    ['audit.onFull: expected refuse or dropOldestUnshipped, not "drop"'],
  ],
];

describe('of a wrong file', () => {
  it.each(WRONG)('%s is told', (_what, text, expected) => {
    expect(problemsOf(text, ENV).map(({ message }) => message)).toEqual(expected);
  });

  it('nothing is shown that could be a token', () => {
    const problems = problemsOf(
      sinks(
        '{ http: { url: "https://a.example", secret: s3cret-in-the-file, headers: { X-A: [t0ken], "bad name": t0ken2 } } }',
      ),
    );
    expect(problems.length).toBeGreaterThanOrEqual(3);
    expect(formatProblems(problems)).not.toMatch(/s3cret|t0ken/);
  });
});

describe('the key of the journal', () => {
  it.each([
    ['ed25519', {}, true],
    ['ec', { namedCurve: 'P-256' }, false],
  ] as const)('of the kind %s is accepted: %3$s', (kind, options, accepted) => {
    using folder = testFolder();
    const { privateKey } = generateKeyPairSync(kind as 'ec', options as { namedCurve: string });
    folder.write('audit.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const file = folder.write('postern.yaml', audit('{ signingKey: { fromFile: audit.pem } }'));
    if (accepted) expect(configAt(file).audit.signingKey.pem?.reveal()).toContain('PRIVATE KEY');
    else expect(() => configAt(file)).toThrow('the key must be a private key in PEM, Ed25519');
  });

  it('is to be made where its file does not exist', () => {
    expect(configOf(SMALLEST).audit.signingKey).toEqual({
      pem: null,
      file: '/etc/postern/data/keys/audit.pem',
    });
    expect(told(problemsOf(audit('{ signingKey: { fromEnv: NOPE } }')))).toEqual([
      '4:33 the environment variable NOPE is not set',
    ]);
  });

  it('reads how the journal is kept', () => {
    const { audit: kept } = configOf(audit('{ retention: 30d, onFull: dropOldestUnshipped }'));
    expect([kept.retentionMs, kept.onFull]).toEqual([30 * 86_400_000, 'dropOldestUnshipped']);
  });
});
