import { describe, expect, it } from 'vitest';
import { formatProblems } from '#config/problem.ts';
import { parse, problemsOf, SMALLEST, smallestWith, told } from '../../support/config-files.ts';

/** What is added to the smallest file, from line 4 on, and everything that must be said of it. */
const WRONG: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a misspelled key',
    'listen: { data: { adress: "0.0.0.0:1" } }',
    ['4:19 unknown key "adress"; did you mean "address"?'],
  ],
  ['a key nobody knows', 'log: { colour: red }', ['4:8 unknown key "colour"; known here: level']],
  [
    'a number for a duration',
    'grants: { cache: { ttl: 30 } }',
    [
      '4:25 grants.cache.ttl: a bare number has no unit; expected a duration with its unit, such as 30s, 15m, 8h, 14d or 4w',
    ],
  ],
  [
    'a number for a size',
    'limits:\n  body: 1048576',
    [
      '5:9 limits.body: a bare number has no unit; expected a size with its unit, such as 512B, 64KiB, 10MiB or 1GiB',
    ],
  ],
  [
    'a decimal size',
    'limits: { body: 1MB }',
    ['4:17 limits.body: expected a size with its unit, such as 512B, 64KiB, 10MiB or 1GiB, not "1MB"'],
  ],
  [
    'a duration out of its range',
    'limits: { headerTimeout: 10m }',
    ['4:26 limits.headerTimeout: from 1s to 5m, not 10m'],
  ],
  [
    'a size out of its range',
    'audit: { maxBytes: 1KiB }',
    ['4:20 audit.maxBytes: from 16MiB to 64TiB, not 1KiB'],
  ],
  [
    'a text for a number',
    'limits: { headerCount: many }',
    ['4:24 limits.headerCount: expected a whole number, not "many"'],
  ],
  [
    'a number out of its range',
    'limits: { headerCount: 5 }',
    ['4:24 limits.headerCount: expected 8 to 1000, not 5'],
  ],
  ['a list for a mapping', 'audit: []', ['4:1 audit: expected a mapping of keys to values']],
  ['a key without a value', 'log:', ['4:5 log is empty: give it a value, or remove the key']],
  [
    'a word that is not on the list',
    'log: { level: inof }',
    [
      '4:15 log.level: expected trace, debug, info, warn, error, fatal or silent, not "inof"; did you mean "info"?',
    ],
  ],
  ['the same method twice', 'limits: { methods: [GET, HEAD, GET] }', ['4:32 stands in limits.methods twice']],
  ['no method at all', 'limits: { methods: [] }', ['4:11 limits.methods must name at least one']],
  [
    'a method in lower case',
    'limits: { methods: [get] }',
    [
      '4:21 limits.methods[0]: expected GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or QUERY, not "get"; did you mean "GET"?',
    ],
  ],
  [
    'a limit of zero',
    'limits: { perPrincipal: { concurrent: 0 } }',
    ['4:39 limits.perPrincipal.concurrent: expected a whole number from 1 to 1000000, or off, not 0'],
  ],
  [
    'a head larger than the server reads',
    'limits: { target: 20KiB, headers: 20KiB }',
    ['4:35 limits.target and limits.headers together must not exceed 32KiB'],
  ],
  [
    'a default grant longer than the longest',
    'grants: { limits: { default: 15d } }',
    ['4:30 grants.limits.default must not exceed grants.limits.max'],
  ],
  [
    'a port that does not exist',
    'listen: { data: { address: "0.0.0.0:70000" } }',
    ['4:28 "0.0.0.0:70000": a port is 0 to 65535'],
  ],
  [
    'an address without a port',
    'listen: { data: { address: localhost } }',
    ['4:28 listen.data.address: expected an address, host:port or unix:/path, not "localhost"'],
  ],
  [
    'two listeners at one address',
    'listen: { control: { address: "127.0.0.1:8080" } }',
    ['4:31 listen.control and listen.data share an address'],
  ],
  [
    'an origin with a path',
    'traffic: { origins: ["https://a.example/x"] }',
    ['4:22 "https://a.example/x" is not an origin such as https://app.example.com'],
  ],
  [
    'hosts where tenancy is by host',
    'traffic: { hosts: [a.example] }',
    ['4:12 traffic.hosts has no meaning where tenancy is by host: its pattern says which'],
  ],
  [
    'a variable that is not set',
    'secrets: { a: { fromEnv: NOT_SET } }',
    ['4:26 the environment variable NOT_SET is not set'],
  ],
  [
    'a file that does not exist',
    'secrets: { a: { fromFile: nowhere/a } }',
    ['4:27 the file nowhere/a does not exist'],
  ],
  [
    'a secret that is no reference',
    'secrets: { a: hunter2 }',
    [
      '4:15 secrets.a: expected a reference, {fromEnv: NAME} or {fromFile: path}, or a map of references; a secret is never written in this file',
    ],
  ],
  [
    'two sinks for one place',
    'audit: { sinks: [{ stdout: {} }, { stdout: {} }] }',
    ['4:34 another sink writes to the same place'],
  ],
  ['a key given twice', 'log: { level: info, level: debug }', ['4:21 the key "level" stands here twice']],
  [
    'an alias',
    'log: &log { level: info }\nsessions: *log',
    [
      '4:11 anchors (&…) are not allowed: write the value where it is meant',
      '5:11 aliases (*…) are not allowed: write the value where it is meant',
    ],
  ],
  [
    'a merge key',
    'log:\n  <<: { level: info }',
    ['5:3 merge keys (<<) are not allowed: write the values where they are meant'],
  ],
  ['a tag', 'log: !log { level: info }', ['4:11 tags (!…) are not allowed']],
  [
    'a later key',
    'listen: { ops: { tls: {} } }',
    ['4:18 TLS on the ops listener is not supported by this version'],
  ],
  [
    'a later store',
    'grants: { store: { postgres: { url: x } } }',
    ['4:20 the PostgreSQL store is not supported by this version'],
  ],
  [
    'a later value',
    'traffic: { unidentified: pass }',
    ["4:26 passing customers' own traffic through is not supported by this version"],
  ],
  ['more workers than one', 'workers: 4', ['4:10 more than one worker is not supported by this version']],
  [
    'the index among the sinks',
    'audit: { sinks: [{ index: {} }] }',
    ['4:20 the index always runs: the list names where records go besides'],
  ],
];

