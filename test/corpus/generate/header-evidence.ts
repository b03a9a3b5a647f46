// Headers by which applications route, trust or frame, sent with a denied request as evidence that it is allowed, and
// with an allowed one as a way to a denied route; under their names and under aliases of these. Classes 9 to 12, 22. Pure.
import type { GeneratedRequest } from '../generated-request.ts';
import { DENIED_SAMPLES } from './denied-samples.ts';
import { type Made, numbered } from './maker.ts';

/** What a server behind a trusted proxy takes instead of the request line. */
const REWRITES = [
  'X-Original-URL X-Rewrite-URL X-Original-URI X-Override-URL X-Forwarded-Uri X-Forwarded-Path X-Forwarded-Prefix X-Script-Name',
  'X-HTTP-DestinationURL Request-Uri Url Base-Url X-Proxy-Url X-Envoy-Original-Path X-Matched-Path X-Invoke-Path',
  'X-Middleware-Subrequest X-Accel-Redirect X-Sendfile Destination X-Original-Path X-Unencoded-URL X-Waws-Unencoded-URL',
]
  .join(' ')
  .split(' ');

const ADDRESSES = [
  'X-Forwarded-For X-Real-IP X-Client-IP Client-IP True-Client-IP CF-Connecting-IP X-Originating-IP X-Remote-IP X-Remote-Addr',
  'X-Cluster-Client-IP Forwarded Via X-Forwarded-Proto X-Forwarded-Host X-Forwarded-Port X-Host X-HTTP-Host-Override',
  'X-Original-Host Forwarded-For X-Forwarded Fastly-Client-IP X-Azure-ClientIP X-Envoy-External-Address X-Envoy-Internal',
]
  .join(' ')
  .split(' ');

const IDENTITIES = [
  'X-Support-Assertion X-Support-Role X-Support-User X-Postern-Grant X-Postern-Session X-Request-Id X-Forwarded-User',
  'X-Forwarded-Email X-Forwarded-Groups',
]
  .join(' ')
  .split(' ');

const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Original-Method'];

const ADDRESS_VALUES = ['127.0.0.1', '::1', 'for=127.0.0.1;host=evil.test;proto=https', 'evil.test', 'https'];

/** How one and the same name reaches a server that folds names. */
function* aliasesOf(name: string): Generator<string> {
  yield name.replaceAll('-', '_');
  yield name.replaceAll('-', '.');
  yield name.replace('-', '_');
  yield name.replace('-', '.');
  yield name.toLowerCase().replaceAll('-', '_');
  yield name.toUpperCase().replaceAll('-', '_');
  for (const odd of ['~', '!', '|', '+', "'", '*', '$', '%', '&', '^', '`', '#'])
    yield name.replaceAll('-', odd);
  yield `HTTP_${name.replaceAll('-', '_').toUpperCase()}`;
  yield `${name}_`;
  yield `${name}.`;
  yield `${name}-`;
  yield `_${name}`;
}

/** What the parser itself must refuse. */
function* brokenNamesOf(name: string): Generator<string> {
  for (const byte of [' ', '\t', '\x0b', '\0', '\xa0', '\x7f', '\r', '\x85', '"', '(', '/', '\\', '@', '[']) {
    yield name + byte;
    yield byte + name;
    yield name.replace('-', byte);
  }
}

export function* headerEvidence(): Generator<GeneratedRequest> {
  yield* numbered('header-evidence', [...evidence(), ...ways(), ...aliases(), ...nominations(), ...hosts()]);
}

/** A denied request that a header calls another. */
function* evidence(): Generator<Made> {
  for (const { rule, method, path, query } of DENIED_SAMPLES) {
    const line = `${method} ${path}${query} HTTP/1.1`;
    for (const name of REWRITES)
      for (const value of ['/public', '/me?x=1', 'http://<HOST>/public'])
        yield withHeader(9, `${rule} with ${name}`, line, `${name}: ${value}`);
    for (const name of ADDRESSES)
      for (const value of ADDRESS_VALUES)
        yield withHeader(9, `${rule} with ${name}`, line, `${name}: ${value}`);
    for (const name of OVERRIDES)
      for (const value of ['GET', 'HEAD', 'OPTIONS', 'get', 'PROPFIND', ''])
        yield withHeader(26, `${rule} with ${name}`, line, `${name}: ${value}`);
    for (const agent of ['kube-probe/1.30', 'GoogleHC/1.0', 'ELB-HealthChecker/2.0', 'Envoy/HC'])
      yield withHeader(9, `${rule} as a health check`, line, `User-Agent: ${agent}`);
  }
}

