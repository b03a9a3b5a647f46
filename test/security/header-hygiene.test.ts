// Attacks of classes 9, 10, 11 and 17 on what reaches the upstream (HS01 to HS10, HB01 to HB04, RL06, RL10): names the
// application trusts, their aliases under another spelling, and Connection options that remove ours after the check.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAndStripHeaders } from '#upstream/headers.ts';
import { createHeaderRules } from '#upstream/managed-headers.ts';
import { credentialOf, startGate } from '../support/upstream-exchange.ts';
import { exchange, request, startAnswering } from '../support/upstream-wire.ts';

const RULES = createHeaderRules(['X-Support-Assertion', 'Authorization', 'X-App_Token']);

function strip(...raw: string[]): string[] | string {
  return stripAllowing([], ...raw);
}

function stripAllowing(allowed: readonly string[], ...raw: string[]): string[] | string {
  const out: string[] = [];
  const denial = checkAndStripHeaders({ raw, allowed }, RULES, out, () => undefined);
  return denial === null ? out : denial.reason;
}

const REWRITES = [
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Original-URI',
  'X-Override-URL',
  'X-Forwarded-Uri',
  'X-Forwarded-Path',
  'X-Forwarded-Prefix',
  'X-Script-Name',
  'SCRIPT_NAME',
  'X-HTTP-DestinationURL',
  'Request-Uri',
  'Url',
  'Base-Url',
  'X-Proxy-Url',
  'X-Envoy-Original-Path',
  'X-Matched-Path',
  'X-Invoke-Path',
  'X-Middleware-Subrequest',
  'X-Accel-Redirect',
  'X-Sendfile',
  'Destination',
  'X-Original-Path',
  'X-Unencoded-URL',
  'X-Waws-Unencoded-URL',
];
const ADDRESSES = [
  'X-Forwarded-For',
  'Client-IP',
  'X-Client-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'X-Real-IP',
  'X-Originating-IP',
  'Forwarded',
  'Forwarded-For',
  'X-Forwarded',
  'Fastly-Client-IP',
  'X-Azure-ClientIP',
  'X-Envoy-External-Address',
  'X-Envoy-Internal',
];
const OTHERS = [
  'X-Forwarded-Host',
  'X-Host',
  'X-HTTP-Host-Override',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'X-Original-Host',
  'X-Original-Method',
  'X-Support-Assertion',
  'X-Support-User',
  'X-Postern-Anything',
  'Via',
  'X-Request-Id',
  'Authorization',
  'x-app_token',
];