describe('a wrong configuration', () => {
  it.each(WRONG)('names the place of %s', (_what, more, expected) => {
    expect(told(problemsOf(smallestWith(`${more}\n`)))).toEqual(expected);
  });

  it('is told all at once, sorted by place', () => {
    const text = smallestWith(
      'workers: 2\nlog: { level: loud }\nlimits: { body: 5 }\nsecrets: { a: { fromEnv: NOPE } }\n',
    );
    expect(problemsOf(text).map((one) => one.line)).toEqual([4, 5, 6, 7]);
  });

  it('shows the line with carets below what is meant', () => {
    expect(
      formatProblems(problemsOf(smallestWith('log: { level: loud }\n'), {}, 'config/postern.yaml')),
    ).toBe(
      [
        'config/postern.yaml:4:15: log.level: expected trace, debug, info, warn, error, fatal or silent, not "loud"',
        '    4 | log: { level: loud }',
        '      |               ^^^^',
      ].join('\n'),
    );
  });

  it('cuts a long line around what is meant', () => {
    const [problem] = problemsOf(smallestWith(`log: { level: ${' '.repeat(300)}loud, }\n`));
    const [shown = '', carets = ''] = problem?.excerpt?.split('\n') ?? [];
    expect(shown.length).toBeLessThan(120);
    expect(shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('loud');
  });

  it('says where the text stops being YAML', () => {
    expect(told(problemsOf(`${SMALLEST}log: { level: info\n`))[0]).toMatch(/^\d+:\d+ not valid YAML: /);
  });

  it('warns of unsafe choices and of nothing else', () => {
    const text = SMALLEST.replace('3000"', '3000", dangerouslySkipTlsVerify: true').replace(
      'https://idp.example',
      'http://idp.example, dangerouslyAllowHttp: true',
    );
    const result = parse(`${text}policies: { dangerouslyAllowEmpty: true }\n`);
    expect(result.ok).toBe(true);
    expect(result.warnings.map((one) => one.pointer)).toEqual([
      '/upstream/dangerouslySkipTlsVerify',
      '/identity/support/0/dangerouslyAllowHttp',
      '/policies/dangerouslyAllowEmpty',
    ]);
    expect(parse(SMALLEST).warnings).toEqual([]);
  });
});

const under = (tenancy: string, hosts = ''): string =>
  `upstream: { url: "http://127.0.0.1:3000" }\ntenancy: ${tenancy}\nidentity: { support: [{ issuer: https://idp.example }] }\n${hosts}`;

describe('tenancy', () => {
  const HOSTS = 'traffic: { hosts: [app.example.com] }\n';
  const LABEL = 'exactly one whole label must be {tenant}, and not the last: {tenant}.app.example.com';

  it.each([
    ['{ from: host, pattern: "app.example.com" }', `2:33 "app.example.com": ${LABEL}`],
    ['{ from: host, pattern: "{tenant}" }', `2:33 "{tenant}": ${LABEL}`],
    ['{ from: host, pattern: "app.{tenant}" }', `2:33 "app.{tenant}": ${LABEL}`],
    ['{ from: host, pattern: "{tenant}.{tenant}.example" }', `2:33 "{tenant}.{tenant}.example": ${LABEL}`],
    ['{ from: host, pattern: "x-{tenant}.example.com" }', `2:33 "x-{tenant}.example.com": ${LABEL}`],
    ['{ from: host }', '2:1 tenancy.pattern is missing: tenancy is by host'],
    [
      '{ from: host, pattern: "{tenant}.a.b", strip: true }',
      '2:56 tenancy.strip has no meaning where tenancy is by host',
    ],
    ['{ pattern: "{tenant}.a.b" }', '2:1 tenancy.from is missing'],
  ])('by host refuses %s', (tenancy, expected) => {
    expect(told(problemsOf(under(tenancy)))).toContain(expected);
  });

  it.each([
    [
      '{ from: path, pattern: "/t/{tenant}/x" }',
      '"/t/{tenant}/x": plain segments and, as the last, {tenant}; for example /t/{tenant}',
    ],
    [
      '{ from: path, pattern: "t/{tenant}" }',
      '"t/{tenant}": plain segments and, as the last, {tenant}; for example /t/{tenant}',
    ],
    [
      '{ from: path, pattern: "/%74/{tenant}" }',
      '"/%74/{tenant}": plain segments and, as the last, {tenant}; for example /t/{tenant}',
    ],
    [
      '{ from: path, pattern: "/../{tenant}" }',
      '"/../{tenant}": plain segments and, as the last, {tenant}; for example /t/{tenant}',
    ],
    [
      '{ from: path, pattern: "/-/{tenant}" }',
      '"/-/{tenant}": plain segments and, as the last, {tenant}; for example /t/{tenant}',
    ],
    ['{ from: header, header: Host }', '"Host" belongs to the connection and cannot be used here'],
  ])('by path or header refuses %s', (tenancy, expected) => {
    const problems = problemsOf(under(tenancy, HOSTS));
    expect(problems.map((one) => one.message)).toEqual([expected]);
    expect(problems[0]?.line).toBe(2);
  });

  it('by path or header needs the hosts that are served', () => {
    expect(told(problemsOf(under('{ from: path, pattern: "/t/{tenant}" }')))).toEqual([
      '1:1 traffic.hosts must name the hosts served, since tenancy is by path',
    ]);
  });
});
