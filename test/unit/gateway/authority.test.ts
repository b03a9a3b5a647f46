// The Host header: one spelling per host, or refused (RL04, RL05).
import { describe, expect, it } from 'vitest';
import { hostNameOf } from '../../../src/gateway/authority.ts';

describe('the Host header', () => {
  it.each([
    ['app.test', 'app.test'],
    ['APP.test', 'app.test'],
    ['app.test:443', 'app.test'],
    ['app.test.', 'app.test.'],
    ['127.0.0.1:8080', '127.0.0.1'],
    ['[::1]:8080', '[::1]'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['[::ffff:192.0.2.1]', '[::ffff:192.0.2.1]'],
  ])('reads %s as %s', (authority, host) => {
    expect(hostNameOf(authority)).toBe(host);
  });

  it.each([
    '',
    'a, b',
    'app.test/x',
    'u@app.test',
    'app.test:99999',
    'app.test:0',
    'app.test:',
    'app.test:8o',
    'app.test\x00',
    'app test',
    '[]',
    '[::1',
    '[::g]',
    '[::~]',
    '[::1%25eth0]',
    'app.test:80:80',
    'a'.repeat(300),
    ':80',
  ])('refuses %j', (authority) => {
    expect(hostNameOf(authority)).toBeNull();
  });
});
