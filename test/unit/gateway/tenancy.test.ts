// One source of the tenant's name, and one label as its value.
import { describe, expect, it } from 'vitest';
import { createTenancy, type Tenancy, type TenancyResult } from '../../../src/gateway/tenancy.ts';

function resolve(tenancy: Tenancy, host: string, path: string, header = ''): TenancyResult {
  const result: TenancyResult = { tenant: null, routePath: '', forwardPath: '' };
  tenancy.resolve(host, path, header, result);
  return result;
}

describe('tenancy by host', () => {
  const tenancy = createTenancy({ from: 'host', prefix: '', suffix: '.app.test', port: null }, []);

  it('takes exactly one label', () => {
    expect(resolve(tenancy, 'acme.app.test', '/a').tenant).toBe('acme');
    expect(tenancy.hostIsKnown('acme.app.test', 'acme.app.test:8080')).toBe(true);
  });

  it.each([
    'app.test',
    '.app.test',
    'a.b.app.test',
    'acme.app.test.evil.test',
    'evil.test',
    'acme.app.test.',
  ])('does not know %s', (host) => {
    expect(tenancy.hostIsKnown(host, host)).toBe(false);
  });

  it('holds to the port where the pattern names one', () => {
    const withPort = createTenancy({ from: 'host', prefix: '', suffix: '.app.test', port: 8443 }, []);
    expect(withPort.hostIsKnown('acme.app.test', 'acme.app.test:8443')).toBe(true);
    expect(withPort.hostIsKnown('acme.app.test', 'acme.app.test')).toBe(false);
  });
});

describe('tenancy by path', () => {
  it('shows the rules the rest, and the upstream the rest or all of it', () => {
    const stripped = createTenancy({ from: 'path', prefix: '/t/', strip: true }, ['app.test']);
    expect(resolve(stripped, 'app.test', '/t/acme/exports/1')).toEqual({
      tenant: 'acme',
      routePath: '/exports/1',
      forwardPath: '/exports/1',
    });
    const kept = createTenancy({ from: 'path', prefix: '/t/', strip: false }, ['app.test']);
    expect(resolve(kept, 'app.test', '/t/acme')).toEqual({
      tenant: 'acme',
      routePath: '/',
      forwardPath: '/t/acme',
    });
  });

  it.each(['/acme', '/T/acme/x', '/t/', '/t', '/t/a%20b/x', '/t/a.b/x', '/t/a;b/x'])(
    'finds no tenant in %s',
    (path) => {
      const tenancy = createTenancy({ from: 'path', prefix: '/t/', strip: true }, ['app.test']);
      expect(resolve(tenancy, 'app.test', path).tenant).toBeNull();
    },
  );
});

describe('tenancy by header', () => {
  const tenancy = createTenancy({ from: 'header', name: 'x-tenant' }, ['app.test', 'other.test:8080']);

  it('takes a plain label, and knows the listed hosts alone', () => {
    expect(resolve(tenancy, 'app.test', '/a', 'acme').tenant).toBe('acme');
    expect(tenancy.hostIsKnown('app.test', 'app.test:1')).toBe(true);
    expect(tenancy.hostIsKnown('other.test', 'other.test:8080')).toBe(true);
    expect(tenancy.hostIsKnown('other.test', 'other.test')).toBe(false);
  });

  it.each(['', 'a b', 'a,b', 'a/b', 'a\u0000', '../a', 'a'.repeat(64)])('finds no tenant in %j', (header) => {
    expect(resolve(tenancy, 'app.test', '/a', header).tenant).toBeNull();
  });
});
