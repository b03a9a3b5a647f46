// One reading of the session cookie: the exact pair, none, or refused. The upstream room strips what this one finds.
import { describe, expect, it } from 'vitest';
import { isOwnCookie } from '#upstream/headers.ts';
import { isOwnOrigin } from '../../../src/gateway/same-origin.ts';
import { COOKIE_AMBIGUOUS, ownCookieOf } from '../../../src/gateway/own-cookie.ts';

const SECRET = 'A'.repeat(65);

describe('the session cookie in a header', () => {
  it.each([
    `__Host-postern=${SECRET}`,
    `a=1; __Host-postern=${SECRET}`,
    `a=1;__Host-postern=${SECRET}; b=2`,
    `x="__Host-postern"; __Host-postern=${SECRET}`,
  ])('is found: %s', (header) => {
    expect(ownCookieOf(header)).toBe(SECRET);
  });

  it.each([
    '',
    'a=1',
    'a=__Host-postern',
    `x__Host-postern=${SECRET}`,
    `__Host-posternx=${SECRET}`,
    `a=1; b=__Host-postern=${SECRET}`,
  ])('is none: %s', (header) => {
    expect(ownCookieOf(header)).toBeNull();
  });

  it.each([
    `__host-postern=${SECRET}`,
    `__Host-postern =${SECRET}`,
    `  __Host-postern=${SECRET}`,
    `\t__Host-postern=${SECRET}`,
    `=__Host-postern=${SECRET}`,
    '__Host-postern',
  ])('is none where only some servers would read it as ours, and is stripped all the same: %j', (header) => {
    expect(ownCookieOf(header)).toBeNull();
    expect(header.split(';').some(isOwnCookie)).toBe(true);
  });

  it.each([
    `__Host-postern=${SECRET} `,
    `__Host-postern="${SECRET}"`,
    `__Host-postern=${SECRET}A`,
    '__Host-postern=',
    `__Host-postern=${SECRET}; __Host-postern=${SECRET}`,
    `__Host-postern=x; __Host-postern=${SECRET}`,
  ])('is ambiguous: %j', (header) => {
    expect(ownCookieOf(header)).toBe(COOKIE_AMBIGUOUS);
    expect(header.split(';').some(isOwnCookie)).toBe(true);
  });
});

function at(host: string, secure = false) {
  return { host, hostName: host.replace(/:\d+$/, ''), secure };
}

describe('the own origin', () => {
  it.each([
    ['https://acme.app.test', at('acme.app.test')],
    ['https://acme.app.test', at('acme.app.test', true)],
    ['https://acme.app.test', at('acme.app.test:443')],
    ['https://acme.app.test:8443', at('acme.app.test:8443')],
    ['http://acme.localhost:8080', at('acme.localhost:8080')],
    ['http://127.0.0.1:8080', at('127.0.0.1:8080')],
    ['http://[::1]:8080', at('[::1]:8080')],
  ])('is %s', (origin, x) => {
    expect(isOwnOrigin(origin, x)).toBe(true);
  });

  it.each([
    ['http://acme.app.test', at('acme.app.test')],
    ['http://localhost:8080', at('localhost:8080', true)],
    ['http://localhost:9090', at('localhost:8080')],
    ['https://acme.app.test.evil.test', at('acme.app.test')],
    ['https://evil.test', at('acme.app.test')],
    ['http://localhost.evil.test', at('localhost.evil.test')],
    ['null', at('null')],
    ['', at('')],
  ])('is not %s', (origin, x) => {
    expect(isOwnOrigin(origin, x)).toBe(false);
  });
});