/** An allowed request that a header calls a denied one: it arrives without the header. */
function* ways(): Generator<Made> {
  const line = 'GET /me HTTP/1.1';
  for (const { rule, path, query } of DENIED_SAMPLES) {
    for (const name of REWRITES)
      yield { ...withHeader(9, `${rule} by ${name}`, line, `${name}: ${path}${query}`), mustForward: true };
  }
  for (const name of [...ADDRESSES, ...IDENTITIES])
    for (const value of ADDRESS_VALUES)
      yield { ...withHeader(9, `${name} of the client`, line, `${name}: ${value}`), mustForward: true };
  for (const name of OVERRIDES)
    for (const path of ['/records/7', '/api/v1/emails/send'])
      for (const value of ['DELETE', 'POST', 'delete', 'PUT', 'DELETE, GET'])
        yield {
          ...withHeader(26, `${value} by ${name}`, `GET ${path} HTTP/1.1`, `${name}: ${value}`),
          mustForward: true,
        };
}

function* aliases(): Generator<Made> {
  for (const name of [...REWRITES, ...ADDRESSES, ...IDENTITIES, ...OVERRIDES]) {
    for (const alias of aliasesOf(name))
      yield withHeader(10, `an alias of ${name}`, 'GET /me HTTP/1.1', `${alias}: /exports`);
    for (const twice of [`${name}: /exports\r\n${name}: /public`, `${name}: /public\r\n ${name}: /exports`])
      yield withHeader(12, `${name} twice`, 'GET /me HTTP/1.1', twice);
  }
  for (const name of ['X-Original-URL', 'X-Support-Assertion', 'X-Forwarded-For', 'Authorization', 'Host'])
    for (const broken of brokenNamesOf(name))
      yield withHeader(10, `a broken ${name}`, 'GET /me HTTP/1.1', `${broken}: /exports`);
}

function* nominations(): Generator<Made> {
  const names = [
    ...REWRITES,
    ...ADDRESSES,
    ...IDENTITIES,
    'Authorization',
    'Cookie',
    'Host',
    'Content-Length',
  ];
  for (const name of [...names, 'Transfer-Encoding', 'Content-Type', 'Content-Encoding', 'Connection']) {
    const shapes = [name, `close, ${name}`, `keep-alive,${name}`, `${name.toLowerCase()} , x`, `,, ${name},`];
    for (const shape of [
      ...shapes,
      name.replaceAll('-', '_'),
      `"${name}"`,
      `${name};x`,
      `x\r\nConnection: ${name}`,
    ])
      yield withHeader(11, `Connection nominates ${name}`, 'GET /me HTTP/1.1', `Connection: ${shape}`);
  }
}

/** Class 22: a host that is another, or the same one in another spelling, and an authority that is not the host. */
function* hosts(): Generator<Made> {
  const authorities = [
    '<HOST> <HOST>. <HOST>:80 <HOST>:443 <HOST>:81 <HOST>:080 <HOST>: <HOST>:x <HOST>@evil.test evil.test@<HOST> evil.test',
    '<HOST>.evil.test evil.test/<HOST> evil.test#<HOST> <HOST>#x <HOST>\\evil.test user@<HOST> user:pass@<HOST> %61cme.app.test',
    '<HOST>%00 <HOST>,evil.test <HOST>;x [::1] [<HOST>] 127.0.0.1 localhost',
  ]
    .join(' ')
    .split(' ');
  for (const authority of authorities) {
    for (const { rule, method, path, query } of DENIED_SAMPLES)
      for (const scheme of ['http', 'https', 'HTTP', 'ftp', 'ws', 'http:'])
        yield {
          class: 22,
          about: `${rule} in absolute-form`,
          bytes: `${method} ${scheme}://${authority}${path}${query} HTTP/1.1\r\n<HEAD>\r\n\r\n`,
        };
    for (const lines of [
      `Host: ${authority}`,
      `Host: <HOST>\r\nHost: ${authority}`,
      `Host: ${authority}\r\nX-Host: <HOST>`,
    ])
      yield {
        class: 22,
        about: 'a host of another kind',
        bytes: `GET /exports HTTP/1.1\r\n${lines}\r\nAuthorization: Bearer <TOKEN>\r\n\r\n`,
      };
  }
}

function withHeader(number: number, about: string, line: string, headers: string): Made {
  return { class: number, about, bytes: `${line}\r\n<HEAD>\r\n${headers}\r\n\r\n` };
}