describe('managed headers of the client', () => {
  it.each([...REWRITES, ...ADDRESSES, ...OTHERS])('removes %s in every case', (name) => {
    expect(strip(name, '/exports', 'Accept', '*/*')).toEqual(['Accept', '*/*']);
    expect(strip(name.toUpperCase(), 'a', name.toLowerCase(), 'b')).toEqual([]);
  });

  it.each([
    'X_Support_Assertion',
    'X.Support.Assertion',
    'X-Support_Assertion',
    'X-Forwarded_For',
    'x.forwarded.for',
    'X_Real_IP',
    'X.Request.Id',
    'X!Support!User',
    'Script.Name',
    'X_Original_URL',
    'X_HTTP_Method_Override',
  ])('refuses %s, which an application may read as a managed one', (name) => {
    expect(strip(name, 'admin')).toBe('bad_header');
    expect(stripAllowing([name.toLowerCase()], name, 'admin')).toBe('bad_header');
  });

  it('drops other names with _ or . unless the route lists them, and says which', () => {
    const dropped: string[] = [];
    const out: string[] = [];
    const raw = ['Content_Length', '5', 'my.header', '1', 'kept_one', '2', '__proto__', 'x'];
    checkAndStripHeaders({ raw, allowed: ['kept_one'] }, RULES, out, (name) => dropped.push(name));
    expect(out).toEqual(['kept_one', '2']);
    expect(dropped).toEqual(['Content_Length', 'my.header', '__proto__']);
  });

  it('passes names of Object.prototype without harm', () => {
    const raw = ['constructor', 'a', 'toString', 'b', 'hasOwnProperty', 'c'];
    expect(strip(...raw)).toEqual(raw);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  it('refuses values with control characters or obs-text and lets a tab pass', () => {
    for (const bad of ['a\u0001', 'a\u007f', 'a\u0000b', 'caf\u00e9', 'a\rb', 'a\nb']) {
      expect(strip('X-A', bad)).toBe('bad_header');
    }
    expect(strip('X-A', 'a\tb')).toEqual(['X-A', 'a\tb']);
  });
});

describe('cookies', () => {
  it.each([
    ['__Host-postern=a', []],
    ['a=1; __Host-postern=a; b=2', ['Cookie', 'a=1; b=2']],
    ['__Host-postern=a; b=2', ['Cookie', 'b=2']],
    ['__host-POSTERN=a; b=2', ['Cookie', 'b=2']],
    ['__Host-postern =a; b=2', ['Cookie', 'b=2']],
    ['=__Host-postern=a; b=2', ['Cookie', 'b=2']],
    ['x__Host-postern=a; b="__Host-postern"', ['Cookie', 'x__Host-postern=a; b="__Host-postern"']],
  ])('removes only Postern\u2019s own from %j', (value, expected) => {
    expect(strip('Cookie', value)).toEqual(expected);
  });
});

describe('hop-by-hop headers', () => {
  it.each([
    'X-Support-Assertion',
    'close, X-Support-Assertion',
    'X_Support_Assertion',
    'Authorization',
    'Cookie',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'Via',
    'close\u0000',
    'a b',
    'x-app_token',
  ])('refuses Connection: %j', (value) => {
    expect(strip('Connection', value, 'X-A', '1')).toBe('bad_header');
  });

  it('removes other nominated headers, of every Connection line, wherever they stand', () => {
    const raw = ['X-App', '1', 'Connection', 'X-App, close', 'X-B', '2', 'connection', 'x-b,,', 'X-C', '3'];
    expect(strip(...raw)).toEqual(['X-C', '3']);
    expect(strip('Connection', ',,')).toEqual([]);
  });

  it('strips the rest of its kind and nothing that only sounds like it', () => {
    const names = [
      'Proxy-Connection',
      'Proxy-Authorization',
      'Proxy-Authenticate',
      'Keep-Alive',
      'TE',
      'Trailer',
    ];
    const more = ['Upgrade', 'Expect', 'HTTP2-Settings', 'Content-Length', 'Transfer-Encoding', 'Host'];
    const raw = [...names, ...more].flatMap((name) => [name, 'x']);
    expect(strip(...raw, 'Upgrade-Insecure-Requests', '1')).toEqual(['Upgrade-Insecure-Requests', '1']);
  });

  it('is idempotent', () => {
    const name = fc.oneof(
      fc.constantFrom('Connection', 'Cookie', 'X-A', 'x-b', 'TE', 'a_b', 'Via', ...REWRITES),
      fc.stringMatching(/^[A-Za-z-]{1,12}$/),
    );
    const value = fc.oneof(
      fc.constantFrom('x-a, close', '__Host-postern=1; a=2'),
      fc.stringMatching(/^[ -~]{0,20}$/),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (pairs) => {
        const once = strip(...pairs.flat());
        if (typeof once === 'string') return;
        expect(strip(...once)).toEqual(once);
      }),
    );
  });
});

describe('on the wire', () => {
  it('the upstream sees one of each managed header, and it is ours', async () => {
    await using upstream = await startAnswering('HTTP/1.1 204 No Content\r\n\r\n');
    await using gate = await startGate(upstream.url, {
      inject: [
        { name: 'Authorization', template: 'Bearer {secret:token}' },
        { name: 'X-Support-User', template: '{principal.email}' },
      ],
      secrets: { token: 'upstream-secret' },
    });
    const spoofed = [
      'X-Support-User: admin',
      'X-Support-User: root',
      'Authorization: Bearer support.jwt',
      'X-Request-Id: chosen',
      'X-Forwarded-For: 1.2.3.4',
      'Forwarded: for=1.2.3.4',
      'Via: 1.0 evil',
      'Connection: close, X-Hop',
      'X-Hop: 1',
      'TE: gzip',
      'my_header: 1',
      'Cookie: __Host-postern=s; sid=1',
    ];
    await exchange(gate.port, request('/me', spoofed), '\r\n\r\n');
    const lines = (upstream.wires[0]?.text ?? '').trim().split('\r\n');
    expect(lines).toEqual([
      'GET /me HTTP/1.1',
      'host: app.test',
      'connection: keep-alive',
      'Cookie: sid=1',
      'X-Request-Id: 0190a000-0000-7000-8000-000000000001',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: app.test',
      'Via: 1.1 postern',
      'Authorization: Bearer upstream-secret',
      'X-Support-User: alice@vendor.test',
    ]);
    expect(gate.dropped).toEqual(['my_header']);
  });

  it('sends the upstream\u2019s own authority where the client\u2019s host is not preserved', async () => {
    await using upstream = await startAnswering('HTTP/1.1 204 No Content\r\n\r\n');
    await using gate = await startGate(upstream.url, { preserveHost: false });
    await exchange(gate.port, request('/me'), '\r\n\r\n');
    expect(upstream.wires[0]?.text).toContain(`\r\nhost: 127.0.0.1:${upstream.port}\r\n`);
    expect(upstream.wires[0]?.text).toContain('\r\nX-Forwarded-Host: app.test\r\n');
  });

  it('forwards nothing of a request with an alias, nor of one whose injected value would break the line', async () => {
    await using upstream = await startAnswering('HTTP/1.1 204 No Content\r\n\r\n');
    await using gate = await startGate(upstream.url, {
      inject: [{ name: 'X-Support-Name', template: '{principal.name}' }],
      configure: (x) => {
        if (x.rawTarget === '/crlf') x.credential = credentialOf({ name: 'a\r\nX: 1' });
      },
    });
    expect(await exchange(gate.port, request('/a', ['X_Request_Id: 1']), 'reason')).toContain('bad_header');
    expect(await exchange(gate.port, request('/crlf'), 'reason')).toContain('bad_header');
    expect(upstream.wires).toHaveLength(0);
  });
});
